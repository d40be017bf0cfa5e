//! The status in the making, and what every outcome may do with it.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, CloudState, Submission, seconds};
use crate::controller::failure::{Failure, Retry};
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::observation::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::facts::Facts;
use crate::order::fold::outcome::Requeue;
use crate::order::validation;

/// How soon a claim that is contested is looked at again.
const CONTESTED: Duration = Duration::from_secs(5);

/// The status in the making.
pub(super) struct Fold<'a> {
    pub(super) status: CertificateOrderStatus,
    pub(super) conditions: Conditions,
    pub(super) facts: &'a Facts<'a>,
    pub(super) filter: &'a Filter,
}

impl Fold<'_> {
    /// Takes over what the cloud says, whatever the step.
    pub(super) fn observed(&mut self, seen: &Observation) {
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
        let order_id = seen.order_id.clone().filter(|_| seen.stage.shows_an_order());
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
        if !seen.stage.shows_an_order() {
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
            // Rights that somebody gives, like room in a namespace, are seen by nothing but another look.
            Reason::BudgetExceeded | Reason::ClaimUnavailable => Requeue::Poll,
            _ => Requeue::Stopped,
        }
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

    pub(super) fn forget_plan(&mut self) {
        self.status.plan = None;
        self.conditions.remove(ConditionType::Planned);
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
