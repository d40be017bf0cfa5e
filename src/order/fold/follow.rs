//! The part of `fold` that reports what the cloud shows of an order, up to its certificate in its Secret.

use crate::api::v1alpha1::ReadyPolicy;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::controller::failure::describe;
use crate::core::conditions::{Problem, Status, get};
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{ACCEPTED, Export};
use crate::order::fold::contested;
use crate::order::fold::outcome::Requeue;
use crate::order::fold::stages::{self, Standing};
use crate::order::fold::state::Fold;
use crate::provider::Error;

impl Fold<'_> {
    pub(super) fn follow(&mut self) -> Requeue {
        let Some(Ok(seen)) = self.facts.observed else { return Requeue::Poll };
        self.follow_ours(seen, self.facts.ours().is_some())
    }

    /// Reports what the cloud shows of an order, ours or not.
    pub(super) fn follow_ours(&mut self, seen: &Observation, is_ours: bool) -> Requeue {
        let text = self.status.cloud.as_ref().and_then(|cloud| cloud.message.as_deref());
        let report = stages::report(&stages::Input {
            observation: seen,
            text,
            cloud: self.facts.cloud,
            withdrawn: self.facts.withdraw_is_asked() || self.was_withdrawn(),
            held_back: self.facts.withdraw_is_asked(),
            letter: self.letter(),
            validation: self.facts.validation,
            filter: self.filter,
        });
        if is_ours && self.facts.is_in_use(seen) {
            return self.stays_in_use(report.action.as_deref().map(|action| (report.reason, action)));
        }
        self.status.phase = Some(report.phase.to_owned());
        self.discard_intent();
        if is_ours {
            // An edit after this time is an edit after the end.
            if !report.frozen && !self.facts.has_observed_the_end() {
                self.conditions.renew(ConditionType::Submitted);
            }
            self.submission().frozen = report.frozen;
        }
        match &report.issued {
            Some((status, reason)) => {
                self.conditions.set(ConditionType::Issued, *status, *reason, &report.message);
            }
            None => self.conditions.clear(ConditionType::Issued, report.reason, &report.message),
        }
        match self.action(seen, &report) {
            Some((reason, action)) => {
                self.conditions.set(ConditionType::ActionRequired, Status::True, reason, &action);
            }
            None => self.conditions.remove(ConditionType::ActionRequired),
        }
        if seen.stage == Stage::Issued && is_ours {
            match self.facts.secret {
                Export::NotWanted => self.conditions.remove(ConditionType::SecretSynced),
                Export::Current => self.synced(),
                Export::Blocked(problem) => return self.exported(Some(problem)),
                // Not ready before that; the next step downloads it.
                Export::Due => {
                    self.working(Reason::Exporting, "the certificate is issued, and is being fetched");
                    return Requeue::Now;
                }
            }
        }
        match report.standing {
            Standing::Working => self.working(report.reason, &report.message),
            Standing::Stopped => self.conditions.stopped(report.reason, &report.message),
            Standing::Done => self.conditions.resting(Status::True, report.reason, &report.message),
        }
        // A revocation in progress is polled to its end, although the certificate stays revoked.
        let is_moving = matches!(seen.stage, Stage::Revoking | Stage::AwaitingRevocationLetter);
        match report.standing {
            Standing::Working => Requeue::Poll,
            Standing::Stopped if is_moving => Requeue::Poll,
            Standing::Stopped => Requeue::Stopped,
            Standing::Done => Requeue::Settled,
        }
    }

    /// The cloud works on a certificate that is issued and in use: what it shows stands in `status.cloud`, and what a person
    /// must do in `ActionRequired`.
    fn stays_in_use(&mut self, action: Option<(Reason, &str)>) -> Requeue {
        match action {
            Some((reason, action)) => {
                self.conditions.set(ConditionType::ActionRequired, Status::True, reason, action);
            }
            None => self.conditions.remove(ConditionType::ActionRequired),
        }
        Requeue::Poll
    }

    pub(super) fn synced(&mut self) {
        let message = contested::synced(self.facts.kept_keystores);
        self.conditions.set(ConditionType::SecretSynced, Status::True, Reason::Synced, &message);
    }

    /// The certificate is issued; Ready depends on whether its Secret holds it.
    pub(super) fn exported(&mut self, problem: Option<&Problem>) -> Requeue {
        let message = format!("{} holds the issued certificate", self.facts.cloud);
        self.conditions.set(ConditionType::Issued, Status::True, Reason::Issued, &message);
        self.conditions.remove(ConditionType::ActionRequired);
        self.status.phase = Some("Issued".to_owned());
        let Some(problem) = problem else {
            self.synced();
            self.conditions.resting(Status::True, Reason::Issued, &message);
            return Requeue::Settled;
        };
        self.conditions.set(ConditionType::SecretSynced, Status::False, problem.reason, &problem.message);
        self.conditions.halted(problem);
        Requeue::Stopped
    }

    pub(super) fn not_fetched(&mut self, error: &Error) -> Requeue {
        let action = self.facts.calls.map_or("the download", |calls| calls.download);
        let mut failure = describe(self.facts.cloud, action, error, self.filter);
        if failure.problem.reason == Reason::CloudUnavailable {
            failure.problem.reason = Reason::Exporting;
        }
        let message = format!("{} holds the issued certificate", self.facts.cloud);
        self.conditions.set(ConditionType::Issued, Status::True, Reason::Issued, &message);
        self.conditions.set(
            ConditionType::SecretSynced,
            Status::False,
            failure.problem.reason,
            "the certificate could not be fetched",
        );

        self.failure(&failure)
    }

    /// The order is in progress. With the policy Ordered it is ready already, and stays so.
    pub(super) fn working(&mut self, reason: Reason, message: &str) {
        if self.is_ready_when_ordered() {
            self.conditions.resting(Status::True, Reason::Ordered, message);
        } else {
            self.conditions.working(reason, message);
        }
    }

    fn letter(&self) -> stages::Letter<'_> {
        let ours = self.facts.ours();
        match self.facts.letter {
            _ if ours.is_some_and(|ours| ours.letter_sent_at.is_some()) => stages::Letter::Sent,
            Some(Err(problem)) => stages::Letter::Unfit(&problem.message),
            Some(Ok(_)) | None => stages::Letter::NotNamed,
        }
    }

    /// Whether the review was stopped on request. The user may have removed the annotation since, as the message asks.
    pub(super) fn was_withdrawn(&self) -> bool {
        let stalled = get(&self.status.conditions, ConditionType::Stalled);
        let is_reported = stalled.is_some_and(|stalled| stalled.reason == <&str>::from(Reason::Withdrawn));
        let last = self.status.last_request.as_ref();
        let withdraw = self.facts.calls.and_then(|calls| calls.withdraw);
        let was_last =
            last.is_some_and(|last| last.outcome == ACCEPTED && Some(last.action.as_str()) == withdraw);
        is_reported || was_last
    }

    pub(super) fn is_ready_when_ordered(&self) -> bool {
        self.facts.order.spec.ready_policy == ReadyPolicy::Ordered
            && self.conditions.is(ConditionType::Ordered, Status::True)
    }
}
