//! What a pass has done, and what follows from it.

use std::time::Duration;

use crate::api::v1alpha1::{CertificateOrderStatus, Intent};
use crate::core::conditions::Problem;
use crate::order::facts::{Action, Term};
use crate::order::plan::Step;
use crate::provider::{Accepted, Error};

/// What happened in a pass.
pub enum Outcome<'a> {
    /// The step needed no call that writes.
    Step(&'a Step),
    /// An intent is about to be stored.
    Intent(Action, &'a Intent),
    /// The call of an intent ended.
    Called(Action, &'a Intent, &'a Result<Accepted, Error>),
    /// The intent is taken back before any call: another order has the certificate.
    TakenBack(&'a Problem),
    /// The issued certificate could not be fetched.
    NotFetched(&'a Error),
    /// The issued certificate was written to its Secret, with this term, or cannot be.
    Exported(&'a Result<Option<Term>, Problem>),
}

/// What is stored, and when to look again.
pub struct Next {
    /// The new status.
    pub status: CertificateOrderStatus,
    /// When to look again.
    pub requeue: Requeue,
}

/// When to look again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requeue {
    /// At once: there is a next step already.
    Now,
    /// At this pause.
    In(Duration),
    /// As often as the age of the cloud's last change asks for.
    Poll,
    /// After a failure: with growing pauses, at least this long.
    Failed(Option<Duration>),
    /// The same, but within two minutes.
    FailedForAll,
    /// Rarely: something has to be mended first, and that wakes the order.
    Stopped,
    /// Very rarely: nothing more is expected.
    Settled,
}

impl Requeue {
    /// The same, but after this pause at the latest.
    #[must_use]
    pub fn at_latest(self, pause: Duration) -> Self {
        match self {
            Self::Stopped | Self::Settled | Self::Poll => Self::In(pause),
            Self::In(other) => Self::In(other.min(pause)),
            Self::Now | Self::Failed(_) | Self::FailedForAll => self,
        }
    }
}
