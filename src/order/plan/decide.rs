//! The one next step: what holds an order back comes first, then an open intent, then what the cloud reports.

use crate::api::v1alpha1::Mode;
use crate::api::v1alpha1::conditions::Reason;
use crate::order::facts::{Action, Facts};
use crate::order::plan::by_stage::by_the_cloud;
use crate::order::plan::settling::settle;
use crate::order::plan::step::Step;
use crate::order::renewal;

/// Decides the next step.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Step {
    let step = decide(facts);
    let problem = match &step {
        Step::Write { action: Action::Submit | Action::Resubmit, .. } | Step::MakeKey => {
            facts.held_back().or_else(|| facts.unserved()).or_else(|| facts.outputs.clone())
        }
        Step::Write { action: Action::Order, .. } => facts.held_back().or_else(|| facts.unserved()),
        // What is taken over before it is ordered is ordered next.
        Step::Adopt if facts.may_apply() => facts.unserved().or_else(|| facts.outputs.clone()),
        // Whoever mends a request for a certificate that nothing can serve would be refused next.
        Step::Halt(problem) if facts.may_apply() && facts.payload.as_ref().err() == Some(problem) => {
            facts.unserved()
        }
        _ => None,
    };
    // An order that runs, or is only planned, does not use the budget.
    let starts =
        matches!(step, Step::Write { action: Action::Submit | Action::Resubmit, .. } | Step::MakeKey)
            && facts.order.spec.mode == Mode::Apply;
    if let Some(problem) = problem.or_else(|| facts.over_budget.clone().filter(|_| starts)) {
        return facts.refuse(problem);
    }
    let is_planned = facts.order.spec.mode == Mode::Plan;
    match step {
        Step::Write { action, .. } if is_planned => Step::Show(action),
        Step::Write { .. } | Step::Adopt | Step::MakeKey => match &facts.contested {
            Some(problem) => facts.refuse(problem.clone()),
            None => step,
        },
        // The certificate was found or adopted, and turned out to belong to another order.
        Step::Follow | Step::Export if facts.ours().is_some() => match &facts.contested {
            Some(problem) if problem.reason == Reason::DuplicateCertificate => Step::Halt(problem.clone()),
            // First the certificate that there is, then the next one.
            _ if step == Step::Follow => {
                let next = renewal::assess(facts).and_then(|renewal| renewal.step);
                next.or_else(|| renewal::assess::edit(facts).filter(|_| is_planned)).map_or(step, Step::Renew)
            }
            _ => step,
        },
        _ => step,
    }
}

fn decide(facts: &Facts<'_>) -> Step {
    if facts.order.spec.suspend {
        return renewal::assess::edit(facts).map_or(Step::Suspend, Step::Renew);
    }
    if let Some(intent) = facts.intent() {
        return settle(facts, intent);
    }
    if facts.lacks_finalizer() {
        return Step::AddFinalizer;
    }
    let seen = match facts.observed {
        Some(Ok(seen)) => seen,
        // A problem that the user can fix at once is reported first.
        Some(Err(_)) if facts.ours().is_none() && facts.payload.is_err() && !facts.key_is_to_come() => {
            return facts.halt_on_payload();
        }
        Some(Err(_)) => return Step::Unreadable,
        None => return facts.halt_on_payload(),
    };
    by_the_cloud(facts, seen)
}
