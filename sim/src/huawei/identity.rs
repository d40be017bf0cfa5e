//! Who sent a request: by a signature, or by a token of IAM.

use jiff::Timestamp;

use super::{account::Account, error::Refusal, route, sign, state::State};
use crate::cloud::Request;

/// Inferred: that the gateway looks for the API and at the size of the body before it asks who is there.
pub(super) fn identify(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
    route::find_action(request)?;
    if request.too_large {
        return Err(Refusal::new(413, "APIGW.0201", "The request body is too large."));
    }
    let account = sender(request, state, now)?;
    check_domain(request, &account)?;
    Ok(account)
}

/// Inferred: a request with both a signature and a token is refused; the documents say that one replaces the other.
fn sender(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
    let sent = |name| request.headers.contains_key(name);
    match (sent("authorization"), sent("x-auth-token")) {
        (true, false) => {
            let credential = sign::verify(request.received(), now, |key| state.credentials.get(key))?;
            Ok(credential.account.clone())
        }
        (false, true) => by_token(request, state, now),
        (true, true) => Err(Refusal::unauthenticated("both Authorization and X-Auth-Token were sent")),
        // Inferred: the wording.
        (false, false) => Err(Refusal::unauthenticated("x-auth-token not found")),
    }
}

/// Inferred: the wording.
fn by_token(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
    let token = request.received().header("x-auth-token").and_then(|token| state.auth_tokens.get(token));
    let token = token.filter(|token| now < token.expires);
    let token = token.ok_or_else(|| Refusal::unauthenticated("the token is invalid or has expired"))?;
    Ok(token.account.clone())
}

/// Inferred: that an account id must be the caller's own where it is sent, and the code. `X-Project-Id` says nothing
/// here: the service is a global one and has no projects.
fn check_domain(request: &Request, account: &Account) -> Result<(), Refusal> {
    let is_other = |value: &http::HeaderValue| value.as_bytes() != account.domain_id.as_bytes();
    if request.headers.get_all("x-domain-id").iter().any(is_other) {
        let message = "The X-Domain-Id header names another account.";
        return Err(Refusal::new(403, "APIGW.0302", message));
    }
    Ok(())
}
