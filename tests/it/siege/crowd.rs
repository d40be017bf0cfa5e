//! Orders that exist at the same time.

use std::collections::HashMap;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::clock::Clock;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use tokio::time::{Instant, sleep};

use super::actors;
use super::check::check;
use super::environment::Sandbox;
use super::report::Tally;
use super::scenario::{KINDS, Scenario};

/// How often the CA and the users act.
const TICK: Duration = Duration::from_millis(40);

/// The orders of one namespace.
pub(crate) struct Crowd<'a> {
    pub(crate) sandbox: &'a Sandbox<'a>,
    pub(crate) tally: &'a Tally,
    pub(crate) scenarios: Vec<Scenario>,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox<'a>, tally: &'a Tally) -> Self {
        Self { sandbox, tally, scenarios: Vec::new() }
    }

    /// Applies one more order, of the next kind and at the next cloud in turn.
    pub(crate) async fn grow(&mut self) {
        let clouds = &self.sandbox.environment.clouds;
        let number = self.sandbox.environment.number();
        let kind = KINDS[number % KINDS.len()];
        let cloud = &clouds[number / KINDS.len() % clouds.len()];
        let cloud = if cloud.supports(kind.course) { cloud } else { &clouds[0] };
        self.join(Scenario::new(kind, cloud, number)).await;
    }

    /// Applies this order.
    pub(crate) async fn join(&mut self, scenario: Scenario) {
        self.sandbox.create::<CertificateOrder>(scenario.manifest()).await;
        self.scenarios.push(scenario);
    }

    /// Lets the CA and every user act once, and checks the finished orders. Returns the orders as they were before.
    pub(crate) async fn tick(&mut self) -> HashMap<String, CertificateOrder> {
        sleep(TICK).await;
        let listed = self.sandbox.orders().list(&ListParams::default()).await.unwrap();
        let orders: HashMap<_, _> = listed.items.into_iter().map(|order| (order.name_any(), order)).collect();
        let mut left = Vec::new();
        for mut scenario in std::mem::take(&mut self.scenarios) {
            let order = orders.get(&scenario.name);
            if actors::is_over(&scenario, order) {
                self.tally.add(check(self.sandbox, &scenario, order).await);
                if order.is_some() {
                    // A finished order stays as it is at the cloud when it is deleted.
                    self.sandbox.orders().delete(&scenario.name, &DeleteParams::default()).await.unwrap();
                }
                continue;
            }
            actors::ca(&mut scenario);
            if let Some(order) = order {
                actors::user(self.sandbox, &mut scenario, order).await;
            }
            left.push(scenario);
        }
        self.scenarios = left;
        orders
    }

    /// Continues until all are finished; an order that is not after this time is reported.
    pub(crate) async fn finish(&mut self, timeout: Duration) {
        let start = Instant::now();
        while !self.scenarios.is_empty() && start.elapsed() < timeout {
            self.tick().await;
        }
        for scenario in self.scenarios.drain(..) {
            let order = self.sandbox.orders().get_opt(&scenario.name).await.unwrap();
            let status = order.and_then(|order| order.status);
            let stage = scenario.cloud.stage(&scenario.id);
            let status = serde_json::to_string(&status).unwrap();
            let now = Clock::default().now();
            let Scenario { name, id, kind, .. } = &scenario;
            let calls = scenario.cloud.history(id);
            self.tally.wrong(format!(
                "{name} ({kind:?}, {id}, in {}) has not reached its end by {now}; at the cloud: {stage:?}; the last \
                 calls: {calls}; status: {status}",
                self.sandbox.namespace
            ));
        }
    }
}
