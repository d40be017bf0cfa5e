//! The words of an order: what is asked for, and what a cloud says of it. No word here belongs to one cloud.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::redact::{CloudText, Personal};

/// What an order asks a cloud for, with every reference resolved.
#[derive(Clone, Debug)]
pub struct Application {
    /// The names to certify.
    pub names: Names,
    /// Who makes the key.
    pub key: Key,
    /// How the CA checks control of the names.
    pub validation: ValidationMethod,
    /// The organisation, from the referenced profile.
    pub profile: Option<Profile>,
    /// Protects the archive formats that the cloud packs the certificate into.
    pub key_password: Option<SecretString>,
}

impl Application {
    /// Every value that must not come back in a text of the cloud.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let profile = self.profile.iter().flat_map(Profile::sensitive);
        self.key_password.iter().cloned().chain(profile).collect()
    }
}

/// Who makes the private key.
#[derive(Clone, Debug)]
pub enum Key {
    /// The cloud does, and keeps it.
    Cloud(KeyAlgorithm),
    /// The user did; the cloud sees the CSR only.
    Csr(Csr),
}

/// The kind and size of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of this many bits.
    Rsa(u32),
    /// ECDSA on the NIST curve of this many bits.
    Ecdsa(u32),
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ecdsa(bits) => write!(f, "ECDSA {bits}"),
        }
    }
}

/// How the CA checks control of the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValidationMethod {
    /// A DNS record.
    Dns,
    /// A file under the domain's web root.
    File,
    /// A letter to an address of the domain.
    Email,
}

/// An organisation and the people who answer for it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The organisation; absent for a profile of a person.
    pub organization: Option<Organization>,
    /// Who answers for the organisation.
    pub administrator: Contact,
    /// Whom the CA calls about technical matters; the administrator when the user named nobody else.
    pub technical_contact: Contact,
    /// The same, as saved at the cloud.
    pub saved: Saved,
}

impl Profile {
    /// Every value that must not come back in a text of a cloud.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let of_contact = |contact: &Contact| {
            let Contact { first_name, last_name, title, phone, email, .. } = contact;
            [first_name, last_name, title, phone, email]
                .map(|datum| datum.as_ref().map(|datum| datum.expose().into()))
        };
        let people =
            [&self.administrator, &self.technical_contact].into_iter().flat_map(of_contact).flatten();
        people.chain(self.identifications().map(|identification| identification.number.clone())).collect()
    }

    fn identifications(&self) -> impl Iterator<Item = &Identification> {
        let organization =
            self.organization.as_ref().and_then(|organization| organization.identification.as_ref());
        organization
            .into_iter()
            .chain(&self.administrator.identification)
            .chain(&self.technical_contact.identification)
    }
}

/// Whether a cloud holds an organisation and its people already, so that their ids stand for the data.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Saved {
    /// Nobody asks for that: the data are sent.
    #[default]
    No,
    /// The data are sent, for this reason; in words that fit after "since" and "and".
    NotUsable(String),
    /// An application for the organisation must not be handed in for now.
    Held(Problem),
    /// The organisation is saved; the data of the people are sent.
    Organization {
        /// The cloud's id of it.
        id: u64,
        /// Why the people are not; in words that fit after "since" and "and".
        without_people: String,
    },
    /// Both are.
    Everything {
        /// The cloud's id of the organisation.
        organization: u64,
        /// The cloud's id of the administrator, who stands for all people.
        administrator: u64,
        /// The products whose review of the organisation is passed already.
        reviewed: Vec<Level>,
    },
}

/// How much a CA checks before it signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::Display)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Level {
    /// Control of the names.
    Dv,
    /// The organisation, too.
    Ov,
    /// The organisation, more strictly.
    Ev,
}

/// An organisation. Which fields must be there depends on the cloud.
#[derive(Clone, Default, Debug)]
pub struct Organization {
    /// Full legal name.
    pub name: Option<String>,
    /// Department.
    pub division: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Province or state.
    pub region: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Area code of the landline.
    pub phone_area_code: Option<String>,
    /// Number of the landline.
    pub phone_number: Option<String>,
    /// The registration document.
    pub identification: Option<Identification>,
}

/// A person. Which fields must be there depends on the cloud.
#[derive(Clone, Default, Debug)]
pub struct Contact {
    /// Given name.
    pub first_name: Option<Personal>,
    /// Family name.
    pub last_name: Option<Personal>,
    /// Position in the organisation.
    pub title: Option<Personal>,
    /// Mobile number.
    pub phone: Option<Personal>,
    /// E-mail address.
    pub email: Option<Personal>,
    /// Identity document.
    pub identification: Option<Identification>,
    /// Where the user wrote this contact, for error messages: `spec.administrator`.
    pub path: &'static str,
}

/// A document and its number, which comes from a Secret and goes to the cloud only.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The cloud's word for the kind of document.
    pub kind: String,
    /// The number.
    pub number: SecretString,
}

/// What a cloud says of a paid certificate.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Where the order stands.
    pub stage: Stage,
    /// The cloud's own word for that, as it sent it.
    pub status: String,
    /// What the cloud or the CA adds in words.
    pub message: Option<CloudText>,
    /// The account that holds it, by the cloud's number of it.
    pub owner: Option<String>,
    /// The CA's number, once ordered.
    pub order_id: Option<String>,
    /// The names that the cloud holds for this certificate, once it holds any.
    pub names: Vec<String>,
    /// What was bought, as far as the cloud tells.
    pub product: Product,
    /// What the cloud holds of an application.
    pub stored: Evidence,
    /// What the CA looks for to see that the user controls the names.
    pub records: Vec<ValidationRecord>,
    /// The certificate that the cloud replaced this one with.
    pub replaced_by: Option<String>,
    /// Begin of the certificate's validity.
    pub not_before: Option<Timestamp>,
    /// End of the certificate's validity.
    pub not_after: Option<Timestamp>,
}

impl Observation {
    /// Whether the cloud holds anything of an application, whosever it is.
    #[must_use]
    pub fn has_traces(&self) -> bool {
        !self.names.is_empty() || !self.stored.is_empty()
    }

    /// The same, as of now: a certificate whose time is over has expired, also where the cloud has not noticed yet.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        let is_over = self.stage == Stage::Issued && self.not_after.is_some_and(|end| end <= now);
        Self { stage: if is_over { Stage::Expired } else { self.stage }, ..self }
    }
}

/// Where a paid certificate stands, in words that fit every cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::Display, strum::EnumIter)]
pub enum Stage {
    /// Paid for; no application is under way.
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
    /// The money was paid back.
    Refunded,
    /// The cloud moves the certificate, or manages it by other means.
    Managed,
    /// A state that this version does not know. It waits, and does nothing that could harm.
    Unrecognised,
}

/// What was bought.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Product {
    /// The cloud's name for it.
    pub name: Option<String>,
    /// Whether only control of the domain is checked (DV), and no organisation.
    pub domain_validated: Option<bool>,
    /// Whether it covers a wildcard name.
    pub wildcard: Option<bool>,
    /// How many names it covers.
    pub names: Option<u32>,
    /// What the CA checks.
    pub level: Option<Level>,
    /// Whether the review of a saved organisation can be skipped; `None` where nobody tells.
    pub automatic_review: Option<bool>,
}

/// Something that the CA looks for to see that the user controls a name.
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

/// The longest part of a record, in bytes: what the status takes.
const LONGEST_PART: usize = 2048;

impl ValidationRecord {
    /// Whether it fits into a status, which the API server would refuse otherwise.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Self { domain, type_, name, value } = self;
        domain.len() <= LONGEST_DOMAIN && type_.len() <= 32 && name.len().max(value.len()) <= LONGEST_PART
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

/// What the cloud saw when it looked for the proof of control of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The name.
    pub domain: String,
    /// Whether the CA has seen the proof. Until then it keeps looking.
    pub passed: bool,
    /// What the cloud itself found, in words that fit after a colon: `the TXT record is missing`.
    pub local: &'static str,
    /// What the CA found, in the same way.
    pub ca: &'static str,
    /// The cloud's own words about what it found.
    pub detail: Option<CloudText>,
}

/// Until when the proofs of control must be in place.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// The last moment, where the cloud tells.
    pub at: Option<Timestamp>,
    /// What the cloud says about the wait.
    pub message: Option<CloudText>,
    /// The certificate by which the cloud's managed renewal replaces this one.
    pub replaced_by: Option<String>,
}

/// An issued certificate.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The leaf and what the cloud has of its chain: PEM, in any order, perhaps with the root.
    pub certificate_pem: String,
    /// The private key, PEM, where the cloud holds it.
    pub private_key_pem: Option<SecretString>,
}

/// Facts by which a stored application is recognised: digests, since they stand for personal data.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Evidence {
    facts: BTreeMap<&'static str, [u8; 32]>,
    /// Parts of the application are never shown by the cloud.
    partial: bool,
}

impl Evidence {
    /// Adds one fact under a name; white space around the value does not count.
    pub fn add(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        self.facts.insert(name, Sha256::digest(value.as_ref().trim_ascii()).into());
    }

    /// Says that the application has parts that the cloud does not show, such as the id of a saved profile: an
    /// application with other such parts looks the same.
    pub fn set_partial(&mut self) {
        self.partial = true;
    }

    /// Whether there are any facts at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Whether another application may look the same as this one.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Whether every fact of `sent` stands here too, and tells the whole application. No facts prove nothing.
    #[must_use]
    pub fn shows(&self, sent: &Evidence) -> bool {
        !sent.partial && self.resembles(sent)
    }

    /// Whether every fact of `sent` stands here too. Of a partial one that is no proof without another one, such as
    /// the cloud's log of calls.
    #[must_use]
    pub fn resembles(&self, sent: &Evidence) -> bool {
        let stands_here = |(name, digest): (&&str, &[u8; 32])| self.facts.get(*name) == Some(digest);
        !sent.facts.is_empty() && sent.facts.iter().all(stands_here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(facts: &[(&'static str, &str)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (name, value) in facts {
            evidence.add(name, value);
        }
        evidence
    }

    #[test]
    fn evidence_needs_every_fact_and_at_least_one() {
        let sent = evidence(&[("domain", "a.example"), ("organisation", "Acme")]);
        let stored = [
            (evidence(&[("domain", "a.example "), ("organisation", "Acme"), ("city", "Guangzhou")]), true),
            (evidence(&[("domain", "a.example")]), false),
            (evidence(&[("domain", "a.example"), ("organisation", "Other")]), false),
            (Evidence::default(), false),
        ];
        for (stored, shows) in stored {
            assert_eq!(stored.shows(&sent), shows, "{stored:?}");
        }
        assert!(!sent.shows(&Evidence::default()));
    }

    #[test]
    fn what_the_cloud_shows_in_part_resembles_and_is_not_shown() {
        let mut by_ids = evidence(&[("domain", "a.example")]);
        by_ids.set_partial();
        let stored = evidence(&[("domain", "a.example"), ("organisation", "Other")]);
        assert!(stored.resembles(&by_ids) && !stored.shows(&by_ids));
        assert!(!evidence(&[("domain", "b.example")]).resembles(&by_ids));
    }
}
