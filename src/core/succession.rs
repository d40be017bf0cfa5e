//! Certificates that a cloud made to follow another one, as the cloud shows them.
//!
//! No cloud renews a certificate within its paid term on request. It makes another certificate by itself (a subscription, a
//! plan of several years, an automatic renewal), or a person has it made in the console, or the cloud reissues it on request.

use jiff::Timestamp;

use crate::core::observation::Stage;

/// A certificate that follows another one, or that may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its id.
    pub certificate_id: String,
    /// How it came to be.
    pub way: Way,
    /// What the two certificates say of each other.
    pub link: Link,
    /// Its stage.
    pub stage: Stage,
    /// The names that the cloud holds for it, once it holds any; the primary one first.
    pub names: Vec<String>,
    /// End of its validity, once it is issued, as the cloud tells it.
    pub not_after: Option<Timestamp>,
}

/// How a certificate came to follow another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::Display, strum::EnumIter)]
pub enum Way {
    /// A reissue, by a call or in the console.
    Reissue,
    /// A paid renewal: automatic, in the console, or the next year of a plan of several years.
    Renewal,
    /// The next certificate of a subscription.
    Subscription,
    /// The cloud shows no links: it has the same specification and the same primary name.
    SameSpecification,
}

/// What two certificates say of each other, the one that is followed and the one that follows. Clouds leave either side out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// Each names the other.
    Both,
    /// Only the one that is followed names the other.
    Forward,
    /// Only the one that follows names the other.
    Back,
    /// One of them names a third one, which has this id.
    Contradicted(String),
    /// The cloud has no such fields.
    None,
}

/// The certificate whose successors are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Its id.
    pub certificate_id: &'a str,
    /// The primary name of the order.
    pub common_name: &'a str,
    /// The ids that the order had before, and this one: none of them is a successor.
    pub chain: &'a [String],
}
