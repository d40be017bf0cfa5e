//! `RevokeCertificate`: asks the authority to revoke an issued certificate.

use serde_json::{Value, json};

use super::action::Action;
use crate::cloud::{
    Answer,
    params::{Kind, required},
};
use crate::tencent::{
    certificate::{DomainAuth, Status},
    error::Refusal,
    invocation::Invocation,
    reissue,
};

pub(super) const ACTION: Action = Action {
    name: "RevokeCertificate",
    params: &[required("CertificateId", Kind::String), required("Reason", Kind::String)],
    run,
};

/// The authority confirms later: status 9 until then, 10 afterwards, and 12 in between where it wants a letter.
///
/// Inferred: that an empty reason is refused, and when the authority wants a new proof of control.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    if call.certificate("CertificateId")?.status != Status::ISSUED {
        return Err(Refusal::wrong_status());
    }
    if call.params.text("Reason").is_none() {
        return Err(Refusal::invalid_param("Reason is empty."));
    }
    check_pair(call)?;
    let certificate = call.certificate_mut("CertificateId")?;
    certificate.status = Status::REVOKING;
    certificate.ask_for_revocation_proof();
    let proofs: Vec<Value> = certificate.revocation.auths.iter().map(proof).collect();
    let id = certificate.id.clone();
    call.log(&id, ACTION.name, "revoke");
    Ok(Answer::wrote(json!({ "RevokeDomainValidateAuths": proofs })))
}

/// A reissued certificate goes with its original only, and neither in the last days.
///
/// Inferred: the code of the latter.
fn check_pair(call: &Invocation<'_>) -> Result<(), Refusal> {
    let certificate = call.certificate("CertificateId")?;
    let refused = |message: &str| Err(Refusal::new("FailedOperation.RevokeFailed", message));
    if !reissue::is_tied(call.options.revocation, certificate) {
        return Ok(());
    }
    if certificate.reissue.is_some() {
        return refused("The reissued certificate is revoked with its original.");
    }
    if reissue::is_barred(certificate, call.options.revocation_bar_days, call.now) {
        return refused("The certificate is about to expire and cannot be revoked.");
    }
    Ok(())
}

fn proof(auth: &DomainAuth) -> Value {
    json!({
        "DomainValidateAuthPath": auth.path,
        "DomainValidateAuthKey": auth.key,
        "DomainValidateAuthValue": auth.value,
        "DomainValidateAuthDomain": auth.domain,
    })
}
