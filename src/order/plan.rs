//! The one next step. Pure: facts in, step out; no client, no clock, no randomness.
//!
//! Read from the top: what holds an order back comes first, then an intent that is not settled, then what the
//! cloud says. Only [`Step::Write`] leads to a call that writes, and only after its intent is stored.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, Intent, Mode, Submission};
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::order::{Observation, Stage};
use crate::provider::{Error, Payload};

/// Everything that is known of one order at one moment.
pub struct Facts<'a> {
    /// The order as read.
    pub order: &'a CertificateOrder,
    /// The cloud's name.
    pub cloud: &'static str,
    /// The paid certificate.
    pub certificate_id: &'a str,
    /// A field of the order whose behaviour this version does not have.
    pub unsupported: Option<Problem>,
    /// Its names.
    pub names: &'a Result<Names, Problem>,
    /// The request that hands in the application, or what is missing for it.
    pub payload: &'a Result<Payload, Problem>,
    /// What the cloud says, where it was asked.
    pub observed: Option<&'a Result<Observation, Error>>,
    /// The cloud's name of the read behind `observed`.
    pub observe_action: &'static str,
    /// The cloud's name of the call that sends the order, where that is a call of its own.
    pub order_action: Option<&'static str>,
    /// What other orders for the same certificate mean for this one.
    pub contested: Option<Problem>,
    /// Now.
    pub now: Timestamp,
    /// The longest that one call takes.
    pub call_timeout: Duration,
}

/// A write to the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Hand in the application.
    Submit,
    /// Send the order to the CA.
    Order,
}

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

/// A submission younger than this stands for the read before the order.
const SUBMISSION_IS_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Decides the next step.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Step {
    let step = decide(facts);
    match step {
        Step::Write { action, .. } if facts.order.spec.mode == Mode::Plan => Step::Show(action),
        Step::Write { .. } | Step::Adopt => match &facts.contested {
            // An intent is a claim: two orders that both kept one would wait for each other for good.
            Some(problem) if facts.intent().is_some() => Step::NotLanded(problem.clone()),
            Some(problem) => Step::Halt(problem.clone()),
            None => step,
        },
        _ => step,
    }
}

fn decide(facts: &Facts<'_>) -> Step {
    if facts.order.spec.suspend {
        return Step::Suspend;
    }
    if let Some(intent) = facts.intent() {
        return settle(facts, intent);
    }
    if let Some(problem) = &facts.unsupported {
        return Step::Halt(problem.clone());
    }
    if facts.order_is_due() {
        return first(Action::Order);
    }
    let seen = match facts.observed {
        Some(Ok(seen)) => seen,
        // What the user can mend at once is said first.
        Some(Err(_)) if facts.ours().is_none() && facts.payload.is_err() => return facts.halt_on_payload(),
        Some(Err(_)) => return Step::Unreadable,
        None => return facts.halt_on_payload(),
    };
    by_the_cloud(facts, seen)
}

/// What the cloud says decides.
fn by_the_cloud(facts: &Facts<'_>, seen: &Observation) -> Step {
    match (facts.ours(), seen.stage) {
        (None, Stage::AwaitingInformation) => first_submission(facts, seen),
        (None, _) => take_over(facts, seen),
        (Some(ours), Stage::AwaitingInformation) => before_the_order(facts, ours, seen),
        (Some(_), _) => Step::Follow,
    }
}

/// Nothing of ours is recorded, and the cloud waits for an application.
fn first_submission(facts: &Facts<'_>, seen: &Observation) -> Step {
    match facts.payload {
        // The status was lost after the call: what the cloud holds is what would be sent.
        Ok(payload) if seen.stored.shows(&payload.evidence) => Step::Adopt,
        Ok(_) => first(Action::Submit),
        Err(problem) => Step::Halt(problem.clone()),
    }
}

/// Nothing of ours is recorded, and the cloud is past the application: take it over if it is for the same names.
fn take_over(facts: &Facts<'_>, seen: &Observation) -> Step {
    let names = match facts.names {
        Ok(names) => names,
        Err(problem) => return Step::Halt(problem.clone()),
    };
    let held: BTreeSet<String> = seen.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    if !held.is_empty() && held.iter().map(String::as_str).eq(names.all()) {
        return Step::Adopt;
    }
    let problem = match seen.stage {
        // States without names that say all there is to say.
        Stage::Unrecognised | Stage::Managed | Stage::Refunded | Stage::Cancelling if held.is_empty() => {
            return Step::Follow;
        }
        _ if held.is_empty() => "and the cloud does not tell for which names".to_owned(),
        _ => format!("for {}", held.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Step::Halt(Problem::new(
        Reason::CertificateInUse,
        format!(
            "this certificate is in use already, {problem}; give the order the names of that certificate to take it \
             over, or another certificateId"
        ),
    ))
}

/// Our application was accepted, and the cloud still waits for an order.
fn before_the_order(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    if ours.ordered_at.is_some() {
        return Step::Halt(Problem::new(
            Reason::Withdrawn,
            "the order was sent, but the cloud waits for an application again: somebody withdrew it there; set \
             certorder.dev/resubmit-at to start over",
        ));
    }
    match facts.payload {
        // Corrected since (a profile or a Secret changed) and not yet ordered: the cloud takes the new one instead.
        Ok(payload) if changed(ours, payload) && !seen.stored.shows(&payload.evidence) => {
            first(Action::Submit)
        }
        Err(problem) => Step::Halt(problem.clone()),
        _ if facts.order_action.is_some() => first(Action::Order),
        _ => Step::Follow,
    }
}

/// An intent was found. It proves that a call may have been made, never that one may be made.
fn settle(facts: &Facts<'_>, intent: &Intent) -> Step {
    let seen = match facts.observed {
        Some(Ok(seen)) => seen,
        Some(Err(_)) => return Step::Unreadable,
        None => return facts.halt_on_payload(),
    };
    let action = facts.action_of(intent);
    if landed(facts, action, intent, seen) {
        return Step::Landed(action);
    }
    let until = absence_counts_from(intent, facts.call_timeout);
    if facts.now < until {
        return Step::Settle { until };
    }
    // No call is under way any more: decide anew.
    match by_the_cloud(facts, seen) {
        Step::Write { action, .. } => Step::Write { action, attempt: intent.attempt.saturating_add(1) },
        Step::Halt(problem) => Step::NotLanded(problem),
        step => step,
    }
}

/// Whether the cloud shows that the call behind an intent took effect.
fn landed(facts: &Facts<'_>, action: Action, intent: &Intent, seen: &Observation) -> bool {
    let sends_the_order = action == Action::Order || facts.order_action.is_none();
    if sends_the_order && shows_an_order(seen.stage) {
        return true;
    }
    match (action, facts.payload) {
        (Action::Submit, Ok(payload)) => {
            Some(&payload.hash) == intent.payload_hash.as_ref() && seen.stored.shows(&payload.evidence)
        }
        // The payload cannot be built any more, or this is the order: the state alone decides.
        _ => false,
    }
}

/// Whether a certificate gets to this stage only by an order.
pub fn shows_an_order(stage: Stage) -> bool {
    !matches!(stage, Stage::AwaitingInformation | Stage::Refunded | Stage::Managed | Stage::Unrecognised)
}

/// From when on the absence of evidence shows that the call was not made: a call that was slow to leave, or to
/// take effect, is over by then.
fn absence_counts_from(intent: &Intent, call_timeout: Duration) -> Timestamp {
    let two_calls = SignedDuration::try_from(call_timeout.saturating_mul(2)).unwrap_or(SignedDuration::MAX);
    intent.started_at.0.checked_add(two_calls).unwrap_or(Timestamp::MAX)
}

/// A call that no open intent stands for.
fn first(action: Action) -> Step {
    Step::Write { action, attempt: 1 }
}

/// Whether the cloud may hold another application than this one, as far as our record tells. The call of an open
/// intent may have replaced what was accepted.
fn changed(ours: &Submission, payload: &Payload) -> bool {
    let in_doubt = ours.intent.as_ref().is_some_and(|intent| intent.payload_hash.is_some());
    in_doubt || ours.payload_hash.as_ref() != Some(&payload.hash)
}

impl Facts<'_> {
    /// The generation that this pass looks at.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.order.metadata.generation.unwrap_or_default()
    }

    /// The cloud's name of a call that writes.
    #[must_use]
    pub fn action_name(&self, action: Action) -> String {
        let name = match action {
            Action::Submit => self.payload.as_ref().ok().map(|payload| payload.action),
            Action::Order => self.order_action,
        };
        name.unwrap_or("the application").to_owned()
    }

    /// Whether the cloud has to be read before a step can be chosen.
    #[must_use]
    pub fn needs_the_cloud(&self) -> bool {
        let nothing_to_do =
            self.order.spec.suspend || (self.unsupported.is_some() && self.submission().is_none());
        !nothing_to_do && (self.intent().is_some() || !self.order_is_due())
    }

    fn submission(&self) -> Option<&Submission> {
        self.order.status.as_ref()?.submission.as_ref()
    }

    /// The intent that was found.
    pub fn intent(&self) -> Option<&Intent> {
        self.submission()?.intent.as_ref()
    }

    /// Our record of an accepted application.
    pub fn ours(&self) -> Option<&Submission> {
        self.submission().filter(|submission| submission.submitted_at.is_some())
    }

    /// The application was accepted a moment ago, so the order may follow without another read.
    #[must_use]
    pub fn order_is_due(&self) -> bool {
        let fresh = self.ours().filter(|ours| ours.ordered_at.is_none() && ours.intent.is_none());
        let submitted_at = fresh.and_then(|ours| ours.submitted_at.as_ref());
        let is_fresh = submitted_at.is_some_and(|at| self.now.duration_since(at.0) < SUBMISSION_IS_FRESH);
        let same =
            self.payload.as_ref().is_ok_and(|payload| fresh.is_some_and(|ours| !changed(ours, payload)));
        self.order_action.is_some() && is_fresh && same
    }

    fn action_of(&self, intent: &Intent) -> Action {
        if self.order_action == Some(intent.action.as_str()) { Action::Order } else { Action::Submit }
    }

    fn halt_on_payload(&self) -> Step {
        match self.payload {
            Ok(_) => Step::Follow,
            Err(problem) => Step::Halt(problem.clone()),
        }
    }
}
