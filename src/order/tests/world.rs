//! A simulation: a cloud with one paid certificate, the orders for it, and passes that can be interrupted between any
//! two of their steps. It runs the real `plan`, `fold` and `claim`; the steps in between follow `observe` and
//! `execute`.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::cloud::{Cloud, Effect};
use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, Intent, Mode, micros};
use crate::cluster::cache;
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::conditions::get;
use crate::core::fingerprint::{Fingerprint, HashKey};
use crate::core::observation::Stage;
use crate::order::ages::{Ages, RecordAges};
use crate::order::claim::rivals::contested;
use crate::order::facts::Action;
use crate::order::fold::Outcome;
use crate::order::plan::{Step, unsettled};
use crate::provider::{Accepted, Error};

/// How far off a clock may be, in seconds, so that the cloud takes a call.
const CLOCKS_DIFFER: i64 = 300;

pub(super) struct World {
    second: i64,
    /// How many seconds the clock of the processes is ahead.
    clock: i64,
    began: Instant,
    pub(super) hash_key: HashKey,
    pub(super) cloud: Cloud,
    pub(super) orders: Vec<Stored>,
    /// Passes in flight.
    pub(super) calls: Vec<Call>,
    counter: u32,
}

/// An order as the API server holds it, and the application for it, if one can be built.
pub(super) struct Stored {
    pub(super) order: CertificateOrder,
    version: u32,
    pub(super) application: Option<&'static str>,
    /// What the order's process observes, and since when.
    ages: RecordAges,
}

/// A pass that is about to adopt the certificate, or has stored the intent of its call.
pub(super) struct Call {
    who: usize,
    scene: Scene,
    stored: CertificateOrder,
    version: u32,
    /// When the pass was planned.
    began: i64,
    /// How many requests users had made when the pass was planned.
    asked: u32,
    task: Task,
    next: Next,
}

enum Task {
    Adopt,
    Write(Action, Intent),
}

/// What such a pass does next.
enum Next {
    CheckRivals,
    Act,
    Record(Result<Accepted, Error>),
}

/// How the network and the cloud treat a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Delivery {
    Answered,
    ReplyLost,
    RequestLost,
    /// No answer in time; it takes effect this many seconds later.
    Late(i64),
    Refused(u8),
}

impl World {
    /// A simulation with an order for each of these applications, the oldest first.
    pub(super) fn new(applications: &[&'static str]) -> Self {
        let stored = |(born, application): (i64, &&'static str)| Stored {
            order: order(&format!("order-{born}"), born),
            version: 0,
            application: Some(*application),
            ages: RecordAges::default(),
        };
        let orders = (0..).zip(applications).map(stored).collect();
        Self {
            second: 0,
            clock: 0,
            began: Instant::now(),
            hash_key: hash_key(),
            cloud: Cloud::new(),
            orders,
            calls: Vec::new(),
            counter: 0,
        }
    }

    /// The same, at a cloud where one call submits the application and sends the order.
    pub(super) fn in_one_call(mut self) -> Self {
        self.cloud.in_one_call = true;
        self
    }

    /// The oldest order was ordered and rejected, and its user requests another attempt.
    pub(super) fn before_the_second_attempt(mut self) -> Self {
        for _ in 0..3 {
            self.round();
        }
        assert_eq!(self.cloud.stage, Stage::Validating);
        self.cloud.end(Stage::Rejected);
        self.round();
        self.ask_again(0);
        self
    }

    /// Resolve, observe, plan; then store the status of a step without a call and without a check of the rivals, or the
    /// intent of the call. With `stale`, the cache does not have the other orders yet.
    pub(super) fn pass(&mut self, who: usize, stale: bool) {
        let ages = self.ages(who);
        let stored = &self.orders[who];
        let payload = stored.application.map(payload).ok_or_else(|| halt(Reason::ProfileNotFound));
        let (order, now) = (stored.order.clone(), self.now());
        let hash_key = Some(self.hash_key.clone());
        let scene =
            Scene { order, payload, hash_key, intent_age: ages.intent.seen, ages, now, ..scene() }.unread();
        let mut scene = if self.cloud.in_one_call { scene.in_one_call() } else { scene };
        scene.contested = if stale { None } else { contested(&stored.order, &self.all()) };
        if scene.facts().needs_the_cloud() {
            scene.observed = Some(self.cloud.read());
            scene.logged = self.logged(&scene);
        }
        let (task, next) = match scene.plan() {
            Step::Adopt => (Task::Adopt, None),
            Step::Write { action: Action::Submit, .. } if scene.payload.is_err() => return,
            Step::Write { action, attempt } => {
                let intent = self.intent(&scene, action, attempt);
                let next = scene.fold(&Outcome::Intent(action, &intent)).status;
                (Task::Write(action, intent), Some(next))
            }
            step => {
                let next = scene.fold(&Outcome::Step(&step)).status;
                return self.store(who, next);
            }
        };
        if let Some(next) = next {
            self.store(who, next);
        }
        let Stored { order, version, .. } = &self.orders[who];
        let (stored, version) = (order.clone(), *version);
        let (began, asked) = (self.second, self.cloud.asked);
        self.calls.push(Call { who, scene, stored, version, began, asked, task, next: Next::CheckRivals });
    }

    fn intent(&mut self, scene: &Scene, action: Action, attempt: i64) -> Intent {
        self.counter += 1;
        let hash = scene
            .payload
            .as_ref()
            .ok()
            .map(|payload| payload.fingerprint.stored(scene.hash_key.as_ref().unwrap()));
        if action == Action::Submit {
            self.cloud.expect(application(scene));
        }
        Intent {
            begin_by: None,
            attempt,
            action: scene.facts().action_name(action),
            payload_hash: hash.filter(|_| action == Action::Submit),
            holder: format!("process {}", self.counter),
            started_at: micros(self.now()),
            resubmit_at: scene.facts().handled_request(action).map(str::to_owned),
        }
    }

    /// Whether the cloud's log has the call of the open intent, as `observe` reads it.
    fn logged(&self, scene: &Scene) -> Option<bool> {
        let facts = scene.facts();
        let (action, intent) = unsettled(&facts).filter(|_| self.cloud.readable)?;
        Some(self.cloud.was_called_since(action, facts.log_since(action, intent)))
    }

    /// Takes the next step of a pass in flight.
    pub(super) fn go_on(&mut self, call: usize, delivery: Delivery) {
        let mut call = self.calls.remove(call);
        call.scene.now = self.now();
        match (&call.next, &call.task) {
            (Next::CheckRivals, task) => match (contested(&call.stored, &self.all()), task) {
                (None, _) => self.calls.push(Call { next: Next::Act, ..call }),
                (Some(problem), Task::Adopt) => self.swap(&call, &Outcome::Step(&Step::Halt(problem))),
                (Some(problem), Task::Write(..)) => self.swap(&call, &Outcome::TakenBack(&problem)),
            },
            (Next::Act, Task::Adopt) => self.swap(&call, &Outcome::Step(&Step::Adopt)),
            (Next::Act, Task::Write(action, _)) => {
                let outcome = self.call(&call, *action, delivery);
                self.calls.push(Call { next: Next::Record(outcome), ..call });
            }
            (Next::Record(outcome), Task::Write(action, intent)) => {
                let next = call.fold(&Outcome::Called(*action, intent, outcome));
                let live = &self.orders[call.who];
                if live.version == call.version || live.intent() == Some(intent) {
                    self.store(call.who, next);
                }
            }
            (Next::Record(_), Task::Adopt) => unreachable!("taking over needs no call"),
        }
    }

    /// Stores the outcome of a pass, unless there is a conflict.
    fn swap(&mut self, call: &Call, outcome: &Outcome<'_>) {
        let next = call.fold(outcome);
        if self.orders[call.who].version == call.version {
            self.store(call.who, next);
        }
    }

    fn call(&mut self, call: &Call, action: Action, delivery: Delivery) -> Result<Accepted, Error> {
        let timeout = i64::try_from(CALL_TIMEOUT.as_secs()).unwrap();
        if self.second > call.began + timeout {
            return Err(Error::NotSent("the rate limit delayed it too long".to_owned()));
        }
        if self.clock.abs() > CLOCKS_DIFFER {
            return Err(Error::ClockSkew(refusal("AuthFailure.SignatureExpire", "of a refusal")));
        }
        self.counter += 1;
        let request_id = format!("request-{}", self.counter);
        let effect = match action {
            Action::Submit => {
                let application = call.application().unwrap();
                Effect::Submit {
                    who: call.who,
                    application,
                    request_id: request_id.clone(),
                    asked: call.asked,
                }
            }
            Action::Order => {
                if self.cloud.stage == Stage::AwaitingInformation {
                    let adopted = call.scene.facts().ours().is_some_and(|ours| ours.adopted);
                    assert!(
                        self.cloud.is_submitted() || adopted,
                        "ordered, but not submitted in this attempt"
                    );
                    assert_eq!(self.cloud.held, call.application(), "not what the user wants is ordered");
                }
                Effect::Order
            }
            Action::Resubmit => Effect::Resubmit,
            Action::Withdraw => Effect::Withdraw,
            Action::Revoke | Action::SendLetter | Action::Reissue => {
                panic!("{action:?} is not asked for in this world")
            }
        };
        match delivery {
            Delivery::Answered => {
                self.cloud.take(effect, at(self.second))?;
                yes(&request_id)
            }
            Delivery::ReplyLost => {
                let _ = self.cloud.take(effect, at(self.second));
                Err(Error::Unknown(None))
            }
            Delivery::RequestLost => Err(Error::Unknown(Some(refusal("InternalError", &request_id)))),
            Delivery::Late(seconds) => {
                self.cloud.take_later(self.second + seconds.min(timeout), effect);
                Err(Error::Unknown(None))
            }
            Delivery::Refused(which) => Err(definite(which, &request_id)),
        }
    }

    /// The process of a pass dies; the next one has observed nothing yet.
    pub(super) fn crash(&mut self, call: usize) {
        let call = self.calls.remove(call);
        self.orders[call.who].ages = RecordAges::default();
    }

    /// The clock is set: so many seconds off the right time.
    pub(super) fn set_clock(&mut self, off: i64) {
        self.clock = off;
    }

    /// The time by the clock of the processes.
    fn now(&self) -> Timestamp {
        at(self.second + self.clock)
    }

    fn ages(&self, who: usize) -> Ages {
        let Stored { order, ages, .. } = &self.orders[who];
        let steady = self.began + Duration::from_secs(u64::try_from(self.second).unwrap());
        ages.of(&cache::key(order), order, steady)
    }

    /// Time passes, and late calls take effect.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.second += seconds;
        self.cloud.arrive(self.second);
    }

    /// The status is lost. Not while a call is in flight: nothing would record that call any more.
    pub(super) fn wipe(&mut self, who: usize) {
        if self.calls.is_empty() && self.cloud.is_quiet() {
            self.orders[who].order.status = None;
            self.orders[who].version += 1;
            // The record of handled requests is lost with it.
            self.cloud.asked += 1;
        }
    }

    /// Another client writes: a label, the profile.
    pub(super) fn edit(&mut self, who: usize, edit: impl FnOnce(&mut Stored)) {
        edit(&mut self.orders[who]);
        self.orders[who].version += 1;
    }

    /// The user edits the application, if the API server allows that.
    pub(super) fn edit_spec(&mut self, who: usize, application: &'static str) {
        let is_frozen = self.orders[who].status().submission.is_some_and(|submission| submission.frozen);
        if !is_frozen {
            self.cloud.asked += 1;
            self.edit(who, |stored| {
                stored.application = Some(application);
                *stored.order.metadata.generation.as_mut().unwrap() += 1;
            });
        }
    }

    /// The user requests another attempt.
    pub(super) fn ask_again(&mut self, who: usize) {
        let now = at(self.second).to_string();
        self.cloud.asked += 1;
        self.edit(who, |stored| annotate(&mut stored.order, RESUBMIT_AT, &now));
    }

    /// The user requests to stop the review, or withdraws that request.
    pub(super) fn ask_to_withdraw(&mut self, who: usize, asks: bool) {
        self.edit(who, |stored| annotate(&mut stored.order, WITHDRAW, if asks { ID } else { "" }));
    }

    fn store(&mut self, who: usize, status: CertificateOrderStatus) {
        let stored = &mut self.orders[who];
        let submission = status.submission.as_ref();
        let is_open = submission.is_some_and(|ours| ours.intent.is_some() || ours.submitted_at.is_some());
        if stored.intent().is_some_and(|intent| intent.payload_hash.is_some()) && !is_open {
            self.cloud.give_up();
        }
        if stored.order.status.as_ref() != Some(&status) {
            stored.order.status = Some(status);
            stored.version += 1;
        }
    }

    fn all(&self) -> Vec<CertificateOrder> {
        self.orders.iter().map(|stored| stored.order.clone()).collect()
    }

    /// Checks that the status is true.
    pub(super) fn check(&self) {
        for stored in &self.orders {
            let Some(status) = &stored.order.status else { continue };
            let text = summary(status);
            let is = |type_| get(&status.conditions, type_).is_some_and(|held| held.status == "True");
            if is(ConditionType::Submitted) {
                assert!(self.cloud.held.is_some(), "Submitted, yet the cloud holds nothing: {text}");
            }
            if is(ConditionType::Ordered) {
                assert!(self.cloud.was_ordered, "Ordered, yet nothing was: {text}");
            }
            if let Some(request_id) = &status.request_id {
                assert!(self.cloud.request_ids.contains(request_id), "{request_id} was not accepted: {text}");
            }
        }
    }

    /// All faults stop, and every order gets its passes. Afterwards nothing is left to write.
    pub(super) fn settle_all(&mut self) {
        self.calls.clear();
        self.cloud.readable = true;
        self.clock = 0;
        for who in 0..self.orders.len() {
            self.edit(who, |stored| {
                stored.application.get_or_insert("A");
                stored.order.spec.suspend = false;
                stored.order.spec.mode = Mode::Apply;
                annotate(&mut stored.order, WITHDRAW, "");
            });
        }
        for round in 0..60 {
            self.round();
            if round > 40 {
                self.cloud.progress();
            }
        }
        // The times that a clock stored while it was ahead are past.
        self.wait(7200);
        for _ in 0..5 {
            self.round();
            self.cloud.progress();
        }
        let versions =
            |world: &Self| -> Vec<u32> { world.orders.iter().map(|stored| stored.version).collect() };
        let settled = versions(self);
        self.round();
        assert_eq!(versions(self), settled, "a pass that finds nothing new writes nothing");
    }

    fn round(&mut self) {
        for who in 0..self.orders.len() {
            self.pass(who, false);
            while !self.calls.is_empty() {
                self.go_on(0, Delivery::Answered);
            }
            self.check();
        }
        self.wait(15);
    }
}

impl Stored {
    pub(super) fn status(&self) -> CertificateOrderStatus {
        self.order.status.clone().unwrap_or_default()
    }

    fn intent(&self) -> Option<&Intent> {
        self.order.status.as_ref()?.submission.as_ref()?.intent.as_ref()
    }
}

impl Call {
    /// The application of the order when the pass was planned.
    fn application(&self) -> Option<&'static str> {
        application(&self.scene)
    }

    fn fold(&self, outcome: &Outcome<'_>) -> CertificateOrderStatus {
        let stored = self.stored.status.clone().unwrap_or_default();
        self.scene.fold_into(&stored, outcome).status
    }
}

/// The application of the order.
fn application(scene: &Scene) -> Option<&'static str> {
    let wanted = &scene.payload.as_ref().ok()?.fingerprint;
    ["A", "B", "C", BY_IDS].into_iter().find(|application| Fingerprint::of(application.as_bytes()) == *wanted)
}

/// One of the errors that mean that nothing happened.
fn definite(which: u8, request_id: &str) -> Error {
    let refusal = refusal("FailedOperation.Something", request_id);
    match which % 7 {
        0 => Error::Throttled { after: None, refusal },
        1 => Error::Rejected { reason: Reason::InvalidRequest, refusal },
        2 => Error::CredentialsRefused(refusal),
        3 => Error::NotNow(refusal),
        4 => Error::Unavailable(refusal),
        5 => Error::ClockSkew(refusal),
        _ => Error::NotSent("no route".to_owned()),
    }
}
