//! The facts by which a stored application is recognised, under the names that `DescribeCertificate` gives them.

use serde_json::{Map, Value};

use crate::core::certificate::{Csr, asked_for};
use crate::core::evidence::Evidence;
use crate::core::names::{DnsName, Names};

use super::wire::{text_of, texts_of};

/// The common name, and the further ones.
const NAMES: (&str, &str) = ("CertificateDomain", "DomainList");
const CSR: &str = "CsrContent";
const ORGANIZATION: &str = "OrganizationName";

const KEY_ORIGIN: &str = "CsrType";

/// The facts that are plain texts. `KeyPassword` is not among them: it could be guessed from its digest.
const TEXTS: &[&str] = &[
    "OrganizationName",
    "OrganizationDivision",
    "OrganizationAddress",
    "OrganizationCountry",
    "OrganizationCity",
    "OrganizationRegion",
    "PhoneAreaCode",
    "PhoneNumber",
    "AdminFirstName",
    "AdminLastName",
    "AdminPhoneNum",
    "AdminEmail",
    "AdminPosition",
    "ContactFirstName",
    "ContactLastName",
    "ContactNumber",
    "ContactEmail",
    "ContactPosition",
    "VerifyType",
];

/// Adds the names of an application that is sent.
pub fn add_names(evidence: &mut Evidence, names: &Names) {
    let others = names.others().iter().map(DnsName::as_str);
    evidence.add_names(NAMES, names.common_name().as_str(), others);
}

/// Adds a CSR, by what it asks for: the cloud may change line ends and labels of its text, and a CSR that is signed
/// again has another signature.
pub fn add_csr(evidence: &mut Evidence, csr: &Csr) {
    evidence.add_identity(CSR, csr.request_info());
}

/// Where the key of an application is made: at the cloud, or by its sender, for which there are two words. An application for
/// the cloud's key shows no CSR, so nothing else tells it from one with the same names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyOrigin {
    /// The cloud makes key and CSR.
    Cloud,
    /// The sender has made them.
    Sender,
}

impl KeyOrigin {
    /// The word that is sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cloud => "online",
            Self::Sender => "parse",
        }
    }

    fn of(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "online" => Some(Self::Cloud),
            "parse" | "upload" => Some(Self::Sender),
            _ => None,
        }
    }
}

/// Adds where the key is made.
pub fn add_key_origin(evidence: &mut Evidence, origin: KeyOrigin) {
    evidence.add_fixed(KEY_ORIGIN, origin.word());
}

/// Marks the organisation as a fact that identifies the application.
pub fn mark_organization(evidence: &mut Evidence) {
    evidence.mark_identity(ORGANIZATION);
}

/// The facts of the application that the cloud holds; none if it holds none.
pub fn stored(data: &Map<String, Value>) -> Evidence {
    let text = |name: &str| data.get(name).and_then(text_of);
    let mut evidence = Evidence::default();
    for name in TEXTS {
        if let Some(text) = text(name) {
            evidence.add(name, text);
        }
    }
    if let Some(origin) = text(KEY_ORIGIN).as_deref().and_then(KeyOrigin::of) {
        add_key_origin(&mut evidence, origin);
    }
    if let Some(common_name) = text(NAMES.0) {
        let others = data.get(NAMES.1).map(texts_of).unwrap_or_default();
        evidence.add_names(NAMES, &common_name, others);
    }
    // Also one that we would refuse: it is somebody else's then.
    if let Some(asked_for) = text(CSR).as_deref().and_then(asked_for) {
        evidence.add_identity(CSR, asked_for);
    }
    evidence
}
