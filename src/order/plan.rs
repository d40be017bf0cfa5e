//! The one next step. Pure: facts in, step out; no client, no clock, no randomness.
//!
//! Read from the top: what holds an order back comes first, then an intent that is not settled, then what the
//! cloud says. Only [`Step::Write`] leads to a call that writes, and only after its intent is stored.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, DeletionPolicy, Intent, Mode, Submission};
use crate::core::conditions::{Problem, get};
use crate::core::names::Names;
use crate::core::order::{Observation, Stage};
use crate::order::validation::Validation;
use crate::provider::{Calls, Error, Letter, Payload};

pub use crate::provider::RequestKind as Action;

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
    /// The cloud's names of its calls; `None` where there are no credentials to call with.
    pub calls: Option<&'static Calls>,
    /// What the cloud's own log says of the call of an intent, where it was asked.
    pub logged: Option<bool>,
    /// What the CA found of the proofs of control, as last asked.
    pub validation: Option<&'a Validation>,
    /// The signed letter, where the user names one.
    pub letter: Option<&'a Result<Letter, Problem>>,
    /// Whether the certificate stands in its Secret.
    pub secret: &'a Export,
    /// What other orders for the same certificate mean for this one.
    pub contested: Option<Problem>,
    /// How long this process has seen the open intent, by its own steady clock.
    pub intent_seen_for: Duration,
    /// Now.
    pub now: Timestamp,
    /// The longest that one call takes.
    pub call_timeout: Duration,
}

/// Whether an issued certificate stands in the Secret that the order names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Export {
    /// The order names no Secret.
    NotWanted,
    /// It does.
    Current,
    /// It has to be fetched and written.
    Due,
    /// It cannot be written until something is mended.
    Blocked(Problem),
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

/// The annotation that asks for a look now; any value that was not handled yet.
pub const RECONCILE_AT: &str = "certorder.dev/reconcile-at";
/// The annotation that stops a running review; its value is the id of the certificate.
pub const WITHDRAW: &str = "certorder.dev/withdraw";
/// The annotation that asks for another attempt; its value is a time of the last hour, RFC 3339.
pub const RESUBMIT_AT: &str = "certorder.dev/resubmit-at";
/// The finalizer of an order whose deletion has to undo something at the cloud.
pub const FINALIZER: &str = "certorder.dev/cleanup";

/// The outcome of an accepted call, as `lastRequest` records it.
pub const ACCEPTED: &str = "Accepted";

const RESUBMIT_IS_RECENT: SignedDuration = SignedDuration::from_hours(1);

/// For so long after an order was sent the cloud may still show the state before it.
const STATE_MAY_LAG: SignedDuration = SignedDuration::from_mins(10);

/// A submission younger than this stands for the read before the order.
const SUBMISSION_IS_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Decides the next step.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Step {
    let step = decide(facts);
    match step {
        // What is running already is followed all the same.
        Step::Write { .. } | Step::MakeKey if facts.unsupported.is_some() && facts.intent().is_none() => {
            facts.unsupported.clone().map_or(Step::Follow, Step::Halt)
        }
        Step::Write { action, .. } if facts.order.spec.mode == Mode::Plan => Step::Show(action),
        Step::Write { .. } | Step::Adopt | Step::MakeKey => match &facts.contested {
            // An intent is a claim: two orders that both kept one would wait for each other for good.
            Some(problem) if facts.intent().is_some() => Step::NotLanded(problem.clone()),
            Some(problem) => Step::Halt(problem.clone()),
            None => step,
        },
        // What was found or taken over turned out to be another's.
        Step::Follow | Step::Export if facts.ours().is_some() => match &facts.contested {
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
    if facts.lacks_finalizer() {
        return Step::Guard;
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
        (Some(ours), Stage::Rejected | Stage::Cancelled) => after_the_end(facts, ours),
        (Some(ours), Stage::AwaitingLetter) if !facts.withdraw_is_asked() => letter(facts, ours),
        (Some(_), Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter)
            if facts.withdraw_is_asked() =>
        {
            first(Action::Withdraw)
        }
        (Some(_), Stage::Issued) if *facts.secret == Export::Due => Step::Export,
        (Some(_), _) => Step::Follow,
    }
}

/// Nothing of ours is recorded, and the cloud waits for an application.
fn first_submission(facts: &Facts<'_>, seen: &Observation) -> Step {
    match facts.payload {
        // The status was lost after the call: what the cloud holds is what would be sent.
        // After a restart it is what the attempt before has left there, and proves nothing.
        Ok(payload) if !facts.is_restarted() && seen.stored.shows(&payload.evidence) => Step::Adopt,
        Ok(_) => match facts.second_attempt_begins() {
            Some(until) => Step::Pause { until },
            None => first(Action::Submit),
        },
        Err(problem) if problem.reason == Reason::KeyLost => Step::MakeKey,
        Err(problem) => Step::Halt(problem.clone()),
    }
}

/// The cloud or the CA refused our order, or it was stopped. It goes on when the user corrected it, or asks for it.
fn after_the_end(facts: &Facts<'_>, ours: &Submission) -> Step {
    if facts.withdraw_is_asked() || facts.calls.is_none_or(|calls| calls.resubmit.is_none()) {
        return Step::Follow;
    }
    match facts.payload {
        Ok(payload)
            if facts.resubmit_is_asked() || (changed(ours, payload) && facts.is_edited_since_the_end()) =>
        {
            first(Action::Resubmit)
        }
        Err(problem) if facts.resubmit_is_asked() => Step::Halt(problem.clone()),
        _ => Step::Follow,
    }
}

/// The CA waits for a signed letter.
fn letter(facts: &Facts<'_>, ours: &Submission) -> Step {
    match facts.letter {
        Some(Ok(_)) if ours.letter_sent_at.is_none() => first(Action::SendLetter),
        Some(Err(problem)) if ours.letter_sent_at.is_none() => Step::Halt(problem.clone()),
        _ => Step::Follow,
    }
}

/// Nothing of ours is recorded, and the cloud is past the application: take it over if it is for the same names.
fn take_over(facts: &Facts<'_>, seen: &Observation) -> Step {
    let names = match facts.names {
        Ok(names) => names,
        Err(problem) => return Step::Halt(problem.clone()),
    };
    // Such a certificate got there without an order, or nobody knows how.
    if !shows_an_order(seen.stage) {
        return Step::Follow;
    }
    let held: BTreeSet<String> = seen.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    if !held.is_empty() && held.iter().map(String::as_str).eq(names.all()) {
        return Step::Adopt;
    }
    let held: Vec<String> = held.into_iter().collect();
    let whose = if held.is_empty() {
        "and the cloud does not tell for which names".to_owned()
    } else {
        format!("for {}", held.join(", "))
    };
    Step::Halt(Problem::new(
        Reason::CertificateInUse,
        format!(
            "this certificate is in use already, {whose}; give the order those names to take it over, or create a new \
             CertificateOrder for another certificate"
        ),
    ))
}

/// Our application was accepted, and the cloud still waits for an order.
fn before_the_order(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    if let Some(ordered_at) = &ours.ordered_at {
        if facts.resubmit_is_asked() {
            return Step::StartOver;
        }
        if facts.now.duration_since(ordered_at.0) < STATE_MAY_LAG {
            return Step::Follow;
        }
        return Step::Halt(Problem::new(
            Reason::Withdrawn,
            "the order was sent, but the cloud waits for an application again: somebody withdrew it there; annotate \
             the order with certorder.dev/resubmit-at: <now, RFC 3339> to start over",
        ));
    }
    match facts.payload {
        // Corrected since and not yet ordered: the cloud takes the new application instead.
        Ok(payload) if is_outdated(ours, payload, seen) => first(Action::Submit),
        Ok(_) if facts.order_action().is_some() => first(Action::Order),
        Ok(_) => Step::Follow,
        Err(problem) => Step::Halt(problem.clone()),
    }
}

/// Whether the cloud holds another application than the present one. Our record of what was accepted decides; not
/// every part of an application is shown by the cloud.
fn is_outdated(ours: &Submission, payload: &Payload, seen: &Observation) -> bool {
    // The call of an open intent may have replaced what was accepted.
    let in_doubt = ours.intent.as_ref().is_some_and(|intent| intent.payload_hash.is_some());
    match &ours.payload_hash {
        Some(accepted) if !in_doubt => *accepted != payload.hash,
        _ => !seen.stored.shows(&payload.evidence),
    }
}

/// An intent was found. It proves that a call may have been made, never that one may be made.
pub(super) fn settle(facts: &Facts<'_>, intent: &Intent) -> Step {
    let seen = match facts.observed {
        Some(Ok(seen)) => seen,
        Some(Err(_)) => return Step::Unreadable,
        None => return facts.halt_on_payload(),
    };
    let action = facts.action_of(intent);
    if landed(facts, action, intent, seen) {
        return Step::Landed(action);
    }
    let until = absence_counts_from(facts, intent);
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
pub(super) fn landed(facts: &Facts<'_>, action: Action, intent: &Intent, seen: &Observation) -> bool {
    match action {
        Action::Submit if facts.order_action().is_none() && shows_an_order(seen.stage) => true,
        Action::Submit => match facts.payload {
            Ok(payload) => {
                let same = Some(&payload.hash) == intent.payload_hash.as_ref();
                // The cloud may still hold an application of before that looks the same; then its log decides.
                let by_this_call = !facts.has_earlier_application() || facts.logged == Some(true);
                same && by_this_call && seen.stored.shows(&payload.evidence)
            }
            // The payload cannot be built any more: the state alone decides.
            Err(_) => false,
        },
        Action::Order => shows_an_order(seen.stage),
        Action::Resubmit => !matches!(seen.stage, Stage::Rejected | Stage::Cancelled),
        Action::Withdraw => {
            matches!(seen.stage, Stage::Cancelling | Stage::Cancelled | Stage::AwaitingInformation)
        }
        Action::Revoke => matches!(seen.stage, Stage::Revoking | Stage::Revoked),
        Action::SendLetter => seen.stage != Stage::AwaitingLetter,
    }
}

/// Whether a certificate gets to this stage only by an order.
#[must_use]
pub fn shows_an_order(stage: Stage) -> bool {
    !matches!(stage, Stage::AwaitingInformation | Stage::Refunded | Stage::Managed | Stage::Unrecognised)
}

/// From when on the absence of evidence shows that the call was not made: a call that was slow to leave, or to
/// take effect, is over by then, by the clock of its caller and by our own.
fn absence_counts_from(facts: &Facts<'_>, intent: &Intent) -> Timestamp {
    let two_calls = facts.call_timeout.saturating_mul(2);
    let after = |time: Timestamp, wait: Duration| {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        time.checked_add(wait).unwrap_or(Timestamp::MAX)
    };
    let here = after(facts.now, two_calls.saturating_sub(facts.intent_seen_for));
    let unseen = facts.intent_seen_for < two_calls;
    let there = after(intent.started_at.0, two_calls);
    if unseen { there.max(here) } else { there }
}

/// A call that no open intent stands for.
pub(super) fn first(action: Action) -> Step {
    Step::Write { action, attempt: 1 }
}

/// Whether the accepted application differs from the present one. Without a record of it, it does not.
fn changed(ours: &Submission, payload: &Payload) -> bool {
    ours.payload_hash.as_ref().is_some_and(|accepted| *accepted != payload.hash)
}

/// Whether the deletion of this order waits for certorder.
#[must_use]
pub fn has_finalizer(order: &CertificateOrder) -> bool {
    order.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
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
        self.calls.and_then(|calls| calls.name(action)).unwrap_or("the application").to_owned()
    }

    /// The cloud's name of the call that sends the order, where that is a call of its own.
    #[must_use]
    pub fn order_action(&self) -> Option<&'static str> {
        self.calls?.order
    }

    /// Whether the cloud has to be read before a step can be chosen.
    #[must_use]
    pub fn needs_the_cloud(&self) -> bool {
        !self.order.spec.suspend && (self.intent().is_some() || !self.order_is_due())
    }

    fn submission(&self) -> Option<&Submission> {
        self.order.status.as_ref()?.submission.as_ref()
    }

    /// The intent that was found.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.submission()?.intent.as_ref()
    }

    /// Our record of an accepted application.
    #[must_use]
    pub fn ours(&self) -> Option<&Submission> {
        self.submission().filter(|submission| submission.submitted_at.is_some())
    }

    /// The application was accepted a moment ago, so the order may follow without another read.
    #[must_use]
    pub fn order_is_due(&self) -> bool {
        let Some(ours) = self.ours().filter(|ours| ours.ordered_at.is_none() && ours.intent.is_none()) else {
            return false;
        };
        let age = ours.submitted_at.as_ref().map(|at| self.now.duration_since(at.0));
        let is_fresh = age.is_some_and(|age| !age.is_negative() && age < SUBMISSION_IS_FRESH);
        // Nothing came in between: a refused order asks for another look.
        let last = self.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        let is_last = last.is_some_and(|last| {
            last.outcome == ACCEPTED && self.calls.is_some_and(|calls| calls.submit == last.action)
        });
        let same =
            self.payload.as_ref().is_ok_and(|payload| ours.payload_hash.as_ref() == Some(&payload.hash));
        self.order_action().is_some() && is_fresh && is_last && same
    }

    /// Whether the cloud may hold an application that was handed in before the one of the open intent.
    #[must_use]
    pub fn has_earlier_application(&self) -> bool {
        self.is_restarted() || self.ours().is_some()
    }

    /// Whether the user edited the order after it was rejected, cancelled or withdrawn. What else stopped it since
    /// then (an edit that was not complete) does not count as its end.
    fn is_edited_since_the_end(&self) -> bool {
        let conditions =
            self.order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let stalled = get(conditions, ConditionType::Stalled);
        let ends = [Reason::Rejected, Reason::Cancelled, Reason::Withdrawn].map(<&str>::from);
        stalled.is_some_and(|stalled| {
            !ends.contains(&stalled.reason.as_str()) || stalled.observed_generation < Some(self.generation())
        })
    }

    /// What the call of an intent is for.
    #[must_use]
    pub fn action_of(&self, intent: &Intent) -> Action {
        let named =
            |action: &Action| self.calls.and_then(|calls| calls.name(*action)) == Some(&intent.action);
        Action::iter().find(named).unwrap_or(Action::Submit)
    }

    /// Whether the present attempt is not the first.
    #[must_use]
    pub fn is_restarted(&self) -> bool {
        self.submission().is_some_and(|submission| submission.resubmissions > 0)
    }

    /// The cloud's log counts in seconds, so the application of another attempt is handed in no earlier than in the
    /// second after the restart: then the log tells it from the one before.
    fn second_attempt_begins(&self) -> Option<Timestamp> {
        let restarted = self.submission()?.started_over_at.as_ref()?.0;
        let begins = restarted.checked_add(SignedDuration::from_secs(1)).ok()?;
        (self.now < begins).then_some(begins)
    }

    /// Whether the user asks to stop the review of this certificate.
    #[must_use]
    pub fn withdraw_is_asked(&self) -> bool {
        self.annotation(WITHDRAW).is_some_and(|id| id == self.certificate_id)
    }

    /// Whether the user asks for another attempt: a time of the last hour that was not acted on yet.
    #[must_use]
    pub fn resubmit_is_asked(&self) -> bool {
        let Some(asked) = self.annotation(RESUBMIT_AT) else { return false };
        let handled =
            self.order.status.as_ref().and_then(|status| status.last_handled_resubmit_at.as_deref());
        let age = asked.parse::<Timestamp>().map(|at| self.now.duration_since(at));
        handled != Some(asked) && age.is_ok_and(|age| age.abs() <= RESUBMIT_IS_RECENT)
    }

    /// An annotation of the order.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.order.annotations().get(name).map(String::as_str)
    }

    fn lacks_finalizer(&self) -> bool {
        let deleting = self.order.metadata.deletion_timestamp.is_some();
        let undoes = self.order.spec.deletion_policy != DeletionPolicy::Retain;
        undoes && !deleting && self.order.spec.mode == Mode::Apply && !has_finalizer(self.order)
    }

    fn halt_on_payload(&self) -> Step {
        match self.payload {
            Ok(_) => Step::Follow,
            Err(problem) => Step::Halt(problem.clone()),
        }
    }
}
