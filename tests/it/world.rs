//! The environment of one story: a cluster, a namespace, a cloud with an account, the operator, and proxies between them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use certorder::api::v1alpha1::{
    CertificateOrder, CertificateOrderStatus, OrganizationProfile, OrganizationProfileStatus,
};
use certorder::core::clock::Clock;
use certorder_sim::proxy::{Proxy, Seen, Upstream};
use certorder_sim::tencent::{Account, Product, ReissueRules, TencentCloud};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde_json::{Value, json};

use crate::clouds::{self, Call, Cloud, Kind};
use crate::cluster::{self, Cluster, Namespaced};
use crate::deploy;
use crate::fixtures;
use crate::operator::{CALL_TIMEOUT, Operator};
use crate::rules::Rules;

/// How long a story waits for anything.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct World {
    cluster: Arc<Cluster>,
    pub(crate) namespace: String,
    /// The namespace of the claims.
    pub(crate) claims: String,
    pub(crate) cloud: TencentCloud,
    pub(crate) account: Account,
    /// Between operator and API server.
    pub(crate) api: Proxy,
    /// Between operator and Tencent Cloud.
    pub(crate) net: Proxy,
    /// The cloud of the story.
    pub(crate) kind: Kind,
    /// Its handle, for stories that run on both clouds.
    pub(crate) site: Cloud,
    /// Between operator and Huawei Cloud, in a story about that cloud.
    huawei_net: Option<Proxy>,
    operator: Option<Operator>,
    /// Other namespaces of the story.
    neighbours: Vec<String>,
    call_timeout: &'static str,
    /// How far the clocks of the operator and of the clouds are ahead of the machine's.
    ahead: SignedDuration,
    /// The operator's permissions: every request of a story is checked against them.
    rules: Cell<Option<Rules>>,
}

impl World {
    /// A world with the credentials, and the operator not running yet. It has the permissions of `deploy/`.
    pub(crate) async fn quiet() -> Self {
        Self::quiet_at(Kind::Tencent).await
    }

    /// The same, for a story about this cloud.
    pub(crate) async fn quiet_at(kind: Kind) -> Self {
        let cluster = Cluster::start(cluster::kubeconfig().as_deref()).await;
        let (upstream, namespace) = (cluster.upstream.clone(), new_namespace());
        let rules = Rules::of("deploy/operator", &namespace);
        Self::new(kind, cluster, upstream, namespace, rules).await
    }

    /// The same with the permissions of `deploy/namespaced`, which are for one namespace.
    pub(crate) async fn in_one_namespace() -> Self {
        let (cluster, namespace) = (Cluster::start(cluster::kubeconfig().as_deref()).await, new_namespace());
        install_in_one_namespace(&cluster, &namespace).await;
        let upstream = cluster.upstream_of(&namespace, deploy::ACCOUNT).await;
        let rules = Rules::of("deploy/namespaced", &namespace);
        Self::new(Kind::Tencent, cluster, upstream, namespace, rules).await
    }

    /// The same at a Tencent Cloud with these rules for reissues.
    pub(crate) async fn quiet_with(reissue: ReissueRules) -> Self {
        let cluster = Cluster::start(cluster::kubeconfig().as_deref()).await;
        let (upstream, namespace) = (cluster.upstream.clone(), new_namespace());
        let rules = Rules::of("deploy/operator", &namespace);
        let (cloud, account) = clouds::start_tencent_with(reissue).await;
        let site = Cloud::Tencent(cloud.clone(), account.clone());
        Self::at(Kind::Tencent, cluster, upstream, namespace, rules, (cloud, account, site)).await
    }

    async fn new(kind: Kind, cluster: Cluster, upstream: Upstream, namespace: String, rules: Rules) -> Self {
        let (cloud, account) = clouds::start_tencent().await;
        let site = match kind {
            Kind::Tencent => Cloud::Tencent(cloud.clone(), account.clone()),
            Kind::Huawei => clouds::start_huawei().await,
        };
        Self::at(kind, cluster, upstream, namespace, rules, (cloud, account, site)).await
    }

    /// The same with these clouds.
    async fn at(
        kind: Kind,
        cluster: Cluster,
        upstream: Upstream,
        namespace: String,
        rules: Rules,
        clouds: (TencentCloud, Account, Cloud),
    ) -> Self {
        let claims = cluster.create_claims(&namespace).await;
        Self::with(kind, Arc::new(cluster), upstream, [namespace, claims], rules, clouds).await
    }

    /// Another cluster with an operator of its own, and the same account at the same cloud. On a real API server it is
    /// another namespace with claims of its own, whose operator sees nothing of this one.
    pub(crate) async fn another_cluster(&self) -> Self {
        let cluster = Cluster::start(cluster::kubeconfig().as_deref()).await;
        let (upstream, namespace) = (cluster.upstream.clone(), new_namespace());
        let rules = Rules::of("deploy/operator", &namespace);
        let clouds = (self.cloud.clone(), self.account.clone(), self.site.clone());
        Self::at(self.kind, cluster, upstream, namespace, rules, clouds).await
    }

    /// Another installation by the manifests of `deploy/namespaced` beside this one: a namespace of its own in the same
    /// cluster, the same account at the same cloud, the same namespace of claims.
    pub(crate) async fn another_installation(&self) -> Self {
        let namespace = new_namespace();
        install_in_one_namespace(&self.cluster, &namespace).await;
        self.cluster.may_claim(&self.claims, &namespace).await;
        let upstream = self.cluster.upstream_of(&namespace, deploy::ACCOUNT).await;
        let rules = Rules::of("deploy/namespaced", &namespace);
        let clouds = (self.cloud.clone(), self.account.clone(), self.site.clone());
        let (cluster, namespaces) = (Arc::clone(&self.cluster), [namespace, self.claims.clone()]);
        let other = Self::with(Kind::Tencent, cluster, upstream, namespaces, rules, clouds).await;
        // Its claims are in no namespace of its own.
        other.allow_anything();
        other
    }

    async fn with(
        kind: Kind,
        cluster: Arc<Cluster>,
        upstream: Upstream,
        [namespace, claims]: [String; 2],
        rules: Rules,
        (cloud, account, site): (TencentCloud, Account, Cloud),
    ) -> Self {
        let api = Proxy::start(upstream).await.unwrap();
        let net = Cloud::Tencent(cloud.clone(), account.clone()).line().await;
        let huawei_net = match kind {
            Kind::Tencent => None,
            Kind::Huawei => Some(site.line().await),
        };
        let (operator, rules, call_timeout) = (None, Cell::new(Some(rules)), CALL_TIMEOUT);
        let world = Self {
            cluster,
            namespace,
            claims,
            cloud,
            account,
            api,
            net,
            kind,
            site,
            huawei_net,
            operator,
            neighbours: Vec::new(),
            call_timeout,
            ahead: SignedDuration::ZERO,
            rules,
        };
        cluster::create_namespace(&world.client(), &world.namespace).await;
        world.create::<Secret>(fixtures::credentials()).await;
        if kind == Kind::Huawei {
            world.create::<Secret>(fixtures::huawei_credentials()).await;
            // This cloud accepts no application without an applicant.
            world.create::<OrganizationProfile>(fixtures::profile()).await;
        }
        world
    }

    /// A world without faults, with the operator running.
    pub(crate) async fn start() -> Self {
        Self::start_at(Kind::Tencent).await
    }

    /// The same, for a story about this cloud.
    pub(crate) async fn start_at(kind: Kind) -> Self {
        let mut world = Self::quiet_at(kind).await;
        world.run();
        world
    }

    /// The same for a story that counts calls: a slow machine is no reason to make one again.
    pub(crate) async fn start_patiently_at(kind: Kind) -> Self {
        let mut world = Self::quiet_at(kind).await;
        world.call_timeout = "60s";
        world.run();
        world
    }

    /// The operator's proxy to the cloud of the story.
    pub(crate) fn line(&self) -> &Proxy {
        self.huawei_net.as_ref().unwrap_or(&self.net)
    }

    /// The certificate of the story.
    pub(crate) fn certificate(&self) -> &'static str {
        self.kind.names().certificate
    }

    /// How many calls for its certificate took effect at the cloud of the story.
    pub(crate) fn made(&self, action: &str) -> usize {
        self.made_for(action, self.certificate())
    }

    /// The same for another certificate.
    pub(crate) fn made_for(&self, action: &str, certificate: &str) -> usize {
        let of_this = |call: &&Call| {
            call.action == action && call.certificate_id.as_deref() == Some(certificate) && call.took_effect
        };
        self.site.ledger().iter().filter(of_this).count()
    }

    /// How often the cloud of the story was called with this action for a certificate.
    pub(crate) fn calls_of(&self, action: &str, certificate: &str) -> usize {
        let of_this =
            |call: &&Call| call.action == action && call.certificate_id.as_deref() == Some(certificate);
        self.site.ledger().iter().filter(of_this).count()
    }

    /// The last call of this name.
    pub(crate) fn last_call(&self, action: &str) -> Call {
        self.site.ledger().into_iter().rfind(|call| call.action == action).unwrap()
    }

    /// An order with everything that it needs, for a certificate with one name and a key made by the cloud.
    pub(crate) fn order(&self, name: &str) -> Value {
        match self.kind {
            Kind::Tencent => fixtures::personal(name),
            Kind::Huawei => fixtures::huawei(name),
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.cluster.client.clone()
    }

    /// Does not check the requests of this story against the roles: it makes some that are not allowed.
    pub(crate) fn allow_anything(&self) {
        self.rules.set(None);
    }

    /// Gives the operator the permissions of `deploy/dns-endpoint` in its namespace.
    pub(crate) async fn allow_dns_endpoints(&self) {
        let more = Rules::of("deploy/dns-endpoint", &self.namespace);
        self.rules.set(self.rules.take().map(|rules| rules.and(more)));
        let mut objects = deploy::read("deploy/dns-endpoint");
        for object in &mut objects {
            let kind = deploy::kind(object).to_owned();
            if let Some(types) = object.types.as_mut().filter(|_| kind.starts_with("ClusterRole")) {
                kind.trim_start_matches("Cluster").clone_into(&mut types.kind);
                object.metadata.namespace = Some(self.namespace.clone());
            }
            if let Some(role) = object.data.pointer_mut("/roleRef/kind") {
                *role = "Role".into();
            }
        }
        deploy::apply(&self.client(), &objects).await;
        self.cluster.until_allowed(&self.namespace, "externaldns.k8s.io", "dnsendpoints").await;
    }

    /// Starts the operator.
    pub(crate) fn run(&mut self) {
        self.operator = Some(self.second_operator());
    }

    /// Another namespace, which the operator watches too if it is started with [`World::run_at`].
    pub(crate) async fn neighbour(&mut self) -> String {
        let namespace = new_namespace();
        cluster::create_namespace(&self.client(), &namespace).await;
        self.neighbours.push(namespace.clone());
        namespace
    }

    /// Starts the operator for all namespaces of the story, where a cloud allows this many calls a second.
    pub(crate) fn run_at(&mut self, calls_per_second: u32) {
        let clouds = [self.net.url(), self.line().url()];
        let clouds = clouds.each_ref().map(String::as_str);
        let namespaces = [self.namespace.as_str(), &self.claims];
        self.operator =
            Some(Operator::start_at(calls_per_second, &self.api.url(), clouds, namespaces, &self.neighbours));
    }

    /// Starts the operator so much later: its clock and those of the clouds are ahead of the machine's.
    pub(crate) fn run_ahead(&mut self, ahead: SignedDuration) {
        self.turn_clocks(ahead);
        let clock = Clock::ahead_by(ahead);
        let line = self.line().url();
        self.operator =
            Some(Operator::start_by(clock, &self.api.url(), &self.net.url(), &line, &self.namespace));
    }

    /// Starts the operator by the clocks as they are.
    pub(crate) fn run_again(&mut self) {
        self.run_ahead(self.ahead);
    }

    /// Sets the clocks of the clouds, and that of the operator as it is started next by [`World::run_again`].
    pub(crate) fn turn_clocks(&mut self, ahead: SignedDuration) {
        self.ahead = ahead;
        self.cloud.set_clock_ahead(ahead);
        self.site.set_clock_ahead(ahead);
    }

    /// How far the clocks are ahead.
    pub(crate) fn ahead(&self) -> SignedDuration {
        self.ahead
    }

    /// The time by these clocks.
    pub(crate) fn now(&self) -> Timestamp {
        Clock::ahead_by(self.ahead).now()
    }

    /// Kills the operator as SIGKILL would.
    pub(crate) fn kill(&mut self) {
        self.operator.take().unwrap().kill();
    }

    /// Shuts the operator down as SIGTERM would.
    pub(crate) async fn stop(&mut self) {
        self.operator.take().unwrap().stop().await;
    }

    /// An operator with leader election.
    pub(crate) fn electing_operator(&self) -> Operator {
        let clouds = [self.net.url(), self.line().url()];
        Operator::start_electing(&self.api.url(), clouds.each_ref().map(String::as_str), &self.namespace)
    }

    /// Another operator beside the first.
    pub(crate) fn second_operator(&self) -> Operator {
        let clouds = [self.net.url(), self.line().url()];
        let clouds = clouds.each_ref().map(String::as_str);
        let namespaces = [self.namespace.as_str(), &self.claims];
        Operator::start_claiming(&self.api.url(), clouds, namespaces, self.call_timeout)
    }

    /// Buys a certificate.
    pub(crate) fn buy(&self, id: &str, product: Product) {
        self.cloud.buy(&self.account, id, product);
    }

    pub(crate) fn orders(&self) -> Api<CertificateOrder> {
        self.api_of()
    }

    pub(crate) fn api_of<K: Namespaced>(&self) -> Api<K> {
        Api::namespaced(self.client(), &self.namespace)
    }

    /// Creates an object in this namespace of the story.
    pub(crate) async fn create_in<K: Namespaced>(&self, namespace: &str, object: Value) -> K {
        cluster::create(&Api::namespaced(self.client(), namespace), object).await
    }

    pub(crate) async fn create<K: Namespaced>(&self, object: Value) -> K {
        self.create_in(&self.namespace, object).await
    }

    pub(crate) async fn edit<K: Namespaced>(&self, name: &str, change: Value) -> K {
        self.api_of::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await.unwrap()
    }

    /// The same in another namespace of the story.
    pub(crate) async fn edit_in<K: Namespaced>(&self, namespace: &str, name: String, change: Value) -> K {
        let api: Api<K> = Api::namespaced(self.client(), namespace);
        api.patch(&name, &PatchParams::default(), &Patch::Merge(change)).await.unwrap()
    }

    pub(crate) async fn delete<K: Namespaced>(&self, name: &str) {
        self.api_of::<K>().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Requests a pass now.
    pub(crate) async fn poke(&self, name: &str) {
        let annotation = json!({"certorder.dev/reconcile-at": uuid::Uuid::new_v4().to_string()});
        self.edit::<CertificateOrder>(name, json!({"metadata": {"annotations": annotation}})).await;
    }

    /// The current status of an order.
    pub(crate) async fn status(&self, name: &str) -> CertificateOrderStatus {
        self.orders().get(name).await.unwrap().status.unwrap_or_default()
    }

    /// Waits until the status of an order is as wanted, and returns it. It is the status of a pass that saw the latest
    /// [`World::poke`]: what the order said before is never taken for its answer.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&CertificateOrderStatus) -> bool,
    ) -> CertificateOrderStatus {
        let condition = |order: Option<&CertificateOrder>| {
            order.is_some_and(|order| {
                let seen = order.status.as_ref().map(|status| status.observed_generation);
                let handled =
                    order.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_deref());
                seen == order.metadata.generation
                    && is_handled(order, handled)
                    && order.status.as_ref().is_some_and(&wanted)
            })
        };
        let found = tokio::time::timeout(TIMEOUT, await_condition(self.orders(), name, condition)).await;
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

    /// Waits until an object exists and is as wanted.
    pub(crate) async fn until_object<K: Namespaced>(&self, name: &str, wanted: impl Fn(&K) -> bool) {
        let condition = |object: Option<&K>| object.is_some_and(&wanted);
        let found = tokio::time::timeout(TIMEOUT, await_condition(self.api_of::<K>(), name, condition)).await;
        found.unwrap_or_else(|_| panic!("{name} is not as wanted")).unwrap();
    }

    /// Waits until the operator requests this path from the API server.
    pub(crate) async fn until_asked(&self, path: &str) {
        until_seen(&self.api, path, |seen| seen.path.contains(path)).await;
    }

    /// Waits until the operator calls the cloud with this action, answered or not.
    pub(crate) async fn until_called(&self, action: &str) {
        until_seen(&self.net, action, |seen| seen.header("x-tc-action") == Some(action)).await;
    }

    /// Waits until the cloud has such a call for a certificate in its ledger: the proxy sees it earlier.
    pub(crate) async fn until_in_the_ledger(&self, action: &str, certificate: &str) {
        let recorded = async {
            while self.calls_of(action, certificate) == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(TIMEOUT, recorded).await;
        waited.unwrap_or_else(|_| panic!("the cloud got no {action} for {certificate}"));
    }

    /// Waits until an order is deleted.
    pub(crate) async fn until_deleted(&self, name: &str) {
        let deleted = |order: Option<&CertificateOrder>| order.is_none();
        let waited = tokio::time::timeout(TIMEOUT, await_condition(self.orders(), name, deleted)).await;
        waited.unwrap_or_else(|_| panic!("{name} is still there")).unwrap();
    }

    /// Waits until a profile's Ready has this status and reason.
    pub(crate) async fn until_profile(&self, name: &str, status: &str, reason: &str) {
        self.until_profile_is(name, "Ready", status, reason).await;
    }

    /// Waits until a condition of a profile has this status and reason for its current generation, in the status of a
    /// pass that saw the latest [`World::poke_profile`].
    pub(crate) async fn until_profile_is(
        &self,
        name: &str,
        type_: &str,
        status: &str,
        reason: &str,
    ) -> OrganizationProfileStatus {
        let is_so = |profile: &OrganizationProfile| {
            let seen = profile.status.as_ref();
            let handled = seen.and_then(|status| status.last_handled_reconcile_at.as_deref());
            let conditions = seen.map(|status| status.conditions.as_slice()).unwrap_or_default();
            is_handled(profile, handled)
                && conditions.iter().any(|c| {
                    let is_current = c.observed_generation == profile.metadata.generation;
                    is_current && c.type_ == type_ && c.status == status && c.reason == reason
                })
        };
        let condition = |profile: Option<&OrganizationProfile>| profile.is_some_and(is_so);
        let waited = tokio::time::timeout(TIMEOUT, await_condition(self.api_of(), name, condition)).await;
        if let Ok(profile) = waited {
            return profile.unwrap().unwrap().status.unwrap();
        }
        let profile: OrganizationProfile = self.api_of().get(name).await.unwrap();
        panic!("profile {name} is not {type_}={status} ({reason}): {:#?}", profile.status)
    }

    /// Requests a pass over a profile now.
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
        self.until_event_says(reason, "").await;
    }

    /// The same, with this in its note.
    pub(crate) async fn until_event_says(&self, reason: &str, words: &str) {
        self.until_published(reason, |event| has(event, reason, words)).await;
    }

    /// The same, of a Warning.
    pub(crate) async fn until_warned(&self, reason: &str, words: &str) {
        let is_so = |event: &Event| event.type_.as_deref() == Some("Warning") && has(event, reason, words);
        self.until_published(reason, is_so).await;
    }

    async fn until_published(&self, what: &str, is_so: impl Fn(&Event) -> bool) {
        let published = async {
            let events: Api<Event> = self.api_of();
            let mut changes = std::pin::pin!(watcher(events, watcher::Config::default()).applied_objects());
            while let Some(event) = changes.next().await {
                if event.is_ok_and(|event| is_so(&event)) {
                    return;
                }
            }
        };
        tokio::time::timeout(TIMEOUT, published).await.unwrap_or_else(|_| panic!("no Event {what}"));
    }

    /// How many calls for a certificate took effect at the cloud.
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
        self.cluster.clean_up(&self.namespace);
        self.cluster.clean_up(&cluster::claims_of(&self.namespace));
        self.neighbours.iter().for_each(|namespace| self.cluster.clean_up(namespace));
        if let (Some(rules), false) = (self.rules.take(), std::thread::panicking()) {
            rules.check(&self.api.seen());
        }
    }
}

/// Waits until a request like this has reached a proxy.
async fn until_seen(proxy: &Proxy, what: &str, wanted: impl Fn(&Seen) -> bool) {
    let arrived = async {
        while !proxy.seen().iter().any(&wanted) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, arrived).await.unwrap_or_else(|_| panic!("no request for {what}"));
}

/// A namespace with the permissions of `deploy/namespaced`.
async fn install_in_one_namespace(cluster: &Cluster, namespace: &str) {
    cluster::create_namespace(&cluster.client, namespace).await;
    let mut objects = deploy::read("deploy/namespaced");
    objects.retain(|object| matches!(deploy::kind(object), "ServiceAccount" | "Role" | "RoleBinding"));
    for object in &mut objects {
        if object.metadata.namespace.as_deref() == Some(deploy::CLAIMS) {
            // The namespace is shared by all stories, so the object is named after this story, as the chart names it
            // after the installation.
            let name = format!("{namespace}.{}", deploy::ACCOUNT);
            if let Some(role) = object.data.pointer_mut("/roleRef/name") {
                *role = name.clone().into();
            }
            object.metadata.name = Some(name);
        } else {
            // All other objects are in the namespace of the story, and are deleted with it.
            object.metadata.namespace = Some(namespace.to_owned());
        }
        if let Some(subject) = object.data.pointer_mut("/subjects/0/namespace") {
            *subject = namespace.into();
        }
    }
    deploy::apply(&cluster.client, &deploy::read_file("deploy/crds/claims-namespace.yaml")).await;
    deploy::apply(&cluster.client, &objects).await;
}

fn new_namespace() -> String {
    format!("story-{}", uuid::Uuid::new_v4())
}

/// How far a clock is ahead of the machine's that shows this time now.
pub(crate) fn ahead_at(time: Timestamp) -> SignedDuration {
    SignedDuration::from_secs(time.as_second() - Clock::default().now().as_second())
}

/// Whether an object that was asked for a pass, if it was, says that this pass is over.
fn is_handled<K: Resource>(object: &K, handled: Option<&str>) -> bool {
    let annotations = object.meta().annotations.as_ref();
    let asked = annotations.and_then(|annotations| annotations.get("certorder.dev/reconcile-at"));
    // The operator keeps the first part of a long one.
    asked.is_none_or(|asked| handled.is_some_and(|handled| asked.starts_with(handled)))
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

fn has(event: &Event, reason: &str, words: &str) -> bool {
    event.reason.as_deref() == Some(reason) && event.note.as_deref().is_some_and(|note| note.contains(words))
}
