//! An open intent: did its call take effect?

use jiff::Timestamp;

use crate::api::v1alpha1::Intent;
use crate::core::age;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Facts};
use crate::order::plan::by_stage::by_the_cloud;
use crate::order::plan::evidence::{has_our_order, holds, is_open, outcome_unknown, shows_this_call};
use crate::order::plan::step::Step;

/// Settles an open intent. It shows that a call may have been made, never that a call may be made.
pub(in crate::order) fn settle(facts: &Facts<'_>, intent: &Intent) -> Step {
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
    // No call is in flight any more: decide again.
    match by_the_cloud(facts, seen) {
        Step::Write { action, .. } => Step::Write { action, attempt: intent.attempt.saturating_add(1) },
        Step::Halt(problem) => Step::NotLanded(problem),
        step => step,
    }
}

/// The call of an open intent whose outcome only the cloud's own log shows: an application if the cloud may still hold
/// an earlier one, and any other call that the certificate's state, which may lag, does not show.
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
pub(in crate::order) fn landed(
    facts: &Facts<'_>,
    action: Action,
    intent: &Intent,
    seen: &Observation,
) -> bool {
    match action {
        Action::Order
        | Action::Resubmit
        | Action::SendLetter
        | Action::Withdraw
        | Action::Revoke
        | Action::Reissue
            if facts.logged == Some(true) =>
        {
            true
        }
        // A rejected or cancelled order may be an earlier attempt.
        Action::Submit if facts.submits_in_one_call() && has_our_order(facts, intent, seen) => true,
        // The cloud may hold an equal earlier application; then its log decides.
        Action::Submit => holds(facts, intent, seen) == Some(true) && shows_this_call(facts, intent),
        Action::Order => seen.stage.shows_an_order(),
        Action::Resubmit => !matches!(seen.stage, Stage::Rejected | Stage::Cancelled),
        Action::Withdraw => {
            matches!(seen.stage, Stage::Cancelling | Stage::Cancelled | Stage::AwaitingInformation)
        }
        Action::Revoke => {
            matches!(seen.stage, Stage::Revoking | Stage::AwaitingRevocationLetter | Stage::Revoked)
        }
        Action::SendLetter => seen.stage != Stage::AwaitingLetter,
        Action::Reissue => seen.replaced_by.is_some(),
    }
}

/// When absent evidence shows that the call was not made: by then a slow call is over, by the clock of its caller and
/// by our own.
fn absence_counts_from(facts: &Facts<'_>, intent: &Intent) -> Timestamp {
    let lasts = facts.intent_lasts(intent);
    let left = age::left_of(lasts, facts.now, intent.started_at.0, facts.ages.intent.seen);
    age::after(facts.now, left)
}
