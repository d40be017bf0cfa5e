//! In which ways one certificate follows another.

use super::links::Visibility;

/// How a further certificate comes to be without a call of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The next one of a multi-year plan: paid already.
    MultiYear,
    /// The next one of a subscription service: paid already.
    Subscription,
    /// The cloud buys it, as the flag for automatic renewal says.
    AutoRenewal,
    /// A person buys the renewal in the console.
    PaidRenewal,
    /// A person has it reissued in the console.
    Reissue,
}

/// What a further certificate looks like. The documents leave all of it open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Succession {
    /// Where its order begins. A reissue has no choice.
    pub start: Start,
    /// Who names whom.
    pub ends: LinkedEnds,
    /// When that can be read.
    pub visibility: Visibility,
    /// There is another certificate that names the same one as its origin.
    pub second_candidate: bool,
}

/// Where the order of a further certificate begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the authority, with the information of the one before: it waits for the proofs of control.
    #[default]
    Ordered,
    /// At nothing: it waits for its information, as after a purchase.
    Pending,
}

/// Which of two certificates names the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkedEnds {
    /// Each the other.
    #[default]
    Both,
    /// Only the old one the new one.
    Old,
    /// Only the new one the old one.
    New,
    /// Neither.
    Neither,
    /// The old one the new one, and that names another one as its origin.
    Stray(String),
}
