//! The steps that [`super::decide`] chooses from.

use jiff::{SignedDuration, Timestamp};

use crate::core::conditions::Problem;
use crate::order::facts::{ACCEPTED, Action, Facts, KeyState};

/// The one next step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Call nothing: the user suspended the order.
    Suspend,
    /// Something is missing or wrong.
    Halt(Problem),
    /// The cloud could not be read.
    Unreadable,
    /// Store an intent, then call once.
    Write {
        /// What to call.
        action: Action,
        /// 1, or one more than that of the intent that was settled before.
        attempt: i64,
    },
    /// Show what would be written (mode Plan).
    Show(Action),
    /// Make the private key of the order, before anything is sent.
    MakeKey,
    /// Put the finalizer in place, before anything is sent that a deletion has to undo.
    Guard,
    /// Do nothing until then.
    Pause {
        /// When to go on.
        until: Timestamp,
    },
    /// Forget the present attempt, and begin another one.
    StartOver,
    /// Fetch the issued certificate and write its Secret.
    Export,
    /// An intent was found, and the cloud shows that its call took effect.
    Landed(Action),
    /// An intent was found, and it is too early to tell.
    Settle {
        /// When the absence of evidence counts.
        until: Timestamp,
    },
    /// An intent was found whose call had no effect, and it must not be repeated as it was.
    NotLanded(Problem),
    /// The cloud already works on this order; take it over without a call.
    Adopt,
    /// Report what the cloud says.
    Follow,
}

/// How soon the cloud is read again at the earliest.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(5);

/// A call that no open intent stands for.
pub(super) fn first(action: Action) -> Step {
    Step::Write { action, attempt: 1 }
}

/// The same, but not again while the cloud may not show yet that it took one.
pub(in crate::order) fn once(facts: &Facts<'_>, action: Action) -> Step {
    let last = facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
    let is_taken = last.is_some_and(|last| {
        last.outcome == ACCEPTED && last.action == facts.action_name(action) && facts.is_lately(&last.time)
    });
    match last {
        Some(last) if is_taken => facts.wait_for_what_began(last.time.0),
        _ => first(action),
    }
}

impl Facts<'_> {
    /// Waits as long again as something has been under way, so that it is looked at often at first and rarely later.
    pub(super) fn wait_for_what_began(&self, began: Timestamp) -> Step {
        let pause = self.now.duration_since(began).max(A_MOMENT);
        Step::Pause { until: self.now.checked_add(pause).unwrap_or(Timestamp::MAX) }
    }

    /// Before anything is sent, a key that is not there is made; one that cannot be read is never replaced.
    pub(super) fn make_key_or_halt(&self, problem: &Problem) -> Step {
        if self.key_is_to_come() { Step::MakeKey } else { Step::Halt(problem.clone()) }
    }

    /// Whether nothing but the key is missing, which certorder makes itself.
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
