//! Many orders at once, and an operator that is killed again and again, at chosen points and at random times, while
//! everything else goes wrong, too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams, Preconditions};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Settings;
use super::actors;
use super::cloud::Cloud;
use super::crowd::Crowd;
use super::environment::{CALL_TIMEOUT, Camp, Ground, HASTY, Post};
use super::points::{Point, SIDES, harm};
use super::report::{Kind, Tally};
use super::rng::Chance;
use super::scenario::Life;

/// How long it may take until all orders are over once the storm is.
const PATIENCE: Duration = Duration::from_mins(3);
const A_MOMENT: Duration = Duration::from_millis(10);
/// Of a hundred processes, so many live long enough to settle what they find.
const RESTS: usize = 15;
/// Of the others, so many are killed at a chosen point.
const CHOSEN: usize = 65;

/// Old answers to a list, for later.
#[derive(Default)]
struct Stale(Mutex<Vec<Value>>);

/// Lets it rage until the operator was killed often enough, and then waits for the end of every order.
pub(crate) async fn storm(camp: &Camp, settings: &Settings, chance: &mut Chance, tally: &Tally) {
    let ground = camp.ground().await;
    let (stale, is_over) = (Stale::default(), AtomicBool::new(false));
    let mut crowd = Crowd::new(&ground, tally);
    let replicas: Vec<_> = (0..settings.replicas)
        .map(|_| replica(&ground, settings.kills, &stale, chance.fork(), tally))
        .collect();
    let kills = async {
        futures::future::join_all(replicas).await;
        is_over.store(true, Ordering::Release);
    };
    let mut luck = chance.fork();
    let play = async {
        while !is_over.load(Ordering::Acquire) {
            while crowd.lives.len() < settings.crowd {
                crowd.grow().await;
            }
            let orders = crowd.tick().await;
            stale.keep(&orders, &mut luck);
            if luck.percent(20) {
                disturb(&mut crowd, &orders, &mut luck).await;
            }
        }
    };
    tokio::join!(kills, play);
    let mut calm = Vec::new();
    for _ in 0..settings.replicas {
        calm.push(ground.operator(&HASTY).await);
    }
    crowd.finish(PATIENCE).await;
    calm.iter_mut().for_each(Post::kill);
}

/// One process after the other, until all are killed.
async fn replica(ground: &Ground<'_>, kills: usize, stale: &Stale, mut chance: Chance, tally: &Tally) {
    let clouds = &ground.camp.clouds;
    let points = Point::all(clouds);
    while tally.kills() < kills {
        let mut post = ground.post().await;
        let rests = chance.percent(RESTS);
        let mut killed = "at a random time";
        if !rests && chance.percent(CHOSEN) {
            let (point, side) = (choose(&points, clouds, &mut chance), *chance.pick(&SIDES));
            let late = chance.time(Duration::ZERO, CALL_TIMEOUT);
            point.hold(&post, clouds, 1 + chance.below(2), side, late);
            killed = point.name(side);
        }
        for _ in 0..=chance.below(4) {
            let list = stale.pick(&mut chance);
            harm(&post, clouds, &mut chance, tally, list);
        }
        let time = if rests {
            chance.time(CALL_TIMEOUT * 3, CALL_TIMEOUT * 6)
        } else {
            chance.time(Duration::from_millis(100), CALL_TIMEOUT * 3)
        };
        ground.man(&mut post, &HASTY);
        let may_start = chance.percent(95);
        let dies = async {
            // A busy machine takes its time to start a process, and a siege is not about that alone.
            while may_start && !post.is_awake() {
                sleep(A_MOMENT).await;
            }
            sleep(time).await;
        };
        tokio::select! {
            () = post.held() => {}
            () = dies => killed = "at a random time",
        }
        post.kill();
        tally.count(Kind::Kill, killed);
        if tally.kills().is_multiple_of(100) {
            eprintln!("{} kills", tally.kills());
        }
    }
}

/// Most often a write: there are fewer of them, and more depends on them.
fn choose<'a>(points: &'a [Point], clouds: &[Arc<dyn Cloud>], chance: &mut Chance) -> &'a Point {
    let is_write = chance.percent(75);
    let some: Vec<&Point> = points.iter().filter(|point| point.is_write(clouds) == is_write).collect();
    some[chance.below(some.len())]
}

/// Does to an order what users and backups do. A status is lost only while no call is under way: a call that nobody
/// has a record of cannot be told from none.
async fn disturb(crowd: &mut Crowd<'_>, orders: &HashMap<String, CertificateOrder>, chance: &mut Chance) {
    if crowd.lives.is_empty() {
        return;
    }
    let at = chance.below(crowd.lives.len());
    let (ground, tally) = (crowd.ground, crowd.tally);
    let life = &mut crowd.lives[at];
    let Some(order) = orders.get(&life.name) else { return };
    if intends(order) {
        let label = json!({"metadata": {"labels": {"siege": chance.below(1000).to_string()}}});
        if actors::edit(ground, order, label).await {
            tally.count(Kind::Fault, "label edited during a call");
        }
    } else if life.may_lose_status() && order.status.is_some() && chance.percent(30) {
        let (name, lost) = if chance.percent(50) {
            ("status wiped", wipe(ground, order).await)
        } else {
            ("deleted and applied again", apply_again(ground, life, order).await)
        };
        if lost {
            life.lost_status = true;
            tally.count(Kind::Fault, name);
        }
    }
}

fn intends(order: &CertificateOrder) -> bool {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    submission.is_some_and(|submission| submission.intent.is_some())
}

/// On the version that was read, so that no intent is stored in between.
async fn wipe(ground: &Ground<'_>, order: &CertificateOrder) -> bool {
    let wiped = CertificateOrder { status: Some(CertificateOrderStatus::default()), ..order.clone() };
    ground.orders().replace_status(&order.name_any(), &PostParams::default(), &wiped).await.is_ok()
}

async fn apply_again(ground: &Ground<'_>, life: &Life, order: &CertificateOrder) -> bool {
    let preconditions = Preconditions { resource_version: order.resource_version(), uid: order.uid() };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    if ground.orders().delete(&life.name, &params).await.is_err() {
        return false;
    }
    ground.create::<CertificateOrder>(life.manifest()).await;
    true
}

impl Stale {
    /// Keeps a list now and then, as the API server would have answered.
    fn keep(&self, orders: &HashMap<String, CertificateOrder>, chance: &mut Chance) {
        let newest = orders.values().filter_map(|order| order.resource_version()?.parse::<u64>().ok()).max();
        let Some(newest) = newest.filter(|_| chance.percent(5)) else { return };
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

    fn pick(&self, chance: &mut Chance) -> Option<Value> {
        let lists = self.0.lock().unwrap();
        (!lists.is_empty()).then(|| chance.pick(&lists).clone())
    }
}
