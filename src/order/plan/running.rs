//! The stage in which the CA works on the order.

use crate::api::v1alpha1::Submission;
use crate::core::observation::Stage;
use crate::order::facts::{Action, Facts, KeyState};
use crate::order::plan::step::{Step, first};

/// The CA works on our order.
pub(super) fn running(facts: &Facts<'_>, ours: &Submission, stage: Stage) -> Step {
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
