//! The next step by what the cloud reports: one rule for each stage of the certificate.

use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Export, Facts};
use crate::order::plan::adoption::take_over;
use crate::order::plan::after_end::after_the_end;
use crate::order::plan::application::{before_the_order, first_submission};
use crate::order::plan::running::running;
use crate::order::plan::step::{Step, once};

/// The next step by what the cloud reports.
pub(super) fn by_the_cloud(facts: &Facts<'_>, seen: &Observation) -> Step {
    match (facts.ours(), seen.stage) {
        // A certificate that took the place of the order's own was issued: nothing is ever handed in for it here.
        (Some(_), Stage::Issued) if facts.is_renewed() && *facts.secret == Export::Due => Step::Export,
        (Some(_), _) if facts.is_renewed() => Step::Follow,
        // What is issued and valid is not withdrawn, whatever the cloud shows of a reissue.
        (Some(_), _) if facts.is_in_use(seen) && !facts.resubmit_is_asked() => Step::Follow,
        (None, Stage::AwaitingInformation) => first_submission(facts, seen),
        // The call that opened the order again may take effect late.
        (None, Stage::Rejected | Stage::Cancelled) => match facts.just_started_over() {
            Some(start) => facts.wait_since(start, facts.ages.started_over.seen),
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
            running(facts, ours, seen)
        }
        (Some(_), Stage::Issued) if *facts.secret == Export::Due => Step::Export,
        (Some(_), _) => Step::Follow,
    }
}
