//! What the body may have, and how long its texts may be.

use crate::{
    cloud::params::{Kind, Param, Params, optional, required},
    huawei::error::Refusal,
};

pub(super) const ALL: &[Param] = &[
    required("domain", Kind::String),
    optional("sans", Kind::String),
    optional("csr", Kind::String),
    optional("company_name", Kind::String),
    optional("company_unit", Kind::String),
    optional("company_province", Kind::String),
    optional("company_city", Kind::String),
    optional("country", Kind::String),
    required("applicant_name", Kind::String),
    required("applicant_phone", Kind::String),
    required("applicant_email", Kind::String),
    optional("contact_name", Kind::String),
    optional("contact_phone", Kind::String),
    optional("contact_email", Kind::String),
    optional("auto_dns_auth", Kind::Boolean),
    required("agree_privacy_protection", Kind::Boolean),
    required("domain_method", Kind::String),
    optional("key_algorithm", Kind::String),
    optional("ca_hash_algorithm", Kind::String),
];

/// The longest texts, in characters.
const LIMITS: [(&str, usize); 8] = [
    ("domain", 255),
    ("sans", 4096),
    ("csr", 5120),
    ("company_name", 63),
    ("company_unit", 63),
    ("company_province", 63),
    ("company_city", 63),
    ("contact_name", 63),
];

pub(super) fn check_lengths(params: &Params) -> Result<(), Refusal> {
    let is_longer = |name, most| params.text(name).is_some_and(|text| text.chars().count() > most);
    match LIMITS.iter().find(|(name, most)| is_longer(name, *most)) {
        Some((name, most)) => Err(Refusal::bad_parameter(format!("{name} has more than {most} characters."))),
        None => Ok(()),
    }
}

/// A text that must be there. An empty one is not: the documents' example sends those for what it does not use.
pub(super) fn wanted<'a>(params: &'a Params, name: &str) -> Result<&'a str, Refusal> {
    params.text(name).ok_or_else(|| Refusal::bad_parameter(format!("{name} is required.")))
}
