//! The test environment: a cluster, the clouds, and the operator's processes, each behind proxies of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::proxy::{Proxy, Upstream};
use futures::FutureExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use super::Target;
use super::cloud::Cloud;
use super::huawei::Huawei;
use super::process::{Binary, Process};
use super::scenario::KINDS;
use super::tencent::Tencent;
use crate::cluster::{self, Cluster, Namespaced};
use crate::fixtures;

/// `--call-timeout` of the processes that are killed: short, so that the next process resolves open calls quickly, but
/// long enough for a busy machine.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(500);
/// The flags of those processes.
pub(crate) const SHORT_TIMEOUTS: [&str; 4] = ["--call-timeout", "500ms", "--poll-interval", "100ms"];

/// The environments of this process. On a real cluster they share the claims, so their certificates have to differ.
static ENVIRONMENTS: AtomicUsize = AtomicUsize::new(0);
/// The most certificates of one environment: a multiple of the number of kinds, so that each environment begins with the
/// first kind.
const MOST_CERTIFICATES: usize = 1_000_000 * KINDS.len();

/// The cluster and the clouds.
pub(crate) struct Environment {
    pub(crate) cluster: Cluster,
    pub(crate) clouds: Vec<Arc<dyn Cloud>>,
    pub(crate) binary: Binary,
    /// The number of the next certificate.
    pub(crate) bought: AtomicUsize,
}

/// A namespace of its own, with the objects that orders refer to.
pub(crate) struct Sandbox<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) namespace: String,
}

impl Environment {
    /// An environment with every cloud, without rate limits.
    pub(crate) async fn start(target: &Target) -> Self {
        Self::with(target, vec![Arc::new(Tencent::start().await), Arc::new(Huawei::start().await)]).await
    }

    /// An environment with these clouds.
    pub(crate) async fn with(target: &Target, clouds: Vec<Arc<dyn Cloud>>) -> Self {
        let cluster = Cluster::start(target.kubeconfig.as_deref()).await;
        let first = ENVIRONMENTS.fetch_add(1, Ordering::Relaxed) * MOST_CERTIFICATES;
        Self { cluster, clouds, binary: Binary::new(target), bought: AtomicUsize::new(first) }
    }

    /// A number that no other certificate has.
    pub(crate) fn number(&self) -> usize {
        self.bought.fetch_add(1, Ordering::Relaxed)
    }

    /// A namespace of its own, with credentials, a profile and a letter.
    pub(crate) async fn sandbox(&self) -> Sandbox<'_> {
        let sandbox = Sandbox { environment: self, namespace: self.cluster.new_namespace().await };
        for cloud in &self.clouds {
            sandbox.create::<Secret>(cloud.credentials()).await;
        }
        sandbox.create::<OrganizationProfile>(fixtures::profile()).await;
        let letter = format!("%PDF-1.4\n{}", "x".repeat(4096));
        let letter = json!({
            "metadata": {"name": "letter", "labels": {"certorder.dev/readable": "true"}},
            "stringData": {"letter.pdf": letter},
        });
        sandbox.create::<Secret>(letter).await;
        sandbox
    }
}

impl Sandbox<'_> {
    pub(crate) fn orders(&self) -> Api<CertificateOrder> {
        self.api()
    }

    pub(crate) fn api<K: Namespaced>(&self) -> Api<K> {
        Api::namespaced(self.environment.cluster.client.clone(), &self.namespace)
    }

    pub(crate) async fn create<K: Namespaced>(&self, object: Value) {
        cluster::create(&self.api::<K>(), object).await;
    }

    /// The proxies of a process that is not started yet, so that faults can be set before its first request.
    pub(crate) async fn replica(&self) -> Replica {
        let api = Proxy::start(self.environment.cluster.upstream.clone()).await.unwrap();
        let mut clouds = Vec::new();
        for cloud in &self.environment.clouds {
            clouds.push(Proxy::start(Upstream::http(&cloud.url()).unwrap()).await.unwrap());
        }
        Replica { api, clouds, process: None }
    }

    /// Starts the operator behind these proxies, with these flags added.
    pub(crate) fn start(&self, replica: &mut Replica, flags: &[&str]) {
        let mut all = vec!["--watch-namespace".to_owned(), self.namespace.clone()];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        for (cloud, proxy) in self.environment.clouds.iter().zip(&replica.clouds) {
            all.extend(cloud.flags(&proxy.url()));
        }
        replica.process = Some(self.environment.binary.start(&replica.api.url(), &all));
    }

    /// A started process without faults.
    pub(crate) async fn operator(&self, flags: &[&str]) -> Replica {
        let mut replica = self.replica().await;
        self.start(&mut replica, flags);
        replica
    }
}

impl Drop for Sandbox<'_> {
    fn drop(&mut self) {
        self.environment.cluster.clean_up(&self.namespace);
    }
}

/// A process of the operator, and the proxies before it.
pub(crate) struct Replica {
    pub(crate) api: Proxy,
    /// One for each cloud.
    pub(crate) clouds: Vec<Proxy>,
    pub(crate) process: Option<Process>,
}

impl Replica {
    /// Waits until a request is held.
    pub(crate) async fn held(&self) {
        let clouds = self.clouds.iter().map(|proxy| Box::pin(proxy.killed()));
        tokio::select! {
            () = self.api.killed() => {}
            _ = futures::future::select_all(clouds) => {}
        }
    }

    /// Whether the process has made its first request.
    pub(crate) fn has_started(&self) -> bool {
        !self.api.seen().is_empty()
    }

    /// Whether one is held now.
    pub(crate) fn is_held(&self) -> bool {
        self.held().now_or_never().is_some()
    }

    /// Kills the process. An operator that has exited by itself is a failure.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        let exited = process.has_exited();
        assert!(exited.is_none(), "the operator exited by itself: {}", exited.unwrap());
        process.kill();
    }
}
