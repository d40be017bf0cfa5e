//! In which ways one certificate follows another. The documents leave all of it open.

/// What the next certificate looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Succession {
    /// Under which id it appears.
    pub identity: Identity,
    /// Which number its purchase has, where it has an id of its own. One that the cloud buys has another in any case.
    pub order: OrderNumber,
    /// Where its application stands, where it has an id of its own.
    pub start: Start,
}

/// Under which id the next certificate appears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// One of its own.
    #[default]
    Own,
    /// That of the one before, which stays issued until it has the new leaf.
    Same,
    /// That of the one before, which leaves the status `ISSUED` for the validation.
    SameInReview,
}

/// Which number the purchase of the next certificate has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderNumber {
    /// That of the one before.
    #[default]
    Same,
    /// One of its own.
    Own,
}

/// Where the application of the next certificate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The cloud filed it with the information of the one before: it waits for the proofs of control.
    #[default]
    Filed,
    /// Nobody filed it, and nothing of it can be read: `PAID`, as after a purchase.
    Paid,
    /// Nobody filed it, but its names can be read: `PAID`, as after a withdrawal.
    PaidWithNames,
}
