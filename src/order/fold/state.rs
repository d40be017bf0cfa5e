//! The status under construction, and the changes that the outcomes share.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, CloudState, Submission, seconds};
use crate::controller::failure::{Failure, Retry};
use crate::core::age;
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::fingerprint::{Comparison, is_plain};
use crate::core::observation::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::facts::{Facts, Term};
use crate::order::fold::outcome::Requeue;
use crate::order::validation;

/// How often an order with a contested claim is reconciled.
const CONTESTED_INTERVAL: Duration = Duration::from_secs(5);

/// The status under construction.
pub(super) struct Fold<'a> {
    pub(super) status: CertificateOrderStatus,
    pub(super) conditions: Conditions,
    pub(super) facts: &'a Facts<'a>,
    pub(super) filter: &'a Filter,
}

impl Fold<'_> {
    /// Copies what the cloud reports, for every step.
    pub(super) fn observed(&mut self, seen: &Observation) {
        let before = self.status.cloud.take();
        let message = match (&seen.message, self.facts.payload) {
            (Some(text), Ok(_)) => Some(self.filter.clean(text)),
            // Without the application the sensitive data are unknown: the stored message stays.
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

    /// Replaces a hash of version 0.1.0, from which personal data could be guessed, by a keyed one of the same application.
    /// Where that cannot be built any more, the hash goes once nothing depends on it.
    pub(super) fn replace_plain_hash(&mut self, seen: &Observation) {
        let stored = self.status.submission.as_ref().and_then(|ours| ours.payload_hash.as_ref());
        let (Some(plain), Some(key)) = (stored.filter(|stored| is_plain(stored)), self.facts.hash_key) else {
            return;
        };
        let is_over = matches!(
            seen.stage,
            Stage::Issued
                | Stage::Revoking
                | Stage::AwaitingRevocationLetter
                | Stage::Revoked
                | Stage::Expired
                | Stage::Refunded
        );
        let keyed = match (self.facts.compare(Some(plain)), self.facts.payload) {
            (Some(Comparison::Same), Ok(payload)) => Some(payload.fingerprint.stored(key)),
            _ if is_over => None,
            _ => return,
        };
        self.submission().payload_hash = keyed;
    }

    /// Copies what the cloud reports of an order that is ours.
    pub(super) fn take_over(&mut self, seen: &Observation) {
        // Between two attempts the cloud may still show the number of the previous order.
        let order_id = seen.order_id.clone().filter(|_| seen.stage.shows_an_order());
        self.status.order_id = order_id.or(self.status.order_id.take());
        // The results no longer count once the CA is past this stage, and they do not survive the process.
        let checks = self.facts.validation.filter(|_| seen.stage == Stage::Validating);
        self.status.validation_records =
            seen.records.iter().map(|record| validation::record(record, checks)).collect();
        self.told_term(seen);
        self.valid(self.facts.term);
        let renewed =
            self.facts.validation.and_then(|validation| validation.deadline.as_ref()?.replaced_by.clone());
        // Version 0.1.0 took the certificate that this one came from for it.
        let known = self.status.replaced_by.take().filter(|known| seen.reissued_from.as_ref() != Some(known));
        self.status.replaced_by = seen.replaced_by.clone().or(renewed).or(known);
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

    /// From when until when the certificate is valid, as the cloud says: until its own dates are known, and where those
    /// cannot be meant.
    fn told_term(&mut self, seen: &Observation) {
        let told = seen.not_after;
        let is_known = match (&self.status.not_after, told) {
            (Some(known), Some(told)) => Term::ends_at(known.0, told),
            _ => false,
        };
        if !is_known {
            self.status.not_before = seen.not_before.map(seconds);
            self.status.not_after = told.map(seconds);
        }
    }

    /// The same, as the certificate itself says.
    pub(super) fn valid(&mut self, term: Option<Term>) {
        if let Some(Term { not_before, not_after }) = term {
            self.status.not_before = Some(seconds(not_before));
            self.status.not_after = Some(seconds(not_after));
        }
    }

    /// Reports what holds the order back.
    pub(super) fn halt(&mut self, problem: &Problem) -> Requeue {
        let waits = problem.reason.class() == Class::Waiting;
        if self.conditions.is(ConditionType::Planned, Status::True) {
            // A plan stays during a wait: its Ready=False is final, and it waits for nothing.
            if waits {
                return Requeue::Stopped;
            }
            self.discard_plan();
        }
        let is_over = matches!(problem.reason, Reason::Withdrawn | Reason::OutcomeUnknown);
        if self.conditions.is(ConditionType::Ready, Status::True) && !is_over {
            // A ready order stays ready whatever the next pass meets; a deletion reports what it needs from the user.
            let deleting = self.facts.order.metadata.deletion_timestamp.is_some();
            let for_the_user =
                [Reason::AwaitingConfirmation, Reason::SecretNotFound, Reason::SecretKeyMissing];
            if !waits || (deleting && for_the_user.contains(&problem.reason)) {
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
            Reason::Settling => Requeue::In(CONTESTED_INTERVAL),
            // Only another look sees that rights were given, or that a namespace has room.
            Reason::BudgetExceeded | Reason::ClaimUnavailable => Requeue::Poll,
            _ => Requeue::Stopped,
        }
    }

    /// Reports a failed call. Of several equal failures in a row the first message stays, with its RequestId, so that a
    /// retry writes nothing.
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
            Retry::Soon => Requeue::FailedForAll,
            Retry::OnChange => Requeue::Stopped,
        }
    }

    pub(super) fn discard_plan(&mut self) {
        self.status.plan = None;
        self.conditions.remove(ConditionType::Planned);
    }

    pub(super) fn submission(&mut self) -> &mut Submission {
        self.status.submission.get_or_insert_default()
    }

    pub(super) fn left(&self, until: jiff::Timestamp) -> Duration {
        age::left(self.facts.now, until)
    }

    pub(super) fn now(&self) -> Time {
        seconds(self.facts.now)
    }
}
