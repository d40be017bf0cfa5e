//! Why a call to a cloud failed, in terms of what the caller may do next.

use std::time::Duration;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::redact::CloudText;

/// A cloud's answer that is an error, in its own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The cloud's code. Where it sent none, what refused instead: `HTTP 502`, or `Result: false`.
    pub code: String,
    /// The cloud's text. It may echo the request, so it is shown through a filter only.
    pub message: CloudText,
    /// The cloud's id of this call.
    pub request_id: Option<String>,
    /// What the user can do about it, where that is known and the cloud's words do not tell. No full sentence: it
    /// begins in lower case and has no full stop.
    pub hint: Option<&'static str>,
    /// What else the user should know: full sentences of our own.
    pub note: Option<Box<str>>,
}

/// Why a call failed. Each variant is one thing that the caller may do next.
///
/// For a write, every variant but [`Error::Unknown`] is definite: the call had no effect.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Error {
    /// Refused for good: the same call will be refused again until `reason` is mended.
    #[error("refused: {}", .refusal.code)]
    Rejected {
        /// What the user has to mend.
        reason: Reason,
        /// The answer.
        refusal: Refusal,
    },
    /// The cloud does not accept the credentials. Wait for the Secret to change.
    #[error("credentials refused: {}", .0.code)]
    CredentialsRefused(Refusal),
    /// The cloud refuses the time of the request, since clocks differ. Nothing happened; the same call goes through once
    /// they agree.
    #[error("clocks differ: {}", .0.code)]
    ClockSkew(Refusal),
    /// Too many calls. Nothing happened; come back later.
    #[error("throttled: {}", .refusal.code)]
    Throttled {
        /// When, if the cloud says so.
        after: Option<Duration>,
        /// The answer.
        refusal: Refusal,
    },
    /// The certificate's present state does not allow the call. Nothing happened; read the state again.
    #[error("not now: {}", .0.code)]
    NotNow(Refusal),
    /// What was asked for is under way already. Wait as if the call had been accepted.
    #[error("under way already: {}", .0.code)]
    UnderWay(Refusal),
    /// The cloud has a fault of its own and did nothing. Come back later.
    #[error("unavailable: {}", .0.code)]
    Unavailable(Refusal),
    /// It is not known whether the call took effect: read before anything else. `None` where no answer came.
    #[error("outcome unknown: {}", .0.as_ref().map_or("no answer", |refusal| &refusal.code))]
    Unknown(Option<Refusal>),
    /// The request never left this process.
    #[error("not sent: {0}")]
    NotSent(String),
}

impl Error {
    /// The cloud's own words, where there are any.
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

    /// Whether a write that ended like this may have taken effect.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}
