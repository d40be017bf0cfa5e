//! The facts by which an application is recognised, under the names that `show` gives them.

use serde_json::{Map, Value};

use crate::core::evidence::Evidence;
use crate::core::names::{DnsName, Names};
use crate::provider::lenient::text_of;

/// The common name, and the further ones.
const NAMES: (&str, &str) = ("domain", "sans");
const ORGANIZATION: &str = "company_name";

/// What `application_info` shows of an application: everything but the department and the CSR.
const TEXTS: [&str; 10] = [
    "country",
    "company_name",
    "company_province",
    "company_city",
    "applicant_name",
    "applicant_phone",
    "applicant_email",
    "contact_name",
    "contact_phone",
    "contact_email",
];

/// Adds the names of an application that is sent.
pub fn add_names(evidence: &mut Evidence, names: &Names) {
    let others = names.others().iter().map(DnsName::as_str);
    evidence.add_names(NAMES, names.common_name().as_str(), others);
}

/// Marks the organisation as a fact that identifies the application.
pub fn mark_organization(evidence: &mut Evidence) {
    evidence.mark_identity(ORGANIZATION);
}

/// The facts of the application that the cloud holds; none if it holds none.
#[must_use]
pub fn stored(domain: Option<&str>, sans: &[String], application: Option<&Map<String, Value>>) -> Evidence {
    let mut evidence = Evidence::default();
    for name in TEXTS {
        if let Some(text) = application.and_then(|data| data.get(name)).and_then(text_of) {
            evidence.add(name, text);
        }
    }
    if let Some(domain) = domain {
        evidence.add_names(NAMES, domain, sans);
    }
    evidence
}
