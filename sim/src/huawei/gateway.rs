//! The gateway: from a raw HTTP request to an action's answer, in the order in which the service checks.
//!
//! Inferred: that order, which the documents do not give: API, size, signature, frequency, parameters, business rules.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Options,
    actions::{self, Action},
    encoding::{decode, pairs},
    error::Refusal,
    service::Scm,
    state::{Account, State},
};
pub(super) use crate::cloud::Answer;
use crate::cloud::{Backend, Request, params::Params};

/// One call of an action, with all that it may see and change.
pub(super) struct Invocation<'a> {
    pub(super) state: &'a mut State,
    pub(super) options: &'a Options,
    pub(super) account: &'a Account,
    /// The certificate in the path; empty for an action without one.
    pub(super) certificate_id: &'a str,
    pub(super) params: &'a Params,
    pub(super) query: &'a [(String, String)],
    pub(super) now: Timestamp,
}

/// An action and the certificate that the path names; `None` if no API has this path and method.
pub(super) fn route(request: &Request) -> Option<(&'static Action, Option<String>)> {
    let segments: Option<Vec<String>> = request.path.split('/').map(text).collect();
    let segments = segments?;
    actions::ALL.iter().filter(|action| action.method == request.method.as_str()).find_map(|action| {
        let mut certificate_id = None;
        let pattern: Vec<&str> = action.path.split('/').collect();
        let fits = pattern.len() == segments.len()
            && pattern.iter().zip(&segments).all(|(wanted, sent)| {
                let is_id = *wanted == actions::ID && !sent.is_empty();
                if is_id {
                    certificate_id = Some(sent.clone());
                }
                is_id || wanted == sent
            });
        fits.then_some((action, certificate_id))
    })
}

fn text(encoded: &str) -> Option<String> {
    String::from_utf8(decode(encoded)?).ok()
}

/// Inferred: an API that exists but is not simulated (buy, push, tags, ...) is answered like one that does not exist.
pub(super) fn find_action(request: &Request) -> Result<(&'static Action, Option<String>), Refusal> {
    let message = "The API does not exist or has not been published in the environment";
    route(request).ok_or_else(|| Refusal::new(404, "APIGW.0101", message))
}

/// Runs the action that an identified account asks for.
pub(super) fn invoke(
    request: &Request,
    account: &Account,
    backend: Backend<'_, Scm>,
) -> Result<Answer, Refusal> {
    let (action, certificate_id) = find_action(request)?;
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
