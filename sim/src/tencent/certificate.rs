//! A bought certificate and everything the service knows about it.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    account::Account,
    links::{Links, Predecessors, Successors},
    product::Product,
    submission::Submission,
    term::Term,
};
use crate::cloud::{Issued, Shape};

/// A status number of Tencent Cloud SSL. Open: a test may set numbers that no document lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(pub i64);

impl Status {
    /// Under review at the authority.
    pub const UNDER_REVIEW: Self = Self(0);
    /// Issued.
    pub const ISSUED: Self = Self(1);
    /// The review failed; the status message says why.
    pub const REVIEW_FAILED: Self = Self(2);
    /// Expired.
    pub const EXPIRED: Self = Self(3);
    /// The DNS record was added by the cloud and is being looked up.
    pub const DNS_ADDED: Self = Self(4);
    /// Bought; the application's information is not sent to the authority yet.
    pub const PENDING_SUBMISSION: Self = Self(5);
    /// The order is being cancelled.
    pub const CANCELLING: Self = Self(6);
    /// The order is cancelled.
    pub const CANCELLED: Self = Self(7);
    /// Waits for a confirmation letter.
    pub const AWAITING_LETTER: Self = Self(8);
    /// Being revoked.
    pub const REVOKING: Self = Self(9);
    /// Revoked.
    pub const REVOKED: Self = Self(10);
    /// Being reissued.
    pub const REISSUING: Self = Self(11);
    /// Waits for a revocation letter.
    pub const AWAITING_REVOCATION_LETTER: Self = Self(12);
    /// As 5, for free certificates.
    pub const PENDING_SUBMISSION_FREE: Self = Self(13);
    /// Refunded.
    pub const REFUNDED: Self = Self(14);
    /// Being migrated.
    pub const MIGRATING: Self = Self(15);

    /// The state of such a product whose order is not sent: 13 if it is free, else 5.
    pub(super) fn pending(product: Product) -> Self {
        if product.is_free() { Self::PENDING_SUBMISSION_FREE } else { Self::PENDING_SUBMISSION }
    }

    /// Whether the application's information may be stored, and the order sent.
    #[must_use]
    pub fn awaits_submission(self) -> bool {
        matches!(self, Self::PENDING_SUBMISSION | Self::PENDING_SUBMISSION_FREE)
    }

    /// Whether an order is running at the authority.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::UNDER_REVIEW | Self::DNS_ADDED | Self::AWAITING_LETTER)
    }

    /// Whether the authority has to do something next: the letter of 8 is the customer's matter.
    pub(super) fn waits_for_authority(self) -> bool {
        (self.is_running() && self != Self::AWAITING_LETTER) || self.is_ending()
    }

    /// Whether a cancellation or revocation waits for the authority's confirmation.
    #[must_use]
    pub fn is_ending(self) -> bool {
        matches!(self, Self::CANCELLING | Self::REVOKING)
    }

    /// The name that people see.
    ///
    /// Inferred: the wording of the values of `StatusName`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "Under review",
            1 => "Issued",
            2 => "Review failed",
            3 => "Expired",
            4 => "Validating",
            5 | 13 => "Pending submission",
            6 => "Canceling",
            7 => "Canceled",
            8 => "Pending confirmation letter",
            9 => "Revoking",
            10 => "Revoked",
            11 => "Reissuing",
            12 => "Pending revocation letter",
            14 => "Refunded",
            15 => "Migrating",
            _ => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a running review got, as `StatusMsg` says it.
pub(super) mod progress {
    pub(crate) const PRE_REVIEWING: &str = "PRE-REVIEWING";
    pub(crate) const LEGAL_REVIEWING: &str = "LEGAL-REVIEWING";
    pub(crate) const CA_REVIEWING: &str = "CA-REVIEWING";
    pub(crate) const PENDING_DCV: &str = "PENDING-DCV";
    pub(crate) const WAIT_ISSUE: &str = "WAIT-ISSUE";
}

/// The proof of control that the authority wants for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainAuth {
    /// The name in the certificate.
    pub name: String,
    /// The domain under which the proof is placed.
    pub domain: String,
    /// The record's or file's name.
    pub key: String,
    /// The record's value or the file's content.
    pub value: String,
    /// Where the file goes; empty for DNS.
    pub path: String,
    /// The record's name within `domain`; empty for files.
    pub sub_domain: String,
    /// `TXT` or `FILE`.
    pub kind: String,
    /// What the cloud finds when it looks for the proof.
    pub finding: Finding,
    /// Whether the authority has seen the proof.
    pub seen: bool,
}

/// What a look for the proof of one name finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Finding {
    /// Nothing.
    #[default]
    Missing,
    /// A record or file that says something else.
    Other(String),
    /// No name servers of the domain.
    NoNameServers,
    /// Nothing, since there were too many looks.
    TooOften,
    /// The proof.
    Proof,
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
    /// How many names the purchase covers.
    pub domain_number: usize,
    /// A note of the owner.
    pub alias: String,
    /// Where the order stands.
    pub status: Status,
    /// Progress of a review, or why it failed (`StatusMsg`).
    pub status_message: String,
    /// The information that is stored for the authority.
    pub submission: Option<Submission>,
    /// The authority's order number.
    pub order_id: Option<String>,
    /// When the order was last sent.
    pub ordered_at: Option<Timestamp>,
    /// The proofs that the authority wants.
    pub auths: Vec<DomainAuth>,
    /// Until when they must be found.
    pub validation_deadline: Option<Timestamp>,
    /// When they were found.
    pub validation_passed: Option<Timestamp>,
    /// What the list says about the wait for them (`AwaitingValidationMsg`).
    pub validation_message: Option<String>,
    /// When the certificate was bought.
    pub bought_at: Timestamp,
    /// What the authority delivered.
    pub issued: Option<Issued>,
    /// How the cloud hands over what the authority delivers from now on.
    pub shape: Shape,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The paid term that it belongs to.
    pub term: Term,
    /// Whose place it took.
    pub predecessors: Predecessors,
    /// What took its place.
    pub successors: Successors,
    /// When that can be read.
    pub links: Links,
    /// The certificate that it follows, whatever can be read of that.
    pub follows: Option<String>,
    /// The reissue that it comes from.
    pub reissue: Option<ReissueRun>,
    /// Where it comes from.
    pub source: Source,
    /// The certificate is an uploaded one whose renewal the cloud manages: nobody else may submit it.
    pub renewal_is_managed: bool,
    /// The authority does not offer the chosen root.
    pub root_refused: bool,
    /// The authority wants a confirmation letter once the order is sent; never for DV.
    pub wants_letter: bool,
    /// What the authority wants before it revokes.
    pub revocation: Revocation,
}

/// Where a certificate comes from (`From`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was bought here.
    Bought,
    /// Its owner uploaded it.
    Uploaded,
}

/// What the authority wants before it revokes a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// A new proof of control.
    pub wants_proof: bool,
    /// Those proofs, once the revocation is asked for.
    pub auths: Vec<DomainAuth>,
}

/// What a reissue was asked for.
#[derive(Clone, Debug)]
pub struct ReissueRun {
    /// The end of the leaf that it replaces.
    pub ends_with: Timestamp,
    /// How control of the domains is proven.
    pub verify_type: String,
    /// Whether it has to be.
    pub wants_proof: bool,
    /// The key of the old certificate, where the cloud made it and the new one has the same.
    pub kept_key: Option<SecretString>,
}

impl Certificate {
    pub(super) fn bought(id: &str, owner: Account, product: Product, now: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            owner,
            product,
            domain_number: if product.coverage.several_names() { 5 } else { 1 },
            alias: String::new(),
            status: Status::pending(product),
            status_message: String::new(),
            submission: None,
            order_id: None,
            ordered_at: None,
            auths: Vec::new(),
            validation_deadline: None,
            validation_passed: None,
            validation_message: None,
            bought_at: now,
            issued: None,
            shape: Shape::default(),
            revoked_at: None,
            term: Term::classic(),
            predecessors: Predecessors::default(),
            successors: Successors::default(),
            links: Links::default(),
            follows: None,
            reissue: None,
            source: Source::Bought,
            renewal_is_managed: false,
            root_refused: false,
            wants_letter: false,
            revocation: Revocation::default(),
        }
    }

    /// All names, the common name first; none before information is stored.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.submission.as_ref().map(Submission::names).unwrap_or_default()
    }

    /// Whether it is issued; a reissue of it may run.
    pub(super) fn is_valid(&self) -> bool {
        self.status == Status::ISSUED || (self.status == Status::REISSUING && self.issued.is_some())
    }

    /// The end of its leaf, while it is issued.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.issued.as_ref().filter(|_| self.is_valid()).map(|issued| issued.not_after)
    }

    /// Whether its order ended without a certificate.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status, Status::REVIEW_FAILED | Status::CANCELLED)
    }

    /// Whether it comes from a reissue that is not over.
    pub(super) fn reissue_runs(&self) -> bool {
        self.reissue.is_some() && self.issued.is_none() && !self.has_failed()
    }

    /// Whether its order is at the authority.
    pub(super) fn is_reviewed(&self) -> bool {
        self.status.is_running() || (self.status == Status::REISSUING && self.reissue_runs())
    }

    /// Whether the authority has to do something next.
    pub(super) fn waits_for_authority(&self) -> bool {
        self.status.waits_for_authority() || (self.status == Status::REISSUING && self.reissue_runs())
    }

    /// Whether the cloud will buy the next one (`AutoRenewFlag`).
    pub(super) fn renews_automatically(&self) -> bool {
        let flag = self.submission.as_ref().and_then(|submission| submission.get("AutoRenewFlag"));
        flag.is_some_and(|flag| *flag == 1)
    }
}
