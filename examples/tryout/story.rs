//! Waits until every order has reached the state that its manifest announces, while the CA is simulated.

use std::collections::BTreeSet;
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, OrganizationProfile};
use certorder::provider::registry;
use futures::StreamExt;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::Ending;
use crate::certificate::Issued;
use crate::cloud::{self, Cloud};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::manifests::{Manifests, Order};
use crate::screen::{Row, Screen, columns};

/// How long the orders may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The pause between two steps of the CA.
const PACE: Duration = Duration::from_secs(1);

/// The tryout once everything runs.
pub(crate) struct Story<'a> {
    cluster: &'a Cluster,
    cloud: &'a Cloud,
    manifests: &'a Manifests,
    screen: &'a mut Screen,
    orders: Store<CertificateOrder>,
    /// The orders whose certificate has a successor at the cloud, by name.
    renewed: BTreeSet<String>,
    /// Whether every order has reached its goal.
    is_over: bool,
}

impl<'a> Story<'a> {
    /// The start.
    pub(crate) fn new(
        cluster: &'a Cluster,
        cloud: &'a Cloud,
        manifests: &'a Manifests,
        screen: &'a mut Screen,
    ) -> Self {
        let (orders, _) = reflector::store();
        Self { cluster, cloud, manifests, screen, orders, renewed: BTreeSet::new(), is_over: false }
    }

    /// The ending if it is interrupted now.
    pub(crate) fn ending(&self) -> Ending {
        if self.is_over { Ending::Reached } else { Ending::Interrupted }
    }

    /// Shows the orders until every one has reached its goal, checks that each paid certificate was submitted once,
    /// and prints a summary; with `stay` it continues to show them until it is dropped.
    pub(crate) async fn run(&mut self, stay: bool) -> Result<(), Error> {
        let (store, writer) = reflector::store();
        self.orders = store;
        let orders: Api<CertificateOrder> = Api::namespaced(self.cluster.client(), &self.manifests.namespace);
        let watch = watcher(orders, watcher::Config::default()).default_backoff().reflect(writer);
        let mut watch = std::pin::pin!(watch);
        let mut ca = interval(PACE);
        ca.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = Instant::now() + TIMEOUT;
        let mut files = Vec::new();
        loop {
            tokio::select! {
                seen = watch.next() => match seen {
                    Some(Ok(_)) => self.screen.show(self.rows()),
                    Some(Err(error)) => self.screen.say(&format!("the watch of the orders is restarted: {error}")),
                    None => return Err(Error::TooSlow("the watch of the orders ended".to_owned())),
                },
                _ = ca.tick() => {
                    for line in self.cloud.move_on().await? {
                        self.screen.say(&line);
                    }
                    self.reconcile_reviewed().await?;
                    self.renew_issued().await?;
                },
                () = sleep_until(deadline), if !self.is_over => return Err(self.too_slow()),
            }
            if !self.is_over && self.manifests.orders.iter().all(|order| self.has_reached(order)) {
                self.is_over = true;
                self.sum_up()?;
                self.show_certificates().await?;
                if !stay {
                    return Ok(());
                }
                files.extend(self.invite()?);
            }
        }
    }

    /// A profile under review is polled every ten minutes; this requests a pass at once.
    async fn reconcile_reviewed(&mut self) -> Result<(), Error> {
        for profile in self.cloud.reviewed() {
            self.screen.say(&format!("the review of the saved profile {profile} is passed"));
            let api: Api<OrganizationProfile> =
                Api::namespaced(self.cluster.client(), &self.manifests.namespace);
            let annotation = json!({"certorder.dev/reconcile-at": "now that the review is passed"});
            let change = Patch::Merge(json!({"metadata": {"annotations": annotation}}));
            let asked = api.patch(&profile, &PatchParams::default(), &change).await;
            asked.map_err(Error::api(format!("annotate profile {profile}")))?;
        }
        Ok(())
    }

    /// The cloud makes the successor of each issued certificate that is to be renewed. An issued order is read every twelve
    /// hours; this requests a pass at once.
    async fn renew_issued(&mut self) -> Result<(), Error> {
        for order in self.manifests.orders.iter().filter(|order| order.is_renewed) {
            let (name, own) =
                (order.object.name_any(), registry::certificate_id(&order.object.spec.provider));
            if self.renewed.contains(&name) || !order.goal.is_reached(&self.status(order)) {
                continue;
            }
            let next = self.cloud.renew(own)?;
            self.screen.say(&format!("the cloud makes {next}, which is to take the place of {own}"));
            let api: Api<CertificateOrder> =
                Api::namespaced(self.cluster.client(), &self.manifests.namespace);
            let annotation = json!({"certorder.dev/reconcile-at": "now that there is a successor"});
            let change = Patch::Merge(json!({"metadata": {"annotations": annotation}}));
            let asked = api.patch(&name, &PatchParams::default(), &change).await;
            asked.map_err(Error::api(format!("annotate order {name}")))?;
            self.renewed.insert(name);
        }
        Ok(())
    }

    fn status(&self, order: &Order) -> CertificateOrderStatus {
        let key = reflector::ObjectRef::from_obj(&order.object);
        self.orders.get(&key).and_then(|stored| stored.status.clone()).unwrap_or_default()
    }

    fn has_reached(&self, order: &Order) -> bool {
        let status = self.status(order);
        order.goal.is_reached(&status) && (!order.is_renewed || is_renewed(&status))
    }

    fn rows(&self) -> Vec<Row> {
        let mut orders = self.orders.state();
        orders.sort_by_key(|order| order.name_any());
        orders.iter().map(|order| row(order)).collect()
    }

    fn too_slow(&self) -> Error {
        let late = self.manifests.orders.iter().filter(|order| !self.has_reached(order));
        let lines = late.map(|order| {
            let (ready, reason, message) = ready(&self.status(order));
            let name = order.object.name_any();
            format!(
                "order {name} did not reach {} within {TIMEOUT:?}: Ready={ready} ({reason}) {message}",
                order.goal
            )
        });
        Error::TooSlow(lines.collect::<Vec<_>>().join("\n  "))
    }

    /// The final states, and how often the cloud carried out a submission: exactly once for each order that has a
    /// `RequestId`, never for the others.
    fn sum_up(&mut self) -> Result<(), Error> {
        let (mut rows, mut words, mut broken) = (Vec::new(), Vec::new(), BTreeSet::new());
        for order in &self.manifests.orders {
            let (name, status) = (order.object.name_any(), self.status(order));
            let certificate = status.certificate_id.clone().unwrap_or_default();
            let calls = self.cloud.submissions(&certificate);
            let accepted: Vec<_> = calls.iter().filter_map(|call| call.request_id.clone()).collect();
            if accepted != Vec::from_iter(status.request_id.clone()) {
                broken.insert(format!(
                    "certificate {certificate} was submitted {} times, and order {name} has RequestId {:?}",
                    calls.len(),
                    status.request_id
                ));
            }
            let (ready, _, message) = ready(&status);
            if ready == "False" {
                words.push(format!("{name}: {message}"));
            }
            if let Some(renewal) = status.renewal.as_ref().filter(|renewal| renewal.chain.len() > 1) {
                words
                    .push(format!("{name}: renewed, and ready all the time: {}", renewal.chain.join(" -> ")));
            }
            let request = status.request_id.unwrap_or_else(|| "-".to_owned());
            rows.push([name, order.goal.to_string(), certificate, calls.len().to_string(), request]);
        }
        self.screen.keep();
        self.screen.say("\nevery order has reached what its manifest announces:\n");
        for line in columns(&["NAME", "REACHED", "CERTIFICATE", "SUBMISSIONS", "REQUEST"], &rows) {
            self.screen.say(&line);
        }
        self.screen.say(&format!("\n{}", words.join("\n")));
        if broken.is_empty() { Ok(()) } else { Err(Error::Ledger(Vec::from_iter(broken).join("\n  "))) }
    }

    /// Prints the content of the Secrets of the issued orders.
    async fn show_certificates(&mut self) -> Result<(), Error> {
        let mut rows = Vec::new();
        for order in &self.manifests.orders {
            if self.status(order).not_after.is_none() {
                continue;
            }
            if let Some(issued) = Issued::read(self.cluster.client(), &order.object).await? {
                let Issued { secret, subject, names, expires } = issued;
                rows.push([order.object.name_any(), secret, expires.to_string(), subject, names.join(" ")]);
            }
        }
        self.screen.say("\nthe issued certificates, as their Secrets hold them:\n");
        for line in columns(&["NAME", "SECRET", "EXPIRES", "SUBJECT", "NAMES"], &rows) {
            self.screen.say(&line);
        }
        Ok(())
    }

    /// Prints commands to try while everything stays up.
    fn invite(&mut self) -> Result<Option<crate::cluster::TemporaryFile>, Error> {
        let (kubeconfig, file) = self.cluster.kubeconfig()?;
        let (kubeconfig, namespace, spare) = (kubeconfig.display(), &self.manifests.namespace, cloud::SPARE);
        let kubectl = format!("kubectl -n {namespace}");
        self.screen.say(&format!(
            "\nThe cluster stays up until ctrl-c. In another terminal:\n\
             \n  export KUBECONFIG={kubeconfig}\
             \n  {kubectl} get certorder -o wide\
             \n  {kubectl} describe certorder www\
             \n  {kubectl} get orgprof; {kubectl} describe orgprof acme-saved\
             \n  {kubectl} get secret blog-tls -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | openssl x509 -noout -text\
             \n  {kubectl} delete secret blog-tls; {kubectl} get secret blog-tls --watch   # it comes back, without an order\
             \n  {kubectl} get certorder intranet -o jsonpath='{{.status.plan}}'\
             \n  {kubectl} patch certorder mail --type merge -p '{{\"spec\": {{\"commonName\": \"mail.acme.example\"}}}}'\
             \n  {kubectl} wait certorder mail --for condition=Issued\
             \n  {kubectl} delete certorder blog && kubectl apply -f examples/manifests/30-order-dv.yaml\
             \n\nCertificate {spare} (DV, one name) is bought too, for an order of your own:\n\
             \n  sed 's/dvBlog01/{spare}/; s/name: blog$/name: mine/; s/blog-tls/mine-tls/' examples/manifests/30-order-dv.yaml | kubectl apply -f -\n"
        ));
        Ok(file)
    }
}

fn row(order: &CertificateOrder) -> Row {
    let status = order.status.clone().unwrap_or_default();
    let (ready, reason, _) = ready(&status);
    let text = |value: Option<String>| value.unwrap_or_default();
    [
        order.name_any(),
        ready,
        text(status.phase),
        text(status.provider),
        text(status.certificate_id),
        reason,
        text(status.request_id),
    ]
}

/// Whether another certificate took the place of the order's own.
fn is_renewed(status: &CertificateOrderStatus) -> bool {
    let current = status.current.as_ref().map(|current| &current.certificate_id);
    current.is_some() && current != status.certificate_id.as_ref()
}

/// Status, reason and message of Ready.
fn ready(status: &CertificateOrderStatus) -> (String, String, String) {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    ready.map(|ready| (ready.status.clone(), ready.reason.clone(), ready.message.clone())).unwrap_or_default()
}
