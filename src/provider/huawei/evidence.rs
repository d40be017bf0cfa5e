//! The facts by which an application is recognised, under the names that `show` gives them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::core::evidence::Evidence;
use crate::core::names::Names;
use crate::provider::lenient::text_of;

const COMMON_NAME: &str = "domain";
const OTHER_NAMES: &str = "sans";
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
    let others = names.others().iter().map(|name| name.as_str().to_owned());
    add(evidence, names.common_name().as_str(), others);
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
        add(&mut evidence, domain, sans.iter().cloned());
    }
    evidence
}

/// That there are no further names is a fact too: an application for fewer names is another one.
fn add(evidence: &mut Evidence, common_name: &str, others: impl IntoIterator<Item = String>) {
    let common_name = common_name.to_ascii_lowercase();
    let others: BTreeSet<_> = others.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    let others: Vec<_> = others.into_iter().filter(|name| *name != common_name).collect();
    evidence.add_fixed(COMMON_NAME, &common_name);
    evidence.add_fixed(OTHER_NAMES, others.join("\n"));
}
