//! The stage in which the CA processes the order.

use crate::api::v1alpha1::Submission;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Facts, KeyState};
use crate::order::plan::evidence::{differences, in_use_by_another};
use crate::order::plan::step::{Step, first};

/// The CA works on our order.
pub(super) fn running(facts: &Facts<'_>, ours: &Submission, seen: &Observation) -> Step {
    let differences = differences(facts, ours, seen);
    // Compared again after the order; what a person changes in the console later is no application of somebody else.
    let is_compared = facts.was_just_ordered(ours);
    if !differences.is_empty() && (is_compared || facts.is_stopped_by_another_application()) {
        let what_next = "the CA works on that one, and this order sends nothing more; delete it, or withdraw the review in the \
                         cloud's console and ask for another attempt";
        return Step::Halt(in_use_by_another(&differences, what_next));
    }
    let stage = seen.stage;
    match facts.key {
        // The key of an adopted order may be stored elsewhere.
        KeyState::Absent(problem) | KeyState::Unfit(problem) if !ours.adopted => Step::Halt(problem.clone()),
        _ if stage == Stage::AwaitingLetter => letter(facts, ours),
        _ => Step::Follow,
    }
}

/// The CA waits for a signed letter. A missing or unfit letter is reported with what the CA waits for.
fn letter(facts: &Facts<'_>, ours: &Submission) -> Step {
    match facts.letter {
        Some(Ok(_)) if ours.letter_sent_at.is_none() => first(Action::SendLetter),
        _ => Step::Follow,
    }
}
