//! `CheckCertificateDomainVerification`: looks whether the proofs of control are in place. It triggers nothing.

use serde_json::{Value, json};

use super::action::Action;
use crate::cloud::{
    Answer,
    params::{Kind, required},
};
use crate::tencent::{
    certificate::{DomainAuth, Finding},
    error::Refusal,
    invocation::Invocation,
};

pub(super) const ACTION: Action = Action {
    name: "CheckCertificateDomainVerification",
    params: &[required("CertificateId", Kind::String)],
    run,
};

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
    let results: Vec<Value> = certificate.auths.iter().map(result).collect();
    Ok(Answer::read(json!({ "VerificationResults": results })))
}

fn result(auth: &DomainAuth) -> Value {
    let (number, reason) = local_check(&auth.finding, &auth.kind);
    let values: Vec<&str> = match &auth.finding {
        Finding::Proof => vec![&auth.value],
        Finding::Other(value) => vec![value],
        Finding::Missing | Finding::NoNameServers | Finding::TooOften => Vec::new(),
    };
    json!({
        "Domain": auth.name,
        "VerifyType": if auth.kind == "FILE" { "FILE" } else { "DNS" },
        "LocalCheck": number,
        "LocalCheckFailReason": reason,
        "CaCheck": if auth.seen { CA_PASSED } else { CA_FAILED },
        "CheckValue": values,
        "Frequently": auth.finding == Finding::TooOften,
        "Issued": false,
    })
}

/// `LocalCheck` and its reason.
///
/// Inferred: which of the numbers with the same meaning, and the wording.
fn local_check(finding: &Finding, kind: &str) -> (i64, &'static str) {
    match (finding, kind) {
        (Finding::Proof, _) => (1, ""),
        (Finding::TooOften, _) => (-1, "The check is too frequent. Please try again later."),
        (Finding::NoNameServers, _) => (-3, "The NS record is not found."),
        (Finding::Missing, "FILE") => (-4, "The file is not found."),
        (Finding::Other(_), "FILE") => (-5, "The file content does not match."),
        (Finding::Missing, "CNAME") => (-6, "The CNAME record is not found."),
        (Finding::Other(_), "CNAME") => (-7, "The CNAME record does not match."),
        (Finding::Missing, _) => (-1, "The TXT record is not found."),
        (Finding::Other(_), _) => (-2, "The TXT record does not match."),
    }
}
