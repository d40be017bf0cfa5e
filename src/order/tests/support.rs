//! Builders for the facts of one order.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;
use proptest::test_runner::{Config, RngSeed};
use secrecy::SecretSlice;
use serde_json::json;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{
    CertificateOrder, CertificateOrderSpec, CertificateOrderStatus, DeletionPolicy, Intent, LastRequest,
    Mode, Submission, micros, seconds,
};
use crate::core::annotations::FINALIZER;
use crate::core::conditions::{Conditions, Problem, Status};
use crate::core::evidence::Evidence;
use crate::core::fingerprint::{Fingerprint, HashKey};
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::core::product::Product;
use crate::core::redact::Filter;
use crate::order::ages::{Age, Ages};
use crate::order::dns_endpoint::standing::Standing;
use crate::order::facts::{self, Action, Export, Facts, KeyState, Term};
use crate::order::fold::{self, Next, Outcome};
use crate::order::plan::{self, Step};
use crate::order::renewal::Look;
use crate::order::validation::Validation;
use crate::provider::{Accepted, Calls, Error, Letter, Payload, Refusal};

pub(super) use super::status::{assert_well_formed, condition, message, summary};

pub(super) const CLOUD: &str = "TencentCloud";
pub(super) const ID: &str = "J2lX2maH";
pub(super) const READ: &str = "DescribeCertificate";
pub(super) const SUBMIT: &str = "CertificateInfoSubmit";
pub(super) const ORDER: &str = "CertificateOrderSubmit";
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const RESUBMIT: &str = "ModifyCertificateResubmit";
pub(super) const CANCEL: &str = "CancelAuditCertificate";
pub(super) const REVOKE: &str = "RevokeCertificate";
pub(super) const LETTER: &str = "UploadConfirmLetter";
/// The age of an intent, in seconds, at which absent evidence counts.
pub(super) const ABSENCE_COUNTS: i64 = 40;
pub(super) const NAME: &str = "www.acme.example";

/// A time in a test: this many seconds after a fixed start.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// The same cases in every run; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` try others.
pub(super) fn search(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_260_301);
        config.cases = cases;
    }
    config
}

pub(super) const IN_TWO_CALLS: Calls = Calls {
    observe: READ,
    download: "DescribeCertificateDetail",
    submit: SUBMIT,
    order: Some(ORDER),
    resubmit: Some(RESUBMIT),
    withdraw: Some(CANCEL),
    revoke: Some(REVOKE),
    send_letter: Some(LETTER),
    reissue: Some("ReplaceCertificate"),
};

/// A cloud where one call submits the application and sends the order, for the first and for every further attempt.
const IN_ONE_CALL: Calls =
    Calls { order: None, resubmit: None, revoke: None, send_letter: None, reissue: None, ..IN_TWO_CALLS };

/// The facts of one order, which each test adjusts.
pub(super) struct Scene {
    pub(super) order: CertificateOrder,
    pub(super) names: Result<Names, Problem>,
    pub(super) payload: Result<Payload, Problem>,
    pub(super) hash_key: Option<HashKey>,
    pub(super) observed: Option<Result<Observation, Error>>,
    pub(super) contested: Option<Problem>,
    pub(super) over_budget: Option<Problem>,
    pub(super) outputs: Option<Problem>,
    pub(super) calls: Option<&'static Calls>,
    /// The problem with the key that certorder generates, if there is one, and whether the key is absent (or unfit).
    pub(super) key: Option<(bool, Problem)>,
    pub(super) letter: Option<Result<Letter, Problem>>,
    pub(super) secret: Export,
    pub(super) kept_keystores: Option<Problem>,
    pub(super) left_off: Option<Problem>,
    pub(super) term: Option<Term>,
    /// How long this process has observed the open intent.
    pub(super) intent_age: Duration,
    /// How long it has observed everything else that the status records.
    pub(super) ages: Ages,
    pub(super) logged: Option<bool>,
    pub(super) dns_endpoint: Option<Standing>,
    pub(super) validation: Option<Box<Validation>>,
    pub(super) renewal: Option<Box<Look>>,
    pub(super) now: Timestamp,
}

/// A new order with everything in place; the cloud waits for an application.
pub(super) fn scene() -> Scene {
    Scene {
        order: order("www-acme", 0),
        names: Ok(names(&[NAME])),
        payload: Ok(payload("A")),
        hash_key: Some(hash_key()),
        observed: Some(Ok(awaiting())),
        contested: None,
        over_budget: None,
        outputs: None,
        calls: Some(&IN_TWO_CALLS),
        key: None,
        letter: None,
        secret: Export::NotWanted,
        kept_keystores: None,
        left_off: None,
        term: None,
        intent_age: Duration::from_hours(1),
        ages: Ages::all(Age { seen: Duration::from_hours(1), is_known: true }),
        logged: None,
        dns_endpoint: None,
        validation: None,
        renewal: None,
        now: at(0),
    }
}

impl Scene {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            order: &self.order,
            cloud: CLOUD,
            certificate_id: ID,
            names: &self.names,
            payload: &self.payload,
            hash_key: self.hash_key.as_ref(),
            observed: self.observed.as_ref(),
            calls: self.calls,
            logged: self.logged,
            dns_endpoint: self.dns_endpoint.as_ref(),
            validation: self.validation.as_deref(),
            key: match &self.key {
                None => KeyState::Held,
                Some((true, problem)) => KeyState::Absent(problem),
                Some((false, problem)) => KeyState::Unfit(problem),
            },
            letter: self.letter.as_ref(),
            secret: &self.secret,
            kept_keystores: self.kept_keystores.as_ref(),
            left_off: self.left_off.clone(),
            term: self.term,
            ages: Ages { intent: Age { seen: self.intent_age, is_known: true }, ..self.ages },
            contested: self.contested.clone(),
            over_budget: self.over_budget.clone(),
            outputs: self.outputs.clone(),
            now: self.now,
            call_timeout: CALL_TIMEOUT,
            renewal: self.renewal.as_deref(),
            reissue_bar: Duration::from_hours(24 * 30),
        }
    }

    pub(super) fn plan(&self) -> Step {
        plan::plan(&self.facts())
    }

    /// Folds the outcome into the status of the order as read.
    pub(super) fn fold(&self, outcome: &Outcome<'_>) -> Next {
        self.fold_into(&self.stored(), outcome)
    }

    /// Folds the outcome into a stored status; folding them a second time must change nothing.
    pub(super) fn fold_into(&self, stored: &CertificateOrderStatus, outcome: &Outcome<'_>) -> Next {
        let next = fold::fold(stored, &self.facts(), outcome, &Filter::default());
        let again = fold::fold(&next.status, &self.facts(), outcome, &Filter::default());
        assert_eq!(again.status, next.status, "the same outcome twice");
        assert_eq!(again.requeue, next.requeue, "the same outcome twice");
        assert_well_formed(&next.status);
        assert_eq!(next.status.observed_generation, self.facts().generation());
        next
    }

    /// Folds the outcome and stores the result.
    pub(super) fn pass(&mut self, outcome: &Outcome<'_>) -> Next {
        let next = self.fold(outcome);
        self.order.status = Some(next.status.clone());
        next
    }

    pub(super) fn stored(&self) -> CertificateOrderStatus {
        self.order.status.clone().unwrap_or_default()
    }

    pub(super) fn at(self, second: i64) -> Self {
        Self { now: at(second), ..self }
    }

    pub(super) fn sees(self, seen: Observation) -> Self {
        Self { observed: Some(Ok(seen)), ..self }
    }

    pub(super) fn cannot_read(self, error: Error) -> Self {
        Self { observed: Some(Err(error)), ..self }
    }

    /// The cloud was not read.
    pub(super) fn unread(self) -> Self {
        Self { observed: None, ..self }
    }

    pub(super) fn wants(self, application: &str) -> Self {
        Self { payload: Ok(payload(application)), ..self }
    }

    /// The request cannot be built.
    pub(super) fn lacks(self, problem: Problem) -> Self {
        let key = (problem.reason == Reason::KeyLost).then(|| (true, problem.clone()));
        Self { payload: Err(problem), key, ..self }
    }

    pub(super) fn contested(self, problem: Problem) -> Self {
        Self { contested: Some(problem), ..self }
    }

    /// The cloud has one call for application and order.
    pub(super) fn in_one_call(self) -> Self {
        Self { calls: Some(&IN_ONE_CALL), ..self }
    }

    pub(super) fn planning(mut self) -> Self {
        self.order.spec.mode = Mode::Plan;
        self
    }

    pub(super) fn suspended(mut self) -> Self {
        self.order.spec.suspend = true;
        self
    }

    /// This annotation is set, or removed by an empty value.
    pub(super) fn annotated(mut self, name: &str, value: &str) -> Self {
        annotate(&mut self.order, name, value);
        self
    }

    /// The spec was edited.
    pub(super) fn edited(mut self) -> Self {
        *self.order.metadata.generation.as_mut().unwrap() += 1;
        self
    }

    /// The last recorded call.
    pub(super) fn last_called(mut self, action: &str, outcome: &str, second: i64) -> Self {
        self.order.status.get_or_insert_default().last_request = Some(LastRequest {
            action: action.to_owned(),
            request_id: Some("the-last".to_owned()),
            time: seconds(at(second)),
            outcome: outcome.to_owned(),
            code: None,
        });
        self
    }

    /// The order that the cloud shows was adopted.
    pub(super) fn adopted(mut self) -> Self {
        self.pass(&step(&Step::Adopt));
        self
    }

    /// Application A was ordered, and reached this final stage.
    pub(super) fn ended(self, stage: Stage) -> Self {
        let mut scene = self.ordered("A", 0).sees(seen(stage, &[NAME])).at(60);
        scene.pass(&step(&Step::Follow));
        scene
    }

    /// Another attempt was started, and the cloud keeps the application of the one before.
    pub(super) fn restarted(self, second: i64) -> Self {
        let mut scene = self.ordered("A", 0).sees(holding("A")).at(second);
        scene.pass(&step(&Step::StartOver));
        scene
    }

    /// The order is deleted.
    pub(super) fn deleted(mut self, second: i64, policy: DeletionPolicy) -> Self {
        self.order.metadata.deletion_timestamp = Some(Time(at(second)));
        self.order.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
        self.order.spec.deletion_policy = policy;
        self
    }

    /// There are no credentials.
    pub(super) fn without_credentials(self) -> Self {
        Self { calls: None, ..self }.unread().lacks(halt(Reason::SecretNotFound))
    }

    fn submission(mut self, submission: Submission) -> Self {
        let status = self.order.status.get_or_insert_default();
        let mut conditions = Conditions::new(&[], 3, at(0));
        conditions.working(Reason::Submitting, "as stored");
        conditions.set(ConditionType::Submitted, Status::True, Reason::Accepted, "as stored");
        if submission.ordered_at.is_some() {
            conditions.set(ConditionType::Ordered, Status::True, Reason::Accepted, "as stored");
        }
        status.conditions = conditions.into_list();
        status.request_id = Some("request-of-the-submission".to_owned());
        status.submission = Some(submission);
        self
    }

    /// This application was accepted at this second.
    pub(super) fn submitted(self, application: &str, second: i64) -> Self {
        self.submission(accepted(application, second)).last_called(SUBMIT, facts::ACCEPTED, second)
    }

    /// This application was accepted, and the order with it.
    pub(super) fn ordered(self, application: &str, second: i64) -> Self {
        let ordered_at = Some(seconds(at(second)));
        let submission = Submission { ordered_at, ..accepted(application, second) };
        self.submission(submission).last_called(ORDER, facts::ACCEPTED, second)
    }

    /// An intent is stored, in addition to what is recorded.
    pub(super) fn intends(mut self, intent: Intent) -> Self {
        let submission = self.order.status.get_or_insert_default().submission.get_or_insert_default();
        submission.frozen = true;
        submission.intent = Some(intent);
        self
    }
}

pub(super) fn order(name: &str, born: i64) -> CertificateOrder {
    let spec: CertificateOrderSpec = serde_json::from_value(json!({
        "provider": {"tencentCloud": {"certificateId": ID}},
        "credentialsRef": {"name": "cloud"},
        "commonName": NAME,
    }))
    .unwrap();
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some("shop".to_owned()),
        uid: Some(format!("uid-{name}")),
        generation: Some(3),
        creation_timestamp: Some(Time(at(born))),
        ..ObjectMeta::default()
    };
    CertificateOrder { metadata, spec, status: None }
}

/// Sets an annotation; an empty value removes it.
pub(super) fn annotate(order: &mut CertificateOrder, name: &str, value: &str) {
    let annotations = order.metadata.annotations.get_or_insert_default();
    annotations.remove(name);
    if !value.is_empty() {
        annotations.insert(name.to_owned(), value.to_owned());
    }
}

pub(super) fn names(names: &[&str]) -> Names {
    let others: Vec<String> = names.iter().skip(1).map(|name| (*name).to_owned()).collect();
    Names::parse(names[0], &others).unwrap()
}

/// The request for an application, identified by one letter.
pub(super) fn payload(application: &str) -> Payload {
    Payload {
        action: SUBMIT,
        body: SecretSlice::from(application.as_bytes().to_vec()),
        fingerprint: Fingerprint::of(application.as_bytes()),
        redacted: json!({"CertId": ID, "OrganizationName": application}),
        evidence: evidence(application),
        note: None,
    }
}

pub(super) fn hash(application: &str) -> String {
    Fingerprint::of(application.as_bytes()).stored(&hash_key())
}

/// The key of the payload hashes.
pub(super) fn hash_key() -> HashKey {
    HashKey::parse(b"0a1b2c3d", &[7; 32]).unwrap()
}

/// Another one, after the first was deleted.
pub(super) fn another_key() -> HashKey {
    HashKey::parse(b"ffffffff", &[8; 32]).unwrap()
}

/// An application that names a saved profile by its ids.
pub(super) const BY_IDS: &str = "by ids";

/// What the cloud shows of an application. It shows no ids, so any other application for the same name looks equal.
pub(super) fn evidence(application: &str) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.add_identity("CertificateDomain", NAME);
    if application == BY_IDS {
        evidence.set_partial();
    } else {
        evidence.add_identity("OrganizationName", application);
    }
    evidence
}

fn accepted(application: &str, second: i64) -> Submission {
    Submission {
        frozen: true,
        payload_hash: Some(hash(application)),
        submitted_at: Some(seconds(at(second))),
        ..Submission::default()
    }
}

/// The intent to submit an application.
pub(super) fn to_submit(application: &str, second: i64) -> Intent {
    Intent {
        begin_by: None,
        attempt: 1,
        action: SUBMIT.to_owned(),
        payload_hash: Some(hash(application)),
        holder: "another process".to_owned(),
        started_at: micros(at(second)),
        resubmit_at: None,
    }
}

/// The intent to make a call without an application.
pub(super) fn to_call(action: &str, second: i64) -> Intent {
    Intent { action: action.to_owned(), payload_hash: None, ..to_submit("", second) }
}

/// The intent to send the order.
pub(super) fn to_order(second: i64) -> Intent {
    to_call(ORDER, second)
}

/// A letter that a cloud accepts.
pub(super) fn letter() -> Letter {
    Letter::parse(&[&b"%PDF-1.7"[..], &[b' '; 2000]].concat()).unwrap()
}

/// The cloud waits for an application and holds none.
pub(super) fn awaiting() -> Observation {
    Observation {
        stage: Stage::AwaitingInformation,
        status: "5".to_owned(),
        message: None,
        owner: None,
        order_id: None,
        names: Vec::new(),
        product: Product::default(),
        stored: Evidence::default(),
        records: Vec::new(),
        replaced_by: None,
        reissued_from: None,
        not_before: None,
        not_after: None,
    }
}

/// The cloud holds this application and waits for the order.
pub(super) fn holding(application: &str) -> Observation {
    Observation { stored: evidence(application), ..awaiting() }
}

/// The cloud is at this stage with a certificate for these names.
pub(super) fn seen(stage: Stage, names: &[&str]) -> Observation {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Observation { stage, status: stage.to_string(), names, ..awaiting() }
}

pub(super) fn write(action: Action, attempt: i64) -> Step {
    Step::Write { action, attempt }
}

pub(super) fn halt(reason: Reason) -> Problem {
    Problem::new(reason, format!("the message of {reason}"))
}

pub(super) fn step(step: &Step) -> Outcome<'_> {
    Outcome::Step(step)
}

/// The reason of a step that holds the order back.
pub(super) fn halted(step: &Step) -> Option<Reason> {
    match step {
        Step::Halt(problem) => Some(problem.reason),
        _ => None,
    }
}

pub(super) fn refusal(code: &str, request_id: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        message: "the cloud's words".into(),
        request_id: Some(request_id.to_owned()),
        hint: None,
        note: None,
    }
}

pub(super) fn unavailable(request_id: &str) -> Error {
    Error::Unavailable(refusal("FailedOperation.NetworkError", request_id))
}

/// The cloud accepted a call with this RequestId.
#[allow(clippy::unnecessary_wraps, reason = "stands for the outcome of a call")]
pub(super) fn yes(request_id: &str) -> Result<Accepted, Error> {
    Ok(Accepted { request_id: Some(request_id.to_owned()), order_id: None, certificate_id: None })
}
