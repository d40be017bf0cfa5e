//! What the cloud shows of the call of an intent: whether it took effect, or whether that is unknown. Pure; a part of
//! [`mod@super::plan`].

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{Intent, Submission};
use crate::core::annotations::RESUBMIT_AT;
use crate::core::conditions::Problem;
use crate::core::fingerprint::Comparison;
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Facts};
use crate::provider::Payload;

/// Whether the cloud processes an order, or has finished one that did not fail, and nothing that it shows contradicts
/// the intent. An order that was placed by other means would show other names or data.
pub(super) fn has_our_order(facts: &Facts<'_>, intent: &Intent, seen: &Observation) -> bool {
    let is_named =
        |names: &Names| seen.names.iter().any(|name| name.eq_ignore_ascii_case(names.common_name().as_str()));
    let is_another = facts.names.as_ref().is_ok_and(|names| !seen.names.is_empty() && !is_named(names));
    let contradicts = |payload: &Payload| !seen.stored.fixed_contradictions(&payload.evidence).is_empty();
    let differs = (!seen.stored.is_empty() && holds(facts, intent, seen) == Some(false))
        || facts.payload.as_ref().is_ok_and(contradicts);
    seen.stage.shows_an_order() && !waits_or_failed(seen.stage) && !is_another && !differs
}

fn waits_or_failed(stage: Stage) -> bool {
    matches!(stage, Stage::AwaitingInformation | Stage::Rejected | Stage::Cancelled)
}

/// Whether the cloud holds the application of an intent; `None` if that can no longer be built for the comparison.
///
/// Where the hash of the intent cannot be compared, the application of the intent may have been another one. Then what the
/// cloud holds is the present application, or nothing is known.
pub(super) fn holds(facts: &Facts<'_>, intent: &Intent, seen: &Observation) -> Option<bool> {
    let payload = facts.payload.as_ref().ok()?;
    let resembles = seen.stored.resembles(&payload.evidence);
    match facts.compare(intent.payload_hash.as_ref())? {
        Comparison::Same => Some(resembles),
        Comparison::Different => None,
        Comparison::Unknown => resembles.then_some(true),
    }
}

/// Whether the application of an intent is known to be another one than the accepted one.
fn is_corrected(facts: &Facts<'_>, accepted: Option<&String>, intent: &Intent) -> bool {
    let intended = intent.payload_hash.as_ref();
    let (Some(before), Some(now)) = (facts.compare(accepted), facts.compare(intended)) else {
        return accepted.is_some() && of_one_scheme(accepted, intended) && accepted != intended;
    };
    match (before, now) {
        (Comparison::Same, Comparison::Different) | (Comparison::Different, Comparison::Same) => true,
        _ => of_one_scheme(accepted, intended) && accepted != intended,
    }
}

/// Whether two hashes were made in the same way, with the same key.
fn of_one_scheme(one: Option<&String>, other: Option<&String>) -> bool {
    let scheme = |hash: Option<&String>| {
        hash.and_then(|hash| hash.rsplit_once(':')).map(|(scheme, _)| scheme.to_owned())
    };
    scheme(one).is_some() && scheme(one) == scheme(other)
}

/// Whether an application that the cloud holds is from the call of an intent, and not from an earlier one.
pub(super) fn shows_this_call(facts: &Facts<'_>, intent: &Intent) -> bool {
    let is_corrected = facts.submits_in_one_call()
        && facts.ours().is_some_and(|ours| is_corrected(facts, ours.payload_hash.as_ref(), intent));
    !facts.may_look_like_another() || is_corrected || facts.logged == Some(true)
}

/// Whether the outcome of an intent's call stays unknown: the cloud keeps no log of calls, and what it holds may be
/// from this call or from an earlier one.
pub(super) fn is_open(facts: &Facts<'_>, action: Action, intent: &Intent, seen: &Observation) -> bool {
    action == Action::Submit
        && facts.submits_in_one_call()
        && facts.has_earlier_application()
        && waits_or_failed(seen.stage)
        && holds(facts, intent, seen).unwrap_or(seen.has_traces())
}

pub(super) fn outcome_unknown(intent: &Intent) -> Problem {
    Problem::new(
        Reason::OutcomeUnknown,
        format!(
            "{} (attempt {}) got no answer, and what the cloud holds may be of an attempt before, so nobody can tell \
             whether it took effect: look into the cloud's console, then annotate the order with {RESUBMIT_AT}: <now, \
             RFC 3339> to hand the present application in",
            intent.action, intent.attempt
        ),
    )
}

/// Whether the cloud holds another application than the present one. The recorded hash of the accepted application
/// decides, since the cloud does not show every part of an application.
///
/// The approval of a saved profile in between is such a change: its ids replace the data, and with them the CA skips
/// its review, which is what the user asked for. It happens once, so it costs at most one call. What does not change
/// the bytes (another word for the review, a later expiry, a temporary read failure) has no effect here; see
/// `profile::reuse`.
///
/// A hash that cannot be compared tells of no change: the cloud shows less of some applications than was sent, and to hand one
/// in again costs a second submission. What contradicts it is judged by [`differences`].
pub(super) fn is_other(facts: &Facts<'_>, ours: &Submission, payload: &Payload, seen: &Observation) -> bool {
    // The call of an open intent may have replaced the accepted application.
    let in_doubt = ours.intent.as_ref().is_some_and(|intent| intent.payload_hash.is_some());
    match facts.compare(ours.payload_hash.as_ref()).filter(|_| !in_doubt) {
        Some(comparison) => comparison == Comparison::Different,
        None => !seen.stored.shows(&payload.evidence),
    }
}

/// What identifies an application and differs between the one that was accepted for this order and the one that the cloud
/// shows. Where the present application is another one than was accepted, only what cannot have been edited since is
/// compared. What was taken over is compared by its names, at that time.
pub(super) fn differences(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Vec<&'static str> {
    match facts.payload {
        Ok(payload) => match facts.compare(ours.payload_hash.as_ref()) {
            Some(Comparison::Same | Comparison::Unknown) => seen.stored.contradictions(&payload.evidence),
            Some(Comparison::Different) if !ours.adopted => {
                seen.stored.fixed_contradictions(&payload.evidence)
            }
            _ => Vec::new(),
        },
        Err(_) => Vec::new(),
    }
}

pub(super) fn in_use_by_another(differences: &[&'static str], what_next: &str) -> Problem {
    let message = format!(
        "somebody else handed in another application for this certificate: what the cloud holds differs from what this order \
         has handed in, in {}; {what_next}",
        differences.join(", ")
    );
    Problem::new(Reason::CertificateInUse, message)
}
