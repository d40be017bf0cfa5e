//! The facts by which a stored application is recognised, under the names that `DescribeCertificate` gives them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::core::certificate::Csr;
use crate::core::evidence::Evidence;
use crate::core::names::Names;

use super::wire::{text_of, texts_of};

const COMMON_NAME: &str = "CertificateDomain";
const OTHER_NAMES: &str = "DomainList";
const CSR: &str = "CsrContent";
const ORGANIZATION: &str = "OrganizationName";

/// The facts that are plain texts. `KeyPassword` is not among them: it could be guessed from its digest.
const TEXTS: &[&str] = &[
    "CsrType",
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
    let others = names.others().iter().map(|name| name.as_str().to_owned());
    add(evidence, names.common_name().as_str(), others);
}

/// Adds a CSR, by what it asks for: the cloud may change line ends and labels of its text, and a CSR that is signed
/// again has another signature.
pub fn add_csr(evidence: &mut Evidence, csr: &Csr) {
    evidence.add_identity(CSR, csr.request_info());
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
    if let Some(common_name) = text(COMMON_NAME) {
        add(&mut evidence, &common_name, data.get(OTHER_NAMES).map(texts_of).unwrap_or_default());
    }
    if let Some(csr) = text(CSR).and_then(|pem| Csr::parse(&pem).ok()) {
        add_csr(&mut evidence, &csr);
    }
    evidence
}

/// That there are no further names is a fact too: an application for fewer names is another one.
fn add(evidence: &mut Evidence, common_name: &str, others: impl IntoIterator<Item = String>) {
    let common_name = common_name.to_ascii_lowercase();
    let others: BTreeSet<_> = others.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    let others: Vec<_> = others.into_iter().filter(|name| *name != common_name).collect();
    evidence.add_identity(COMMON_NAME, &common_name);
    evidence.add_identity(OTHER_NAMES, others.join("\n"));
}
