//! What settled orders cost: writes, calls, memory; at rest and after a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::Seen;
use http::Method;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use serde_json::Value;
use tokio::time::sleep;

use super::Target;
use super::actors;
use super::cloud::{Cloud, Stage};
use super::environment::{Environment, Replica, Sandbox};
use super::scenario::{self, KINDS, Scenario};
use super::tencent::Tencent;

/// How many orders go through their whole course; the others are copies of one of them.
const REAL: usize = 1000;
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// The default of `--poll-interval`, in seconds.
const POLL: f64 = 30.0;
/// The flags of the process that reconciles them up to then.
const SHORT_INTERVAL: [&str; 2] = ["--poll-interval", "500ms"];

/// The plan of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Settled orders.
    pub(crate) settled: usize,
    /// Further orders that wait for the CA.
    pub(crate) waiting: usize,
    /// How long to wait before the restart. Secrets that changed in the last five minutes requeue their orders.
    pub(crate) pause: Duration,
    /// The length of each of the two windows after the restart.
    pub(crate) window: Duration,
}

/// The figures of one process.
pub(crate) struct Figures {
    plan: Plan,
    ready: Duration,
    /// The window that begins with the start, and the one after it.
    windows: [Window; 2],
    /// The statuses that changed, before and after.
    changes: Vec<String>,
    /// Resident memory in KiB: at the end, and the peak.
    memory: (u64, u64),
}

/// The requests of a window of time.
#[derive(Default)]
struct Window {
    /// Requests to the API server that change something.
    writes: Vec<String>,
    /// Calls to the cloud by action.
    calls: BTreeMap<String, usize>,
}

/// Settles the orders of each plan, restarts the operator, and measures.
pub(crate) async fn measure(target: &Target, plans: &[Plan]) -> Vec<Figures> {
    let tencent = Arc::new(Tencent::start().await);
    let cloud: Arc<dyn Cloud> = Arc::clone(&tencent) as _;
    let environment = Environment::with(target, vec![cloud]).await;
    let sandbox = environment.sandbox().await;
    let mut figures = Vec::new();
    let mut settled = Vec::new();
    let mut is_waiting = false;
    for plan in plans {
        let real = plan.settled.min(REAL).saturating_sub(settled.len());
        run_to_end(&sandbox, real, if is_waiting { 0 } else { plan.waiting }, &mut settled).await;
        is_waiting = true;
        copy(&sandbox, &tencent, plan.settled - settled.len().min(plan.settled), &mut settled).await;
        sleep(plan.pause).await;
        figures.push(observe(&sandbox, *plan).await);
    }
    figures
}

/// Runs some orders to their end, and others until they wait for the CA.
async fn run_to_end(sandbox: &Sandbox<'_>, settled: usize, waiting: usize, names: &mut Vec<String>) {
    let environment = sandbox.environment;
    let cloud = &environment.clouds[0];
    let mut replica = sandbox.operator(&SHORT_INTERVAL).await;
    let mut scenarios = Vec::new();
    for number in 0..settled + waiting {
        let scenario = Scenario::new(KINDS[0], cloud, environment.number());
        sandbox.create::<CertificateOrder>(scenario.manifest()).await;
        scenarios.push((scenario, number < settled));
    }
    loop {
        sleep(POLL_INTERVAL).await;
        for (scenario, _) in scenarios.iter_mut().filter(|(_, finishes)| *finishes) {
            actors::ca(scenario);
        }
        let has_arrived = |(scenario, finishes): &(Scenario, bool)| {
            cloud.stage(&scenario.id) == if *finishes { Stage::Issued } else { Stage::Running }
        };
        if scenarios.iter().all(has_arrived) && have_conditions(sandbox, &scenarios).await {
            break;
        }
    }
    replica.kill();
    names.extend(
        scenarios.iter().filter(|(_, finishes)| *finishes).map(|(scenario, _)| scenario.name.clone()),
    );
}

async fn have_conditions(sandbox: &Sandbox<'_>, scenarios: &[(Scenario, bool)]) -> bool {
    let orders = stored(sandbox).await;
    // The cloud's check of the proofs is read in the first pass.
    let is_checked = |order: &CertificateOrder| {
        let status = order.status.as_ref();
        status.is_some_and(|status| status.validation_records.iter().any(|record| record.check.is_some()))
    };
    let waits = |order: &CertificateOrder| {
        actors::condition(order, "Reconciling") == Some(("True", "AwaitingValidation")) && is_checked(order)
    };
    scenarios.iter().all(|(scenario, finishes)| {
        let order = orders.get(&scenario.name);
        if *finishes { actors::is_over(scenario, order) } else { order.is_some_and(waits) }
    })
}

async fn stored(sandbox: &Sandbox<'_>) -> BTreeMap<String, CertificateOrder> {
    let orders = sandbox.orders().list(&ListParams::default()).await.unwrap().items;
    orders.into_iter().map(|order| (order.name_any(), order)).collect()
}

/// Copies a settled order with its status, its Secrets and its certificate at the cloud, so that the operator sees the
/// same as of the original.
async fn copy(sandbox: &Sandbox<'_>, cloud: &Tencent, copies: usize, names: &mut Vec<String>) {
    let Some(first) = names.first().cloned().filter(|_| copies > 0) else { return };
    let order = serde_json::to_value(sandbox.orders().get(&first).await.unwrap()).unwrap();
    let mut secrets = Vec::new();
    for suffix in ["key", "tls"] {
        let secret = sandbox.api::<Secret>().get(&format!("{first}-{suffix}")).await.unwrap();
        secrets.push(serde_json::to_value(secret).unwrap());
    }
    for _ in 0..copies {
        let scenario = Scenario::new(KINDS[0], &sandbox.environment.clouds[0], sandbox.environment.number());
        cloud.copy(&id_of(&first), &scenario.id);
        let renamed = |object: &Value| renamed(object, &first, &scenario);
        for secret in &secrets {
            sandbox.create::<Secret>(renamed(secret)).await;
        }
        let wanted: CertificateOrder = serde_json::from_value(renamed(&order)).unwrap();
        let params = PostParams::default();
        let mut created = sandbox.orders().create(&params, &wanted).await.unwrap();
        created.status = wanted.status;
        sandbox.orders().replace_status(&scenario.name, &params, &created).await.unwrap();
        names.push(scenario.name);
    }
}

fn id_of(name: &str) -> String {
    scenario::id(name.trim_start_matches('o').parse().unwrap())
}

/// The same object under the name of another order, for the same domain names.
fn renamed(object: &Value, first: &str, scenario: &Scenario) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|name, _| ["name", "annotations", "labels"].contains(&name.as_str()));
    let text = object.to_string().replace(&id_of(first), &scenario.id);
    let text = text.replace(&format!("\"{first}\""), &format!("\"{}\"", scenario.name));
    serde_json::from_str(&text.replace(&format!("{first}-"), &format!("{}-", scenario.name))).unwrap()
}

/// Starts the operator with its default settings, and counts its requests.
async fn observe(sandbox: &Sandbox<'_>, plan: Plan) -> Figures {
    let before = stored(sandbox).await;
    let mut replica = sandbox.operator(&[]).await;
    let ready = replica.process.as_ref().unwrap().ready().await;
    sleep(plan.window).await;
    let (api, proxy) = (replica.api.seen().len(), replica.clouds[0].seen().len());
    let first = Window::of(&sandbox.environment.clouds[0], &replica, (0, 0));
    sleep(plan.window).await;
    let second = Window::of(&sandbox.environment.clouds[0], &replica, (api, proxy));
    let memory = replica.process.as_ref().unwrap().memory();
    replica.kill();
    let after = stored(sandbox).await;
    let text = |order: &CertificateOrder| serde_json::to_string(&order.status).unwrap();
    let changed = before.iter().filter_map(|(name, before)| {
        let (before, after) = (text(before), after.get(name).map(text)?);
        (before != after).then(|| format!("{name}: {before} became {after}"))
    });
    Figures { plan, ready, windows: [first, second], changes: changed.collect(), memory }
}

impl Figures {
    /// Writes, and calls beyond the polling plan: an order that waits for the CA is read at most once in 80 % of
    /// `--poll-interval`, and the other reads about it are made once in ten minutes; an issued one is read once in 12 h.
    /// Both are read once more after the start if their Secrets changed in the five minutes before.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let Plan { settled, waiting, window, pause } = self.plan;
        let rereads = if pause < Duration::from_mins(5) { number(settled + waiting) } else { 0.0 };
        let within = |seconds: f64| window.as_secs_f64() / seconds;
        // The passes over issued orders are spread at random.
        let passes = number(settled) * within(12.0 * 3600.0);
        let passes = passes + 6.0 * passes.sqrt() + 1.0 + rereads;
        let polls = number(waiting) * (within(0.8 * POLL).floor() + 1.0) + passes;
        let others = number(waiting) * (within(600.0).floor() + 1.0) + passes;
        let mut wrongs = Vec::new();
        for seen in &self.windows {
            wrongs.extend(seen.writes.iter().take(10).cloned());
            for (action, count) in &seen.calls {
                let most = if *action == "DescribeCertificate" { polls } else { others };
                if number(*count) > most {
                    wrongs.push(format!("{count} calls of {action}, and the plan has at most {most:.0}"));
                }
            }
        }
        wrongs.extend(self.changes.iter().take(10).cloned());
        wrongs
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

impl Window {
    /// The requests after the first ones (`after`: to the API server, to the cloud).
    fn of(cloud: &Arc<dyn Cloud>, replica: &Replica, after: (usize, usize)) -> Self {
        let is_write = |seen: &&Seen| seen.method != Method::GET;
        let writes = replica
            .api
            .seen()
            .iter()
            .skip(after.0)
            .filter(is_write)
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect();
        let mut calls = BTreeMap::new();
        for action in replica.clouds[0].seen().iter().skip(after.1).filter_map(|seen| cloud.action_of(seen)) {
            *calls.entry(action).or_default() += 1;
        }
        Self { writes, calls }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { settled, waiting, window, .. } = self.plan;
        let (now, most) = (self.memory.0 / 1024, self.memory.1 / 1024);
        write!(
            f,
            "{settled} settled orders and {waiting} that wait for the CA: ready after {} ms, resident memory {now} MiB (at most {most})",
            self.ready.as_millis()
        )?;
        for (which, seen) in ["the first", "the next"].iter().zip(&self.windows) {
            let calls: Vec<_> =
                seen.calls.iter().map(|(action, count)| format!("{action} {count}")).collect();
            let calls = if calls.is_empty() { "none".to_owned() } else { calls.join(", ") };
            write!(
                f,
                "\n  {which} {} s: {} writes; calls to the cloud: {calls}",
                window.as_secs(),
                seen.writes.len()
            )?;
        }
        Ok(())
    }
}
