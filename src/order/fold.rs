//! What happened becomes the next status. Pure: the old status, the facts and the news in, the new status and
//! the time of the next look out.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{
    CertificateOrderStatus, CloudState, Intent, LastRequest, Plan, ReadyPolicy, Submission, seconds,
};
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::order::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::plan::{self, ACCEPTED, Action, Export, Facts, RECONCILE_AT, RESUBMIT_AT, Step};
use crate::order::stages::{self, Standing};
use crate::order::trouble::{Retry, Trouble, trouble};
use crate::order::validation;
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
        let asked = self.facts.annotation(RECONCILE_AT).map(str::to_owned);
        self.status.last_handled_reconcile_at = asked.or(self.status.last_handled_reconcile_at.take());
        if let Some(Ok(seen)) = self.facts.observed {
            self.observed(seen);
        }
        match news {
            News::Step(step) => self.step(step),
            News::Intent(action, intent) => self.intent(*action, intent),
            News::Outcome(action, intent, Ok(accepted)) => self.accepted(*action, intent, accepted),
            News::Outcome(action, intent, Err(error)) => self.failed(*action, intent, error),
            News::TakenBack(problem) => {
                self.give_up_claim();
                self.halt(problem)
            }
            News::NotFetched(error) => self.not_fetched(error),
            News::Exported(outcome) => self.exported(outcome.as_ref().err()),
        }
    }

    fn step(&mut self, step: &Step) -> Again {
        if !matches!(step, Step::Show(_) | Step::Unreadable) {
            self.status.plan = None;
            self.conditions.remove(ConditionType::Planned);
        }
        match step {
            Step::Suspend | Step::Write { .. } | Step::MakeKey | Step::Guard | Step::Export => Again::Now,
            Step::Pause { until } => Again::In(self.left(*until)),
            Step::Halt(problem) if problem.reason == Reason::DuplicateCertificate => {
                self.give_up_claim();
                self.halt(problem)
            }
            Step::Halt(problem) => self.halt(problem),
            Step::Unreadable => self.unreadable(),
            Step::Show(action) => self.show(*action),
            Step::Landed(action) => self.landed(*action),
            Step::Settle { until } => self.settle(*until),
            Step::NotLanded(problem) => {
                self.forget_intent();
                self.halt(problem)
            }
            Step::StartOver => self.start_over(),
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
    fn take_over(&mut self, seen: &Observation) {
        self.status.order_id = seen.order_id.clone().or(self.status.order_id.take());
        self.status.validation_records =
            seen.records.iter().map(|record| validation::record(record, self.facts.validation)).collect();
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
    fn halt(&mut self, problem: &Problem) -> Again {
        let waits = problem.reason.class() == Class::Waiting;
        if self.conditions.is(ConditionType::Ready, Status::True) {
            // What was reached holds whatever happens to the next look.
            if !waits || problem.reason == Reason::AwaitingConfirmation {
                let type_ = ConditionType::ActionRequired;
                self.conditions.set(type_, Status::True, problem.reason, &problem.message);
            }
            return Again::Stopped;
        }
        if !waits {
            self.conditions.remove(ConditionType::ActionRequired);
        }
        self.conditions.halted(problem);
        if problem.reason == Reason::Withdrawn {
            self.submission().frozen = false;
            self.status.phase = Some("Withdrawn".to_owned());
        } else if self.facts.ours().is_none() {
            self.status.phase = Some(if waits { "Pending" } else { "Stopped" }.to_owned());
        } else if self.status.phase.as_deref() == Some("Submitting") {
            self.status.phase = Some("Submitted".to_owned());
        }
        if problem.reason == Reason::Settling { Again::In(CONTESTED) } else { Again::Stopped }
    }

    fn unreadable(&mut self) -> Again {
        let Some(Err(error)) = self.facts.observed else { return Again::Failed(None) };
        let action = self.facts.calls.map_or("the read", |calls| calls.observe);
        let trouble = trouble(self.facts.cloud, action, error, self.filter);
        self.trouble(&trouble)
    }

    /// Shows a failed call. The message of the first of a run of equal failures stays, and its RequestId with it, so
    /// that a retry writes nothing new.
    fn trouble(&mut self, trouble: &Trouble) -> Again {
        let before =
            self.facts.order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let shown = [ConditionType::Ready, ConditionType::ActionRequired]
            .into_iter()
            .filter_map(|type_| get(before, type_))
            .find(|condition| condition.reason == <&str>::from(trouble.problem.reason));
        let same = shown.filter(|shown| trouble.continues(&shown.message));
        let message = same.map_or_else(|| trouble.problem.message.clone(), |shown| shown.message.clone());
        self.halt(&Problem::new(trouble.problem.reason, message));
        match trouble.retry {
            Retry::Backoff(asked) => Again::Failed(asked),
            Retry::Mended => Again::Stopped,
        }
    }

    /// Records a call that writes; of a run of equal failures the first.
    fn record_failure(&mut self, intent: &Intent, trouble: &Trouble) {
        let before = self.facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        let same = before.filter(|last| {
            last.action == intent.action && last.outcome == trouble.outcome && last.code == trouble.code
        });
        if let Some(first) = same {
            self.status.last_request = Some(first.clone())
        } else {
            let (code, request_id) = (trouble.code.as_deref(), trouble.request_id.as_deref());
            self.record(&intent.action, trouble.outcome, code, request_id);
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
            Action::Submit if self.facts.order_action().is_some() => {
                (self.facts.action_name(action), "then the order is sent to the CA")
            }
            Action::Resubmit => (self.facts.action_name(action), "then the application is handed in again"),
            Action::Submit | Action::Order | Action::Withdraw | Action::Revoke | Action::SendLetter => {
                (self.facts.action_name(action), "then the cloud and the CA go on")
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
            format!("spec.mode is Plan: status.plan shows what {name} would send, and it was not sent");
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
        let Intent { action: call, attempt, .. } = intent;
        let message = match action {
            Action::Submit => format!("hands in the application ({call}, attempt {attempt})"),
            Action::Order => format!("sends the order to the CA ({call}, attempt {attempt})"),
            Action::Resubmit => format!("opens the order for another attempt ({call}, attempt {attempt})"),
            Action::Withdraw => format!("stops the review ({call}, attempt {attempt})"),
            Action::Revoke => format!("revokes the certificate ({call}, attempt {attempt})"),
            Action::SendLetter => format!("hands in the signed letter ({call}, attempt {attempt})"),
        };
        self.conditions.working(Reason::Submitting, &message);
        self.status.phase = Some("Submitting".to_owned());
        Again::Now
    }

    fn accepted(&mut self, action: Action, intent: &Intent, accepted: &Accepted) -> Again {
        self.record(&intent.action, ACCEPTED, None, accepted.request_id.as_deref());
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
            Action::Resubmit | Action::Withdraw | Action::Revoke | Action::SendLetter => self.done(action),
        }
    }

    /// A call took effect that is not about an application.
    fn done(&mut self, action: Action) -> Again {
        let now = self.now();
        let submission = self.submission();
        submission.intent = None;
        match action {
            Action::Resubmit => return self.start_over(),
            Action::SendLetter => submission.letter_sent_at = Some(now),
            Action::Submit | Action::Order | Action::Withdraw | Action::Revoke => {}
        }
        Again::Now
    }

    /// Begins another attempt: what the present one has reached no longer holds.
    fn start_over(&mut self) -> Again {
        let before = self.facts.order.status.as_ref().and_then(|status| status.submission.as_ref());
        let resubmissions = before.map_or(0, |before| before.resubmissions).saturating_add(1);
        let started_over_at = Some(self.now());
        self.status.submission = Some(Submission { resubmissions, started_over_at, ..Submission::default() });
        self.status.order_id = None;
        self.status.validation_records.clear();
        let asked = self.facts.annotation(RESUBMIT_AT).map(str::to_owned);
        self.status.last_handled_resubmit_at = asked.or(self.status.last_handled_resubmit_at.take());
        let message = format!("the order starts over, now for the {resubmissions}. time");
        for type_ in [ConditionType::Submitted, ConditionType::Ordered, ConditionType::Issued] {
            self.conditions.clear(type_, Reason::Submitting, &message);
        }
        self.conditions.remove(ConditionType::ActionRequired);
        self.conditions.working(Reason::Submitting, &message);
        self.status.phase = Some("Submitting".to_owned());
        Again::Now
    }

    fn submitted(&mut self, payload_hash: Option<String>, reason: Reason, message: &str) -> Again {
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
        self.record_failure(intent, &trouble);
        match error {
            Error::Unknown(_) => {
                // The intent stays: what became of the call is read from the cloud.
                let message = format!(
                    "{} certorder reads the cloud to see what became of it.",
                    trouble.problem.message
                );
                self.conditions.working(Reason::Settling, &message);
                Again::In(Duration::from_secs(1))
            }
            Error::UnderWay(_) if action == Action::Order => {
                self.ordered(Reason::Accepted, &trouble.problem.message)
            }
            _ => {
                let frozen = self.submission().frozen;
                self.drop_intent();
                // A review that could not be stopped goes on, and so on.
                let unfreezes = matches!(action, Action::Submit | Action::Order | Action::Resubmit);
                self.submission().frozen = frozen && !unfreezes;
                self.trouble(&trouble)
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
            Action::Resubmit | Action::Withdraw | Action::Revoke | Action::SendLetter => self.done(action),
        }
    }

    fn settle(&mut self, until: jiff::Timestamp) -> Again {
        let intent = self.submission().intent.as_ref().map(|intent| (intent.action.clone(), intent.attempt));
        let (action, attempt) = intent.unwrap_or_default();
        let wait = self.facts.call_timeout.saturating_mul(2);
        let message = format!(
            "the outcome of {action} (attempt {attempt}) is not recorded and not visible at the cloud; certorder \
             reads for {wait:?} before it tries again"
        );
        self.conditions.working(Reason::Settling, &message);
        Again::In(self.left(until).clamp(Duration::from_millis(100), SETTLING))
    }

    fn adopt(&mut self) -> Again {
        let Some(Ok(seen)) = self.facts.observed else { return Again::Failed(None) };
        // The hash says what the cloud holds, so it is recorded only where the cloud shows just that.
        let held = self.facts.payload.as_ref().ok().filter(|payload| seen.stored.shows(&payload.evidence));
        let payload_hash = held.map(|payload| payload.hash.clone());
        self.submission().adopted = true;
        let message = "found at the cloud for the same names, and taken over without a call";
        let again = self.submitted(payload_hash, Reason::Adopted, message);
        self.take_over(seen);
        if seen.stage == Stage::AwaitingInformation { again } else { self.follow_ours(seen, true) }
    }

    /// Another order has the certificate: what this one found or took over, or was about to do, it lets go.
    fn give_up_claim(&mut self) {
        if self.facts.ours().is_some() {
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

    fn follow(&mut self) -> Again {
        let Some(Ok(seen)) = self.facts.observed else { return Again::Poll };
        self.follow_ours(seen, self.facts.ours().is_some())
    }

    /// Reports what the cloud says of an order, ours or not.
    fn follow_ours(&mut self, seen: &Observation, is_ours: bool) -> Again {
        let words = self.status.cloud.as_ref().and_then(|cloud| cloud.message.as_deref());
        let report = stages::report(&stages::Seen {
            observation: seen,
            words,
            cloud: self.facts.cloud,
            withdrawn: self.facts.withdraw_is_asked(),
            validation: self.facts.validation,
            filter: self.filter,
        });
        self.status.phase = Some(report.phase.to_owned());
        self.forget_intent();
        if is_ours {
            self.submission().frozen = report.frozen;
        }
        match &report.issued {
            Some((status, reason)) => {
                self.conditions.set(ConditionType::Issued, *status, *reason, &report.message);
            }
            None => self.conditions.clear(ConditionType::Issued, report.reason, &report.message),
        }
        match &report.action {
            Some(action) => {
                self.conditions.set(ConditionType::ActionRequired, Status::True, report.reason, action);
            }
            None => self.conditions.remove(ConditionType::ActionRequired),
        }
        if seen.stage == Stage::Issued && is_ours {
            match self.facts.secret {
                Export::NotWanted => self.conditions.remove(ConditionType::SecretSynced),
                Export::Current => self.synced(),
                Export::Blocked(problem) => return self.exported(Some(problem)),
                // Not ready before that; the next step fetches it.
                Export::Due => {
                    let message = "the certificate is issued, and is being fetched";
                    self.conditions.working(Reason::Exporting, message);
                    return Again::Now;
                }
            }
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

    fn synced(&mut self) {
        let message = "the Secret holds the issued certificate";
        self.conditions.set(ConditionType::SecretSynced, Status::True, Reason::Synced, message);
    }

    /// The certificate is issued; whether it stands in its Secret decides what Ready says.
    fn exported(&mut self, problem: Option<&Problem>) -> Again {
        let message = format!("{} holds the issued certificate", self.facts.cloud);
        self.conditions.set(ConditionType::Issued, Status::True, Reason::Issued, &message);
        self.conditions.remove(ConditionType::ActionRequired);
        self.status.phase = Some("Issued".to_owned());
        let Some(problem) = problem else {
            self.synced();
            self.conditions.resting(Status::True, Reason::Issued, &message);
            return Again::Settled;
        };
        self.conditions.set(ConditionType::SecretSynced, Status::False, problem.reason, &problem.message);
        self.conditions.halted(problem);
        Again::Stopped
    }

    fn not_fetched(&mut self, error: &Error) -> Again {
        let action = self.facts.calls.map_or("the download", |calls| calls.download);
        let mut trouble = trouble(self.facts.cloud, action, error, self.filter);
        if trouble.problem.reason == Reason::CloudUnavailable {
            trouble.problem.reason = Reason::Exporting;
        }
        let message = format!("{} holds the issued certificate", self.facts.cloud);
        self.conditions.set(ConditionType::Issued, Status::True, Reason::Issued, &message);
        self.conditions.set(
            ConditionType::SecretSynced,
            Status::False,
            trouble.problem.reason,
            "the certificate could not be fetched",
        );

        self.trouble(&trouble)
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

    fn left(&self, until: jiff::Timestamp) -> Duration {
        Duration::try_from(until.duration_since(self.facts.now)).unwrap_or_default()
    }

    fn now(&self) -> Time {
        seconds(self.facts.now)
    }
}
