//! A certificate that was applied for without a record in the status: the status was lost, or it was ordered by other
//! means.

use std::collections::BTreeSet;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::RESUBMIT_AT;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::Facts;
use crate::order::plan::after_end::another_attempt;
use crate::order::plan::step::{Step, first};

/// The status records no submission, and the cloud is past the application: adopt it if it is for the same names.
pub(super) fn take_over(facts: &Facts<'_>, seen: &Observation) -> Step {
    let names = match facts.names {
        Ok(names) => names,
        Err(problem) => return Step::Halt(problem.clone()),
    };
    // A certificate can get to such a stage without an order.
    if !seen.stage.shows_an_order() {
        return Step::Follow;
    }
    let held: Vec<String> = seen.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    if is_for(&held, names, seen.stage) {
        return Step::Adopt;
    }
    match seen.stage {
        // The certificate is over, whatever its names were.
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

/// Whether the names at the cloud are those of the order. A CA may add a name to an issued certificate, such as the
/// registered domain to its www.
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
