//! What orders cost that need nothing: writes, calls, memory; at rest and after a restart.

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

use super::Place;
use super::actors;
use super::cloud::{Cloud, Stage};
use super::environment::{Camp, Ground, Post};
use super::scenario::{self, Life, SCRIPTS};
use super::tencent::Tencent;

/// How many orders live through everything; more are copies of one of them.
const REAL: usize = 1000;
const LOOK: Duration = Duration::from_millis(200);
/// The default of `--poll-interval`, in seconds.
const POLL: f64 = 30.0;
/// The flags of the process that leads them there.
const EAGER: [&str; 2] = ["--poll-interval", "500ms"];

/// How quietness is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Settled orders.
    pub(crate) settled: usize,
    /// Orders that the CA works on, beside them.
    pub(crate) waiting: usize,
    /// How long to wait before the restart. Secrets that were changed in the last five minutes make their orders look.
    pub(crate) pause: Duration,
    /// How long to look on after the restart, twice.
    pub(crate) window: Duration,
}

/// What was measured of one process.
pub(crate) struct Figures {
    plan: Plan,
    ready: Duration,
    /// In the window that begins with the start, and in the one after that.
    windows: [Window; 2],
    /// The statuses that changed meanwhile, before and after.
    changes: Vec<String>,
    /// Resident memory in KiB: at the end, and at most.
    memory: (u64, u64),
}

/// The requests of some time.
#[derive(Default)]
struct Window {
    /// Requests to the API server that change something.
    writes: Vec<String>,
    /// Calls to the cloud by action.
    calls: BTreeMap<String, usize>,
}

/// Settles so many orders, starts the operator again, and looks on.
pub(crate) async fn measure(place: &Place, plans: &[Plan]) -> Vec<Figures> {
    let tencent = Arc::new(Tencent::start().await);
    let cloud: Arc<dyn Cloud> = Arc::clone(&tencent) as _;
    let camp = Camp::with(place, vec![cloud]).await;
    let ground = camp.ground().await;
    let mut figures = Vec::new();
    let mut settled = Vec::new();
    let mut is_waiting = false;
    for plan in plans {
        let real = plan.settled.min(REAL).saturating_sub(settled.len());
        live(&ground, real, if is_waiting { 0 } else { plan.waiting }, &mut settled).await;
        is_waiting = true;
        copy(&ground, &tencent, plan.settled - settled.len().min(plan.settled), &mut settled).await;
        sleep(plan.pause).await;
        figures.push(look_on(&ground, *plan).await);
    }
    figures
}

/// Leads orders to their end, and others as far as the CA.
async fn live(ground: &Ground<'_>, settled: usize, waiting: usize, names: &mut Vec<String>) {
    let camp = ground.camp;
    let cloud = &camp.clouds[0];
    let mut post = ground.operator(&EAGER).await;
    let mut lives = Vec::new();
    for number in 0..settled + waiting {
        let life = Life::new(SCRIPTS[0], cloud, camp.number());
        ground.create::<CertificateOrder>(life.manifest()).await;
        lives.push((life, number < settled));
    }
    loop {
        sleep(LOOK).await;
        for (life, _) in lives.iter_mut().filter(|(_, ends)| *ends) {
            actors::ca(life);
        }
        let is_there = |(life, ends): &(Life, bool)| {
            cloud.stage(&life.id) == if *ends { Stage::Issued } else { Stage::Running }
        };
        if lives.iter().all(is_there) && are_there(ground, &lives).await {
            break;
        }
    }
    post.kill();
    names.extend(lives.iter().filter(|(_, ends)| *ends).map(|(life, _)| life.name.clone()));
}

async fn are_there(ground: &Ground<'_>, lives: &[(Life, bool)]) -> bool {
    let orders = stored(ground).await;
    // What the cloud finds of the proofs is asked with the first look.
    let is_checked = |order: &CertificateOrder| {
        let status = order.status.as_ref();
        status.is_some_and(|status| status.validation_records.iter().any(|record| record.check.is_some()))
    };
    let waits = |order: &CertificateOrder| {
        actors::condition(order, "Reconciling") == Some(("True", "AwaitingValidation")) && is_checked(order)
    };
    lives.iter().all(|(life, ends)| {
        let order = orders.get(&life.name);
        if *ends { actors::is_over(life, order) } else { order.is_some_and(waits) }
    })
}

async fn stored(ground: &Ground<'_>) -> BTreeMap<String, CertificateOrder> {
    let orders = ground.orders().list(&ListParams::default()).await.unwrap().items;
    orders.into_iter().map(|order| (order.name_any(), order)).collect()
}

/// Copies a settled order with its status, its Secrets and its certificate at the cloud: what the operator sees of it
/// is the same.
async fn copy(ground: &Ground<'_>, cloud: &Tencent, copies: usize, names: &mut Vec<String>) {
    let Some(first) = names.first().cloned().filter(|_| copies > 0) else { return };
    let order = serde_json::to_value(ground.orders().get(&first).await.unwrap()).unwrap();
    let mut secrets = Vec::new();
    for suffix in ["key", "tls"] {
        let secret = ground.api::<Secret>().get(&format!("{first}-{suffix}")).await.unwrap();
        secrets.push(serde_json::to_value(secret).unwrap());
    }
    for _ in 0..copies {
        let life = Life::new(SCRIPTS[0], &ground.camp.clouds[0], ground.camp.number());
        cloud.copy(&id_of(&first), &life.id);
        let renamed = |object: &Value| renamed(object, &first, &life);
        for secret in &secrets {
            ground.create::<Secret>(renamed(secret)).await;
        }
        let wanted: CertificateOrder = serde_json::from_value(renamed(&order)).unwrap();
        let params = PostParams::default();
        let mut created = ground.orders().create(&params, &wanted).await.unwrap();
        created.status = wanted.status;
        ground.orders().replace_status(&life.name, &params, &created).await.unwrap();
        names.push(life.name);
    }
}

fn id_of(name: &str) -> String {
    scenario::id(name.trim_start_matches('o').parse().unwrap())
}

/// The same object under the name of another order, for the same domain names.
fn renamed(object: &Value, first: &str, life: &Life) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|name, _| ["name", "annotations", "labels"].contains(&name.as_str()));
    let text = object.to_string().replace(&id_of(first), &life.id);
    let text = text.replace(&format!("\"{first}\""), &format!("\"{}\"", life.name));
    serde_json::from_str(&text.replace(&format!("{first}-"), &format!("{}-", life.name))).unwrap()
}

/// Starts the operator with its own settings, and counts what it does.
async fn look_on(ground: &Ground<'_>, plan: Plan) -> Figures {
    let before = stored(ground).await;
    let mut post = ground.operator(&[]).await;
    let ready = post.process.as_ref().unwrap().ready().await;
    sleep(plan.window).await;
    let (api, net) = (post.api.seen().len(), post.nets[0].seen().len());
    let first = Window::of(&ground.camp.clouds[0], &post, (0, 0));
    sleep(plan.window).await;
    let second = Window::of(&ground.camp.clouds[0], &post, (api, net));
    let memory = post.process.as_ref().unwrap().memory();
    post.kill();
    let after = stored(ground).await;
    let text = |order: &CertificateOrder| serde_json::to_string(&order.status).unwrap();
    let changed = before.iter().filter_map(|(name, before)| {
        let (before, after) = (text(before), after.get(name).map(text)?);
        (before != after).then(|| format!("{name}: {before} became {after}"))
    });
    Figures { plan, ready, windows: [first, second], changes: changed.collect(), memory }
}

impl Figures {
    /// Writes, and calls beyond the polling plan: an order that the CA works on is read at most once in 80 % of
    /// `--poll-interval`, and what else is asked about it once in ten minutes; an issued one is read once in 12 h, and
    /// each of both once more after the start if its Secrets changed in the five minutes before.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let Plan { settled, waiting, window, pause } = self.plan;
        let woken = if pause < Duration::from_mins(5) { number(settled + waiting) } else { 0.0 };
        let within = |seconds: f64| window.as_secs_f64() / seconds;
        // Looks at issued orders are spread by chance.
        let looks = number(settled) * within(12.0 * 3600.0);
        let looks = looks + 6.0 * looks.sqrt() + 1.0 + woken;
        let polls = number(waiting) * (within(0.8 * POLL).floor() + 1.0) + looks;
        let others = number(waiting) * (within(600.0).floor() + 1.0) + looks;
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
    /// What came after so many requests to the API server and the cloud.
    fn of(cloud: &Arc<dyn Cloud>, post: &Post, after: (usize, usize)) -> Self {
        let is_write = |seen: &&Seen| seen.method != Method::GET;
        let writes = post
            .api
            .seen()
            .iter()
            .skip(after.0)
            .filter(is_write)
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect();
        let mut calls = BTreeMap::new();
        for action in post.nets[0].seen().iter().skip(after.1).filter_map(|seen| cloud.action_of(seen)) {
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
