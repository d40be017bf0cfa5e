//! The stage in which the CA processes the order.

use crate::api::v1alpha1::Submission;
use crate::core::observation::Stage;
use crate::order::facts::{Action, Facts, KeyState};
use crate::order::plan::step::{Step, first};

/// The CA processes our order.
pub(super) fn running(facts: &Facts<'_>, ours: &Submission, stage: Stage) -> Step {
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
