//! Orders that live at the same time.

use std::collections::HashMap;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::clock::Clock;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use tokio::time::{Instant, sleep};

use super::actors;
use super::check::judge;
use super::environment::Ground;
use super::report::Tally;
use super::scenario::{Life, SCRIPTS};

/// How often the CA and the users act.
const TICK: Duration = Duration::from_millis(40);

/// The orders of one namespace.
pub(crate) struct Crowd<'a> {
    pub(crate) ground: &'a Ground<'a>,
    pub(crate) tally: &'a Tally,
    pub(crate) lives: Vec<Life>,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(ground: &'a Ground<'a>, tally: &'a Tally) -> Self {
        Self { ground, tally, lives: Vec::new() }
    }

    /// Applies one more order, of the next kind and at the next cloud in turn.
    pub(crate) async fn grow(&mut self) {
        let clouds = &self.ground.camp.clouds;
        let number = self.ground.camp.number();
        let script = SCRIPTS[number % SCRIPTS.len()];
        let cloud = &clouds[number / SCRIPTS.len() % clouds.len()];
        let cloud = if cloud.plays(script.plot) { cloud } else { &clouds[0] };
        self.join(Life::new(script, cloud, number)).await;
    }

    /// Applies this order.
    pub(crate) async fn join(&mut self, life: Life) {
        self.ground.create::<CertificateOrder>(life.manifest()).await;
        self.lives.push(life);
    }

    /// Lets the CA and every user act once, and judges who is over. Returns the orders as they were.
    pub(crate) async fn tick(&mut self) -> HashMap<String, CertificateOrder> {
        sleep(TICK).await;
        let listed = self.ground.orders().list(&ListParams::default()).await.unwrap();
        let orders: HashMap<_, _> = listed.items.into_iter().map(|order| (order.name_any(), order)).collect();
        let mut left = Vec::new();
        for mut life in std::mem::take(&mut self.lives) {
            let order = orders.get(&life.name);
            if actors::is_over(&life, order) {
                self.tally.add(judge(self.ground, &life, order).await);
                if order.is_some() {
                    // What is over stays as it is, whoever deletes its order.
                    self.ground.orders().delete(&life.name, &DeleteParams::default()).await.unwrap();
                }
                continue;
            }
            actors::ca(&mut life);
            if let Some(order) = order {
                actors::user(self.ground, &mut life, order).await;
            }
            left.push(life);
        }
        self.lives = left;
        orders
    }

    /// Plays on until all are over; who is not after this time is reported.
    pub(crate) async fn finish(&mut self, patience: Duration) {
        let start = Instant::now();
        while !self.lives.is_empty() && start.elapsed() < patience {
            self.tick().await;
        }
        for life in self.lives.drain(..) {
            let order = self.ground.orders().get_opt(&life.name).await.unwrap();
            let status = order.and_then(|order| order.status);
            let stage = life.cloud.stage(&life.id);
            let status = serde_json::to_string(&status).unwrap();
            let now = Clock::default().now();
            let Life { name, id, script, .. } = &life;
            let calls = life.cloud.history(id);
            self.tally.wrong(format!(
                "{name} ({script:?}, {id}, in {}) has not reached its end by {now}; at the cloud: {stage:?}; the last \
                 calls: {calls}; status: {status}",
                self.ground.namespace
            ));
        }
    }
}
