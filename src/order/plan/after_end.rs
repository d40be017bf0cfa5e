//! The stage after an order was rejected or withdrawn: another attempt, once the user requests it.

use crate::api::v1alpha1::Submission;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::conditions::Problem;
use crate::core::observation::Observation;
use crate::order::facts::{Action, Facts};
use crate::order::plan::evidence::is_other;
use crate::order::plan::step::{Step, first};

/// The call that starts another attempt: one that opens the order again, or the application if the cloud needs no such
/// call.
pub(super) fn another_attempt(facts: &Facts<'_>) -> Option<Action> {
    let calls = facts.calls?;
    match (calls.resubmit, calls.order) {
        (Some(_), _) => Some(Action::Resubmit),
        (None, None) => Some(Action::Submit),
        (None, Some(_)) => None,
    }
}

/// The cloud or the CA rejected our order, or its review was stopped. It continues after a correction or a request.
pub(super) fn after_the_end(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    let action = match another_attempt(facts) {
        Some(action) if !facts.withdraw_is_asked() => action,
        _ => return Step::Follow,
    };
    let is_asked = facts.resubmit_is_asked();
    let is_edited = facts.is_edited_since_the_end();
    match facts.payload {
        Ok(payload) if is_asked || (is_edited && is_other(facts, ours, payload, seen)) => first(action),
        Err(problem) if is_asked || is_edited => facts.make_key_or_halt(problem),
        _ => Step::Follow,
    }
}

/// The cloud waits for an application although one was submitted.
pub(super) fn withdrawn(facts: &Facts<'_>, how: &str) -> Problem {
    let asked = facts.withdraw_is_asked();
    let first = if asked { format!("remove the annotation {WITHDRAW}, then ") } else { String::new() };
    Problem::new(
        Reason::Withdrawn,
        format!(
            "{how}; {first}annotate the order with {RESUBMIT_AT}: <now, RFC 3339> to hand in the present application"
        ),
    )
}

/// Our order was sent, and the cloud waits for an application again.
pub(super) fn after_the_withdrawal(facts: &Facts<'_>) -> Step {
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
