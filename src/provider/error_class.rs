//! What an error code of a cloud means for the caller. Each cloud has a table of its codes; a class means the same for
//! every cloud.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::DATE;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::redact::CloudText;

use super::transport::Answer;
use super::{Error, Refusal};

/// Whether a call changes anything at the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// It only reads.
    Read,
    /// It changes something.
    Write,
}

/// The class of an error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorClass {
    /// Refused until the user fixes this.
    Rejected(Reason),
    /// The credentials are not accepted.
    Credentials,
    /// The time of the request is not the cloud's.
    Clock,
    /// Too many calls; refused without any effect.
    Throttled,
    /// The certificate's state does not allow it.
    WrongState,
    /// The same request is already in progress.
    Running,
    /// Refused without any effect, and the request is not at fault.
    NotDone,
    /// An error behind the gateway: a write may have taken effect.
    Fault,
}

/// A code, its class, and what the user can do about it if the cloud's own words do not say it; else empty.
pub type Row = (&'static str, ErrorClass, &'static str);

impl ErrorClass {
    /// The error of a call that was refused like this.
    #[must_use]
    pub fn error(self, call: Call, refusal: Refusal) -> Error {
        match (self, call) {
            (Self::Rejected(reason), _) => Error::Rejected { reason, refusal },
            (Self::Credentials, _) => Error::CredentialsRefused(refusal),
            (Self::Clock, _) => Error::ClockSkew(refusal),
            (Self::Throttled, _) => Error::Throttled { after: None, refusal },
            (Self::WrongState, _) => Error::NotNow(refusal),
            (Self::Running, _) => Error::UnderWay(refusal),
            (Self::NotDone, _) | (Self::Fault, Call::Read) => Error::Unavailable(refusal),
            (Self::Fault, Call::Write) => Error::Unknown(Some(refusal)),
        }
    }
}

/// A refusal with the hint of its row.
#[must_use]
pub fn refusal(
    row: Option<&Row>,
    code: &str,
    message: impl Into<CloudText>,
    request_id: Option<String>,
) -> Refusal {
    let hint = row.map(|(_, _, hint)| *hint).filter(|hint| !hint.is_empty());
    Refusal { code: code.to_owned(), message: message.into(), request_id, hint, note: None }
}

/// An answer that the service did not write, or that cannot be read, does not show whether the call took effect.
#[must_use]
pub fn foreign(call: Call, status: u16, text: &str, request_id: Option<String>) -> Error {
    ErrorClass::Fault.error(call, refusal(None, &format!("HTTP {status}"), text, request_id))
}

/// A hint with the clock difference, in seconds by which this machine is ahead: a cloud reports its own time when it
/// refuses a request for its time.
#[must_use]
pub fn with_clock(message: String, ahead: Option<i64>) -> String {
    let Some(ahead) = ahead else { return message };
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    format!("{message} (this machine's clock is {} s {direction} the cloud's)", ahead.abs())
}

/// By how many seconds this machine's clock is ahead of the cloud's (behind, when negative), as the header of an answer
/// tells.
#[must_use]
pub fn ahead_by_date(answer: &Answer, now: Timestamp) -> Option<i64> {
    let date = answer.headers.get(DATE)?.to_str().ok()?;
    let theirs = rfc2822::parse(date).ok()?.timestamp();
    Some(now.as_second().saturating_sub(theirs.as_second()))
}

/// The error in one word, for the tests of the tables.
#[cfg(test)]
pub(super) fn word(error: &Error) -> String {
    match error {
        Error::Rejected { reason, .. } => format!("{reason:?}"),
        Error::CredentialsRefused(_) => "credentials".to_owned(),
        Error::ClockSkew(_) => "clock".to_owned(),
        Error::Throttled { .. } => "throttled".to_owned(),
        Error::NotNow(_) => "not now".to_owned(),
        Error::UnderWay(_) => "under way".to_owned(),
        Error::Unavailable(_) => "unavailable".to_owned(),
        Error::Unknown(_) => "unknown".to_owned(),
        Error::NotSent(_) => "not sent".to_owned(),
    }
}
