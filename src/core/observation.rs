//! What a cloud reports about a paid certificate, without terms of a particular cloud.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::core::evidence::Evidence;
use crate::core::product::Product;
use crate::core::redact::CloudText;
use crate::core::text::is_shown_whole;

/// What a cloud reports about a paid certificate.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The stage of the order.
    pub stage: Stage,
    /// The cloud's own word for the stage, as it sent it.
    pub status: String,
    /// What the cloud or the CA adds in words.
    pub message: Option<CloudText>,
    /// The account that holds it, by the cloud's number of it.
    pub owner: Option<String>,
    /// The CA's number, once ordered.
    pub order_id: Option<String>,
    /// The names that the cloud holds for this certificate, once it holds any.
    pub names: Vec<String>,
    /// The bought product, as far as the cloud reports it.
    pub product: Product,
    /// What the cloud holds of an application.
    pub stored: Evidence,
    /// The proofs of control that the CA checks.
    pub records: Vec<ValidationRecord>,
    /// The certificate that took the place of this one at the cloud.
    pub replaced_by: Option<String>,
    /// The certificate that this one took the place of.
    pub reissued_from: Option<String>,
    /// Begin of the certificate's validity.
    pub not_before: Option<Timestamp>,
    /// End of the certificate's validity.
    pub not_after: Option<Timestamp>,
}

impl Observation {
    /// Whether the cloud holds any data of an application, of this order or another one.
    #[must_use]
    pub fn has_traces(&self) -> bool {
        !self.names.is_empty() || !self.stored.is_empty()
    }

    /// The observation as of `now`: a certificate past its end has expired, even if the cloud does not report it yet.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        let is_over = self.stage == Stage::Issued && self.not_after.is_some_and(|end| end <= now);
        Self { stage: if is_over { Stage::Expired } else { self.stage }, ..self }
    }
}

/// The stage of a paid certificate, the same for every cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::Display, strum::EnumIter)]
pub enum Stage {
    /// Paid for; no application is in progress.
    AwaitingInformation,
    /// Waits for a signed letter.
    AwaitingLetter,
    /// Waits for the proof of control of the names.
    Validating,
    /// The CA or the cloud reviews.
    Reviewing,
    /// About to be issued.
    Issuing,
    /// Issued.
    Issued,
    /// The cloud or the CA refused the application.
    Rejected,
    /// A running review is being stopped.
    Cancelling,
    /// Stopped.
    Cancelled,
    /// Being revoked.
    Revoking,
    /// To be revoked, and the CA waits for a signed letter.
    AwaitingRevocationLetter,
    /// Revoked.
    Revoked,
    /// No longer valid.
    Expired,
    /// The purchase was refunded.
    Refunded,
    /// The cloud moves the certificate, or manages it by other means.
    Managed,
    /// A state that this version does not know. The order waits, and nothing is written.
    Unrecognised,
}

impl Stage {
    /// Whether a certificate gets to this stage only by an order.
    #[must_use]
    pub fn shows_an_order(self) -> bool {
        !matches!(self, Self::AwaitingInformation | Self::Refunded | Self::Managed | Self::Unrecognised)
    }
}

/// A proof of control that the CA checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationRecord {
    /// The name that it proves control of.
    pub domain: String,
    /// `TXT`, `CNAME` or `FILE`.
    pub type_: String,
    /// Full name of the DNS record, or URL of the file.
    pub name: String,
    /// Value of the DNS record, or content of the file.
    pub value: String,
}

/// More records than any product has names.
pub const MOST_RECORDS: usize = 128;

/// The longest name of a domain, in bytes.
pub const LONGEST_DOMAIN: usize = 253;

/// The longest part of a record, in bytes: what fits into the status.
const LONGEST_PART: usize = 2048;

impl ValidationRecord {
    /// Whether it fits into the status, which the API server would refuse otherwise, and can be shown as it is: a record
    /// with characters that nobody sees cannot be published, and changed it is none.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Self { domain, type_, name, value } = self;
        let is_visible = [domain, type_, name, value].iter().all(|part| is_shown_whole(part));
        is_visible
            && domain.len() <= LONGEST_DOMAIN
            && type_.len() <= 32
            && name.len().max(value.len()) <= LONGEST_PART
    }
}

/// The names that a cloud holds, each once, in their order.
#[must_use]
pub fn each_once(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// The result of the cloud's check of the proof of control of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The name.
    pub domain: String,
    /// Whether the CA has found the proof. Until then it keeps checking.
    pub passed: bool,
    /// What the cloud itself found; the text follows a colon: `the TXT record is missing`.
    pub local: &'static str,
    /// What the CA found, in the same way.
    pub ca: &'static str,
    /// The cloud's own words about what it found.
    pub detail: Option<CloudText>,
}

/// Until when the proofs of control must be in place.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// The deadline, if the cloud reports it.
    pub at: Option<Timestamp>,
    /// What the cloud says about the wait.
    pub message: Option<CloudText>,
    /// The certificate by which the cloud's managed renewal replaces this one.
    pub replaced_by: Option<String>,
}

/// An issued certificate.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The leaf and what the cloud has of its chain: PEM, in any order, possibly with the root.
    pub certificate_pem: String,
    /// The private key, PEM, if the cloud holds it.
    pub private_key_pem: Option<SecretString>,
}
