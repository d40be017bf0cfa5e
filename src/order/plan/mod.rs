//! The one next step. Pure: facts in, step out; no client, no clock, no randomness.
//!
//! Read from the top: what holds an order back comes first, then an intent that is not settled, then what the
//! cloud says. Only [`Step::Write`] leads to a call that writes, and only after its intent is stored.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{Intent, Mode, Submission};
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::order::{Observation, Stage};
use crate::order::facts::{ACCEPTED, Action, Export, Facts, KeyState, RESUBMIT_AT, WITHDRAW};
use crate::order::plan::evidence::{has_ours_under_way, holds, is_open, outcome_unknown, shows_this_call};
use crate::provider::Payload;

pub mod evidence;

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

/// Decides the next step.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Step {
    let step = decide(facts);
    let problem = match step {
        Step::Write { action: Action::Submit | Action::Order | Action::Resubmit, .. } | Step::MakeKey => {
            facts.held_back()
        }
        _ => None,
    };
    // What runs already, or is only shown, takes nothing of the budget.
    let begins =
        matches!(step, Step::Write { action: Action::Submit | Action::Resubmit, .. } | Step::MakeKey)
            && facts.order.spec.mode == Mode::Apply;
    if let Some(problem) = problem.or_else(|| facts.over_budget.clone().filter(|_| begins)) {
        return facts.refuse(problem);
    }
    match step {
        Step::Write { action, .. } if facts.order.spec.mode == Mode::Plan => Step::Show(action),
        Step::Write { .. } | Step::Adopt | Step::MakeKey => match &facts.contested {
            Some(problem) => facts.refuse(problem.clone()),
            None => step,
        },
        // What was found or taken over turned out to be another's.
        Step::Follow | Step::Export if facts.ours().is_some() => match &facts.contested {
            Some(problem) if problem.reason == Reason::DuplicateCertificate => Step::Halt(problem.clone()),
            _ => step,
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
        Some(Err(_)) if facts.ours().is_none() && facts.payload.is_err() && !facts.key_is_to_come() => {
            return facts.halt_on_payload();
        }
        Some(Err(_)) => return Step::Unreadable,
        None => return facts.halt_on_payload(),
    };
    by_the_cloud(facts, seen)
}

/// What the cloud says decides.
fn by_the_cloud(facts: &Facts<'_>, seen: &Observation) -> Step {
    match (facts.ours(), seen.stage) {
        (None, Stage::AwaitingInformation) => first_submission(facts, seen),
        // The call that opened it again takes its time.
        (None, Stage::Rejected | Stage::Cancelled) => match facts.just_started_over() {
            Some(began) => facts.wait_for_what_began(began),
            None => take_over(facts, seen),
        },
        (None, _) => take_over(facts, seen),
        (Some(ours), Stage::AwaitingInformation) => before_the_order(facts, ours, seen),
        (Some(ours), Stage::Rejected | Stage::Cancelled) => after_the_end(facts, ours, seen),
        (Some(_), Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter)
            if facts.withdraw_is_asked() =>
        {
            once(facts, Action::Withdraw)
        }
        (Some(ours), Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter | Stage::Issuing) => {
            running(facts, ours, seen.stage)
        }
        (Some(_), Stage::Issued) if *facts.secret == Export::Due => Step::Export,
        (Some(_), _) => Step::Follow,
    }
}

/// Nothing of ours is recorded, and the cloud waits for an application.
fn first_submission(facts: &Facts<'_>, seen: &Observation) -> Step {
    // Where one call does both, what waits for an application and holds one was ordered, and withdrawn.
    if facts.submits_in_one_call() && seen.has_traces() && !facts.resubmit_is_asked() {
        return Step::Halt(withdrawn(
            facts,
            "the cloud waits for an application, and still holds one that this order has no record of: it was handed \
             in before, and withdrawn",
        ));
    }
    match facts.payload {
        // The status was lost after the call: what the cloud holds is what would be sent.
        // After a restart it is what the attempt before has left there, and proves nothing. Nor does what the cloud
        // shows in part: it could be somebody else's application for the same names. Handing in once more only
        // replaces what is there; an order for a wrong organisation could not be taken back.
        Ok(payload) if can_be_adopted(facts) && seen.stored.shows(&payload.evidence) => Step::Adopt,
        Ok(_) => match facts.second_attempt_begins() {
            Some(until) => Step::Pause { until },
            None => first(Action::Submit),
        },
        Err(problem) => facts.make_key_or_halt(problem),
    }
}

/// Whether an application that waits for its order may be the one of this order.
fn can_be_adopted(facts: &Facts<'_>) -> bool {
    !facts.is_restarted() && !facts.submits_in_one_call()
}

/// The cloud waits for an application although it had one.
fn withdrawn(facts: &Facts<'_>, how: &str) -> Problem {
    let asked = facts.withdraw_is_asked();
    let first = if asked { format!("remove the annotation {WITHDRAW}, then ") } else { String::new() };
    Problem::new(
        Reason::Withdrawn,
        format!(
            "{how}; {first}annotate the order with {RESUBMIT_AT}: <now, RFC 3339> to hand in the present application"
        ),
    )
}

/// The call that begins another attempt: one that opens the order again, or where that needs none, the application.
fn another_attempt(facts: &Facts<'_>) -> Option<Action> {
    let calls = facts.calls?;
    match (calls.resubmit, calls.order) {
        (Some(_), _) => Some(Action::Resubmit),
        (None, None) => Some(Action::Submit),
        (None, Some(_)) => None,
    }
}

/// The cloud or the CA refused our order, or it was stopped. It goes on when the user corrected it, or asks for it.
fn after_the_end(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    let action = match another_attempt(facts) {
        Some(action) if !facts.withdraw_is_asked() => action,
        _ => return Step::Follow,
    };
    let is_asked = facts.resubmit_is_asked();
    let is_edited = facts.is_edited_since_the_end();
    match facts.payload {
        Ok(payload) if is_asked || (is_edited && is_other(ours, payload, seen)) => first(action),
        Err(problem) if is_asked || is_edited => facts.make_key_or_halt(problem),
        _ => Step::Follow,
    }
}

/// The CA works on our order.
fn running(facts: &Facts<'_>, ours: &Submission, stage: Stage) -> Step {
    match facts.key {
        // What was only taken over may have its key elsewhere.
        KeyState::Absent(problem) | KeyState::Unfit(problem) if !ours.adopted => Step::Halt(problem.clone()),
        _ if stage == Stage::AwaitingLetter => letter(facts, ours),
        _ => Step::Follow,
    }
}

/// The CA waits for a signed letter. One that is missing or unfit is reported beside what the CA waits for.
fn letter(facts: &Facts<'_>, ours: &Submission) -> Step {
    match facts.letter {
        Some(Ok(_)) if ours.letter_sent_at.is_none() => first(Action::SendLetter),
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
    let held: Vec<String> = seen.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    if is_for(&held, names, seen.stage) {
        return Step::Adopt;
    }
    match seen.stage {
        // Over for everybody, whatever its names were.
        Stage::Revoking | Stage::AwaitingRevocationLetter | Stage::Revoked | Stage::Expired => Step::Follow,
        Stage::Rejected | Stage::Cancelled if facts.resubmit_is_asked() => {
            match (another_attempt(facts), facts.payload) {
                (None, _) => Step::Halt(in_use(facts, &held, seen.stage)),
                (Some(action), Ok(_)) => first(action),
                (Some(_), Err(problem)) => facts.make_key_or_halt(problem),
            }
        }
        stage => Step::Halt(in_use(facts, &held, stage)),
    }
}

/// Whether what the cloud holds is for the names of the order. A CA may add a name of its own to an issued
/// certificate, such as the registered domain beside its www.
fn is_for(held: &[String], names: &Names, stage: Stage) -> bool {
    let all: BTreeSet<&str> = held.iter().map(String::as_str).collect();
    let is_covered = stage == Stage::Issued
        && held.first().is_some_and(|primary| primary == names.common_name().as_str())
        && all.is_superset(&names.all());
    is_covered || (!all.is_empty() && all == names.all())
}

fn in_use(facts: &Facts<'_>, held: &[String], stage: Stage) -> Problem {
    let whose = if held.is_empty() {
        "and the cloud does not tell for which names".to_owned()
    } else {
        format!("for {}", held.join(", "))
    };
    let message = if matches!(stage, Stage::Rejected | Stage::Cancelled) && another_attempt(facts).is_some() {
        format!(
            "this certificate was applied for already, {whose}, which was {}; annotate the order with {RESUBMIT_AT}: \
             <now, RFC 3339> to apply for its own names instead",
            stage.to_string().to_ascii_lowercase()
        )
    } else {
        format!(
            "this certificate is in use already, {whose}; give the order those names to take it over, or create a new \
             CertificateOrder for another certificate"
        )
    };
    Problem::new(Reason::CertificateInUse, message)
}

/// Our application was accepted, and the cloud still waits for an order.
fn before_the_order(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    if ours.ordered_at.is_some() {
        return if facts.may_not_show_the_order(ours) { Step::Follow } else { after_the_withdrawal(facts) };
    }
    match facts.payload {
        // Corrected since and not yet ordered: the cloud takes the new application instead.
        Ok(payload) if is_other(ours, payload, seen) => first(Action::Submit),
        Ok(_) if facts.order_action().is_some() => first(Action::Order),
        Ok(_) => Step::Follow,
        Err(problem) => Step::Halt(problem.clone()),
    }
}

/// Our order was sent, and the cloud waits for an application again.
fn after_the_withdrawal(facts: &Facts<'_>) -> Step {
    match facts.payload {
        Ok(_) if facts.resubmit_is_asked() && facts.submits_in_one_call() => first(Action::Submit),
        Err(problem) if facts.resubmit_is_asked() && facts.submits_in_one_call() => {
            Step::Halt(problem.clone())
        }
        _ if facts.resubmit_is_asked() => Step::StartOver,
        _ if facts.is_withdrawn_by_us() => Step::Halt(withdrawn(facts, "the review was stopped as asked")),
        _ => Step::Halt(withdrawn(
            facts,
            "the order was sent, but the cloud waits for an application again: somebody withdrew it there",
        )),
    }
}

/// Whether the cloud holds another application than the present one. Our record of what was accepted decides; not
/// every part of an application is shown by the cloud.
///
/// The approval of a saved profile that comes in between is such a change: its ids take the place of the data, and with
/// them the CA skips its review, which is what the user asked for. It comes once, so it costs one call at most. What
/// does not change the bytes (another word for the review, a later expiry, a look-up that fails for now) changes
/// nothing here; see `profile::reuse`.
fn is_other(ours: &Submission, payload: &Payload, seen: &Observation) -> bool {
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
    if is_open(facts, action, intent, seen) && !facts.resubmit_is_asked_since(intent) {
        return Step::NotLanded(outcome_unknown(intent));
    }
    // No call is under way any more: decide anew.
    match by_the_cloud(facts, seen) {
        Step::Write { action, .. } => Step::Write { action, attempt: intent.attempt.saturating_add(1) },
        Step::Halt(problem) => Step::NotLanded(problem),
        step => step,
    }
}

/// The call of an open intent of which only the cloud's own log can tell what became of it: an application where
/// the cloud may still hold one of before, and what the certificate's state, which may lag, does not show.
#[must_use]
pub fn unsettled<'a>(facts: &'a Facts<'_>) -> Option<(Action, &'a Intent)> {
    let seen = facts.observed?.as_ref().ok()?;
    let intent = facts.intent()?;
    let action = facts.action_of(intent);
    if action == Action::Submit {
        let asks = facts.may_look_like_another() && !facts.log_is_ambiguous(intent);
        return asks.then_some((action, intent));
    }
    (!landed(facts, action, intent, seen)).then_some((action, intent))
}

/// Whether the cloud shows that the call behind an intent took effect.
pub(super) fn landed(facts: &Facts<'_>, action: Action, intent: &Intent, seen: &Observation) -> bool {
    match action {
        Action::Order | Action::Resubmit | Action::SendLetter | Action::Withdraw | Action::Revoke
            if facts.logged == Some(true) =>
        {
            true
        }
        // What was refused or cancelled may be an attempt of before.
        Action::Submit if facts.submits_in_one_call() && has_ours_under_way(facts, intent, seen) => true,
        // The cloud may hold an application of before that looks the same; then its log decides.
        Action::Submit => holds(facts, intent, seen) == Some(true) && shows_this_call(facts, intent),
        Action::Order => shows_an_order(seen.stage),
        Action::Resubmit => !matches!(seen.stage, Stage::Rejected | Stage::Cancelled),
        Action::Withdraw => {
            matches!(seen.stage, Stage::Cancelling | Stage::Cancelled | Stage::AwaitingInformation)
        }
        Action::Revoke => {
            matches!(seen.stage, Stage::Revoking | Stage::AwaitingRevocationLetter | Stage::Revoked)
        }
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

/// The same, but not again while the cloud may not show yet that it took one.
pub(super) fn once(facts: &Facts<'_>, action: Action) -> Step {
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
    fn wait_for_what_began(&self, began: Timestamp) -> Step {
        let pause = self.now.duration_since(began).max(A_MOMENT);
        Step::Pause { until: self.now.checked_add(pause).unwrap_or(Timestamp::MAX) }
    }

    /// Before anything is sent, a key that is not there is made; one that cannot be read is never replaced.
    fn make_key_or_halt(&self, problem: &Problem) -> Step {
        if self.key_is_to_come() { Step::MakeKey } else { Step::Halt(problem.clone()) }
    }

    /// Whether nothing but the key is missing, which certorder makes itself.
    fn key_is_to_come(&self) -> bool {
        matches!((self.key, self.payload), (KeyState::Absent(missing), Err(problem)) if missing == problem)
    }

    /// An intent is a claim: two orders that both kept one would wait for each other for good.
    fn refuse(&self, problem: Problem) -> Step {
        if self.intent().is_some() { Step::NotLanded(problem) } else { Step::Halt(problem) }
    }

    fn halt_on_payload(&self) -> Step {
        match self.payload {
            Ok(_) => Step::Follow,
            Err(problem) => Step::Halt(problem.clone()),
        }
    }
}
