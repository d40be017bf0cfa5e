//! A bought certificate and everything the service knows about it.

use std::fmt;

use jiff::Timestamp;

use super::{account::Account, product::Product, submission::Submission, term::Term};
use crate::cloud::{Coverage, Issued, Shape};

/// A status word of Huawei Cloud SCM. Open: a test may set words that no document lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status(pub &'static str);

impl Status {
    /// Paid, and no application filed; or the application was withdrawn.
    pub const PAID: Self = Self("PAID");
    /// Under review.
    pub const CHECKING: Self = Self("CHECKING");
    /// Waits for domain validation.
    pub const CHECKING_DOMAIN: Self = Self("CHECKING_DOMAIN");
    /// Waits for organisation validation.
    pub const CHECKING_ORG: Self = Self("CHECKING_ORG");
    /// About to be issued.
    pub const ISSUING: Self = Self("ISSUING");
    /// Issued.
    pub const ISSUED: Self = Self("ISSUED");
    /// Refused by the authority.
    pub const UNPASSED: Self = Self("UNPASSED");
    /// The withdrawal of the application is under review.
    pub const CANCELCHECKING: Self = Self("CANCELCHECKING");
    /// Being revoked.
    pub const REVOKING: Self = Self("REVOKING");
    /// The revocation is being withdrawn. The spelling is that of the API.
    pub const CANCLEREVOKING: Self = Self("CANCLEREVOKING");
    /// Revoked.
    pub const REVOKED: Self = Self("REVOKED");
    /// Expired.
    pub const EXPIRED: Self = Self("EXPIRED");
    /// Not bought here but uploaded.
    pub const UPLOAD: Self = Self("UPLOAD");
    /// The addition of domains is under review.
    pub const SUPPLEMENTCHECKING: Self = Self("SUPPLEMENTCHECKING");
    /// The addition of domains is being withdrawn.
    pub const CANCELSUPPLEMENTING: Self = Self("CANCELSUPPLEMENTING");

    /// Every word that the documents list.
    pub const DOCUMENTED: [Self; 15] = [
        Self::PAID,
        Self::CHECKING,
        Self::CHECKING_DOMAIN,
        Self::CHECKING_ORG,
        Self::ISSUING,
        Self::ISSUED,
        Self::UNPASSED,
        Self::CANCELCHECKING,
        Self::REVOKING,
        Self::CANCLEREVOKING,
        Self::REVOKED,
        Self::EXPIRED,
        Self::UPLOAD,
        Self::SUPPLEMENTCHECKING,
        Self::CANCELSUPPLEMENTING,
    ];

    /// Whether an application is running at the authority.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::CHECKING | Self::CHECKING_DOMAIN | Self::CHECKING_ORG | Self::ISSUING)
    }

    /// Whether the authority has to do something next.
    pub(super) fn waits_for_authority(self) -> bool {
        let is_ending = matches!(
            self,
            Self::CANCELCHECKING
                | Self::REVOKING
                | Self::CANCLEREVOKING
                | Self::SUPPLEMENTCHECKING
                | Self::CANCELSUPPLEMENTING
        );
        self.is_running() || is_ending
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The proof of control that the authority wants for one name (`authentification`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainAuth {
    /// The name in the certificate.
    pub name: String,
    /// The record's name.
    pub record_name: String,
    /// The record's type.
    pub record_type: String,
    /// The record's value.
    pub record_value: String,
    /// Whether the authority has seen the proof.
    pub seen: bool,
}

/// A bought certificate. Tests read it as a snapshot and change it to move the authority's side.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate id.
    pub id: String,
    /// Whose it is.
    pub owner: Account,
    /// What was bought.
    pub product: Product,
    /// The number of the purchase.
    pub order_id: String,
    /// How many names the purchase covers.
    pub domain_count: usize,
    /// How many of them are wildcards.
    pub wildcard_count: usize,
    /// Whether the first name of a product for several names is a wildcard.
    pub primary_is_wildcard: bool,
    /// A name for people.
    pub name: String,
    /// A note of the owner.
    pub description: String,
    /// Where the application stands.
    pub status: Status,
    /// Why the authority refused. The API does not show it.
    pub refusal_reason: String,
    /// Why it was revoked.
    pub revoke_reason: String,
    /// The information that was filed.
    pub submission: Option<Submission>,
    /// How often an application was taken.
    pub applications: u64,
    /// When the last one was.
    pub applied_at: Option<Timestamp>,
    /// The proofs that the authority wants.
    pub auths: Vec<DomainAuth>,
    /// When they were found.
    pub validation_passed: Option<Timestamp>,
    /// When the withdrawal that runs was asked for.
    pub withdrawal_asked_at: Option<Timestamp>,
    /// When the certificate was bought.
    pub bought_at: Timestamp,
    /// What the authority delivered.
    pub issued: Option<Issued>,
    /// How the cloud hands over what the authority delivers from now on.
    pub shape: Shape,
    /// The paid term that it belongs to.
    pub term: Term,
    /// The certificate that it follows. The API shows nothing of that.
    pub follows: Option<String>,
    /// What runs that will give it another leaf under the same id.
    pub in_place: Option<InPlace>,
}

/// What gives a certificate another leaf under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPlace {
    /// The cloud goes on with what was paid for.
    Renewal,
    /// It did, and the authority refused.
    Refused,
    /// Its owner asked for it in the console; the authority has yet to cancel the old leaf.
    Reissue,
}

impl Certificate {
    pub(super) fn bought(id: &str, owner: Account, product: Product, now: Timestamp) -> Self {
        let (domain_count, wildcard_count) = match product.coverage {
            Coverage::Single => (1, 0),
            Coverage::Wildcard => (1, 1),
            Coverage::Multi => (5, 0),
            Coverage::MultiWildcard => (5, 2),
        };
        Self {
            id: id.to_owned(),
            owner,
            product,
            order_id: format!("CS{:0>16}", id.trim_start_matches("scs")),
            domain_count,
            wildcard_count,
            primary_is_wildcard: false,
            name: format!("{}-{id}", product.kind.to_ascii_lowercase()),
            description: String::new(),
            status: Status::PAID,
            refusal_reason: String::new(),
            revoke_reason: String::new(),
            submission: None,
            applications: 0,
            applied_at: None,
            auths: Vec::new(),
            validation_passed: None,
            withdrawal_asked_at: None,
            bought_at: now,
            issued: None,
            shape: Shape::default(),
            term: Term::single(),
            follows: None,
            in_place: None,
        }
    }

    /// All names, that of `domain` first; none before an application is filed.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.submission.as_ref().map(Submission::names).unwrap_or_default()
    }

    /// The end of its leaf, while it is issued.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        let issued = self.issued.as_ref().filter(|_| self.status == Status::ISSUED);
        issued.map(|issued| issued.not_after)
    }

    /// Whether it goes on for another leaf, and keeps its status meanwhile.
    pub(super) fn renews_in_place(&self) -> bool {
        let keeps_status = matches!(self.status, Status::ISSUED | Status::EXPIRED);
        keeps_status && self.in_place == Some(InPlace::Renewal)
    }

    /// Whether the authority has to do something next.
    pub(super) fn waits_for_authority(&self) -> bool {
        self.status.waits_for_authority() || self.renews_in_place()
    }

    /// When it changed last, as far as the authority is concerned.
    pub(super) fn updated_at(&self) -> Timestamp {
        let issued_at = self.issued.as_ref().map(|issued| issued.not_before);
        let times = [Some(self.bought_at), self.applied_at, issued_at];
        times.into_iter().flatten().max().unwrap_or(self.bought_at)
    }
}
