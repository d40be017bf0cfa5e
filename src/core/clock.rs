//! The one place where the time of day is read.

use jiff::{SignedDuration, Timestamp};

/// The clock. Rules never read it: they take a [`Timestamp`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    /// A clock that is ahead of the system's, for tests that let days pass.
    #[must_use]
    pub fn ahead_by(ahead: SignedDuration) -> Self {
        Self { ahead }
    }

    /// The current time.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}
