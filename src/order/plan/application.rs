//! The stage before the order: the cloud waits for an application, or for the order of one.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::Submission;
use crate::core::annotations::RESUBMIT_AT;
use crate::core::observation::Observation;
use crate::order::facts::{Action, Facts};
use crate::order::plan::after_end::{after_the_withdrawal, withdrawn};
use crate::order::plan::evidence::{differences, in_use_by_another, is_other};
use crate::order::plan::step::{Step, first};

/// For so long after an application was accepted the cloud may still show the one before.
const READ_BACK_LAGS: Duration = Duration::from_mins(1);

/// Nothing of ours is recorded, and the cloud waits for an application.
pub(super) fn first_submission(facts: &Facts<'_>, seen: &Observation) -> Step {
    // If one call submits and orders, a certificate that still holds an application was ordered and then withdrawn.
    if facts.submits_in_one_call() && seen.has_traces() && !facts.resubmit_is_asked() {
        let whose = match seen.names.as_slice() {
            [] => String::new(),
            names => format!(", for {},", names.join(", ")),
        };
        let how = format!(
            "the cloud waits for an application, and still holds one{whose} that this order has no record of: it was \
             handed in before, and withdrawn"
        );
        return Step::Halt(withdrawn(facts, &how));
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
        Ok(payload) if is_other(facts, ours, payload, seen) => first(Action::Submit),
        // What is read back is not what was sent.
        Ok(_) if !differences(facts, ours, seen).is_empty() => another_application(facts, ours, seen),
        Ok(_) if facts.order_action().is_some() => first(Action::Order),
        Ok(_) => Step::Follow,
        Err(problem) => Step::Halt(problem.clone()),
    }
}

/// The cloud holds another application than the one that was accepted, and no order was sent. Somebody outside of this
/// cluster handed one in, and an order would be for that.
fn another_application(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    let is_new = |at: &&Time| facts.is_new(at, facts.ages.submitted, READ_BACK_LAGS);
    match ours.submitted_at.as_ref().filter(is_new) {
        // It may still show what it held before.
        Some(submitted) if !facts.is_stopped_by_another_application() => {
            facts.wait_since(submitted.0, facts.ages.submitted.seen)
        }
        _ if facts.resubmit_is_asked() => first(Action::Submit),
        _ => Step::Halt(in_use_by_another(
            &differences(facts, ours, seen),
            &format!(
                "no order is sent; if that application is to be replaced, annotate the order with {RESUBMIT_AT}: <now, RFC \
                 3339> to hand in this one again"
            ),
        )),
    }
}
