//! The steps that [`super::decide`] chooses from.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::age;
use crate::core::conditions::Problem;
use crate::order::facts::{ACCEPTED, Action, Facts, KeyState};
use crate::order::renewal::RenewalStep;

/// The one next step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Make no call: the user suspended the order.
    Suspend,
    /// Something is missing or wrong.
    Halt(Problem),
    /// The cloud could not be read.
    Unreadable,
    /// Store an intent, then call once.
    Write {
        /// What to call.
        action: Action,
        /// 1, or one more than that of the intent settled before.
        attempt: i64,
    },
    /// Show the request without sending it (mode Plan).
    Show(Action),
    /// Generate the private key of the order, before anything is sent.
    MakeKey,
    /// Add the finalizer, before anything is sent that a deletion has to clean up.
    AddFinalizer,
    /// Wait.
    Pause {
        /// When to continue.
        until: Timestamp,
    },
    /// Discard the present attempt, and start another one.
    StartOver,
    /// Download the issued certificate and write its Secret.
    Export,
    /// There is an open intent, and the cloud shows that its call took effect.
    Landed(Action),
    /// There is an open intent, and it is too early to know its outcome.
    Settle {
        /// When absent evidence counts.
        until: Timestamp,
    },
    /// There is an open intent whose call had no effect, or stays unknown, and it must not be repeated as it was.
    NotLanded(Problem),
    /// The cloud already processes this order; take it over without a call.
    Adopt,
    /// Report what the cloud shows.
    Follow,
    /// Report it, and take a step of the renewal.
    Renew(RenewalStep),
}

/// The shortest pause before the cloud is read again.
const MIN_PAUSE: Duration = Duration::from_secs(5);

/// The first attempt of a call, without an open intent.
pub(super) fn first(action: Action) -> Step {
    Step::Write { action, attempt: 1 }
}

/// The same, but not again while the cloud may not show yet that it accepted one.
pub(in crate::order) fn once(facts: &Facts<'_>, action: Action) -> Step {
    let last = facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
    let is_accepted = last.is_some_and(|last| {
        last.outcome == ACCEPTED
            && last.action == facts.action_name(action)
            && facts.is_recent(&last.time, facts.ages.last_request)
    });
    match last {
        Some(last) if is_accepted => facts.wait_since(last.time.0, facts.ages.last_request.seen),
        _ => first(action),
    }
}

impl Facts<'_> {
    /// Waits as long again as since `start`, which was observed here for `seen`, so that the cloud is polled often at first
    /// and rarely later.
    pub(super) fn wait_since(&self, start: Timestamp, seen: Duration) -> Step {
        let pause = age::age(self.now, start).min(seen).max(MIN_PAUSE);
        Step::Pause { until: age::after(self.now, pause) }
    }

    /// Before anything is sent, a missing key is generated; a key that cannot be read is never replaced.
    pub(super) fn make_key_or_halt(&self, problem: &Problem) -> Step {
        if self.key_is_to_come() { Step::MakeKey } else { Step::Halt(problem.clone()) }
    }

    /// Whether nothing but the key is missing, which certorder generates itself.
    pub(super) fn key_is_to_come(&self) -> bool {
        matches!((self.key, self.payload), (KeyState::Absent(missing), Err(problem)) if missing == problem)
    }

    /// An intent is a claim: two orders that both kept one would wait for each other for good.
    pub(in crate::order) fn refuse(&self, problem: Problem) -> Step {
        if self.intent().is_some() { Step::NotLanded(problem) } else { Step::Halt(problem) }
    }

    pub(super) fn halt_on_payload(&self) -> Step {
        match self.payload {
            Ok(_) => Step::Follow,
            Err(problem) => Step::Halt(problem.clone()),
        }
    }
}
