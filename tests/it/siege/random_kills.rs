//! Many orders at once, and an operator that is killed repeatedly, at chosen points and at random times, while other
//! faults happen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams, Preconditions};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Settings;
use super::actors;
use super::cloud::Cloud;
use super::crowd::Crowd;
use super::environment::{CALL_TIMEOUT, Environment, Replica, SHORT_TIMEOUTS, Sandbox};
use super::points::{Point, SIDES, random_fault};
use super::process;
use super::report::{Kind, Tally};
use super::rng::Rng;
use super::scenario::Scenario;

/// How long it may take after the last kill until all orders are finished.
const TIMEOUT: Duration = Duration::from_mins(3);
const STARTUP_POLL: Duration = Duration::from_millis(10);
/// The percentage of processes that run long enough to resolve open calls.
const SURVIVES: usize = 15;
/// The percentage of the others that are killed at a chosen point.
const AT_A_POINT: usize = 65;

/// Earlier answers to a list, to be replayed.
#[derive(Default)]
struct Stale(Mutex<Vec<Value>>);

/// Kills the operator as often as required, and then waits until every order is finished.
pub(crate) async fn run(environment: &Environment, settings: &Settings, rng: &mut Rng, tally: &Tally) {
    let mut places = Vec::new();
    for _ in 0..settings.installations {
        places.push(environment.sandbox().await);
    }
    let is_over = AtomicBool::new(false);
    let stale: Vec<Stale> = places.iter().map(|_| Stale::default()).collect();
    let mut crowd = Crowd::among(places.iter().collect(), tally);
    let mut replicas = Vec::new();
    for (place, stale) in places.iter().zip(&stale) {
        for _ in 0..settings.replicas {
            replicas.push(kill_repeatedly(place, settings.kills, stale, rng.fork(), tally));
        }
    }
    let kills = async {
        futures::future::join_all(replicas).await;
        is_over.store(true, Ordering::Release);
    };
    let mut choices = rng.fork();
    let act = async {
        while !is_over.load(Ordering::Acquire) {
            while crowd.scenarios.len() < settings.crowd {
                crowd.grow().await;
            }
            let orders = crowd.tick().await;
            // What the list of one namespace answered, for that one alone.
            if let [stale] = stale.as_slice() {
                stale.keep(&orders, &mut choices);
            }
            if choices.percent(20) {
                disturb(&mut crowd, &orders, &mut choices).await;
            }
        }
    };
    tokio::join!(kills, act);
    let mut healthy = Vec::new();
    for place in &places {
        for _ in 0..settings.replicas {
            healthy.push(place.operator(&SHORT_TIMEOUTS).await);
        }
    }
    crowd.finish(TIMEOUT).await;
    crowd.end(TIMEOUT).await;
    healthy.iter_mut().for_each(Replica::kill);
}

/// Starts and kills one process after the other.
async fn kill_repeatedly(sandbox: &Sandbox<'_>, kills: usize, stale: &Stale, mut rng: Rng, tally: &Tally) {
    let clouds = &sandbox.environment.clouds;
    let points = Point::all(clouds);
    while tally.kills() < kills {
        let mut replica = sandbox.replica().await;
        let survives = rng.percent(SURVIVES);
        let mut killed = "at a random time";
        if !survives && rng.percent(AT_A_POINT) {
            let (point, side) = (choose(&points, clouds, &mut rng), *rng.pick(&SIDES));
            let late = rng.time(Duration::ZERO, CALL_TIMEOUT);
            point.hold(&replica, clouds, 1 + rng.below(2), side, late);
            killed = point.name(side);
        }
        for _ in 0..=rng.below(4) {
            let list = stale.pick(&mut rng);
            random_fault(&replica, clouds, &mut rng, tally, list);
        }
        let time = if survives {
            rng.time(CALL_TIMEOUT * 3, CALL_TIMEOUT * 6)
        } else {
            rng.time(Duration::from_millis(100), CALL_TIMEOUT * 3)
        };
        sandbox.start(&mut replica, &SHORT_TIMEOUTS);
        let may_start = rng.percent(95);
        let lives_on = async {
            // A busy machine is slow to start a process; most kills should come later than that.
            let start = Instant::now();
            while may_start && !replica.has_started() && start.elapsed() < process::TIMEOUT {
                sleep(STARTUP_POLL).await;
            }
            sleep(time).await;
        };
        tokio::select! {
            () = replica.held() => {}
            () = lives_on => killed = "at a random time",
        }
        replica.kill();
        tally.count(Kind::Kill, killed);
        if tally.kills().is_multiple_of(100) {
            eprintln!("{} kills", tally.kills());
        }
    }
}

/// Mostly a write: there are fewer of them, and more depends on them.
fn choose<'a>(points: &'a [Point], clouds: &[Arc<dyn Cloud>], rng: &mut Rng) -> &'a Point {
    let is_write = rng.percent(75);
    let some: Vec<&Point> = points.iter().filter(|point| point.is_write(clouds) == is_write).collect();
    some[rng.below(some.len())]
}

/// Changes an order as users and backups do. A status is lost only while no call is in progress: a call without a
/// record cannot be distinguished from none.
async fn disturb(crowd: &mut Crowd<'_>, orders: &HashMap<String, CertificateOrder>, rng: &mut Rng) {
    if crowd.scenarios.is_empty() {
        return;
    }
    let at = rng.below(crowd.scenarios.len());
    let (sandbox, tally) = (crowd.place(&crowd.scenarios[at]), crowd.tally);
    let scenario = &mut crowd.scenarios[at];
    let Some(order) = orders.get(&scenario.name) else { return };
    if intends(order) {
        let label = json!({"metadata": {"labels": {"siege": rng.below(1000).to_string()}}});
        if actors::edit(sandbox, order, label).await {
            tally.count(Kind::Fault, "label edited during a call");
        }
    } else if scenario.may_lose_status() && order.status.is_some() && rng.percent(30) {
        let (name, lost) = if rng.percent(50) {
            ("status wiped", wipe(sandbox, order).await)
        } else {
            ("deleted and applied again", apply_again(sandbox, scenario, order).await)
        };
        if lost {
            scenario.lost_status = true;
            tally.count(Kind::Fault, name);
        }
    }
}

fn intends(order: &CertificateOrder) -> bool {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    submission.is_some_and(|submission| submission.intent.is_some())
}

/// With the resourceVersion that was read, so that no intent is stored in between.
async fn wipe(sandbox: &Sandbox<'_>, order: &CertificateOrder) -> bool {
    let wiped = CertificateOrder { status: Some(CertificateOrderStatus::default()), ..order.clone() };
    sandbox.orders().replace_status(&order.name_any(), &PostParams::default(), &wiped).await.is_ok()
}

async fn apply_again(sandbox: &Sandbox<'_>, scenario: &Scenario, order: &CertificateOrder) -> bool {
    let preconditions = Preconditions { resource_version: order.resource_version(), uid: order.uid() };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    if sandbox.orders().delete(&scenario.name, &params).await.is_err() {
        return false;
    }
    sandbox.create::<CertificateOrder>(scenario.manifest()).await;
    true
}

impl Stale {
    /// Keeps a list now and then, as the API server would have answered.
    fn keep(&self, orders: &HashMap<String, CertificateOrder>, rng: &mut Rng) {
        let newest = orders.values().filter_map(|order| order.resource_version()?.parse::<u64>().ok()).max();
        let Some(newest) = newest.filter(|_| rng.percent(5)) else { return };
        let list = json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrderList",
            "metadata": {"resourceVersion": newest.to_string()},
            "items": orders.values().collect::<Vec<_>>(),
        });
        let mut lists = self.0.lock().unwrap();
        lists.push(list);
        if lists.len() > 5 {
            lists.remove(0);
        }
    }

    fn pick(&self, rng: &mut Rng) -> Option<Value> {
        let lists = self.0.lock().unwrap();
        (!lists.is_empty()).then(|| rng.pick(&lists).clone())
    }
}
