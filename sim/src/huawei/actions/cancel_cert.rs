//! `cancel-cert`: withdraws an application, or the addition of domains.

use serde_json::json;

use super::action::Action;
use crate::{
    cloud::Answer,
    huawei::{error::Refusal, invocation::Invocation},
};

pub(super) const ACTION: Action = Action {
    name: "cancel-cert",
    method: "POST",
    path: "/v3/scm/certificates/{certificate_id}/cancel-cert",
    query: &[],
    params: &[],
    run,
};

/// The authority confirms later: `CANCELCHECKING` until then, and `PAID` again afterwards.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let now = call.now;
    let certificate = call.certificate_mut()?;
    if !certificate.withdraw(now) {
        return Err(Refusal::not_allowed());
    }
    Ok(Answer::wrote(json!({ "cert_id": certificate.id, "message": "success" })))
}
