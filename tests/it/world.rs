//! One story's world: a cluster, a namespace, a cloud with an account, the operator, and proxies between them.

use std::time::Duration;

use certorder::api::v1alpha1::{
    CertificateOrder, CertificateOrderStatus, OrganizationProfile, OrganizationProfileStatus,
};
use certorder::clock::Clock;
use certorder_sim::proxy::{Proxy, Upstream};
use certorder_sim::tencent::{Account, Options, Product, TencentCloud};
use futures::StreamExt;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};
use crate::fixtures::{self, SECRET_ID, SECRET_KEY};
use crate::operator::Operator;

/// The longest that a story waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    cluster: Cluster,
    pub(crate) namespace: String,
    pub(crate) cloud: TencentCloud,
    pub(crate) account: Account,
    /// Between operator and API server.
    pub(crate) api: Proxy,
    /// Between operator and cloud.
    pub(crate) net: Proxy,
    operator: Option<Operator>,
}

impl World {
    /// A world with the credentials in place and the operator not running yet.
    pub(crate) async fn quiet() -> Self {
        let cluster = Cluster::start().await;
        // These stories look every 100 ms; the pace has tests of its own.
        let options = Options { calls_per_second: None, ..Options::default() };
        let cloud = TencentCloud::start(options).await.unwrap();
        let account = cloud.account(SECRET_ID, SECRET_KEY);
        let namespace = format!("story-{}", uuid::Uuid::new_v4());
        let api = Proxy::start(cluster.upstream.clone()).await.unwrap();
        let net = Proxy::start(Upstream::http(&cloud.url()).unwrap()).await.unwrap();
        let world = Self { cluster, namespace, cloud, account, api, net, operator: None };
        let namespaces: Api<Namespace> = Api::all(world.client());
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}});
        namespaces.create(&PostParams::default(), &serde_json::from_value(namespace).unwrap()).await.unwrap();
        world.create::<Secret>(fixtures::credentials()).await;
        world
    }

    /// A quiet world with the operator running.
    pub(crate) async fn start() -> Self {
        let mut world = Self::quiet().await;
        world.run();
        world
    }

    pub(crate) fn client(&self) -> Client {
        self.cluster.client.clone()
    }

    /// Starts the operator.
    pub(crate) fn run(&mut self) {
        self.operator = Some(Operator::start(&self.api.url(), &self.net.url(), &self.namespace));
    }

    /// Starts the operator on a machine whose clock is ahead.
    pub(crate) fn run_ahead(&mut self, ahead: SignedDuration) {
        let clock = Clock::ahead_by(ahead);
        self.operator = Some(Operator::start_by(clock, &self.api.url(), &self.net.url(), &self.namespace));
    }

    /// Kills the operator as SIGKILL would.
    pub(crate) fn kill(&mut self) {
        self.operator.take().unwrap().kill();
    }

    /// Ends the operator as SIGTERM would.
    pub(crate) async fn stop(&mut self) {
        self.operator.take().unwrap().stop().await;
    }

    /// Another operator beside the first.
    pub(crate) fn second_operator(&self) -> Operator {
        Operator::start(&self.api.url(), &self.net.url(), &self.namespace)
    }

    /// Buys a certificate.
    pub(crate) fn buy(&self, id: &str, product: Product) {
        self.cloud.buy(&self.account, id, product);
    }

    pub(crate) fn orders(&self) -> Api<CertificateOrder> {
        self.api_of()
    }

    pub(crate) fn api_of<K>(&self) -> Api<K>
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client(), &self.namespace)
    }

    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug,
    {
        let object: K = serde_json::from_value(object).unwrap();
        self.api_of::<K>().create(&PostParams::default(), &object).await.unwrap()
    }

    pub(crate) async fn edit<K>(&self, name: &str, change: Value) -> K
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        self.api_of::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await.unwrap()
    }

    pub(crate) async fn delete<K>(&self, name: &str)
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        self.api_of::<K>().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Asks for a look now.
    pub(crate) async fn poke(&self, name: &str) {
        let annotation = json!({"certorder.dev/reconcile-at": uuid::Uuid::new_v4().to_string()});
        self.edit::<CertificateOrder>(name, json!({"metadata": {"annotations": annotation}})).await;
    }

    /// The status of an order now.
    pub(crate) async fn status(&self, name: &str) -> CertificateOrderStatus {
        self.orders().get(name).await.unwrap().status.unwrap_or_default()
    }

    /// Waits until the status of an order is as wanted, and returns it.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&CertificateOrderStatus) -> bool,
    ) -> CertificateOrderStatus {
        let condition = |order: Option<&CertificateOrder>| {
            order.is_some_and(|order| {
                let seen = order.status.as_ref().map(|status| status.observed_generation);
                seen == order.metadata.generation && order.status.as_ref().is_some_and(&wanted)
            })
        };
        let found = tokio::time::timeout(PATIENCE, await_condition(self.orders(), name, condition)).await;
        if let Ok(order) = found {
            return order.unwrap().unwrap().status.unwrap();
        }
        let status = serde_json::to_string_pretty(&self.status(name).await).unwrap();
        panic!("{name} is not {what}: {status}")
    }

    /// Waits for a condition with this status and reason.
    pub(crate) async fn until_is(
        &self,
        name: &str,
        type_: &str,
        status: &str,
        reason: &str,
    ) -> CertificateOrderStatus {
        let what = format!("{type_}={status} ({reason})");
        self.until(name, &what, |seen| {
            condition(seen, type_).is_some_and(|found| found == (status.to_owned(), reason.to_owned()))
        })
        .await
    }

    /// Waits until an object is there and as wanted.
    pub(crate) async fn until_object<K>(&self, name: &str, wanted: impl Fn(&K) -> bool)
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug
            + Send
            + 'static,
    {
        let condition = |object: Option<&K>| object.is_some_and(&wanted);
        let found =
            tokio::time::timeout(PATIENCE, await_condition(self.api_of::<K>(), name, condition)).await;
        found.unwrap_or_else(|_| panic!("{name} is not as wanted")).unwrap();
    }

    /// Waits until an order is gone.
    pub(crate) async fn until_gone(&self, name: &str) {
        let gone = |order: Option<&CertificateOrder>| order.is_none();
        let waited = tokio::time::timeout(PATIENCE, await_condition(self.orders(), name, gone)).await;
        waited.unwrap_or_else(|_| panic!("{name} is still there")).unwrap();
    }

    /// Waits until a profile's Ready says this.
    pub(crate) async fn until_profile(&self, name: &str, status: &str, reason: &str) {
        self.until_profile_is(name, "Ready", status, reason).await;
    }

    /// Waits until a condition of a profile says this of its present generation.
    pub(crate) async fn until_profile_is(
        &self,
        name: &str,
        type_: &str,
        status: &str,
        reason: &str,
    ) -> OrganizationProfileStatus {
        let is_so = |profile: &OrganizationProfile| {
            let conditions = profile.status.as_ref().map(|status| status.conditions.as_slice());
            conditions.unwrap_or_default().iter().any(|c| {
                let is_current = c.observed_generation == profile.metadata.generation;
                is_current && c.type_ == type_ && c.status == status && c.reason == reason
            })
        };
        let condition = |profile: Option<&OrganizationProfile>| profile.is_some_and(is_so);
        let waited = tokio::time::timeout(PATIENCE, await_condition(self.api_of(), name, condition)).await;
        if let Ok(profile) = waited {
            return profile.unwrap().unwrap().status.unwrap();
        }
        let profile: OrganizationProfile = self.api_of().get(name).await.unwrap();
        panic!("profile {name} is not {type_}={status} ({reason}): {:#?}", profile.status)
    }

    /// Asks for a look at a profile now.
    pub(crate) async fn poke_profile(&self, name: &str) {
        let annotation = json!({"certorder.dev/reconcile-at": uuid::Uuid::new_v4().to_string()});
        self.edit::<OrganizationProfile>(name, json!({"metadata": {"annotations": annotation}})).await;
    }

    /// How often the cloud was called with this action.
    pub(crate) fn called(&self, action: &str) -> usize {
        self.cloud.ledger().iter().filter(|call| call.action == action).count()
    }

    /// Waits for an Event with this reason. Events follow the status, and are published one after the other.
    pub(crate) async fn until_event(&self, reason: &str) {
        let published = async {
            let events: Api<Event> = self.api_of();
            let mut changes = std::pin::pin!(watcher(events, watcher::Config::default()).applied_objects());
            while let Some(event) = changes.next().await {
                if event.is_ok_and(|event| event.reason.as_deref() == Some(reason)) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, published).await.unwrap_or_else(|_| panic!("no Event {reason}"));
    }

    /// How often the cloud carried out a call for a certificate.
    pub(crate) fn carried_out(&self, action: &str, certificate: &str) -> usize {
        let ledger = self.cloud.ledger();
        let of_this = |call: &&certorder_sim::tencent::Call| {
            call.action == action && call.certificate_id.as_deref() == Some(certificate) && call.took_effect
        };
        ledger.iter().filter(of_this).count()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.operator.take());
        cluster::clean_up(&self.namespace);
    }
}

/// The status and the reason of a condition.
pub(crate) fn condition(status: &CertificateOrderStatus, type_: &str) -> Option<(String, String)> {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_)?;
    Some((found.status.clone(), found.reason.clone()))
}

/// The message of a condition.
pub(crate) fn message<'a>(status: &'a CertificateOrderStatus, type_: &str) -> &'a str {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_);
    found.map_or("", |condition| condition.message.as_str())
}
