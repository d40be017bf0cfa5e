//! The outcome of a step, and when to requeue.

use std::time::Duration;

use crate::api::v1alpha1::{CertificateOrderStatus, Intent, RenewalIntent};
use crate::core::conditions::Problem;
use crate::order::facts::{Action, Term};
use crate::order::plan::Step;
use crate::order::renewal::Renewed;
use crate::provider::{Accepted, Error};

/// What happened in a step.
pub enum Outcome<'a> {
    /// The step made no call that writes.
    Step(&'a Step),
    /// An intent is about to be stored.
    Intent(Action, &'a Intent),
    /// The call of an intent returned.
    Called(Action, &'a Intent, &'a Result<Accepted, Error>),
    /// The intent is withdrawn before any call: another order contests the certificate.
    TakenBack(&'a Problem),
    /// The issued certificate could not be downloaded.
    NotFetched(&'a Error),
    /// The intent to reissue is about to be stored.
    ReissueIntent(&'a RenewalIntent),
    /// The call of such an intent returned.
    ReissueCalled(&'a RenewalIntent, &'a Result<Accepted, Error>),
    /// Something in the cluster keeps the cloud from being asked.
    NotAsked(&'a Problem),
    /// A step of a renewal was made.
    Renewed(&'a Renewed),
    /// What the cloud hands over must not take the place of the pair in the Secret, which is valid.
    Kept(&'a Problem),
    /// The issued certificate was written to its Secret, with this term, or cannot be.
    Exported(&'a Result<Option<Term>, Problem>),
}

/// The status to store, and when to requeue.
pub struct Next {
    /// The new status.
    pub status: CertificateOrderStatus,
    /// When to requeue.
    pub requeue: Requeue,
}

/// When to requeue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requeue {
    /// At once: the next step can be taken.
    Now,
    /// After this pause.
    In(Duration),
    /// At the poll interval for the age of the cloud's last change.
    Poll,
    /// After a failure: with exponential backoff, and at least this long.
    Failed(Option<Duration>),
    /// The same, but within two minutes.
    FailedForAll,
    /// Rarely: something has to change first, and that change requeues the order.
    Stopped,
    /// Very rarely: no change is expected.
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
