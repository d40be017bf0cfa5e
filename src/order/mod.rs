//! The controller of CertificateOrders, one file a step:
//!
//! 1. [`resolve`] reads from the cluster what the order refers to (client required);
//! 2. [`observe`] reads the cloud (client required);
//! 3. [`mod@plan`] decides the one next step of these [`facts`] (pure), and [`finalize`] that of a deletion;
//! 4. [`execute`] carries it out: at most one write to the cloud (client required);
//! 5. [`fold`] makes the next status of what happened (pure), with the table of [`stages`] and the words of
//!    [`trouble`];
//! 6. [`status`] stores it by compare-and-swap (client required).
//!
//! [`claim`] says which of several orders has a certificate, [`budget`] how many of a namespace run ([`others`] asks both),
//! [`evidence`] what the cloud shows of a call, [`target`] and [`secret`] what an issued certificate's Secret holds,
//! [`mapping`] which orders a changed object wakes, [`schedule`] when an order is due, [`settled`] what is kept of one that
//! asks for nothing, [`gate`] which of those that are due is worked next, [`sightings`] how long an open intent is seen,
//! [`turns`] keeps two passes over one certificate apart.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::instrument;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::cache::{self, Cache, Key};
use crate::cluster::secrets::Secrets;
use crate::cluster::trim;
use crate::cluster::{Namespace, bounded};
use crate::controller::queue::{AccountQueue, Purpose};
use crate::controller::schedule::{Due, Schedule};
use crate::controller::telemetry::Telemetry;
use crate::core::clock::Clock;
use crate::core::pace;
use crate::order::claim::intent_ages::IntentAges;
use crate::order::claim::locks::CertificateLocks;
use crate::order::execute::{AtHand, Done};
use crate::order::facts::{Export, Facts};
use crate::order::finalize::End;
use crate::order::fold::Requeue;
use crate::order::purpose::purpose;
use crate::order::resolve::{AtStage, Resolved};
use crate::order::validation::Validations;
use crate::profile::lookups::Lookups;
use crate::provider::registry::{self, Clouds};

pub mod claim;
pub mod execute;
pub mod export;
pub mod facts;
pub mod finalize;
pub mod finalizer;
pub mod fold;
pub mod observe;
pub mod plan;
pub mod purpose;
pub mod references;
pub mod resolve;
pub mod status;
#[cfg(test)]
mod tests;
pub mod validation;

/// What every pass needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// The clouds.
    pub clouds: Clouds,
    /// The time.
    pub clock: Clock,
    /// This process, as it signs its intents.
    pub holder: String,
    /// The longest that one call to a cloud takes.
    pub call_timeout: Duration,
    /// The shortest pause between two looks at a running order.
    pub poll_interval: Duration,
    /// How many orders of one namespace may run at the same time.
    pub most_orders: Option<usize>,
    /// The namespaces that are watched; empty means all of them.
    pub namespaces: Vec<String>,
    /// Secrets that are referred to, as last read.
    pub secrets: Arc<Secrets>,
    /// The orders as last seen, one cache for each watch.
    pub orders: Vec<Cache<CertificateOrder>>,
    /// When each order is due.
    pub schedule: Schedule,
    /// Who works next.
    pub queue: Arc<AccountQueue>,
    /// When each profile is due.
    pub profiles: Schedule,
    /// What the accounts have saved at their clouds.
    pub lookups: Lookups,
    /// One pass at a time for each certificate.
    pub locks: CertificateLocks,
    /// Since when each open intent is seen.
    pub intent_ages: IntentAges,
    /// What the CA found of the proofs of control.
    pub validations: Validations,
    /// Cancelled when the process shuts down. Nothing new begins then.
    pub shutdown: CancellationToken,
    /// Log, events, metrics.
    pub telemetry: Telemetry,
}

/// Annotations that ask for a look.
const ASKING: [&str; 4] =
    [facts::RECONCILE_AT, facts::RESUBMIT_AT, facts::WITHDRAW, finalize::CONFIRM_REVOKE];

/// The most steps of one order that are made without letting another one in between.
const STEPS_IN_A_ROW: usize = 4;

/// Looks at one order. Failure is logged, counted and tried again here, so nothing is left to report.
#[instrument(skip_all, fields(namespace = order.namespace(), order = order.name_any()))]
pub async fn reconcile(order: Arc<CertificateOrder>, ctx: Arc<Context>) -> Result<Action, Infallible> {
    let key = cache::key(order.as_ref());
    if order.metadata.deletion_timestamp.is_some() && !facts::has_finalizer(&order) {
        ctx.forget(&key);
        return Ok(Action::await_change());
    }
    if trim::is_settled(&order) {
        let pause = until_expiry(&order, ctx.clock.now(), pace::settled_at_start(seed(&order)));
        ctx.schedule.expect(&key, &asked(&order), pause, Instant::now());
    }
    let pass = match ctx.schedule.begin(&key, asked(&order), Instant::now()) {
        Due::Now(pass) => pass,
        Due::NotBefore(left) => return Ok(Action::requeue(left)),
    };
    let account = (order.namespace().unwrap_or_default(), order.spec.credentials_ref.name.clone());
    let permit = ctx.queue.acquire(account, purpose(&order)).await;
    if ctx.shutdown.is_cancelled() {
        return Ok(Action::await_change());
    }
    let looked = look(&ctx, &key).await;
    drop(permit);
    let failures = pass.failures.saturating_add(1);
    let (pause, failed) = match looked {
        Ok(Some((before, done))) => {
            ctx.telemetry.changed(&before, &done.order).await;
            (pause(&ctx, &done, failures), matches!(done.requeue, Requeue::Failed(_)))
        }
        // If it is really gone, there is no next look.
        Ok(None) => return Ok(Action::requeue(pace::STOPPED)),
        Err(error) => {
            ctx.telemetry.api_trouble(&error);
            (pace::after_failure(failures, None, seed(&order)), true)
        }
    };
    ctx.schedule.end(&key, pass, failed, pause, Instant::now());
    Ok(Action::requeue(pause))
}

/// Works one order until there is no step that can be made at once. Returns it as it was before, too; `None` if it is
/// gone.
async fn look(ctx: &Context, key: &Key) -> Result<Option<(Arc<CertificateOrder>, Done)>, kube::Error> {
    // It may have waited long enough to be edited, or deleted.
    let Some(order) = ctx.whole(key).await? else { return Ok(None) };
    let provider = &order.spec.provider;
    let certificate = format!("{}/{}", registry::name(provider), registry::certificate_id(provider));
    let _turn = ctx.locks.lock(certificate).await;
    let urgent = purpose(&order) != Purpose::Poll;
    // On the heap: a step holds a whole application, and many orders wait at the same time.
    let mut done = Box::pin(step(ctx, &order, key)).await?;
    for _ in 1..STEPS_IN_A_ROW {
        // What follows the order waits for its own turn: others wait for their first submission.
        let is_over = urgent && purpose(&done.order) == Purpose::Poll;
        if done.requeue != Requeue::Now || is_over || ctx.shutdown.is_cancelled() {
            break;
        }
        done = Box::pin(step(ctx, &done.order, key)).await?;
    }
    Ok(Some((order, done)))
}

/// One step: resolve, observe, plan, execute, fold, write status.
async fn step(ctx: &Context, order: &CertificateOrder, key: &Key) -> Result<Done, kube::Error> {
    let resolved = resolve::resolve(ctx, order).await?;
    let offline = resolved.payload(None);
    let not_issued = Export::NotWanted;
    let mut facts = Facts {
        order,
        cloud: registry::name(&order.spec.provider),
        certificate_id: registry::certificate_id(&order.spec.provider),
        unsupported: resolve::unsupported(&order.spec),
        names: &resolved.names,
        payload: &offline,
        observed: None,
        calls: resolved.provider.as_ref().ok().map(|provider| provider.calls()),
        logged: None,
        validation: None,
        key: resolved.key_state(),
        letter: None,
        secret: &not_issued,
        contested: None,
        over_budget: None,
        intent_seen_for: ctx.intent_ages.age(key, order),
        now: ctx.clock.now(),
        call_timeout: ctx.call_timeout,
    };
    let observed = if facts.needs_the_cloud() { observe::observe(ctx, &resolved).await } else { None };
    let seen = observed.as_ref().and_then(|seen| seen.as_ref().ok());
    let payload = resolved.payload(seen);
    let validation = observe::validation(ctx, key, order, &resolved, seen).await;
    let extra = match seen {
        Some(seen) => resolve::at_stage(ctx, order, &resolved, seen.stage).await?,
        None => AtStage::default(),
    };
    let target = match (&extra.target, seen) {
        (Some(target), Some(seen)) => target.export(order, seen, &resolved.names),
        _ => Export::NotWanted,
    };
    facts.payload = &payload;
    facts.observed = observed.as_ref();
    facts.letter = extra.letter.as_ref();
    facts.secret = &target;
    facts.validation = validation.as_deref();
    facts.logged = observe::logged(&facts, &resolved).await;
    facts.contested = ctx.contested(order).await?;
    facts.over_budget = ctx.over_budget(order);
    facts.now = ctx.clock.now();
    if order.metadata.deletion_timestamp.is_some() {
        return end(ctx, &facts, &resolved).await;
    }
    let at_hand = AtHand { resolved: &resolved, target: extra.target.as_ref() };
    execute::execute(ctx, &facts, &at_hand, &plan::plan(&facts)).await
}

/// One step of a deletion.
async fn end(ctx: &Context, facts: &Facts<'_>, resolved: &Resolved) -> Result<Done, kube::Error> {
    match finalize::plan(facts) {
        End::First(step) => {
            let at_hand = AtHand { resolved, target: None };
            return execute::execute(ctx, facts, &at_hand, &step).await;
        }
        End::Wait { step, until } => {
            let at_hand = AtHand { resolved, target: None };
            let done = execute::execute(ctx, facts, &at_hand, &step).await?;
            let left = Duration::try_from(until.duration_since(facts.now)).unwrap_or_default();
            return Ok(Done { requeue: done.requeue.at_latest(left), ..done });
        }
        End::GiveUp(why) => ctx.telemetry.gave_up(facts.order, &why).await,
        End::Release => {}
    }
    let released = finalizer::remove_finalizer(&ctx.client, facts.order).await?;
    let requeue = if released.is_some() { Requeue::Settled } else { Requeue::Failed(None) };
    Ok(Done { order: facts.order.clone(), requeue })
}

/// When to look again, in time.
fn pause(ctx: &Context, done: &Done, failures: u32) -> Duration {
    let now = ctx.clock.now();
    let seed = seed(&done.order) ^ now.as_second().unsigned_abs();
    match done.requeue {
        Requeue::Now => A_BREATH,
        Requeue::In(pause) => pause,
        Requeue::Poll => {
            let status = done.order.status.as_ref();
            let since = status.and_then(|status| status.cloud.as_ref()?.since.as_ref());
            pace::poll(since.map_or(now, |since| since.0), now, ctx.poll_interval, seed)
        }
        Requeue::Failed(asked) => pace::after_failure(failures, asked, seed),
        Requeue::Stopped => pace::STOPPED,
        Requeue::Settled => until_expiry(&done.order, now, pace::settled(seed)),
    }
}

/// Between two passes over one order. The watch shows meanwhile what was written, and so what the next one is for.
const A_BREATH: Duration = Duration::from_millis(200);

/// At most so long, but a certificate's end is outcome, too.
fn until_expiry(order: &CertificateOrder, now: Timestamp, pause: Duration) -> Duration {
    let end = order.status.as_ref().and_then(|status| status.not_after.as_ref());
    let left = end.and_then(|end| Duration::try_from(end.0.duration_since(now)).ok());
    let left = left.filter(|left| !left.is_zero()).map(|left| left.saturating_add(A_MOMENT));
    pause.min(left.unwrap_or(Duration::MAX))
}

/// So that what happens at a time has happened at the look for it.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What the user asks for, so that an event that changes none of it causes no look.
fn asked(order: &CertificateOrder) -> String {
    let generation = order.metadata.generation.unwrap_or_default();
    let annotations = ASKING.map(|name| order.annotations().get(name).map_or("", String::as_str));
    let deleting = order.metadata.deletion_timestamp.is_some();
    format!("{} {generation} {deleting} {}", order.uid().unwrap_or_default(), annotations.join(" "))
}

/// A number of this order's own, to spread the looks of many orders.
fn seed(order: &CertificateOrder) -> u64 {
    let mut hasher = DefaultHasher::new();
    order.uid().hash(&mut hasher);
    hasher.finish()
}

impl Context {
    /// Forgets an order that is gone.
    pub fn forget(&self, key: &Key) {
        self.schedule.forget(key);
        self.intent_ages.forget(key);
        self.validations.forget(key);
    }

    /// The namespace of an object.
    #[must_use]
    pub fn namespace(&self, object: &impl ResourceExt) -> Namespace {
        let name = object.namespace().unwrap_or_default();
        Namespace::new(self.client.clone(), Arc::clone(&self.secrets), name)
    }

    /// An order as last seen, unless it is gone. Of a settled one only a part is kept, so it is read live.
    async fn whole(&self, key: &Key) -> Result<Option<Arc<CertificateOrder>>, kube::Error> {
        let seen = self.orders.iter().find_map(|orders| orders.get(key));
        if !seen.as_deref().is_some_and(trim::is_settled) {
            return Ok(seen);
        }
        let (namespace, name) = key;
        let api: Api<CertificateOrder> = Api::namespaced(self.client.clone(), namespace);
        Ok(bounded(api.get_opt(name)).await?.map(Arc::new))
    }
}
