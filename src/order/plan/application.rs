//! The stage before the order: the cloud waits for an application, or for the order of one.

use crate::api::v1alpha1::Submission;
use crate::core::observation::Observation;
use crate::order::facts::{Action, Facts};
use crate::order::plan::after_end::{after_the_withdrawal, withdrawn};
use crate::order::plan::evidence::is_other;
use crate::order::plan::step::{Step, first};

/// The status records no submission, and the cloud waits for an application.
pub(super) fn first_submission(facts: &Facts<'_>, seen: &Observation) -> Step {
    // If one call submits and orders, a certificate that still holds an application was ordered and then withdrawn.
    if facts.submits_in_one_call() && seen.has_traces() && !facts.resubmit_is_asked() {
        return Step::Halt(withdrawn(
            facts,
            "the cloud waits for an application, and still holds one that this order has no record of: it was handed \
             in before, and withdrawn",
        ));
    }
    match facts.payload {
        // The status was lost after the call: the cloud holds what would be sent. In a later attempt it may be what the
        // attempt before left there, which proves nothing. An application that the cloud shows only in part may be a
        // foreign one for the same names. Another submission only replaces it, but an order for a wrong organisation
        // cannot be undone.
        Ok(payload) if can_be_adopted(facts) && seen.stored.shows(&payload.evidence) => Step::Adopt,
        Ok(_) => match facts.next_attempt_starts() {
            Some(until) => Step::Pause { until },
            None => first(Action::Submit),
        },
        Err(problem) => facts.make_key_or_halt(problem),
    }
}

/// Whether an application that the cloud holds may be the one of this order.
fn can_be_adopted(facts: &Facts<'_>) -> bool {
    !facts.is_restarted() && !facts.submits_in_one_call()
}

/// Our application was accepted, and the cloud still waits for an order.
pub(super) fn before_the_order(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    if ours.ordered_at.is_some() {
        return if facts.may_not_show_the_order(ours) { Step::Follow } else { after_the_withdrawal(facts) };
    }
    match facts.payload {
        // Corrected before it was ordered: the new application replaces it.
        Ok(payload) if is_other(ours, payload, seen) => first(Action::Submit),
        Ok(_) if facts.order_action().is_some() => first(Action::Order),
        Ok(_) => Step::Follow,
        Err(problem) => Step::Halt(problem.clone()),
    }
}
