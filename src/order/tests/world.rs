//! A small world: a cloud with one paid certificate, the orders that want it, and passes that can be cut off
//! between any two of their steps. It runs the real `plan`, `fold` and `claim`; the steps in between are those of
//! `execute`.

use std::collections::BTreeSet;

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, Intent, Mode, micros};
use crate::core::conditions::get;
use crate::core::order::{Observation, Stage};
use crate::order::claim::contested;
use crate::order::fold::News;
use crate::order::plan::{Action, Step};
use crate::provider::{Accepted, Error};

pub(super) struct World {
    second: i64,
    pub(super) cloud: Cloud,
    pub(super) orders: Vec<Stored>,
    /// Passes between the store of their intent and the store of its outcome.
    pub(super) calls: Vec<Call>,
    counter: u32,
}

/// An order as the API server holds it, and the application that it amounts to, if any can be built.
pub(super) struct Stored {
    pub(super) order: CertificateOrder,
    version: u32,
    pub(super) application: Option<&'static str>,
}

/// A pass that has stored its intent.
pub(super) struct Call {
    who: usize,
    scene: Scene,
    stored: CertificateOrder,
    version: u32,
    intent: Intent,
    action: Action,
    next: Next,
}

/// What such a pass does next.
enum Next {
    LookAtRivals,
    Call,
    Record(Result<Accepted, Error>),
}

/// What becomes of a call on its way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fate {
    Answered,
    ReplyLost,
    RequestLost,
    /// No answer in time; it takes effect this many seconds later.
    Late(i64),
    Refused(u8),
}

/// The paid certificate as the cloud has it.
pub(super) struct Cloud {
    pub(super) stage: Stage,
    pub(super) readable: bool,
    names: Vec<&'static str>,
    /// The application, and the RequestId that brought it.
    held: Option<(&'static str, String)>,
    ordered: bool,
    /// Calls that take effect later.
    late: Vec<(i64, Effect)>,
    /// The orders whose applications were accepted, in turn.
    pub(super) submissions: Vec<usize>,
    order_calls: u32,
    request_ids: BTreeSet<String>,
}

#[derive(Clone)]
enum Effect {
    Submit { who: usize, application: &'static str, request_id: String },
    Order,
}

impl Cloud {
    fn new() -> Self {
        Self {
            stage: Stage::AwaitingInformation,
            readable: true,
            names: Vec::new(),
            held: None,
            ordered: false,
            late: Vec::new(),
            submissions: Vec::new(),
            order_calls: 0,
            request_ids: BTreeSet::new(),
        }
    }

    fn read(&self) -> Result<Observation, Error> {
        if !self.readable {
            return Err(unavailable("of a read"));
        }
        let mut observation = seen(self.stage, &self.names);
        if let Some((application, _)) = &self.held {
            observation.stored = evidence(application);
        }
        Ok(observation)
    }

    /// Accepts or refuses, and checks the promise.
    fn take(&mut self, effect: Effect) -> Result<(), Error> {
        let refused = |code| Err(Error::NotNow(refusal(code, "of a refusal")));
        match effect {
            _ if self.stage != Stage::AwaitingInformation => match effect {
                Effect::Order if self.ordered => Err(Error::UnderWay(refusal("Processing", "of a refusal"))),
                _ => refused("StatusInvalid"),
            },
            Effect::Submit { who, application, request_id } => {
                let held = self.held.as_ref().map(|(held, _)| *held);
                assert_ne!(held, Some(application), "the same application is submitted twice");
                self.held = Some((application, request_id.clone()));
                self.submissions.push(who);
                self.request_ids.insert(request_id);
                Ok(())
            }
            Effect::Order if self.held.is_none() => refused("InvalidParam"),
            Effect::Order => {
                self.order_calls += 1;
                assert_eq!(self.order_calls, 1, "the order is sent twice");
                self.go_on(NAME);
                Ok(())
            }
        }
    }

    fn go_on(&mut self, name: &'static str) {
        (self.stage, self.ordered, self.names) = (Stage::Validating, true, vec![name]);
    }

    /// The CA works on.
    pub(super) fn progress(&mut self) {
        self.stage = match self.stage {
            Stage::Validating => Stage::Reviewing,
            Stage::Reviewing => Stage::Issuing,
            Stage::Issuing => Stage::Issued,
            stage => stage,
        };
    }

    /// The CA rejects, or somebody stops the review in the console.
    pub(super) fn end(&mut self, stage: Stage) {
        if matches!(self.stage, Stage::Validating | Stage::Reviewing) {
            self.stage = stage;
        }
    }

    /// Somebody gives a certificate that waits back, in the console.
    pub(super) fn refund(&mut self) {
        if self.stage == Stage::AwaitingInformation {
            self.stage = Stage::Refunded;
        }
    }

    /// Somebody orders a certificate that waits in the console, for another name.
    pub(super) fn order_for_another_name(&mut self) {
        if self.stage == Stage::AwaitingInformation {
            self.held = Some(("X", "of the console".to_owned()));
            self.go_on("other.example");
        }
    }

    pub(super) fn is_for_another_name(&self) -> bool {
        self.names == ["other.example"]
    }
}

impl World {
    /// A world with orders whose applications differ.
    pub(super) fn new(orders: usize) -> Self {
        let stored = |(born, application)| Stored {
            order: order(&format!("order-{born}"), born),
            version: 0,
            application: Some(application),
        };
        let orders = (0..).zip(["A", "B", "C"]).take(orders).map(stored).collect();
        Self { second: 0, cloud: Cloud::new(), orders, calls: Vec::new(), counter: 0 }
    }

    /// Resolve, observe, plan; then store what needs no call, or the intent of the call.
    /// With `blind`, the other orders are not seen yet.
    pub(super) fn pass(&mut self, who: usize, blind: bool) {
        let stored = &self.orders[who];
        let payload = stored.application.map(payload).ok_or_else(|| halt(Reason::ProfileNotFound));
        let mut scene =
            Scene { order: stored.order.clone(), payload, now: at(self.second), ..scene() }.unread();
        scene.contested = if blind { None } else { contested(&stored.order, &self.all()) };
        if scene.facts().needs_the_cloud() {
            scene.observed = Some(self.cloud.read());
        }
        let step = scene.plan();
        let Step::Write { action, attempt } = step else {
            let next = scene.fold(&News::Step(&step)).status;
            return self.store(who, next);
        };
        if scene.payload.is_err() {
            return;
        }
        self.counter += 1;
        let intent = Intent {
            attempt,
            action: scene.facts().action_name(action),
            payload_hash: (action == Action::Submit).then(|| hash(stored.application.unwrap())),
            holder: format!("process {}", self.counter),
            started_at: micros(at(self.second)),
        };
        let next = scene.fold(&News::Intent(action, &intent)).status;
        self.store(who, next);
        let looks = scene.facts().ours().is_none();
        let next = if looks { Next::LookAtRivals } else { Next::Call };
        let Stored { order: stored, version, .. } = &self.orders[who];
        let (stored, version) = (stored.clone(), *version);
        self.calls.push(Call { who, scene, stored, version, intent, action, next });
    }

    /// Makes the next step of a pass that has stored its intent.
    pub(super) fn go_on(&mut self, call: usize, fate: Fate) {
        let call = self.calls.remove(call);
        match &call.next {
            Next::LookAtRivals => match contested(&call.stored, &self.all()) {
                Some(problem) => {
                    let next = call.fold(&News::TakenBack(&problem));
                    if self.orders[call.who].version == call.version {
                        self.store(call.who, next);
                    }
                }
                None => self.calls.push(Call { next: Next::Call, ..call }),
            },
            Next::Call => {
                let outcome = self.call(&call, fate);
                self.calls.push(Call { next: Next::Record(outcome), ..call });
            }
            Next::Record(outcome) => {
                let next = call.fold(&News::Outcome(call.action, &call.intent, outcome));
                let live = &self.orders[call.who];
                if live.version == call.version || live.intent() == Some(&call.intent) {
                    self.store(call.who, next);
                }
            }
        }
    }

    fn call(&mut self, call: &Call, fate: Fate) -> Result<Accepted, Error> {
        let timeout = i64::try_from(CALL_TIMEOUT.as_secs()).unwrap();
        if at(self.second) > at(timeout) + (call.intent.started_at.0 - at(0)) {
            return Err(Error::NotSent("its turn did not come in time".to_owned()));
        }
        let application = call.application();
        if let (Action::Order, Some((held, _))) = (call.action, &self.cloud.held)
            && self.cloud.stage == Stage::AwaitingInformation
        {
            assert_eq!(*held, application, "the order is sent for another application than the user wants");
        }
        self.counter += 1;
        let request_id = format!("request-{}", self.counter);
        let effect = match call.action {
            Action::Submit => Effect::Submit { who: call.who, application, request_id: request_id.clone() },
            Action::Order => Effect::Order,
        };
        match fate {
            Fate::Answered => {
                self.cloud.take(effect)?;
                yes(&request_id)
            }
            Fate::ReplyLost => {
                let _ = self.cloud.take(effect);
                Err(Error::Unknown(None))
            }
            Fate::RequestLost => Err(Error::Unknown(Some(refusal("InternalError", &request_id)))),
            Fate::Late(seconds) => {
                self.cloud.late.push((self.second + seconds.min(timeout), effect));
                Err(Error::Unknown(None))
            }
            Fate::Refused(which) => Err(definite(which, &request_id)),
        }
    }

    /// The process of a pass ends.
    pub(super) fn crash(&mut self, call: usize) {
        self.calls.remove(call);
    }

    /// Time passes, and what is under way arrives.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.second += seconds;
        let under_way = std::mem::take(&mut self.cloud.late).into_iter();
        let (due, late): (Vec<_>, Vec<_>) = under_way.partition(|(due, _)| *due <= self.second);
        self.cloud.late = late;
        for (_, effect) in due {
            let _ = self.cloud.take(effect);
        }
    }

    /// The status is lost. Not while a call is under way: then nothing is left to tell that it is.
    pub(super) fn wipe(&mut self, who: usize) {
        if self.calls.is_empty() && self.cloud.late.is_empty() {
            self.orders[who].order.status = None;
            self.orders[who].version += 1;
        }
    }

    /// Somebody else writes: a label, the spec.
    pub(super) fn edit(&mut self, who: usize, edit: impl FnOnce(&mut Stored)) {
        edit(&mut self.orders[who]);
        self.orders[who].version += 1;
    }

    fn store(&mut self, who: usize, status: CertificateOrderStatus) {
        let stored = &mut self.orders[who];
        if stored.order.status.as_ref() != Some(&status) {
            stored.order.status = Some(status);
            stored.version += 1;
        }
    }

    fn all(&self) -> Vec<CertificateOrder> {
        self.orders.iter().map(|stored| stored.order.clone()).collect()
    }

    /// The status tells the truth.
    pub(super) fn check(&self) {
        for stored in &self.orders {
            let Some(status) = &stored.order.status else { continue };
            let text = summary(status);
            let is = |type_| get(&status.conditions, type_).is_some_and(|held| held.status == "True");
            if is(ConditionType::Submitted) {
                assert!(self.cloud.held.is_some(), "Submitted, yet the cloud holds nothing: {text}");
            }
            if is(ConditionType::Ordered) {
                assert!(self.cloud.ordered, "Ordered, yet nothing was: {text}");
            }
            if let Some(request_id) = &status.request_id {
                assert!(self.cloud.request_ids.contains(request_id), "{request_id} was not accepted: {text}");
            }
        }
    }

    /// All faults stop, and everybody gets time and turns. Afterwards nothing is left to write.
    pub(super) fn calm_down(&mut self) {
        self.calls.clear();
        self.cloud.readable = true;
        for who in 0..self.orders.len() {
            self.edit(who, |stored| {
                stored.application.get_or_insert("A");
                stored.order.spec.suspend = false;
                stored.order.spec.mode = Mode::Apply;
            });
        }
        for round in 0..40 {
            self.round();
            if round > 20 {
                self.cloud.progress();
            }
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
                self.go_on(0, Fate::Answered);
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
    /// The application that was wanted when the call was prepared.
    fn application(&self) -> &'static str {
        let hash_of_call = &self.scene.payload.as_ref().unwrap().hash;
        ["A", "B", "C"].into_iter().find(|application| hash(application) == *hash_of_call).unwrap()
    }

    fn fold(&self, news: &News<'_>) -> CertificateOrderStatus {
        self.scene.fold_into(&self.stored.status.clone().unwrap(), news).status
    }
}

/// One of the errors that say that nothing happened.
fn definite(which: u8, request_id: &str) -> Error {
    let refusal = refusal("FailedOperation.Something", request_id);
    match which % 6 {
        0 => Error::Throttled { after: None, refusal },
        1 => Error::Rejected { reason: Reason::InvalidRequest, refusal },
        2 => Error::CredentialsRefused(refusal),
        3 => Error::NotNow(refusal),
        4 => Error::Unavailable(refusal),
        _ => Error::NotSent("no route".to_owned()),
    }
}
