//! `CheckCertificateDomainVerification`: looks whether the proofs of control are in place. It triggers nothing.

use serde_json::{Value, json};

use super::Action;
use crate::tencent::{
    certificate::{Certificate, DomainAuth},
    error::Refusal,
    gateway::{Answer, Invocation},
    params::{Kind, required},
};

pub(super) const ACTION: Action = Action {
    name: "CheckCertificateDomainVerification",
    params: &[required("CertificateId", Kind::String)],
    run,
};

/// The proof was found.
const FOUND: i64 = 1;
/// There is no TXT record.
const NO_RECORD: i64 = -1;
/// There is no file.
const NO_FILE: i64 = -4;
/// What the authority's own look says.
const CA_PASSED: i64 = 2;
const CA_FAILED: i64 = -1;

/// Inferred: the states in which this is allowed.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate("CertificateId")?;
    if !certificate.status.is_running() {
        let message = "The certificate status does not allow verification.";
        return Err(Refusal::new("FailedOperation.CertificateStatusNotAllowVerify", message));
    }
    let results: Vec<Value> = certificate.auths.iter().map(|auth| result(certificate, auth)).collect();
    Ok(Answer::read(json!({ "VerificationResults": results })))
}

fn result(certificate: &Certificate, auth: &DomainAuth) -> Value {
    let is_file = auth.kind == "FILE";
    let missing = if is_file { NO_FILE } else { NO_RECORD };
    let reason = if is_file { "The file is not found." } else { "The TXT record is not found." };
    json!({
        "Domain": auth.name,
        "VerifyType": if is_file { "FILE" } else { "DNS" },
        "LocalCheck": if auth.published { FOUND } else { missing },
        "LocalCheckFailReason": if auth.published { "" } else { reason },
        "CaCheck": if certificate.validation_passed.is_some() { CA_PASSED } else { CA_FAILED },
        "CheckValue": if auth.published { vec![&auth.value] } else { Vec::new() },
        "Frequently": false,
        "Issued": false,
    })
}
