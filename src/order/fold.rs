//! What happened becomes the next status. Pure: the old status, the facts and the news in, the new status and
//! the time of the next look out.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{
    CertificateOrderStatus, CloudState, Intent, LastRequest, Plan, ReadyPolicy, Submission, ValidationRecord,
    seconds,
};
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::order::Observation;
use crate::core::redact::Filter;
use crate::order::plan::{self, Action, Facts, Step};
use crate::order::stages::{self, Standing};
use crate::order::trouble::{Retry, Trouble, trouble};
use crate::provider::{Accepted, Error};

/// What happened in a pass.
pub enum News<'a> {
    /// The step needed no call that writes.
    Step(&'a Step),
    /// An intent is about to be stored.
    Intent(Action, &'a Intent),
    /// The call of an intent ended.
    Outcome(Action, &'a Intent, &'a Result<Accepted, Error>),
    /// The intent is taken back before any call: another order has the certificate.
    TakenBack(&'a Problem),
}

/// What is stored, and when to look again.
pub struct Next {
    /// The new status.
    pub status: CertificateOrderStatus,
    /// When to look again.
    pub again: Again,
}

/// When to look again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
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

/// How soon a claim that is contested is looked at again.
const CONTESTED: Duration = Duration::from_secs(5);
/// How soon the outcome of an intent is looked for.
const SETTLING: Duration = Duration::from_secs(5);

/// Works out the next status.
#[must_use]
pub fn fold(stored: &CertificateOrderStatus, facts: &Facts<'_>, news: &News<'_>, filter: &Filter) -> Next {
    let mut fold = Fold {
        status: stored.clone(),
        conditions: Conditions::new(&stored.conditions, facts.generation(), facts.now),
        facts,
        filter,
    };
    fold.status.observed_generation = facts.generation();
    fold.status.provider = Some(facts.cloud.to_owned());
    fold.status.certificate_id = Some(facts.certificate_id.to_owned());
    let again = fold.news(news);
    fold.status.conditions = fold.conditions.into_list();
    Next { status: fold.status, again }
}

struct Fold<'a> {
    status: CertificateOrderStatus,
    conditions: Conditions,
    facts: &'a Facts<'a>,
    filter: &'a Filter,
}

impl Fold<'_> {
    fn news(&mut self, news: &News<'_>) -> Again {
        if let News::Step(Step::Suspend) = news {
            return self.suspended();
        }
        self.conditions.remove(ConditionType::Suspended);
        if let Some(Ok(seen)) = self.facts.observed {
            self.observed(seen);
        }
        match news {
            News::Step(step) => self.step(step),
            News::Intent(action, intent) => self.intent(*action, intent),
            News::Outcome(action, intent, Ok(accepted)) => self.accepted(*action, intent, accepted),
            News::Outcome(action, intent, Err(error)) => self.failed(*action, intent, error),
            News::TakenBack(problem) => {
                self.drop_intent();
                self.halt(problem)
            }
        }
    }

    fn step(&mut self, step: &Step) -> Again {
        if !matches!(step, Step::Show(_)) {
            self.status.plan = None;
            self.conditions.remove(ConditionType::Planned);
        }
        match step {
            Step::Suspend | Step::Write { .. } => Again::Now,
            Step::Halt(problem) => self.halt(problem),
            Step::Unreadable => self.unreadable(),
            Step::Show(action) => self.show(*action),
            Step::Landed(action) => self.landed(*action),
            Step::Settle { until } => self.settle(*until),
            Step::NotLanded(problem) => {
                self.forget_intent();
                self.halt(problem)
            }
            Step::Adopt => self.adopt(),
            Step::Follow => self.follow(),
        }
    }

    /// Suspension touches neither Ready nor what is known of the cloud.
    fn suspended(&mut self) -> Again {
        if get(&self.status.conditions, ConditionType::Ready).is_none() {
            self.conditions.working(Reason::Pending, "nothing was looked at yet");
            self.status.phase = Some("Suspended".to_owned());
        }
        let message =
            "spec.suspend is true: certorder calls nothing for this order; what runs at the cloud runs on";
        self.conditions.set(ConditionType::Suspended, Status::True, Reason::Suspended, message);
        Again::Settled
    }

    /// Takes over what the cloud says, whatever the step.
    fn observed(&mut self, seen: &Observation) {
        let message =
            seen.message.as_ref().map(|text| self.filter.clean(text)).filter(|text| !text.is_empty());
        let before = self.status.cloud.take();
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
    fn take_over(&mut self, seen: &Observation) {
        self.status.order_id = seen.order_id.clone().or(self.status.order_id.take());
        self.status.validation_records = seen
            .records
            .iter()
            .map(|record| ValidationRecord {
                domain: record.domain.clone(),
                type_: record.type_.clone(),
                name: record.name.clone(),
                value: record.value.clone(),
                check: None,
            })
            .collect();
        self.status.not_before = seen.not_before.map(seconds);
        self.status.not_after = seen.not_after.map(seconds);
        self.status.replaced_by.clone_from(&seen.replaced_by);
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

    fn halt(&mut self, problem: &Problem) -> Again {
        if self.conditions.is(ConditionType::Issued, Status::True) {
            // The certificate is issued whatever happens to its order, so Ready stays.
            self.conditions.set(
                ConditionType::ActionRequired,
                Status::True,
                problem.reason,
                &problem.message,
            );
            return Again::Stopped;
        }
        self.conditions.remove(ConditionType::ActionRequired);
        self.conditions.halted(problem);
        if problem.reason == Reason::Withdrawn {
            self.submission().frozen = false;
            self.status.phase = Some("Withdrawn".to_owned());
        } else if self.facts.ours().is_none() {
            let phase = if problem.reason.class() == Class::Waiting { "Pending" } else { "Stopped" };
            self.status.phase = Some(phase.to_owned());
        }
        if problem.reason == Reason::Settling { Again::In(CONTESTED) } else { Again::Stopped }
    }

    fn unreadable(&mut self) -> Again {
        let Some(Err(error)) = self.facts.observed else { return Again::Stopped };
        let trouble = trouble(self.facts.cloud, self.facts.observe_action, error, self.filter);
        self.trouble(self.facts.observe_action, &trouble)
    }

    /// Shows a failed call. The first of a run of equal failures stays, so that a retry writes nothing.
    fn trouble(&mut self, action: &str, trouble: &Trouble) -> Again {
        let same_call = self.status.last_request.as_ref().is_some_and(|last| {
            last.action == action && last.outcome == trouble.outcome && last.code == trouble.code
        });
        let shown = [ConditionType::ActionRequired, ConditionType::Ready]
            .into_iter()
            .filter_map(|type_| get(&self.status.conditions, type_))
            .find(|condition| condition.reason == <&str>::from(trouble.problem.reason));
        let problem = match shown {
            Some(shown) if same_call => Problem::new(trouble.problem.reason, shown.message.clone()),
            _ => {
                self.record(action, trouble.outcome, trouble.code.as_deref(), trouble.request_id.as_deref());
                trouble.problem.clone()
            }
        };
        self.halt(&problem);
        match trouble.retry {
            Retry::Backoff(asked) => Again::Failed(asked),
            Retry::Mended => Again::Stopped,
        }
    }

    fn record(&mut self, action: &str, outcome: &str, code: Option<&str>, request_id: Option<&str>) {
        self.status.last_request = Some(LastRequest {
            action: action.to_owned(),
            request_id: request_id.map(str::to_owned),
            time: self.now(),
            outcome: outcome.to_owned(),
            code: code.map(str::to_owned),
        });
    }

    fn show(&mut self, action: Action) -> Again {
        self.forget_intent();
        let (name, next) = match action {
            Action::Submit if self.facts.order_action.is_some() => {
                (self.facts.action_name(action), "then the order is sent to the CA")
            }
            Action::Submit | Action::Order => {
                (self.facts.action_name(action), "then the CA reviews the order")
            }
        };
        let request = match (action, self.facts.payload) {
            (Action::Submit, Ok(payload)) => payload.redacted.clone(),
            _ => serde_json::json!({ "certificateId": self.facts.certificate_id }),
        };
        self.status.plan = Some(Plan {
            action: name.clone(),
            request: request.as_object().cloned().unwrap_or_default(),
            next: next.to_owned(),
        });
        self.status.phase = Some("Planned".to_owned());
        let message =
            format!("spec.mode is Plan: status.plan shows what {name} would send, and nothing was sent");
        self.conditions.set(ConditionType::Planned, Status::True, Reason::Planned, &message);
        self.conditions.resting(Status::False, Reason::Planned, &message);
        Again::Stopped
    }

    fn intent(&mut self, action: Action, intent: &Intent) -> Again {
        self.status.plan = None;
        self.conditions.remove(ConditionType::Planned);
        self.conditions.remove(ConditionType::ActionRequired);
        if self.submission().intent.as_ref() != Some(intent) {
            self.forget_intent();
        }
        let submission = self.submission();
        submission.frozen = true;
        submission.intent = Some(intent.clone());
        let message = match action {
            Action::Submit => {
                format!("hands in the application ({}, attempt {})", intent.action, intent.attempt)
            }
            Action::Order => {
                format!("sends the order to the CA ({}, attempt {})", intent.action, intent.attempt)
            }
        };
        self.conditions.working(Reason::Submitting, &message);
        self.status.phase = Some("Submitting".to_owned());
        Again::Now
    }

    fn accepted(&mut self, action: Action, intent: &Intent, accepted: &Accepted) -> Again {
        self.record(&intent.action, "Accepted", None, accepted.request_id.as_deref());
        let cloud = self.facts.cloud;
        let request =
            accepted.request_id.as_deref().map(|id| format!(" (RequestId {id})")).unwrap_or_default();
        match action {
            Action::Submit => {
                self.status.request_id.clone_from(&accepted.request_id);
                let message = format!("{cloud} accepted the application{request}");
                self.submitted(intent.payload_hash.clone(), Reason::Accepted, &message)
            }
            Action::Order => {
                self.status.order_id = accepted.order_id.clone().or(self.status.order_id.take());
                self.ordered(Reason::Accepted, &format!("{cloud} sent the order to the CA{request}"))
            }
        }
    }

    fn submitted(&mut self, payload_hash: Option<String>, reason: Reason, message: &str) -> Again {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        submission.frozen = true;
        submission.payload_hash = payload_hash;
        submission.submitted_at = Some(now);
        self.conditions.set(ConditionType::Submitted, Status::True, reason, message);
        if self.facts.order_action.is_none() {
            return self.ordered(reason, message);
        }
        self.status.phase = Some("Submitted".to_owned());
        self.conditions.working(Reason::Submitting, &format!("{message}; the order to the CA comes next"));
        Again::Now
    }

    fn ordered(&mut self, reason: Reason, message: &str) -> Again {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        submission.ordered_at = Some(now);
        self.conditions.set(ConditionType::Ordered, Status::True, reason, message);
        self.conditions.working(Reason::InReview, message);
        self.status.phase = Some("Ordered".to_owned());
        Again::Now
    }

    fn failed(&mut self, action: Action, intent: &Intent, error: &Error) -> Again {
        let trouble = trouble(self.facts.cloud, &intent.action, error, self.filter);
        match error {
            Error::Unknown(_) => {
                // The intent stays: what became of the call is read from the cloud.
                self.record(
                    &intent.action,
                    trouble.outcome,
                    trouble.code.as_deref(),
                    trouble.request_id.as_deref(),
                );
                let message = format!(
                    "{} certorder reads the cloud to see what became of it.",
                    trouble.problem.message
                );
                self.conditions.working(Reason::Settling, &message);
                Again::In(Duration::from_secs(1))
            }
            Error::UnderWay(_) if action == Action::Order => {
                self.record(
                    &intent.action,
                    trouble.outcome,
                    trouble.code.as_deref(),
                    trouble.request_id.as_deref(),
                );
                self.ordered(Reason::Accepted, &trouble.problem.message)
            }
            _ => {
                self.drop_intent();
                self.trouble(&intent.action, &trouble)
            }
        }
    }

    fn landed(&mut self, action: Action) -> Again {
        let Some(intent) = self.facts.intent() else { return Again::Now };
        let name = &intent.action;
        match action {
            Action::Submit => {
                let message = format!(
                    "the cloud holds this application, so {name} took effect; its reply was lost, and its RequestId with it"
                );
                self.submitted(intent.payload_hash.clone(), Reason::Adopted, &message)
            }
            Action::Order => {
                let message =
                    format!("the cloud works on the order, so {name} took effect; its reply was lost");
                self.ordered(Reason::Adopted, &message)
            }
        }
    }

    fn settle(&mut self, until: jiff::Timestamp) -> Again {
        let intent = self.submission().intent.as_ref().map(|intent| (intent.action.clone(), intent.attempt));
        let (action, attempt) = intent.unwrap_or_default();
        let until_text = seconds(until).0;
        let message = format!(
            "the outcome of {action} (attempt {attempt}) is not recorded and not visible at the cloud; certorder \
             reads until {until_text}, and only then tries again"
        );
        self.conditions.working(Reason::Settling, &message);
        let left = Duration::try_from(until.duration_since(self.facts.now)).unwrap_or_default();
        Again::In(left.clamp(Duration::from_millis(100), SETTLING))
    }

    fn adopt(&mut self) -> Again {
        let payload_hash = self.facts.payload.as_ref().ok().map(|payload| payload.hash.clone());
        self.submission().adopted = true;
        let message = "found at the cloud for the same names, and taken over without a call";
        let again = self.submitted(payload_hash, Reason::Adopted, message);
        if let Some(Ok(seen)) = self.facts.observed {
            self.take_over(seen);
        }
        again
    }

    fn follow(&mut self) -> Again {
        let Some(Ok(seen)) = self.facts.observed else { return Again::Poll };
        let words = self.status.cloud.as_ref().and_then(|cloud| cloud.message.as_deref());
        let report = stages::report(seen, words, self.facts.cloud);
        self.status.phase = Some(report.phase.to_owned());
        self.forget_intent();
        if self.facts.ours().is_some() {
            self.submission().frozen = report.frozen;
        }
        match &report.issued {
            Some((status, reason)) => {
                self.conditions.set(ConditionType::Issued, *status, *reason, &report.message)
            }
            None => self.conditions.clear(ConditionType::Issued, report.reason, &report.message),
        }
        match &report.action {
            Some(action) => {
                self.conditions.set(ConditionType::ActionRequired, Status::True, report.reason, action)
            }
            None => self.conditions.remove(ConditionType::ActionRequired),
        }
        match report.standing {
            Standing::Working if self.is_ready_when_ordered() => {
                self.conditions.resting(Status::True, Reason::Ordered, &report.message);
            }
            Standing::Working => self.conditions.working(report.reason, &report.message),
            Standing::Stopped => self.conditions.stopped(report.reason, &report.message),
            Standing::Done => self.conditions.resting(Status::True, report.reason, &report.message),
        }
        match report.standing {
            Standing::Working => Again::Poll,
            Standing::Stopped => Again::Stopped,
            Standing::Done => Again::Settled,
        }
    }

    fn is_ready_when_ordered(&self) -> bool {
        self.facts.order.spec.ready_policy == ReadyPolicy::Ordered
            && self.conditions.is(ConditionType::Ordered, Status::True)
    }

    /// A call that definitely had no effect: the order can be edited again.
    fn drop_intent(&mut self) {
        let submission = self.submission();
        submission.intent = None;
        submission.frozen = false;
    }

    /// Drops an intent whose call is over, with an outcome that nobody recorded. Where it was to hand in an
    /// application, what was accepted before may have been replaced.
    fn forget_intent(&mut self) {
        let Some(submission) = &mut self.status.submission else { return };
        if let Some(intent) = submission.intent.take() {
            submission.frozen = false;
            if intent.payload_hash.is_some() {
                submission.payload_hash = None;
            }
        }
    }

    fn submission(&mut self) -> &mut Submission {
        self.status.submission.get_or_insert_default()
    }

    fn now(&self) -> Time {
        seconds(self.facts.now)
    }
}
