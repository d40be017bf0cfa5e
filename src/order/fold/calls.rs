//! The part of `fold` for calls: intents, outcomes, and further attempts.

use std::time::Duration;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{Intent, LastRequest, Submission};
use crate::controller::failure::{Failure, describe};
use crate::core::annotations::{RESUBMIT_AT, handled_value};
use crate::core::conditions::{Problem, Status};
use crate::core::observation::Stage;
use crate::order::facts::{ACCEPTED, Action};
use crate::order::fold::outcome::Requeue;
use crate::order::fold::state::Fold;
use crate::provider::{Accepted, Error};

/// How often an open intent is reconciled.
const SETTLE_INTERVAL: Duration = Duration::from_secs(5);

impl Fold<'_> {
    pub(super) fn intent(&mut self, action: Action, intent: &Intent) -> Requeue {
        self.conditions.remove(ConditionType::ActionRequired);
        if self.submission().intent.as_ref() != Some(intent) {
            self.discard_intent();
        }
        let submission = self.submission();
        submission.frozen = true;
        submission.intent = Some(intent.clone());
        let Intent { action: call, attempt, .. } = intent;
        let message = match action {
            Action::Submit => format!("hands in the application ({call}, attempt {attempt})"),
            Action::Order => format!("sends the order to the CA ({call}, attempt {attempt})"),
            Action::Resubmit => format!("opens the order for another attempt ({call}, attempt {attempt})"),
            Action::Withdraw => format!("stops the review ({call}, attempt {attempt})"),
            Action::Revoke => format!("revokes the certificate ({call}, attempt {attempt})"),
            Action::SendLetter => format!("hands in the signed letter ({call}, attempt {attempt})"),
            Action::Reissue => format!("asks for a reissue ({call}, attempt {attempt})"),
        };
        self.working(Reason::Submitting, &message);
        self.status.phase = Some("Submitting".to_owned());
        Requeue::Now
    }

    pub(super) fn accepted(&mut self, action: Action, intent: &Intent, accepted: &Accepted) -> Requeue {
        self.record(&intent.action, ACCEPTED, None, accepted.request_id.as_deref());
        let cloud = self.facts.cloud;
        let request =
            accepted.request_id.as_deref().map(|id| format!(" (RequestId {id})")).unwrap_or_default();
        match action {
            Action::Submit => {
                self.another_attempt_if_so(intent);
                self.status.request_id.clone_from(&accepted.request_id);
                let note = self.note();
                let message = format!("{cloud} accepted the application{request}{note}");
                self.submitted(intent.payload_hash.clone(), Reason::Accepted, &message)
            }
            Action::Order => {
                self.status.order_id = accepted.order_id.clone().or(self.status.order_id.take());
                self.ordered(Reason::Accepted, &format!("{cloud} sent the order to the CA{request}"))
            }
            Action::Resubmit | Action::Withdraw | Action::Revoke | Action::SendLetter | Action::Reissue => {
                self.done(action)
            }
        }
    }

    /// A call without an application took effect.
    pub(super) fn done(&mut self, action: Action) -> Requeue {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        match action {
            Action::Resubmit => return self.start_over(),
            Action::SendLetter => submission.letter_sent_at = Some(now),
            Action::Submit | Action::Order | Action::Withdraw | Action::Revoke | Action::Reissue => {}
        }
        Requeue::Now
    }

    /// Starts another attempt: the progress of the present one no longer holds.
    pub(super) fn start_over(&mut self) -> Requeue {
        let message = self.discard_attempt();
        self.handle_resubmit(self.facts.annotation(RESUBMIT_AT));
        self.conditions.working(Reason::Submitting, &message);
        self.status.phase = Some("Submitting".to_owned());
        Requeue::Now
    }

    fn discard_attempt(&mut self) -> String {
        let before = self.facts.order.status.as_ref().and_then(|status| status.submission.as_ref());
        let resubmissions = before.map_or(0, |before| before.resubmissions).saturating_add(1);
        let started_over_at = Some(self.now());
        self.status.submission = Some(Submission { resubmissions, started_over_at, ..Submission::default() });
        self.status.order_id = None;
        self.status.validation_records.clear();
        let message = format!("the order starts over, now for the {resubmissions}. time");
        for type_ in [ConditionType::Submitted, ConditionType::Ordered, ConditionType::Issued] {
            self.conditions.clear(type_, Reason::Submitting, &message);
        }
        self.conditions.remove(ConditionType::ActionRequired);
        message
    }

    /// If one call submits and orders, and none opens an order again, the application itself starts another attempt.
    fn another_attempt_if_so(&mut self, intent: &Intent) {
        if self.facts.submits_in_one_call() && self.facts.ours().is_some() {
            self.discard_attempt();
        }
        self.handle_resubmit(intent.resubmit_at.as_deref());
    }

    /// Records that the request for another attempt is handled, once for each value of the annotation.
    fn handle_resubmit(&mut self, asked: Option<&str>) {
        let asked = asked.map(handled_value);
        self.status.last_handled_resubmit_at = asked.or(self.status.last_handled_resubmit_at.take());
    }

    /// The outcome of a call stays unknown. Its intent stays, and the next request of the user starts another one.
    pub(super) fn left_unknown(&mut self, problem: &Problem) -> Requeue {
        let requeue = self.halt(problem);
        self.status.phase = Some("OutcomeUnknown".to_owned());
        requeue
    }

    pub(super) fn submitted(
        &mut self,
        payload_hash: Option<String>,
        reason: Reason,
        message: &str,
    ) -> Requeue {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        submission.frozen = true;
        submission.payload_hash = payload_hash;
        submission.submitted_at = Some(now);
        self.conditions.set(ConditionType::Submitted, Status::True, reason, message);
        if self.facts.order_action().is_none() {
            return self.ordered(reason, message);
        }
        self.status.phase = Some("Submitted".to_owned());
        self.conditions.working(Reason::Submitting, &format!("{message}; the order to the CA comes next"));
        Requeue::Now
    }

    pub(super) fn ordered(&mut self, reason: Reason, message: &str) -> Requeue {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        submission.ordered_at = Some(now);
        self.conditions.set(ConditionType::Ordered, Status::True, reason, message);
        self.conditions.working(Reason::InReview, message);
        self.status.phase = Some("Ordered".to_owned());
        Requeue::Now
    }

    pub(super) fn failed(&mut self, action: Action, intent: &Intent, error: &Error) -> Requeue {
        let failure = describe(self.facts.cloud, &intent.action, error, self.filter);
        self.record_failure(&intent.action, &failure);
        match error {
            Error::Unknown(_) => {
                // The intent stays: the outcome is read from the cloud.
                let message = format!(
                    "{} certorder reads the cloud to see what became of it.",
                    failure.problem.message
                );
                self.conditions.working(Reason::Settling, &message);
                Requeue::In(Duration::from_secs(1))
            }
            Error::UnderWay(_) if action == Action::Order => {
                self.ordered(Reason::Accepted, &failure.problem.message)
            }
            Error::NotNow(_) if self.is_refused_again(action) => self.refused_again(intent, &failure),
            _ => {
                let frozen = self.submission().frozen;
                self.drop_intent();
                // A failed call of another kind does not stop the CA: the order stays frozen.
                let unfreezes = matches!(action, Action::Submit | Action::Order | Action::Resubmit);
                self.submission().frozen = frozen && !unfreezes;
                self.failure(&failure)
            }
        }
    }

    /// Whether another application was submitted after a rejected one.
    fn is_refused_again(&self, action: Action) -> bool {
        let is_rejected = matches!(self.facts.observed, Some(Ok(seen)) if seen.stage == Stage::Rejected);
        action == Action::Submit && is_rejected
    }

    /// The certificate's state forbids another application, and no call changes that state. The edit or the request
    /// counts as handled, so that it is not retried forever.
    fn refused_again(&mut self, intent: &Intent, failure: &Failure) -> Requeue {
        self.drop_intent();
        self.handle_resubmit(intent.resubmit_at.as_deref());
        self.conditions.renew(ConditionType::Submitted);
        let message = format!(
            "{} The cloud takes no other application for this certificate since it refused one; ask its support, or use \
             another certificate",
            failure.problem.message
        );
        self.halt(&Problem::new(Reason::Rejected, message))
    }

    pub(super) fn landed(&mut self, action: Action) -> Requeue {
        let Some(intent) = self.facts.intent() else { return Requeue::Now };
        let name = &intent.action;
        match action {
            Action::Submit => {
                // The stored one is from an earlier application.
                self.status.request_id = None;
                let message = format!(
                    "the cloud holds this application, so {name} took effect; its reply was lost, and its RequestId with it{}",
                    self.note()
                );
                self.another_attempt_if_so(intent);
                self.submitted(intent.payload_hash.clone(), Reason::Adopted, &message)
            }
            Action::Order => {
                let message =
                    format!("the cloud works on the order, so {name} took effect; its reply was lost");
                self.ordered(Reason::Adopted, &message)
            }
            Action::Resubmit | Action::Withdraw | Action::Revoke | Action::SendLetter | Action::Reissue => {
                self.done(action)
            }
        }
    }

    pub(super) fn settle(&mut self, until: jiff::Timestamp) -> Requeue {
        let intent = self.submission().intent.as_ref().map(|intent| (intent.action.clone(), intent.attempt));
        let (action, attempt) = intent.unwrap_or_default();
        let wait =
            self.facts.intent().map_or_else(Duration::default, |intent| self.facts.intent_lasts(intent));
        let message = format!(
            "the outcome of {action} (attempt {attempt}) is not recorded and not visible at the cloud; certorder \
             reads for {wait:?} before it tries again"
        );
        self.conditions.working(Reason::Settling, &message);
        Requeue::In(self.left(until).clamp(Duration::from_millis(100), SETTLE_INTERVAL))
    }

    /// The note of the application, as the end of a message.
    fn note(&self) -> String {
        let note = self.facts.payload.as_ref().ok().and_then(|payload| payload.note.as_deref());
        note.map(|note| format!(". {}", note.trim_end_matches('.'))).unwrap_or_default()
    }

    /// Records a failed call; of several equal failures in a row the first one stays.
    pub(super) fn record_failure(&mut self, action: &str, failure: &Failure) {
        let before = self.facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        let same = before.filter(|last| {
            last.action == action && last.outcome == failure.outcome && last.code == failure.code
        });
        if let Some(first) = same {
            self.status.last_request = Some(first.clone());
        } else {
            let (code, request_id) = (failure.code.as_deref(), failure.request_id.as_deref());
            self.record(action, failure.outcome, code, request_id);
        }
    }

    pub(super) fn record(
        &mut self,
        action: &str,
        outcome: &str,
        code: Option<&str>,
        request_id: Option<&str>,
    ) {
        self.status.last_request = Some(LastRequest {
            action: action.to_owned(),
            request_id: request_id.map(str::to_owned),
            time: self.now(),
            outcome: outcome.to_owned(),
            code: code.map(str::to_owned),
        });
    }

    /// Another order has the certificate: discards what this one found, adopted or intended.
    pub(super) fn give_up_claim(&mut self) {
        // What the cloud answered for this order stays on record.
        let is_answered =
            self.facts.ours().is_some_and(|ours| !ours.adopted && self.status.request_id.is_some());
        if self.facts.ours().is_some() && !is_answered {
            self.status.submission = None;
            (self.status.order_id, self.status.request_id, self.status.replaced_by) = (None, None, None);
            (self.status.not_before, self.status.not_after) = (None, None);
            self.status.validation_records.clear();
            for type_ in [ConditionType::Submitted, ConditionType::Ordered, ConditionType::Issued] {
                self.conditions.remove(type_);
            }
        } else if self.status.submission.is_some() {
            self.drop_intent();
        }
    }

    /// Removes the intent of a call that had no effect: the order can be edited again.
    pub(super) fn drop_intent(&mut self) {
        let submission = self.submission();
        submission.intent = None;
        submission.frozen = false;
    }

    /// Removes the intent of a call that is over without a recorded outcome. If it submitted an application, that may
    /// have replaced the one accepted before.
    pub(super) fn discard_intent(&mut self) {
        let Some(submission) = &mut self.status.submission else { return };
        if let Some(intent) = submission.intent.take() {
            submission.frozen = false;
            if intent.payload_hash.is_some() {
                submission.payload_hash = None;
            }
        }
    }
}
