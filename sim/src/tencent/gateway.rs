//! The gateway: from a raw HTTP request to an action's answer, in the order in which the service checks.
//!
//! Inferred: that order, which the documents do not give: transport, signature, action and version, frequency,
//! parameters, business rules.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    account::Account,
    actions::{self, action::Action},
    error::Refusal,
    invocation::Invocation,
    options::Site,
    platform::Tencent,
    sign,
    state::State,
};
use crate::cloud::{
    Answer, Backend, Request,
    params::{Param, Params},
};

const VERSION: &str = "2019-12-05";

pub(super) fn action(request: &Request) -> &str {
    request.received().header("x-tc-action").unwrap_or_default()
}

/// The certificate that the body names, whichever of the actions' three spellings it uses.
pub(super) fn certificate_id(request: &Request) -> Option<String> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    let id = ["/CertId", "/CertificateId", "/CertIds/0"].iter().find_map(|path| body.pointer(path))?;
    id.as_str().map(str::to_owned)
}

/// Who sent the request, as far as its signature proves it.
pub(super) fn identify(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
    check_transport(request)?;
    let credential = sign::verify(request.received(), now, |id| state.credentials.get(id))?;
    Ok(credential.account.clone())
}

/// Runs the action that an identified account asks for.
pub(super) fn invoke(
    request: &Request,
    account: &Account,
    backend: Backend<'_, Tencent, State>,
) -> Result<Answer, Refusal> {
    let action = find_action(request)?;
    let Backend { state, limiter, options, time, now } = backend;
    if let Some(limit) = options.calls_per_second
        && !limiter.admit(account, action.name, limit, time)
    {
        return Err(Refusal::too_many_requests(limit));
    }
    let params = Params::check(&request.body, &declared(action, options.site), options.lenient_integers)?;
    (action.run)(&mut Invocation { state, options, account, params: &params, now })
}

/// What an action declares at a site.
fn declared(action: &Action, site: Site) -> Vec<Param> {
    let more = actions::CHINA.iter().filter(|(name, _)| site == Site::China && *name == action.name);
    action.params.iter().chain(more.flat_map(|(_, params)| *params)).copied().collect()
}

/// The body of a reply: the envelope around fields or an error.
pub(super) fn envelope(result: Result<&Answer, &Refusal>, request_id: &str) -> Vec<u8> {
    let mut response = match result {
        Ok(answer) => answer.fields.clone(),
        Err(refusal) => Map::from_iter([("Error".to_owned(), refusal.to_json())]),
    };
    response.insert("RequestId".to_owned(), request_id.into());
    json!({ "Response": response }).to_string().into_bytes()
}

fn check_transport(request: &Request) -> Result<(), Refusal> {
    if request.method != Method::POST {
        // Inferred: the real service also takes GET; nothing here needs it.
        return Err(Refusal::new("UnsupportedOperation", "This service takes POST requests only."));
    }
    if request.too_large {
        return Err(Refusal::new("RequestSizeLimitExceeded", "The request size exceeds the limit of 10 MB."));
    }
    for (header, parameter) in [("x-tc-action", "Action"), ("x-tc-version", "Version")] {
        if request.received().header(header).is_none() {
            return Err(Refusal::missing(parameter));
        }
    }
    // Inferred: the code for a POST with another content type.
    if request.received().media_type() != "application/json" {
        return Err(Refusal::new("UnsupportedProtocol", "The content type must be application/json."));
    }
    Ok(())
}

fn find_action(request: &Request) -> Result<&'static Action, Refusal> {
    let name = action(request);
    let action = actions::ALL.iter().find(|action| action.name == name).ok_or_else(|| {
        Refusal::new("InvalidAction", format!("The request action={name} is invalid or not found."))
    })?;
    let version = request.received().header("x-tc-version").unwrap_or_default();
    if version != VERSION {
        let message = format!("The requested API version {version} does not exist.");
        return Err(Refusal::new("NoSuchVersion", message));
    }
    Ok(action)
}
