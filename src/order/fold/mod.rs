//! What happened becomes the next status. Pure: the old status, the facts and the outcome in, the new status and
//! the time of the next look out.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, CloudState, Intent, Plan, Submission, seconds};
use crate::controller::failure::{Failure, Retry, describe};
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::order::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::facts::{Action, Facts, RECONCILE_AT, handled_value};
use crate::order::plan::{self, Step};
use crate::order::validation;
use crate::provider::{Accepted, Error};

mod calls;
mod follow;
pub mod stages;

/// What happened in a pass.
pub enum Outcome<'a> {
    /// The step needed no call that writes.
    Step(&'a Step),
    /// An intent is about to be stored.
    Intent(Action, &'a Intent),
    /// The call of an intent ended.
    Called(Action, &'a Intent, &'a Result<Accepted, Error>),
    /// The intent is taken back before any call: another order has the certificate.
    TakenBack(&'a Problem),
    /// The issued certificate could not be fetched.
    NotFetched(&'a Error),
    /// The issued certificate was written to its Secret, or cannot be.
    Exported(&'a Result<(), Problem>),
}

/// What is stored, and when to look again.
pub struct Next {
    /// The new status.
    pub status: CertificateOrderStatus,
    /// When to look again.
    pub requeue: Requeue,
}

/// When to look again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requeue {
    /// At once: there is a next step already.
    Now,
    /// At this pause.
    In(Duration),
    /// As often as the age of the cloud's last change asks for.
    Poll,
    /// After a failure: with growing pauses, at least this long.
    Failed(Option<Duration>),
    /// Rarely: something has to be mended first, and that wakes the order.
    Stopped,
    /// Very rarely: nothing more is expected.
    Settled,
}

impl Requeue {
    /// The same, but after this pause at the latest.
    #[must_use]
    pub fn at_latest(self, pause: Duration) -> Self {
        match self {
            Self::Stopped | Self::Settled | Self::Poll => Self::In(pause),
            Self::In(other) => Self::In(other.min(pause)),
            Self::Now | Self::Failed(_) => self,
        }
    }
}

/// How soon a claim that is contested is looked at again.
const CONTESTED: Duration = Duration::from_secs(5);

/// Works out the next status.
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
    fold.status.conditions = fold.conditions.into_list();
    Next { status: fold.status, requeue }
}

struct Fold<'a> {
    status: CertificateOrderStatus,
    conditions: Conditions,
    facts: &'a Facts<'a>,
    filter: &'a Filter,
}

impl Fold<'_> {
    fn outcome(&mut self, outcome: &Outcome<'_>) -> Requeue {
        if let Outcome::Step(Step::Suspend) = outcome {
            return self.suspended();
        }
        self.conditions.remove(ConditionType::Suspended);
        if !matches!(outcome, Outcome::Step(Step::Show(_) | Step::Unreadable)) {
            self.forget_plan();
        }
        let asked = self.facts.annotation(RECONCILE_AT).map(handled_value);
        self.status.last_handled_reconcile_at = asked.or(self.status.last_handled_reconcile_at.take());
        if let Some(Ok(seen)) = self.facts.observed {
            self.observed(seen);
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
                // What was reached before the intent stays.
                self.submission().frozen = self.facts.ours().is_some_and(|ours| ours.frozen);
                self.halt(problem)
            }
            Outcome::NotFetched(error) => self.not_fetched(error),
            Outcome::Exported(outcome) => self.exported(outcome.as_ref().err()),
        }
    }

    fn step(&mut self, step: &Step) -> Requeue {
        match step {
            Step::Suspend | Step::Write { .. } | Step::MakeKey | Step::Guard | Step::Export => Requeue::Now,
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
                self.forget_intent();
                self.halt(problem)
            }
            Step::StartOver => self.start_over(),
            Step::Adopt => self.adopt(),
            Step::Follow => self.follow(),
        }
    }

    fn forget_plan(&mut self) {
        self.status.plan = None;
        self.conditions.remove(ConditionType::Planned);
    }

    /// Suspension touches neither Ready nor what is known of the cloud.
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

    /// Takes over what the cloud says, whatever the step.
    fn observed(&mut self, seen: &Observation) {
        let before = self.status.cloud.take();
        let message = match (&seen.message, self.facts.payload) {
            (Some(text), Ok(_)) => Some(self.filter.clean(text)),
            // Without the application nobody knows what must not be shown: what was shown stays.
            (Some(text), Err(_)) => {
                let shown = before.clone().filter(|before| before.status == seen.status);
                shown.and_then(|shown| shown.message).or_else(|| text.as_token().map(str::to_owned))
            }
            (None, _) => None,
        };
        let message = message.filter(|text| !text.is_empty());
        let unchanged = before.filter(|before| before.status == seen.status && before.message == message);
        self.status.cloud = Some(unchanged.unwrap_or_else(|| CloudState {
            status: seen.status.clone(),
            message,
            since: Some(self.now()),
        }));
        if self.facts.ours().is_some() {
            self.take_over(seen);
        }
    }

    /// What the cloud says of an order that is ours.
    pub(super) fn take_over(&mut self, seen: &Observation) {
        // Between two attempts the cloud may still show the number of the order before.
        let order_id = seen.order_id.clone().filter(|_| plan::shows_an_order(seen.stage));
        self.status.order_id = order_id.or(self.status.order_id.take());
        // What was found last counts no more once the CA is past it, and no process remembers it.
        let found = self.facts.validation.filter(|_| seen.stage == Stage::Validating);
        self.status.validation_records =
            seen.records.iter().map(|record| validation::record(record, found)).collect();
        self.status.not_before = seen.not_before.map(seconds);
        self.status.not_after = seen.not_after.map(seconds);
        let renewed =
            self.facts.validation.and_then(|validation| validation.deadline.as_ref()?.replaced_by.clone());
        self.status.replaced_by = seen.replaced_by.clone().or(renewed).or(self.status.replaced_by.take());
        if !plan::shows_an_order(seen.stage) {
            return;
        }
        let now = self.now();
        let submission = self.submission();
        if submission.ordered_at.is_none() {
            submission.ordered_at = Some(now);
            let message = "the order was found running at the cloud";
            self.conditions.set(ConditionType::Ordered, Status::True, Reason::Adopted, message);
        }
    }

    /// Shows what keeps the order from going on.
    pub(super) fn halt(&mut self, problem: &Problem) -> Requeue {
        let waits = problem.reason.class() == Class::Waiting;
        if self.conditions.is(ConditionType::Planned, Status::True) {
            // A plan outlives a wait: it says Ready=False, and waits for nothing.
            if waits {
                return Requeue::Stopped;
            }
            self.forget_plan();
        }
        let is_over = matches!(problem.reason, Reason::Withdrawn | Reason::OutcomeUnknown);
        if self.conditions.is(ConditionType::Ready, Status::True) && !is_over {
            // What was reached holds whatever happens to the next look; a deletion says whom it waits for.
            let deleting = self.facts.order.metadata.deletion_timestamp.is_some();
            let somebody = [Reason::AwaitingConfirmation, Reason::SecretNotFound, Reason::SecretKeyMissing];
            if !waits || (deleting && somebody.contains(&problem.reason)) {
                let type_ = ConditionType::ActionRequired;
                self.conditions.set(type_, Status::True, problem.reason, &problem.message);
            }
            return Requeue::Stopped;
        }
        if !waits {
            self.conditions.remove(ConditionType::ActionRequired);
        }
        self.conditions.halted(problem);
        if problem.reason == Reason::Withdrawn {
            self.submission().frozen = false;
            self.status.phase = Some("Withdrawn".to_owned());
        } else if self.status.submission.as_ref().is_none_or(|submission| submission.submitted_at.is_none()) {
            self.status.phase = Some(if waits { "Pending" } else { "Stopped" }.to_owned());
        } else if self.status.phase.as_deref() == Some("Submitting") {
            self.status.phase = Some("Submitted".to_owned());
        }
        match problem.reason {
            Reason::Settling => Requeue::In(CONTESTED),
            Reason::BudgetExceeded => Requeue::Poll,
            _ => Requeue::Stopped,
        }
    }

    fn unreadable(&mut self) -> Requeue {
        let Some(Err(error)) = self.facts.observed else { return Requeue::Failed(None) };
        let action = self.facts.calls.map_or("the read", |calls| calls.observe);
        let failure = describe(self.facts.cloud, action, error, self.filter);
        self.failure(&failure)
    }

    /// Shows a failed call. The message of the first of a run of equal failures stays, and its RequestId with it, so
    /// that a retry writes nothing new.
    pub(super) fn failure(&mut self, failure: &Failure) -> Requeue {
        let before =
            self.facts.order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let shown = [ConditionType::Ready, ConditionType::ActionRequired]
            .into_iter()
            .filter_map(|type_| get(before, type_))
            .find(|condition| condition.reason == <&str>::from(failure.problem.reason));
        let same = shown.filter(|shown| failure.continues(&shown.message));
        let message = same.map_or_else(|| failure.problem.message.clone(), |shown| shown.message.clone());
        self.halt(&Problem::new(failure.problem.reason, message));
        match failure.retry {
            Retry::Backoff(asked) => Requeue::Failed(asked),
            Retry::Mended => Requeue::Stopped,
        }
    }

    fn show(&mut self, action: Action) -> Requeue {
        self.forget_intent();
        let (name, next) = match action {
            Action::Submit if self.facts.order_action().is_some() => {
                (self.facts.action_name(action), "then the order is sent to the CA")
            }
            Action::Resubmit => (self.facts.action_name(action), "then the application is handed in again"),
            Action::Submit | Action::Order | Action::Withdraw | Action::Revoke | Action::SendLetter => {
                (self.facts.action_name(action), "then the cloud and the CA go on")
            }
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
        // The hash says what the cloud holds, so it is recorded only where the cloud shows just that.
        let held = self.facts.payload.as_ref().ok().filter(|payload| seen.stored.shows(&payload.evidence));
        let payload_hash = held.map(|payload| payload.hash.clone());
        self.submission().adopted = true;
        let message = "found at the cloud for the same names, and taken over without a call";
        let requeue = self.submitted(payload_hash, Reason::Adopted, message);
        self.take_over(seen);
        if seen.stage == Stage::AwaitingInformation { requeue } else { self.follow_ours(seen, true) }
    }

    pub(super) fn submission(&mut self) -> &mut Submission {
        self.status.submission.get_or_insert_default()
    }

    pub(super) fn left(&self, until: jiff::Timestamp) -> Duration {
        Duration::try_from(until.duration_since(self.facts.now)).unwrap_or_default()
    }

    pub(super) fn now(&self) -> Time {
        seconds(self.facts.now)
    }
}
