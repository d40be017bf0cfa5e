//! What a failed call means for an order: the reason, the message for the user, and when to retry.

use std::time::Duration;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::conditions::Problem;
use crate::core::redact::Filter;
use crate::provider::{Error, Refusal};

/// A failed call, as the status shows it.
pub struct Failure {
    /// For the conditions. The message quotes the RequestId of the call.
    pub problem: Problem,
    /// The value of `lastRequest.outcome`.
    pub outcome: &'static str,
    /// The cloud's error code, if it sent one.
    pub code: Option<String>,
    /// The cloud's id of the call.
    pub request_id: Option<String>,
    /// Whether to retry soon. Otherwise the order stops: it is reconciled hourly, and after a change.
    pub retry: Retry,
}

impl Failure {
    /// Whether a stored message reports the same failure. The text up to the cloud's code must be equal; the cloud's
    /// message after it may differ from call to call.
    #[must_use]
    pub fn continues(&self, shown: &str) -> bool {
        let head = |message: &str| {
            let code = self.code.as_deref().unwrap_or(". ");
            message.find(code).map(|at| message.get(..at + code.len()).unwrap_or_default().to_owned())
        };
        match (head(shown), head(&self.problem.message)) {
            (Some(shown), Some(mine)) => shown == mine,
            _ => shown == self.problem.message,
        }
    }
}

/// When to retry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// With exponential backoff, and not before the time that the cloud asks for.
    Backoff(Option<Duration>),
    /// The same, but within two minutes: the cause is the same for every order, and nothing shows when it is fixed.
    Soon,
    /// After something has changed.
    OnChange,
}

/// Describes the failure of `action` at `cloud`.
pub fn describe(cloud: &str, action: &str, error: &Error, filter: &Filter) -> Failure {
    describe_with(cloud, action, error, filter, what_next)
}

/// The same. `what_next` supplies what the user can do if the cloud's code has no hint of its own.
pub fn describe_with(
    cloud: &str,
    action: &str,
    error: &Error,
    filter: &Filter,
    what_next: fn(&Error) -> &'static str,
) -> Failure {
    let refusal = error.refusal();
    let (reason, outcome, retry) = match error {
        Error::Rejected { reason, .. } => (*reason, "Refused", Retry::OnChange),
        Error::CredentialsRefused(_) => (Reason::CredentialsRefused, "Refused", Retry::OnChange),
        Error::ClockSkew(_) => (Reason::ClockSkew, "ClockSkew", Retry::Soon),
        Error::Throttled { after, .. } => (Reason::RateLimited, "Throttled", Retry::Backoff(*after)),
        Error::NotNow(_) => (Reason::CloudUnavailable, "NotNow", Retry::Backoff(None)),
        Error::UnderWay(_) => (Reason::InReview, "UnderWay", Retry::Backoff(None)),
        Error::Unavailable(_) => (Reason::CloudUnavailable, "Unavailable", Retry::Backoff(None)),
        Error::Unknown(_) => (Reason::CloudUnavailable, "NoAnswer", Retry::Backoff(None)),
        Error::NotSent(_) => (Reason::CloudUnavailable, "NotSent", Retry::Backoff(None)),
    };
    let hint = refusal.and_then(|refusal| refusal.hint).map(sentence);
    let next = hint.unwrap_or_else(|| what_next(error).to_owned());
    let note = refusal.and_then(|refusal| refusal.note.as_deref());
    let note = note.map(|note| format!(" {note}")).unwrap_or_default();
    let message = format!("{} {next}{note}", what_happened(cloud, action, error, filter));
    Failure {
        problem: Problem::new(reason, message),
        outcome,
        code: refusal.map(|refusal| refusal.code.clone()),
        request_id: refusal.and_then(|refusal| refusal.request_id.clone()),
        retry,
    }
}

/// Turns a hint into a sentence.
fn sentence(hint: &str) -> String {
    let mut chars = hint.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn what_happened(cloud: &str, action: &str, error: &Error, filter: &Filter) -> String {
    match error {
        Error::NotSent(cause) => format!("{action} was not sent to {cloud}: {cause}."),
        Error::Unknown(None) => format!("{cloud} did not answer {action} in time."),
        Error::Unknown(Some(refusal)) => {
            format!(
                "{cloud} answered {action} in a way that does not tell its outcome: {}.",
                quote(refusal, filter)
            )
        }
        Error::Throttled { refusal, .. } => format!("{cloud} limits {action}: {}.", quote(refusal, filter)),
        Error::Unavailable(refusal) => format!("{cloud} cannot do {action} now: {}.", quote(refusal, filter)),
        Error::UnderWay(refusal) => format!("{cloud} already works on {action}: {}.", quote(refusal, filter)),
        Error::Rejected { refusal, .. }
        | Error::CredentialsRefused(refusal)
        | Error::ClockSkew(refusal)
        | Error::NotNow(refusal) => {
            format!("{cloud} refused {action}: {}.", quote(refusal, filter))
        }
    }
}

/// The cloud's code, message and RequestId.
fn quote(refusal: &Refusal, filter: &Filter) -> String {
    let text = filter.clean(&refusal.message);
    let text = text.trim_end_matches(['.', ' ']);
    let request = refusal.request_id.as_deref().map(|id| format!(" (RequestId {id})")).unwrap_or_default();
    if text.is_empty() {
        format!("{}{request}", refusal.code)
    } else {
        format!("{}, {text}{request}", refusal.code)
    }
}

fn what_next(error: &Error) -> &'static str {
    match error {
        Error::Rejected { reason, .. } => remedy(*reason),
        Error::CredentialsRefused(_) => {
            "Replace the content of the Secret that spec.credentialsRef names; the order goes on at once."
        }
        Error::ClockSkew(_) => "Set the clock of the node; certorder tries again within two minutes.",
        Error::NotNow(_) => "The certificate's state does not allow this now; certorder reads it again.",
        Error::UnderWay(_) => "certorder waits for the result.",
        Error::Throttled { .. } | Error::Unavailable(_) | Error::Unknown(_) | Error::NotSent(_) => {
            "certorder tries again by itself."
        }
    }
}

/// What the user can do about a refusal.
fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::CertificateNotFound => {
            "Check certificateId, the site or region, and that spec.credentialsRef belongs to the account that \
             bought the certificate."
        }
        Reason::PermissionDenied => {
            "Grant the permission to the account's user; certorder looks again within the hour, or at once with the \
             annotation certorder.dev/reconcile-at."
        }
        Reason::AccountNotVerified => {
            "Complete the identity verification of the account in the cloud's console; certorder looks again within \
             the hour, or at once with the annotation certorder.dev/reconcile-at."
        }
        Reason::ProfileIncomplete => "Complete the OrganizationProfile; the order goes on at once.",
        _ => "Correct the order; it goes on at once.",
    }
}
