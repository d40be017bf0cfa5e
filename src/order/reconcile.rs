//! A pass over one order: resolve, observe, plan, execute, fold, write status.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use tokio::time::Instant;
use tracing::instrument;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::cache::{self, Key};
use crate::cluster::{slim, trim};
use crate::controller::queue::Purpose;
use crate::controller::schedule::Due;
use crate::core::annotations::{CONFIRM_REVOKE, RECONCILE_AT, RESUBMIT_AT, WITHDRAW};
use crate::core::{age, pace};
use crate::order::controller::Controller;
use crate::order::dns_endpoint::keep::{Kept, keep};
use crate::order::execute::{self, Done, Inputs};
use crate::order::export::target::Target;
use crate::order::facts::{self, Export, Facts};
use crate::order::finalize::{self, DeletionStep};
use crate::order::finalizer;
use crate::order::fold::Requeue;
use crate::order::observe;
use crate::order::plan;
use crate::order::purpose::purpose;
use crate::order::renewal::{read, recall};
use crate::order::repair;
use crate::order::resolve::{self, AtStage, Resolved};
use crate::provider::registry;

/// Annotations that request a pass.
const REQUESTS: [&str; 4] = [RECONCILE_AT, RESUBMIT_AT, WITHDRAW, CONFIRM_REVOKE];

/// The most steps of one order under one permit.
const MAX_STEPS: usize = 4;

/// How many long orders of one namespace are reconciled at the same time: of all that takes memory here, they are what a user
/// writes most into.
const LONG_AT_ONCE: u64 = 8;

/// Reconciles one order. Failures are logged, counted and retried here, so none is returned.
#[instrument(skip_all, fields(namespace = order.namespace(), order = order.name_any()))]
pub async fn reconcile(
    order: Arc<CertificateOrder>,
    controller: Arc<Controller>,
) -> Result<Action, Infallible> {
    let key = cache::key(order.as_ref());
    if order.metadata.deletion_timestamp.is_some() && !facts::has_finalizer(&order) {
        controller.forget(&key);
        return Ok(Action::await_change());
    }
    if trim::is_settled(&order) {
        let pause = at_start(&order, controller.context.clock.now());
        controller.schedule.expect(&key, &asked(&order), pause, Instant::now());
    }
    let version = order.metadata.resource_version.as_deref();
    let pass = match controller.schedule.begin(&key, &asked(&order), version, Instant::now()) {
        Due::Now(pass) => pass,
        Due::NotBefore(left) => return Ok(Action::requeue(left)),
    };
    if let Some(until) = pass.rests_until {
        match repair::repair(&controller, &key).await {
            Ok(Some(pause)) => {
                let now = Instant::now();
                let pause = pause.min(until.saturating_duration_since(now));
                controller.schedule.end(&key, pass, false, pause, now);
                return Ok(Action::requeue(pause));
            }
            Ok(None) => {}
            Err(error) => {
                controller.context.telemetry.api_error(&error);
                let failures = pass.failures.saturating_add(1);
                let pause = pace::after_failure(failures, None, seed(&order));
                controller.schedule.end(&key, pass, true, pause, Instant::now());
                return Ok(Action::requeue(pause));
            }
        }
    }
    let account = (order.namespace().unwrap_or_default(), order.spec.credentials_ref.name.clone());
    let permit = controller.queue.acquire(account, purpose(&order)).await;
    if controller.context.shutdown.is_cancelled() {
        return Ok(Action::await_change());
    }
    let outcome = run_pass(&controller, &key).await;
    drop(permit);
    let failures = pass.failures.saturating_add(1);
    let (pause, failed, settled) = match outcome {
        Ok(Some((before, done))) => {
            controller.context.telemetry.changed(&before, &done.order);
            let version = done.order.metadata.resource_version.as_deref();
            controller.schedule.stored(&key, version, Instant::now());
            let failed = matches!(done.requeue, Requeue::Failed(_) | Requeue::FailedForAll);
            (pause(&controller, &done, failures), failed, done.requeue == Requeue::Settled)
        }
        // If it was deleted, the requeued key finds no object.
        Ok(None) => return Ok(Action::requeue(pace::STOPPED)),
        Err(error) => {
            controller.context.telemetry.api_error(&error);
            (pace::after_failure(failures, None, seed(&order)), true, false)
        }
    };
    let now = Instant::now();
    controller.schedule.end(&key, pass, failed, pause, now);
    controller.schedule.rests(&key, if settled { now.checked_add(pause) } else { None });
    Ok(Action::requeue(pause))
}

/// Takes steps until none can be taken at once. Also returns the order as it was before; `None` if it was deleted.
async fn run_pass(
    controller: &Controller,
    key: &Key,
) -> Result<Option<(Arc<CertificateOrder>, Done)>, kube::Error> {
    // A pass holds its order several times over.
    let _few_long = match controller.cached(key) {
        Some(order) if slim::is_partial(order.as_ref()) => {
            let place = format!("long/{}", seed(&order) % LONG_AT_ONCE);
            Some(controller.locks.lock(key.0.clone(), place).await)
        }
        _ => None,
    };
    // It may have been edited or deleted while it waited for the permit.
    let Some(order) = controller.whole(key).await? else { return Ok(None) };
    let provider = &order.spec.provider;
    let certificate = format!("{}/{}", registry::name(provider), registry::certificate_id(provider));
    let _lock = controller.locks.lock(key.0.clone(), certificate).await;
    let urgent = purpose(&order) != Purpose::Poll;
    // On the heap: a step holds a whole application, and many orders wait at the same time.
    let mut done = Box::pin(step(controller, &order, key)).await?;
    for _ in 1..MAX_STEPS {
        // What follows the order waits for another permit: other orders wait for their first submission.
        let yields = urgent && purpose(&done.order) == Purpose::Poll;
        if done.requeue != Requeue::Now || yields || controller.context.shutdown.is_cancelled() {
            break;
        }
        done = Box::pin(step(controller, &done.order, key)).await?;
    }
    Ok(Some((order, done)))
}

/// One step: resolve, observe, plan, execute, fold, write status.
async fn step(controller: &Controller, order: &CertificateOrder, key: &Key) -> Result<Done, kube::Error> {
    let resolved = resolve::resolve(controller, order).await?;
    let offline = resolved.payload(None);
    let not_issued = Export::NotWanted;
    let hash_key = controller.claims.hash_key();
    let mut facts = Facts {
        order,
        cloud: registry::name(&order.spec.provider),
        certificate_id: registry::certificate_id(&order.spec.provider),
        names: &resolved.names,
        payload: &offline,
        hash_key: hash_key.as_deref(),
        observed: None,
        calls: resolved.provider.as_ref().ok().map(|provider| provider.calls()),
        logged: None,
        dns_endpoint: None,
        validation: None,
        key: resolved.key_state(),
        letter: None,
        secret: &not_issued,
        term: None,
        kept_keystores: None,
        left_off: controller.template_prefixes.accept(order.spec.secret_template.as_ref()).left_off,
        outputs: None,
        contested: None,
        over_budget: None,
        ages: controller.ages.of(key, order, Instant::now()),
        now: controller.context.clock.now(),
        call_timeout: controller.context.call_timeout,
        renewal: None,
        reissue_bar: controller.reissue_bar,
    };
    let observed =
        if facts.needs_the_cloud() { observe::observe(controller, &facts, &resolved).await } else { None };
    facts.observed = observed.as_ref();
    if facts.may_have_lost_its_record()
        && let Ok(names) = &resolved.names
        && let Some(recalled) = recall::recall(controller, order, names).await?
    {
        return Box::pin(step(controller, &recalled, key)).await;
    }
    let seen = observed.as_ref().and_then(|seen| seen.as_ref().ok());
    let payload = resolved.payload(seen);
    let validation = observe::validation(controller, key, order, &resolved, seen).await;
    let extra = match seen {
        Some(seen) => resolve::at_stage(controller, order, &resolved, seen.stage).await?,
        None => AtStage::default(),
    };
    if let (Some(target), Ok(names)) = (&extra.target, &resolved.names)
        && let Some(ahead) = recall::ahead(controller, order, target, names)
    {
        return Box::pin(step(controller, &ahead, key)).await;
    }
    let target = match (&extra.target, seen) {
        (Some(target), Some(seen)) => target.export(order, seen.not_after, &resolved.names),
        _ => Export::NotWanted,
    };
    facts.payload = &payload;
    facts.letter = extra.letter.as_ref();
    facts.secret = &target;
    facts.kept_keystores = extra.target.as_ref().and_then(Target::kept_keystores);
    facts.term = extra.target.as_ref().filter(|_| target == Export::Current).and_then(Target::stored_term);
    facts.validation = validation.as_deref();
    facts.logged = observe::logged(&facts, &resolved).await;
    let renewal = read::look(controller, key, &facts, &resolved).await;
    facts.renewal = renewal.as_ref();
    if facts.may_apply() {
        facts.outputs = resolve::outputs(controller, order, &resolved).await?;
    }
    facts.contested = controller.contested(order).await?;
    facts.over_budget = controller.over_budget(order);
    facts.now = controller.context.clock.now();
    let Kept { standing, again } = keep(controller, key, &facts).await;
    facts.dns_endpoint = standing.as_ref();
    let done = if order.metadata.deletion_timestamp.is_some() {
        delete(controller, &facts, &resolved).await?
    } else {
        let inputs = Inputs { resolved: &resolved, target: extra.target.as_ref() };
        execute::execute(controller, &facts, &inputs, &plan::plan(&facts)).await?
    };
    let requeue = match again {
        Some(pause) if pause.is_zero() && done.requeue.at_latest(pause) == Requeue::In(pause) => Requeue::Now,
        Some(pause) => done.requeue.at_latest(pause),
        None => done.requeue,
    };
    Ok(Done { requeue, ..done })
}

/// One step of a deletion.
async fn delete(
    controller: &Controller,
    facts: &Facts<'_>,
    resolved: &Resolved,
) -> Result<Done, kube::Error> {
    match finalize::plan(facts) {
        DeletionStep::First(step) => {
            let inputs = Inputs { resolved, target: None };
            return execute::execute(controller, facts, &inputs, &step).await;
        }
        DeletionStep::Wait { step, until } => {
            let inputs = Inputs { resolved, target: None };
            let done = execute::execute(controller, facts, &inputs, &step).await?;
            let left = age::left(facts.now, until);
            return Ok(Done { requeue: done.requeue.at_latest(left), ..done });
        }
        DeletionStep::GiveUp(why) => controller.context.telemetry.gave_up(facts.order, &why),
        DeletionStep::Release => {}
    }
    let released = finalizer::remove_finalizer(&controller.context.client, facts.order).await?;
    let requeue = if released.is_some() { Requeue::Settled } else { Requeue::Failed(None) };
    Ok(Done { order: facts.order.clone(), requeue })
}

/// The pause until the next pass.
fn pause(controller: &Controller, done: &Done, failures: u32) -> Duration {
    let now = controller.context.clock.now();
    let seed = seed(&done.order) ^ now.as_second().unsigned_abs();
    match done.requeue {
        Requeue::Now => REQUEUE_DELAY,
        Requeue::In(pause) => pause,
        Requeue::Poll => {
            let status = done.order.status.as_ref();
            let since = status.and_then(|status| status.cloud.as_ref()?.since.as_ref());
            pace::poll(since.map_or(now, |since| since.0), now, controller.poll_interval, seed)
        }
        Requeue::Failed(asked) => pace::after_failure(failures, asked, seed),
        Requeue::FailedForAll => pace::after_failure_of_all(failures, seed),
        Requeue::Stopped => pace::STOPPED,
        Requeue::Settled => until_expiry(&done.order, now, pace::settled(seed)),
    }
}

/// The shortest pause between two passes over one order. Until then the cache has received the last write, on which the
/// purpose of the next pass depends.
const REQUEUE_DELAY: Duration = Duration::from_millis(200);

/// The pause before the first pass over a settled order. What passed while nobody looked is looked at within ten minutes, and
/// not by all orders at once.
fn at_start(order: &CertificateOrder, now: Timestamp) -> Duration {
    let pause = pace::settled_at_start(seed(order));
    let status = order.status.as_ref();
    let end = status.and_then(|status| status.not_after.as_ref());
    let due = status.and_then(|status| status.renewal.as_ref()?.due.as_ref());
    let is_past = end.into_iter().chain(due).any(|time| age::left(now, time.0).is_zero());
    if is_past { pause / 72 } else { until_expiry(order, now, pause) }
}

/// This pause, or a shorter one if the certificate expires before, or its renewal begins: both change the status.
fn until_expiry(order: &CertificateOrder, now: Timestamp, pause: Duration) -> Duration {
    let status = order.status.as_ref();
    let end = status.and_then(|status| status.not_after.as_ref());
    let due = status.and_then(|status| status.renewal.as_ref()?.due.as_ref());
    let left = end.into_iter().chain(due).map(|time| age::left(now, time.0)).filter(|left| !left.is_zero());
    let left = left.min().map(|left| left.saturating_add(EXPIRY_MARGIN));
    pause.min(left.unwrap_or(Duration::MAX))
}

/// Added to the expiry time, so that the certificate has expired when it is reconciled.
const EXPIRY_MARGIN: Duration = Duration::from_secs(1);

/// What the user requests. An event that changes none of it causes no pass.
fn asked(order: &CertificateOrder) -> String {
    let generation = order.metadata.generation.unwrap_or_default();
    let annotations = REQUESTS.map(|name| order.annotations().get(name).map_or("", String::as_str));
    let deleting = order.metadata.deletion_timestamp.is_some();
    format!("{} {generation} {deleting} {}", order.uid().unwrap_or_default(), annotations.join(" "))
}

/// A number from the UID, to spread the passes of many orders over time.
fn seed(order: &CertificateOrder) -> u64 {
    let mut hasher = DefaultHasher::new();
    order.uid().hash(&mut hasher);
    hasher.finish()
}
