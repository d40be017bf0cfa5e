//! The controller of CertificateOrders, one file a step:
//!
//! 1. [`resolve`] reads from the cluster what the order refers to (client required);
//! 2. [`observe`] reads the cloud (client required);
//! 3. [`plan`] decides the one next step (pure);
//! 4. [`execute`] carries it out: at most one write to the cloud (client required);
//! 5. [`fold`] makes the next status of what happened (pure), with the table of [`stages`] and the words of
//!    [`trouble`];
//! 6. [`status`] stores it by compare-and-swap (client required).
//!
//! [`claim`] says which of several orders has a certificate, [`mapping`] which orders a changed object wakes,
//! [`lookout`] when an order is due, [`turns`] keeps two passes over one certificate apart.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use kube::api::ListParams;
use kube::runtime::controller::Action;
use kube::runtime::reflector::Store;
use kube::{Api, Client, ResourceExt};
use tracing::instrument;

use crate::api::v1alpha1::CertificateOrder;
use crate::clock::Clock;
use crate::core::conditions::Problem;
use crate::core::pace;
use crate::order::execute::Done;
use crate::order::fold::Again;
use crate::order::lookout::{Lookout, Verdict};
use crate::order::plan::{Facts, plan};
use crate::order::turns::Turns;
use crate::provider::registry::{self, Clouds};
use crate::telemetry::Telemetry;

pub mod claim;
pub mod execute;
pub mod fold;
pub mod lookout;
pub mod mapping;
pub mod observe;
pub mod plan;
pub mod resolve;
pub mod stages;
pub mod status;
#[cfg(test)]
mod tests;
pub mod trouble;
pub mod turns;

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
    /// The namespaces that are watched; empty means all of them.
    pub namespaces: Vec<String>,
    /// The orders as last seen, one store for each watch.
    pub orders: Vec<Store<CertificateOrder>>,
    /// When each order is due.
    pub lookout: Lookout,
    /// One pass at a time for each certificate.
    pub turns: Turns,
    /// Log, events, metrics.
    pub telemetry: Telemetry,
}

/// Annotations that ask for a look.
const ASKING: [&str; 2] = ["certorder.dev/reconcile-at", "certorder.dev/resubmit-at"];

/// The most steps of one order that are made without letting another one in between.
const STEPS_IN_A_ROW: usize = 4;

/// Looks at one order. Trouble is logged, counted and tried again here, so nothing is left to report.
#[instrument(skip_all, fields(namespace = order.namespace(), order = order.name_any()))]
pub async fn reconcile(order: Arc<CertificateOrder>, ctx: Arc<Context>) -> Result<Action, Infallible> {
    let key = (order.namespace().unwrap_or_default(), order.name_any());
    if order.metadata.deletion_timestamp.is_some() {
        ctx.lookout.forget(&key);
        return Ok(Action::await_change());
    }
    let pass = match ctx.lookout.begin(&key, asked(&order), ctx.clock.now()) {
        Verdict::Due(pass) => pass,
        Verdict::NotBefore(left) => return Ok(Action::requeue(left)),
    };
    let provider = &order.spec.provider;
    let _turn =
        ctx.turns.take(format!("{}/{}", registry::name(provider), registry::certificate_id(provider))).await;
    let looked = look(&ctx, &order).await;
    let now = ctx.clock.now();
    let (pause, failed) = match &looked {
        Ok(done) => {
            let failures = pass.failures.saturating_add(1);
            (pause(&ctx, done, failures, now), matches!(done.again, Again::Failed(_)))
        }
        Err(error) => {
            ctx.telemetry.api_trouble(error);
            (pace::after_failure(pass.failures.saturating_add(1), None, seed(&order)), true)
        }
    };
    ctx.lookout.end(&key, pass, failed, pause, now);
    Ok(Action::requeue(pause))
}

/// Works one order until there is no step that can be made at once.
async fn look(ctx: &Context, order: &CertificateOrder) -> Result<Done, kube::Error> {
    let mut done = step(ctx, order).await?;
    for _ in 1..STEPS_IN_A_ROW {
        if done.again != Again::Now {
            break;
        }
        done = step(ctx, &done.order).await?;
    }
    Ok(done)
}

/// One step: resolve, observe, plan, execute, fold, write status.
async fn step(ctx: &Context, order: &CertificateOrder) -> Result<Done, kube::Error> {
    let resolved = resolve::resolve(ctx, order).await?;
    let offline = resolved.payload(None);
    let calls = resolved.provider.as_ref().ok().map(|provider| provider.calls());
    let mut facts = Facts {
        order,
        cloud: registry::name(&order.spec.provider),
        certificate_id: registry::certificate_id(&order.spec.provider),
        unsupported: resolve::unsupported(&order.spec),
        names: &resolved.names,
        payload: &offline,
        observed: None,
        observe_action: calls.map_or("", |calls| calls.observe),
        order_action: calls.and_then(|calls| calls.order),
        contested: ctx.contested(order),
        now: ctx.clock.now(),
        call_timeout: ctx.call_timeout,
    };
    let observed = if facts.needs_the_cloud() { observe::observe(ctx, &resolved).await } else { None };
    let product = observed.as_ref().and_then(|seen| seen.as_ref().ok()).map(|seen| &seen.product);
    let payload = resolved.payload(product);
    facts.payload = &payload;
    facts.observed = observed.as_ref();
    facts.now = ctx.clock.now();
    let done = execute::execute(ctx, &facts, &resolved, &plan(&facts)).await?;
    ctx.telemetry.changed(order, &done.order).await;
    Ok(done)
}

/// When to look again, in time.
fn pause(ctx: &Context, done: &Done, failures: u32, now: jiff::Timestamp) -> Duration {
    let seed = seed(&done.order) ^ now.as_second().unsigned_abs();
    match done.again {
        Again::Now => Duration::ZERO,
        Again::In(pause) => pause,
        Again::Poll => {
            let status = done.order.status.as_ref();
            let since = status.and_then(|status| status.cloud.as_ref()?.since.as_ref());
            pace::poll(since.map_or(now, |since| since.0), now, ctx.poll_interval, seed)
        }
        Again::Failed(asked) => pace::after_failure(failures, asked, seed),
        Again::Stopped => pace::STOPPED,
        Again::Settled => pace::settled(seed),
    }
}

/// What the user asks for, so that an event that changes none of it causes no look.
fn asked(order: &CertificateOrder) -> String {
    let generation = order.metadata.generation.unwrap_or_default();
    let annotations = ASKING.map(|name| order.annotations().get(name).map_or("", String::as_str));
    format!("{} {generation} {}", order.uid().unwrap_or_default(), annotations.join(" "))
}

/// A number of this order's own, to spread the looks of many orders.
fn seed(order: &CertificateOrder) -> u64 {
    let mut hasher = DefaultHasher::new();
    order.uid().hash(&mut hasher);
    hasher.finish()
}

impl Context {
    /// What the other orders for this certificate, as last seen, mean for this one.
    fn contested(&self, order: &CertificateOrder) -> Option<Problem> {
        let others: Vec<CertificateOrder> = self
            .orders
            .iter()
            .flat_map(Store::state)
            .filter(|other| registry::is_same_certificate(&order.spec.provider, &other.spec.provider))
            .map(|other| CertificateOrder::clone(&other))
            .collect();
        claim::contested(order, &others)
    }

    /// The other orders for this certificate, read live.
    async fn rivals(&self, order: &CertificateOrder) -> Result<Vec<CertificateOrder>, kube::Error> {
        let params = ListParams::default().fields(&registry::certificate_selector(&order.spec.provider));
        let all = [Api::all(self.client.clone())];
        let some = self.namespaces.iter().map(|namespace| Api::namespaced(self.client.clone(), namespace));
        let apis: Vec<Api<CertificateOrder>> =
            if self.namespaces.is_empty() { all.into() } else { some.collect() };
        let mut rivals = Vec::new();
        for api in apis {
            rivals.extend(api.list(&params).await?.items);
        }
        Ok(rivals)
    }
}
