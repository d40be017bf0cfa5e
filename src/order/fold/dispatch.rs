//! Passes an outcome to the part of the fold that handles it.

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, Plan};
use crate::controller::failure::describe;
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::conditions::{Conditions, Status, get};
use crate::core::observation::Stage;
use crate::core::redact::Filter;
use crate::order::facts::{Action, Facts};
use crate::order::fold::outcome::{Next, Outcome, Requeue};
use crate::order::fold::state::Fold;
use crate::order::plan::Step;

/// Computes the next status.
#[must_use]
pub fn fold(
    stored: &CertificateOrderStatus,
    facts: &Facts<'_>,
    outcome: &Outcome<'_>,
    filter: &Filter,
) -> Next {
    let mut fold = Fold {
        status: stored.clone(),
        conditions: Conditions::new(&stored.conditions, facts.generation(), facts.now),
        facts,
        filter,
    };
    fold.status.observed_generation = facts.generation();
    fold.status.provider = Some(facts.cloud.to_owned());
    fold.status.certificate_id = Some(facts.certificate_id.to_owned());
    let requeue = fold.outcome(outcome);
    let requeue = fold.renewal(outcome, requeue);
    fold.template_accepted();
    fold.dns_endpoint();
    fold.status.conditions = fold.conditions.into_list();
    Next { status: fold.status, requeue }
}

impl Fold<'_> {
    fn outcome(&mut self, outcome: &Outcome<'_>) -> Requeue {
        if let Outcome::Step(Step::Suspend) = outcome {
            return self.suspended();
        }
        self.conditions.remove(ConditionType::Suspended);
        if !matches!(outcome, Outcome::Step(Step::Show(_) | Step::Unreadable)) {
            self.discard_plan();
        }
        let asked = self.facts.annotation(RECONCILE_AT).map(handled_value);
        self.status.last_handled_reconcile_at = asked.or(self.status.last_handled_reconcile_at.take());
        if let Some(Ok(seen)) = self.facts.observed {
            self.observed(seen);
            self.replace_plain_hash(seen);
        }
        match outcome {
            Outcome::Step(step) => self.step(step),
            Outcome::Intent(action, intent) => self.intent(*action, intent),
            Outcome::Called(action, intent, Ok(accepted)) => self.accepted(*action, intent, accepted),
            Outcome::Called(action, intent, Err(error)) => self.failed(*action, intent, error),
            Outcome::TakenBack(problem) if problem.reason == Reason::DuplicateCertificate => {
                self.give_up_claim();
                self.halt(problem)
            }
            Outcome::TakenBack(problem) => {
                self.drop_intent();
                // The progress before the intent stays.
                self.submission().frozen = self.facts.ours().is_some_and(|ours| ours.frozen);
                self.halt(problem)
            }
            Outcome::NotFetched(error) => self.not_fetched(error),
            Outcome::Kept(_)
            | Outcome::Renewed(_)
            | Outcome::ReissueIntent(_)
            | Outcome::ReissueCalled(..)
            | Outcome::NotAsked(_) => self.follow(),
            Outcome::Exported(Ok(term)) => {
                self.valid(*term);
                self.exported(None)
            }
            Outcome::Exported(Err(problem)) => self.exported(Some(problem)),
        }
    }

    /// What of the template is left off holds nothing up.
    fn template_accepted(&mut self) {
        let type_ = ConditionType::SecretTemplateAccepted;
        match &self.facts.left_off {
            Some(problem) => {
                self.conditions.set(type_, Status::False, problem.reason, &problem.message);
            }
            None => self.conditions.remove(type_),
        }
    }

    fn step(&mut self, step: &Step) -> Requeue {
        match step {
            Step::Suspend | Step::Write { .. } | Step::MakeKey | Step::AddFinalizer | Step::Export => {
                Requeue::Now
            }
            Step::Pause { until } => Requeue::In(self.left(*until)),
            Step::Halt(problem) if problem.reason == Reason::DuplicateCertificate => {
                self.give_up_claim();
                self.halt(problem)
            }
            Step::Halt(problem) => self.halt(problem),
            Step::Unreadable => self.unreadable(),
            Step::Show(action) => self.show(*action),
            Step::Landed(action) => self.landed(*action),
            Step::Settle { until } => self.settle(*until),
            Step::NotLanded(problem) if problem.reason == Reason::OutcomeUnknown => {
                self.left_unknown(problem)
            }
            Step::NotLanded(problem) => {
                self.discard_intent();
                self.halt(problem)
            }
            Step::StartOver => self.start_over(),
            Step::Adopt => self.adopt(),
            Step::Follow | Step::Renew(_) => self.follow(),
        }
    }

    /// Suspension changes neither Ready nor what is known of the cloud.
    fn suspended(&mut self) -> Requeue {
        if get(&self.status.conditions, ConditionType::Ready).is_none() {
            self.conditions.working(Reason::Pending, "nothing was looked at yet");
            self.status.phase = Some("Suspended".to_owned());
        }
        let message =
            "spec.suspend is true: certorder calls nothing for this order; what runs at the cloud runs on";
        self.conditions.set(ConditionType::Suspended, Status::True, Reason::Suspended, message);
        Requeue::Settled
    }

    fn unreadable(&mut self) -> Requeue {
        let Some(Err(error)) = self.facts.observed else { return Requeue::Failed(None) };
        let action = self.facts.calls.map_or("the read", |calls| calls.observe);
        let failure = describe(self.facts.cloud, action, error, self.filter);
        self.failure(&failure)
    }

    fn show(&mut self, action: Action) -> Requeue {
        self.discard_intent();
        let (name, next) = match action {
            Action::Submit if self.facts.order_action().is_some() => {
                (self.facts.action_name(action), "then the order is sent to the CA")
            }
            Action::Resubmit => (self.facts.action_name(action), "then the application is handed in again"),
            Action::Submit
            | Action::Order
            | Action::Withdraw
            | Action::Revoke
            | Action::SendLetter
            | Action::Reissue => (self.facts.action_name(action), "then the cloud and the CA go on"),
        };
        let note = match (action, self.facts.payload) {
            (Action::Submit, Ok(payload)) => payload.note.as_deref(),
            _ => None,
        };
        let request = match (action, self.facts.payload) {
            (Action::Submit, Ok(payload)) => payload.redacted.clone(),
            _ => serde_json::json!({ "certificateId": self.facts.certificate_id }),
        };
        self.status.plan = Some(Plan {
            action: name.clone(),
            request: request.as_object().cloned().unwrap_or_default(),
            next: note.map_or_else(|| next.to_owned(), |note| format!("{next}. {note}")),
        });
        self.status.phase = Some("Planned".to_owned());
        let message =
            format!("spec.mode is Plan: status.plan shows what {name} would send, and it was not sent");
        self.conditions.set(ConditionType::Planned, Status::True, Reason::Planned, &message);
        self.conditions.resting(Status::False, Reason::Planned, &message);
        Requeue::Stopped
    }

    fn adopt(&mut self) -> Requeue {
        let Some(Ok(seen)) = self.facts.observed else { return Requeue::Failed(None) };
        // The hash records what the cloud holds, so it is set only if the cloud shows exactly that.
        let held = self.facts.payload.as_ref().ok().filter(|payload| seen.stored.shows(&payload.evidence));
        let key = self.facts.hash_key;
        let payload_hash = held.and_then(|payload| Some(payload.fingerprint.stored(key?)));
        self.submission().adopted = true;
        let message = "found at the cloud for the same names, and taken over without a call";
        let requeue = self.submitted(payload_hash, Reason::Adopted, message);
        self.take_over(seen);
        if seen.stage == Stage::AwaitingInformation {
            return requeue;
        }
        let followed = self.follow_ours(seen, true);
        // What the user requests of an order counts from its record on.
        let asked = self.facts.resubmit_is_asked() || self.facts.withdraw_is_asked();
        if asked { Requeue::Now } else { followed }
    }
}
