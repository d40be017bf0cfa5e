//! Why a call to a cloud failed. Each kind of error allows one next step.

use std::time::Duration;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::redact::CloudText;

/// An error that a cloud answered with, in its own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The cloud's code. If it sent none, what stands in for it: `HTTP 502`, or `Result: false`.
    pub code: String,
    /// The cloud's text. It may echo the request, so it is shown only after redaction.
    pub message: CloudText,
    /// The cloud's id of this call.
    pub request_id: Option<String>,
    /// What the user can do about it, if that is known and the cloud's words do not say it. Not a full sentence: it
    /// begins in lower case and has no full stop.
    pub hint: Option<&'static str>,
    /// What else the user should know: full sentences of our own.
    pub note: Option<Box<str>>,
}

/// Why a call failed. Each variant allows the caller one next step.
///
/// For a write, every variant but [`Error::Unknown`] is definite: the call had no effect.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Error {
    /// Refused: the same call is refused again until the user fixes what `reason` names.
    #[error("refused: {}", .refusal.code)]
    Rejected {
        /// What the user has to fix.
        reason: Reason,
        /// The answer.
        refusal: Refusal,
    },
    /// The cloud does not accept the credentials. Wait until the Secret changes.
    #[error("credentials refused: {}", .0.code)]
    CredentialsRefused(Refusal),
    /// The cloud refuses the time of the request, since clocks differ. The call had no effect, and goes
    /// through once they agree.
    #[error("clocks differ: {}", .0.code)]
    ClockSkew(Refusal),
    /// Too many calls. The call had no effect; retry later.
    #[error("throttled: {}", .refusal.code)]
    Throttled {
        /// When to retry, if the cloud says so.
        after: Option<Duration>,
        /// The answer.
        refusal: Refusal,
    },
    /// The certificate's current state does not allow the call. The call had no effect; read the state again.
    #[error("not now: {}", .0.code)]
    NotNow(Refusal),
    /// What was requested is already in progress. Wait as if the call had been accepted.
    #[error("under way already: {}", .0.code)]
    UnderWay(Refusal),
    /// The cloud had an internal error, and the call had no effect. Retry later.
    #[error("unavailable: {}", .0.code)]
    Unavailable(Refusal),
    /// It is unknown whether the call took effect: read the state before anything else. `None` if no answer came.
    #[error("outcome unknown: {}", .0.as_ref().map_or("no answer", |refusal| &refusal.code))]
    Unknown(Option<Refusal>),
    /// The request never left this process.
    #[error("not sent: {0}")]
    NotSent(String),
}

impl Error {
    /// The cloud's own words, if there are any.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Rejected { refusal, .. }
            | Self::Throttled { refusal, .. }
            | Self::CredentialsRefused(refusal)
            | Self::ClockSkew(refusal)
            | Self::NotNow(refusal)
            | Self::UnderWay(refusal)
            | Self::Unavailable(refusal) => Some(refusal),
            Self::Unknown(refusal) => refusal.as_ref(),
            Self::NotSent(_) => None,
        }
    }

    /// Whether a write that failed like this may have taken effect.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}
