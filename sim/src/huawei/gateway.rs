//! The gateway: from a raw HTTP request to an action's answer, in the order in which the service checks.
//!
//! Inferred: that order, which the documents do not give: API, size, signature, frequency, parameters, business rules.

use serde_json::Value;

use super::{
    account::Account, actions::action::Action, encoding::pairs, error::Refusal, invocation::Invocation,
    platform::Scm, route, state::State,
};
use crate::cloud::{Answer, Backend, Request, params::Params};

/// Runs the action that an identified account asks for.
pub(super) fn invoke(
    request: &Request,
    account: &Account,
    backend: Backend<'_, Scm, State>,
) -> Result<Answer, Refusal> {
    let (action, certificate_id) = route::find_action(request)?;
    let Backend { state, limiter, options, time, now } = backend;
    if let Some(limit) = options.calls_per_second
        && !limiter.admit(account, action.name, limit, time)
    {
        return Err(Refusal::too_many_requests(limit));
    }
    let query = check_query(request, action)?;
    let params = check_body(request, action)?;
    let certificate_id = certificate_id.as_deref().unwrap_or_default();
    let (params, query) = (&params, query.as_slice());
    let mut answer =
        (action.run)(&mut Invocation { state, options, account, certificate_id, params, query, now })?;
    if options.empty_is_null {
        answer.fields.values_mut().for_each(empty_to_null);
    }
    Ok(answer)
}

/// Inferred: that a key which the API does not name, or names once and got twice, is a bad parameter.
fn check_query(request: &Request, action: &Action) -> Result<Vec<(String, String)>, Refusal> {
    let malformed = || Refusal::new(400, "APIGW.0105", "The request is not encoded correctly.");
    let mut checked: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs(&request.query).ok_or_else(malformed)? {
        let name = String::from_utf8(name).map_err(|_| malformed())?;
        let value = String::from_utf8(value).map_err(|_| malformed())?;
        if !action.query.contains(&name.as_str()) {
            return Err(Refusal::bad_parameter(format!("{name} is not a parameter.")));
        }
        if checked.iter().any(|(other, _)| *other == name) {
            return Err(Refusal::bad_parameter(format!("{name} is given twice.")));
        }
        checked.push((name, value));
    }
    Ok(checked)
}

/// Inferred: the code for another content type, and that an empty object passes for no body.
fn check_body(request: &Request, action: &Action) -> Result<Params, Refusal> {
    if action.params.is_empty() && request.body.is_empty() {
        return Ok(Params::check(b"{}", &[], false)?);
    }
    if request.received().media_type() != "application/json" {
        return Err(Refusal::new(400, "APIGW.0106", "The content type must be application/json."));
    }
    Ok(Params::check(&request.body, action.params, false)?)
}

fn empty_to_null(value: &mut Value) {
    match value {
        Value::String(text) if text.is_empty() => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(empty_to_null),
        Value::Object(fields) => fields.values_mut().for_each(empty_to_null),
        _ => {}
    }
}
