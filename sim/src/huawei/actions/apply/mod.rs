//! `apply`: files the application for a bought certificate and sends it to the authority. There is no way back from
//! here but to withdraw it.

mod applicant;
mod key;
mod names;

use serde_json::json;

use super::Action;
use crate::{
    cloud::params::{Kind, Param, Params, optional, required},
    huawei::{
        certificate::Status,
        error::Refusal,
        gateway::{Answer, Invocation},
        submission::Submission,
    },
};

pub(super) const ACTION: Action = Action {
    name: "apply",
    method: "POST",
    path: "/v3/scm/certificates/{certificate_id}/apply",
    query: &[],
    params: PARAMS,
    run,
};

const PARAMS: &[Param] = &[
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

/// Inferred: the order of these checks.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate()?;
    check_state(call, certificate.status)?;
    if call.params.boolean("agree_privacy_protection") != Some(true) {
        return Err(Refusal::bad_parameter("agree_privacy_protection must be true."));
    }
    check_lengths(call.params)?;
    applicant::check(call.params, certificate.product)?;
    names::check(call.params, certificate)?;
    key::check(call.params, certificate.product)?;
    let (submission, now) = (Submission::new(call.params), call.now);
    let status = call.options.applied_status;
    call.certificate_mut()?.apply(submission, status, now);
    Ok(Answer::wrote(json!({ "request_info": "success" })))
}

/// Inferred: the code; the documents do not name the states in which one may apply. After a refusal some of their
/// pages tell users to hand in another CSR.
fn check_state(call: &Invocation<'_>, status: Status) -> Result<(), Refusal> {
    match status {
        Status::PAID => Ok(()),
        Status::UNPASSED if call.options.takes_application_after_refusal => Ok(()),
        _ => Err(Refusal::not_allowed()),
    }
}

fn check_lengths(params: &Params) -> Result<(), Refusal> {
    let is_longer = |name, most| params.text(name).is_some_and(|text| text.chars().count() > most);
    match LIMITS.iter().find(|(name, most)| is_longer(name, *most)) {
        Some((name, most)) => Err(Refusal::bad_parameter(format!("{name} has more than {most} characters."))),
        None => Ok(()),
    }
}

/// A text that must be there. An empty one is not: the documents' example sends those for what it does not use.
fn wanted<'a>(params: &'a Params, name: &str) -> Result<&'a str, Refusal> {
    params.text(name).ok_or_else(|| Refusal::bad_parameter(format!("{name} is required.")))
}
