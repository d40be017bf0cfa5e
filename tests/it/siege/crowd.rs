//! Orders that exist at the same time.

use std::collections::HashMap;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::clock::Clock;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use tokio::time::{Instant, sleep};

use super::actors;
use super::check::{self, check};
use super::claims;
use super::environment::Sandbox;
use super::report::Tally;
use super::scenario::{KINDS, Scenario};

/// How often the CA and the users act.
const TICK: Duration = Duration::from_millis(40);

/// The orders of one namespace, or of several that each have one for each certificate.
pub(crate) struct Crowd<'a> {
    places: Vec<&'a Sandbox<'a>>,
    pub(crate) tally: &'a Tally,
    pub(crate) scenarios: Vec<Scenario>,
    /// Those that have ended: nothing more happens to their certificates.
    ended: Vec<Scenario>,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox<'a>, tally: &'a Tally) -> Self {
        Self::among(vec![sandbox], tally)
    }

    /// In several namespaces, of one installation each.
    pub(crate) fn among(places: Vec<&'a Sandbox<'a>>, tally: &'a Tally) -> Self {
        Self { places, tally, scenarios: Vec::new(), ended: Vec::new() }
    }

    /// Where the order of a scenario is.
    pub(crate) fn place(&self, scenario: &Scenario) -> &'a Sandbox<'a> {
        self.places[scenario.place]
    }

    /// Applies one more order, of the next kind and at the next cloud in turn.
    pub(crate) async fn grow(&mut self) {
        let clouds = &self.places[0].environment.clouds;
        let number = self.places[0].environment.number();
        let is_alone = self.places.len() == 1;
        let kinds = KINDS.into_iter().filter(|kind| is_alone || Scenario::may_be_shared(*kind));
        let kinds: Vec<_> = kinds.collect();
        let kind = kinds[number % kinds.len()];
        let cloud = &clouds[number / kinds.len() % clouds.len()];
        let cloud = if cloud.supports(kind.course) { cloud } else { &clouds[0] };
        self.join(Scenario::new(kind, cloud, number)).await;
    }

    /// Applies this order.
    pub(crate) async fn join(&mut self, scenario: Scenario) {
        let apply = self.places.iter().map(|place| place.create::<CertificateOrder>(scenario.manifest()));
        futures::future::join_all(apply).await;
        self.scenarios.push(scenario);
    }

    /// Lets the CA and every user act once, and checks the finished orders. Returns the orders as they were before.
    pub(crate) async fn tick(&mut self) -> HashMap<String, CertificateOrder> {
        sleep(TICK).await;
        let mut everywhere = Vec::new();
        for place in &self.places {
            let listed = place.orders().list(&ListParams::default()).await.unwrap();
            let orders = listed.items.into_iter().map(|order| (order.name_any(), order));
            everywhere.push(orders.collect::<HashMap<_, _>>());
        }
        let mut left = Vec::new();
        let mut chosen = HashMap::new();
        for mut scenario in std::mem::take(&mut self.scenarios) {
            scenario.place = who_has_it(&scenario, &everywhere);
            let sandbox = self.place(&scenario);
            let order = everywhere[scenario.place].remove(&scenario.name);
            if actors::is_over(&scenario, order.as_ref()) {
                self.tally.add(check(sandbox, &scenario, order.as_ref()).await);
                if order.is_some() {
                    // A finished order stays as it is at the cloud when it is deleted. Those of other installations stay.
                    sandbox.orders().delete(&scenario.name, &DeleteParams::default()).await.unwrap();
                }
                self.ended.push(scenario);
                continue;
            }
            actors::ca(&mut scenario);
            if let Some(order) = order {
                actors::user(sandbox, &mut scenario, &order).await;
                chosen.insert(scenario.name.clone(), order);
            }
            left.push(scenario);
        }
        self.scenarios = left;
        chosen
    }

    /// Whatever the orders of other installations did once a certificate was free: it was submitted once, for ever. Then
    /// deletes all orders, and waits until no claim is left.
    pub(crate) async fn end(&mut self, timeout: Duration) {
        for scenario in &self.ended {
            for wrong in check::of_calls(scenario, &scenario.cloud.effects(&scenario.id)).wrongs {
                self.tally.wrong(format!("{} ({}), afterwards: {wrong}", scenario.name, scenario.id));
            }
        }
        for place in &self.places {
            for order in place.orders().list(&ListParams::default()).await.unwrap() {
                place.orders().delete(&order.name_any(), &DeleteParams::default()).await.unwrap();
            }
        }
        let namespaces: Vec<&str> = self.places.iter().map(|place| place.namespace.as_str()).collect();
        let left = claims::until_none(self.places[0].environment, &namespaces, timeout).await;
        if left > 0 {
            self.tally.wrong(format!("{left} claims are left without their orders"));
        }
    }

    /// Continues until all are finished; an order that is not after this time is reported.
    pub(crate) async fn finish(&mut self, timeout: Duration) {
        let start = Instant::now();
        while !self.scenarios.is_empty() && start.elapsed() < timeout {
            self.tick().await;
        }
        for scenario in self.scenarios.drain(..) {
            let place = self.places[scenario.place];
            let order = place.orders().get_opt(&scenario.name).await.unwrap();
            let status = order.and_then(|order| order.status);
            let stage = scenario.cloud.stage(&scenario.id);
            let status = serde_json::to_string(&status).unwrap();
            let now = Clock::default().now();
            let Scenario { name, id, kind, .. } = &scenario;
            let calls = scenario.cloud.history(id);
            self.tally.wrong(format!(
                "{name} ({kind:?}, {id}, in {}) has not reached its end by {now}; at the cloud: {stage:?}; the last \
                 calls: {calls}; status: {status}",
                place.namespace
            ));
        }
    }
}

/// The installation whose order has the certificate: of the others the orders are duplicates.
fn who_has_it(scenario: &Scenario, everywhere: &[HashMap<String, CertificateOrder>]) -> usize {
    let is_duplicate = |orders: &HashMap<String, CertificateOrder>| {
        let order = orders.get(&scenario.name);
        order.is_none_or(|order| actors::stalled(order) == "DuplicateCertificate")
    };
    if is_duplicate(&everywhere[scenario.place]) {
        return everywhere.iter().position(|orders| !is_duplicate(orders)).unwrap_or(scenario.place);
    }
    scenario.place
}
