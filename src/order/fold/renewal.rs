//! The part of `fold` for the current certificate and its renewal.

use std::time::Duration;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{Current, RenewalIntent, RenewalPolicy, RenewalStatus, Successor, seconds};
use crate::cluster::trim::SCHEDULED;
use crate::controller::failure::describe;
use crate::core::conditions::{Problem, Status};
use crate::core::observation::Stage;
use crate::order::facts::{ACCEPTED, Facts, Term};
use crate::order::fold::outcome::{Outcome, Requeue};
use crate::order::fold::state::Fold;
use crate::order::renewal::{self, Assessment, Renewed, successor};
use crate::provider::{Accepted, Error};

/// When the cloud is asked again for a certificate that must not take the place of the one in the Secret.
const KEPT: Duration = Duration::from_hours(1);

/// When the cloud is read after a call whose outcome is unknown.
const SETTLE_FIRST: Duration = Duration::from_secs(1);

impl Fold<'_> {
    /// Reports the renewal, whatever else the pass did.
    pub(super) fn renewal(&mut self, outcome: &Outcome<'_>, requeue: Requeue) -> Requeue {
        self.status.renewal_of = successor::renewal_of(self.facts.order).map(|(name, _)| name.to_owned());
        self.current(outcome);
        // What was just written is the current certificate now.
        let written = match outcome {
            Outcome::Exported(Ok(Some(term))) => Some(Facts { term: Some(*term), ..self.facts.clone() }),
            _ => None,
        };
        let Some(assessment) = renewal::assess(written.as_ref().unwrap_or(self.facts)) else {
            if self.facts.order.spec.renewal().policy == RenewalPolicy::None {
                self.conditions.remove(ConditionType::Renewing);
                if let Some(renewal) = &mut self.status.renewal {
                    SCHEDULED.clone_into(&mut renewal.phase);
                    (renewal.due, renewal.successor) = (None, None);
                }
            }
            return requeue;
        };
        match outcome {
            Outcome::Renewed(renewed) => self.renewed(renewed, assessment, requeue),
            Outcome::ReissueIntent(intent) => {
                let mut status = assessment.status;
                status.intent = Some((*intent).clone());
                self.assessed(Assessment { status, ..assessment }, requeue);
                Requeue::Now
            }
            Outcome::Kept(problem) => {
                let problem = Problem::new(Reason::SwapBlocked, problem.message.clone());
                self.needs_a_person(problem, assessment, requeue);
                Requeue::In(KEPT)
            }
            Outcome::ReissueCalled(intent, called) => self.reissued(intent, called, assessment, requeue),
            Outcome::NotAsked(problem) => {
                let message = format!("no reissue can be asked for: {}", problem.message);
                self.needs_a_person(Problem::new(Reason::SuccessorNotFound, message), assessment, requeue)
            }
            _ => self.assessed(assessment, requeue),
        }
    }

    fn renewed(&mut self, renewed: &Renewed, assessment: Assessment, requeue: Requeue) -> Requeue {
        match renewed {
            Renewed::Made => {
                self.assessed(assessment, requeue);
                Requeue::Now
            }
            // Whoever changes it back, or keeps it, is no reason to hurry.
            Renewed::Changed => {
                self.assessed(assessment, requeue);
                Requeue::Failed(None)
            }
            Renewed::Swapped { certificate_id, term } => self.swapped(assessment, certificate_id, *term),
            Renewed::Refused(problem) | Renewed::NotSwapped(problem) => {
                let reason = match problem.reason {
                    Reason::SuccessorRefused => Reason::SuccessorRefused,
                    _ => Reason::SwapBlocked,
                };
                self.needs_a_person(Problem::new(reason, problem.message.clone()), assessment, requeue)
            }
            Renewed::EndsEarlier(id, problem) => {
                let mut status = assessment.status.clone();
                set_aside(&mut status, id);
                status.successor = None;
                let is_reissue = self.facts.order.spec.renewal().policy == RenewalPolicy::Reissue;
                let reason = if is_reissue { Reason::ReissueDidNotExtend } else { Reason::SwapBlocked };
                let problem = Problem::new(reason, problem.message.clone());
                self.needs_a_person(problem, Assessment { status, ..assessment }, requeue)
            }
            Renewed::NotFetched(error) => {
                let action = self.facts.calls.map_or("the download", |calls| calls.download);
                let failure = describe(self.facts.cloud, action, error, self.filter);
                let renewing = Some(Problem::new(Reason::SuccessorInProgress, failure.problem.message));
                self.assessed(Assessment { renewing, ..assessment }, requeue);
                Requeue::Failed(None)
            }
        }
    }

    /// It is tried again, and a person may have to act.
    fn needs_a_person(&mut self, problem: Problem, assessment: Assessment, requeue: Requeue) -> Requeue {
        let action = Some(problem.clone());
        self.assessed(Assessment { renewing: Some(problem), action, ..assessment }, requeue);
        Requeue::Failed(None)
    }

    /// The cloud answered the call that asks for a reissue, or did not.
    fn reissued(
        &mut self,
        intent: &RenewalIntent,
        called: &Result<Accepted, Error>,
        mut assessment: Assessment,
        requeue: Requeue,
    ) -> Requeue {
        let renewal = &mut assessment.status;
        match called {
            Ok(accepted) => {
                // Without an id in the answer, the links at the cloud tell which certificate it made.
                renewal.intent = if accepted.certificate_id.is_some() { None } else { Some(intent.clone()) };
                renewal.successor = accepted
                    .certificate_id
                    .clone()
                    .map(|certificate_id| Successor { certificate_id, ..Successor::default() });
                self.record(&intent.action, ACCEPTED, None, accepted.request_id.as_deref());
                self.assessed(assessment, requeue);
                Requeue::Now
            }
            Err(error) => {
                let failure = describe(self.facts.cloud, &intent.action, error, self.filter);
                self.record_failure(&intent.action, &failure);
                match error {
                    // The intent stays: the outcome is read from the cloud.
                    Error::Unknown(_) => renewal.intent = Some(intent.clone()),
                    _ => renewal.intent = None,
                }
                let problem = Problem::new(Reason::SuccessorNotFound, failure.problem.message);
                if matches!(error, Error::Unknown(_) | Error::UnderWay(_)) {
                    self.assessed(Assessment { renewing: Some(problem), ..assessment }, requeue);
                    return Requeue::In(SETTLE_FIRST);
                }
                self.needs_a_person(problem, assessment, requeue)
            }
        }
    }

    fn assessed(&mut self, assessment: Assessment, requeue: Requeue) -> Requeue {
        self.status.renewal = Some(Box::new(assessment.status));
        match &assessment.renewing {
            Some(problem) => {
                let type_ = ConditionType::Renewing;
                self.conditions.set(type_, Status::True, problem.reason, &problem.message);
            }
            None => self.conditions.remove(ConditionType::Renewing),
        }
        let is_free = !self.conditions.is(ConditionType::ActionRequired, Status::True);
        if let Some(problem) = assessment.action.filter(|_| is_free) {
            let type_ = ConditionType::ActionRequired;
            self.conditions.set(type_, Status::True, problem.reason, &problem.message);
        }
        assessment.again.map_or(requeue, |again| requeue.at_latest(again))
    }

    /// The successor stands in the Secrets: it is the current certificate from now on.
    fn swapped(&mut self, mut assessment: Assessment, id: &str, term: Term) -> Requeue {
        self.status.current = Some(Box::new(current(id, Some(term))));
        self.valid(Some(term));
        self.status.replaced_by = None;
        SCHEDULED.clone_into(&mut assessment.status.phase);
        assessment.status.successor = None;
        // The next pass, which reads the new certificate, says when its renewal begins.
        assessment.status.due = None;
        let before = renewal::assess::term(self.facts).map(|term| seconds(term.not_after));
        if before.is_some_and(|before| seconds(term.not_after) <= before) {
            set_aside(&mut assessment.status, id);
        } else {
            assessment.status.did_not_extend.clear();
        }
        renewal::chain::append(&mut assessment.status.chain, id);
        if self.facts.order.spec.secret_name.is_some() {
            self.synced();
        }
        self.conditions.remove(ConditionType::ActionRequired);
        // One that ran out meanwhile is as good as none, and the next pass says so.
        if term.not_after > self.facts.now {
            let message = format!("{} holds the issued certificate", self.facts.cloud);
            self.conditions.set(ConditionType::Issued, Status::True, Reason::Issued, &message);
            self.conditions.resting(Status::True, Reason::Issued, &message);
            self.status.phase = Some("Issued".to_owned());
        }
        self.assessed(Assessment { renewing: None, action: None, again: None, ..assessment }, Requeue::Now)
    }

    /// Which certificate the order has. Its dates are its own where it was fetched for a Secret, else what the cloud says.
    fn current(&mut self, outcome: &Outcome<'_>) {
        let Some(Ok(seen)) = self.facts.observed else { return };
        if !matches!(seen.stage, Stage::Issued | Stage::Expired)
            || self.status.submission.as_ref().is_none_or(|ours| ours.submitted_at.is_none())
        {
            return;
        }
        let id = self.facts.current_id();
        let known = self.status.current.as_ref().filter(|known| known.certificate_id == id);
        let fetched = match outcome {
            Outcome::Exported(Ok(term)) => *term,
            _ => self.facts.term,
        };
        let is_fetched = self.facts.order.spec.secret_name.is_some();
        let told = || Some(Term { not_before: seen.not_before?, not_after: seen.not_after? });
        let term = fetched.or_else(|| if is_fetched { None } else { told() });
        if known.is_none() || term.is_some() {
            self.status.current = Some(Box::new(current(id, term)));
        }
    }
}

/// The most certificates that are remembered as no successors.
const MOST_ASIDE: usize = 16;

fn set_aside(status: &mut RenewalStatus, id: &str) {
    status.did_not_extend.retain(|known| known != id);
    status.did_not_extend.push(id.to_owned());
    let more = status.did_not_extend.len().saturating_sub(MOST_ASIDE);
    status.did_not_extend.drain(..more);
}

fn current(id: &str, term: Option<Term>) -> Current {
    Current {
        certificate_id: id.to_owned(),
        not_before: term.map(|term| seconds(term.not_before)),
        not_after: term.map(|term| seconds(term.not_after)),
    }
}
