//! `export`: the issued certificate, PEM.

use serde_json::json;

use super::action::Action;
use crate::{
    cloud::Answer,
    huawei::{certificate::Status, error::Refusal, invocation::Invocation},
};

pub(super) const ACTION: Action = Action {
    name: "export",
    method: "POST",
    path: "/v3/scm/certificates/{certificate_id}/export",
    query: &[],
    params: &[],
    run,
};

/// Inferred: that only a valid certificate can be exported, that the chain has no root unless the certificate has another shape, and that the key is there only
/// where the cloud made it. The fields for SM2 stay empty.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate()?;
    let issued = certificate.issued.as_ref().filter(|_| certificate.status == Status::ISSUED);
    let issued = issued.ok_or_else(Refusal::not_allowed)?;
    Ok(Answer::read(json!({
        "entire_certificate": issued.entire(),
        "certificate": issued.leaf,
        "certificate_chain": issued.rest(),
        "private_key": issued.private_key_pem().unwrap_or_default(),
        "enc_certificate": "",
        "enc_private_key": "",
    })))
}
