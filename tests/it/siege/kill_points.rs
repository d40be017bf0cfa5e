//! Kills at every point in the lifecycle of each kind of order: one scenario for each point.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt;
use http::Method;
use tokio::time::Instant;

use super::Settings;
use super::crowd::Crowd;
use super::environment::{CALL_TIMEOUT, Environment, Replica, SHORT_TIMEOUTS, Sandbox};
use super::points::{Point, SIDES, Side};
use super::report::{Kind, Tally};
use super::rng::Rng;
use super::scenario::{KINDS, OrderKind, Scenario};

/// How many scenarios run at the same time.
const WORKERS: usize = 8;
/// How long one scenario may take.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Reads are repeated until the CA is done, so only the first ones are points of their own.
const READS: usize = 3;

/// A scenario with one kill.
struct Run {
    kind: OrderKind,
    /// The index of the cloud in the environment.
    cloud: usize,
    point: Point,
    /// The number of the request among those of this point, from 1.
    nth: usize,
    side: Side,
}

/// Kills at each point of every kind of order.
pub(crate) async fn run(environment: &Environment, settings: &Settings, rng: &mut Rng, tally: &Tally) {
    let mut runs = Vec::new();
    for kind in KINDS {
        let has_it = |cloud: &usize| environment.clouds[*cloud].supports(kind.course);
        for cloud in (0..environment.clouds.len()).filter(has_it) {
            let points = points(environment, tally, kind, cloud).await;
            for (point, count) in points {
                let sides = if point.is_write(&environment.clouds) { &SIDES[..] } else { &SIDES[..2] };
                let all = (1..=count).flat_map(|nth| sides.iter().map(move |side| (nth, *side)));
                runs.extend(all.map(|(nth, side)| Run { kind, cloud, point: point.clone(), nth, side }));
            }
        }
    }
    runs.retain(|_| rng.below(settings.one_in) == 0);
    let runs = &Mutex::new(runs);
    let worker = |_| async move {
        let sandbox = environment.sandbox().await;
        loop {
            let Some(run) = runs.lock().unwrap().pop() else { break };
            run_with_kill(&sandbox, settings, tally, &run).await;
        }
    };
    futures::stream::iter(0..WORKERS).for_each_concurrent(None, worker).await;
}

/// Runs a scenario without a kill, and returns how many requests each point has.
async fn points(
    environment: &Environment,
    tally: &Tally,
    kind: OrderKind,
    cloud: usize,
) -> Vec<(Point, usize)> {
    let sandbox = environment.sandbox().await;
    let mut replica = sandbox.operator(&SHORT_TIMEOUTS).await;
    let mut crowd = Crowd::new(&sandbox, tally);
    crowd.join(Scenario::new(kind, &environment.clouds[cloud], environment.number())).await;
    crowd.finish(TIMEOUT).await;
    replica.kill();
    let mut points: Vec<(Point, usize)> = requests(environment, &replica).into_iter().collect();
    // Sorted, so that a seed chooses the same points each time.
    points.sort_by_cached_key(|(point, _)| format!("{point:?}"));
    for (point, count) in &mut points {
        if !point.is_write(&environment.clouds) {
            *count = READS.min(*count);
        }
    }
    points
}

fn requests(environment: &Environment, replica: &Replica) -> HashMap<Point, usize> {
    let mut requests = HashMap::new();
    for seen in replica.api.seen() {
        let point = match seen.method {
            Method::PUT if seen.path.contains("/status") => Point::Status,
            Method::POST if seen.path.contains("/secrets") => Point::Secret,
            Method::PATCH if seen.path.contains("/certificateorders") => Point::Finalizer,
            Method::POST if seen.path.contains("/leases") => Point::Claim,
            _ => continue,
        };
        *requests.entry(point).or_default() += 1;
    }
    for (at, (cloud, proxy)) in environment.clouds.iter().zip(&replica.clouds).enumerate() {
        for action in proxy.seen().iter().filter_map(|seen| cloud.action_of(seen)) {
            if let Some(known) = cloud.actions().iter().find(|known| **known == action) {
                *requests.entry(Point::Cloud(at, known)).or_default() += 1;
            }
        }
    }
    requests
}

/// Runs a scenario with a kill.
async fn run_with_kill(sandbox: &Sandbox<'_>, settings: &Settings, tally: &Tally, run: &Run) {
    let environment = sandbox.environment;
    let mut replica = sandbox.replica().await;
    run.point.hold(&replica, &environment.clouds, run.nth, run.side, CALL_TIMEOUT / 2);
    sandbox.start(&mut replica, &SHORT_TIMEOUTS);
    let mut others = Vec::new();
    for _ in 1..settings.replicas {
        others.push(sandbox.operator(&SHORT_TIMEOUTS).await);
    }
    let mut crowd = Crowd::new(sandbox, tally);
    crowd.join(Scenario::new(run.kind, &environment.clouds[run.cloud], environment.number())).await;
    let start = Instant::now();
    while !replica.is_held() && !crowd.scenarios.is_empty() && start.elapsed() < TIMEOUT {
        crowd.tick().await;
    }
    if replica.is_held() {
        tally.add_points(1);
        tally.count(Kind::Kill, run.point.name(run.side));
    }
    replica.kill();
    let mut successor = sandbox.operator(&SHORT_TIMEOUTS).await;
    crowd.finish(TIMEOUT).await;
    successor.kill();
}
