//! A kill at every point of the life of each kind of order: one life for each.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt;
use http::Method;
use tokio::time::Instant;

use super::Settings;
use super::crowd::Crowd;
use super::environment::{CALL_TIMEOUT, Camp, Ground, HASTY, Post};
use super::points::{Point, SIDES, Side};
use super::report::{Kind, Tally};
use super::rng::Chance;
use super::scenario::{Life, SCRIPTS, Script};

/// How many lives are walked through at the same time.
const LANES: usize = 8;
/// How long one may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Reads are repeated as often as the CA takes time, so only the first ones are points of their own.
const READS: usize = 3;

/// One life with one kill.
struct Path {
    script: Script,
    /// Of the camp's clouds, which one.
    cloud: usize,
    point: Point,
    /// Of the requests of this kind, which one.
    nth: usize,
    side: Side,
}

/// Walks through the points of every kind of order.
pub(crate) async fn walk(camp: &Camp, settings: &Settings, chance: &mut Chance, tally: &Tally) {
    let mut paths = Vec::new();
    for script in SCRIPTS {
        let has_it = |cloud: &usize| camp.clouds[*cloud].plays(script.plot);
        for cloud in (0..camp.clouds.len()).filter(has_it) {
            let points = points(camp, tally, script, cloud).await;
            for (point, count) in points {
                let sides = if point.is_write(&camp.clouds) { &SIDES[..] } else { &SIDES[..2] };
                let all = (1..=count).flat_map(|nth| sides.iter().map(move |side| (nth, *side)));
                paths.extend(all.map(|(nth, side)| Path { script, cloud, point: point.clone(), nth, side }));
            }
        }
    }
    paths.retain(|_| chance.below(settings.one_in) == 0);
    let paths = &Mutex::new(paths);
    let lane = |_| async move {
        let ground = camp.ground().await;
        loop {
            let Some(path) = paths.lock().unwrap().pop() else { break };
            follow(&ground, settings, tally, &path).await;
        }
    };
    futures::stream::iter(0..LANES).for_each_concurrent(None, lane).await;
}

/// Lives once without a kill, and says how often each point is passed.
async fn points(camp: &Camp, tally: &Tally, script: Script, cloud: usize) -> Vec<(Point, usize)> {
    let ground = camp.ground().await;
    let mut post = ground.operator(&HASTY).await;
    let mut crowd = Crowd::new(&ground, tally);
    crowd.join(Life::new(script, &camp.clouds[cloud], camp.number())).await;
    crowd.finish(PATIENCE).await;
    post.kill();
    let mut points: Vec<(Point, usize)> = passed(camp, &post).into_iter().collect();
    // In an order of their own, so that a seed chooses the same ones each time.
    points.sort_by_cached_key(|(point, _)| format!("{point:?}"));
    for (point, count) in &mut points {
        if !point.is_write(&camp.clouds) {
            *count = READS.min(*count);
        }
    }
    points
}

fn passed(camp: &Camp, post: &Post) -> HashMap<Point, usize> {
    let mut passed = HashMap::new();
    for seen in post.api.seen() {
        let point = match seen.method {
            Method::PUT if seen.path.contains("/status") => Point::Status,
            Method::POST if seen.path.contains("/secrets") => Point::Secret,
            Method::PATCH if seen.path.contains("/certificateorders") => Point::Finalizer,
            Method::GET if seen.path.contains("fieldSelector") => Point::Claims,
            _ => continue,
        };
        *passed.entry(point).or_default() += 1;
    }
    for (at, (cloud, net)) in camp.clouds.iter().zip(&post.nets).enumerate() {
        for action in net.seen().iter().filter_map(|seen| cloud.action_of(seen)) {
            if let Some(known) = cloud.actions().iter().find(|known| **known == action) {
                *passed.entry(Point::Cloud(at, known)).or_default() += 1;
            }
        }
    }
    passed
}

/// Lives once with a kill.
async fn follow(ground: &Ground<'_>, settings: &Settings, tally: &Tally, path: &Path) {
    let camp = ground.camp;
    let mut post = ground.post().await;
    path.point.hold(&post, &camp.clouds, path.nth, path.side, CALL_TIMEOUT / 2);
    ground.man(&mut post, &HASTY);
    let mut others = Vec::new();
    for _ in 1..settings.replicas {
        others.push(ground.operator(&HASTY).await);
    }
    let mut crowd = Crowd::new(ground, tally);
    crowd.join(Life::new(path.script, &camp.clouds[path.cloud], camp.number())).await;
    let start = Instant::now();
    while !post.is_held() && !crowd.lives.is_empty() && start.elapsed() < PATIENCE {
        crowd.tick().await;
    }
    if post.is_held() {
        tally.add_points(1);
        tally.count(Kind::Kill, path.point.name(path.side));
    }
    post.kill();
    let mut again = ground.operator(&HASTY).await;
    crowd.finish(PATIENCE).await;
    again.kill();
}
