//! Where a siege happens: a cluster, the clouds, and the operator's processes, each behind proxies of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::proxy::{Proxy, Upstream};
use futures::FutureExt;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Place;
use super::cloud::Cloud;
use super::huawei::Huawei;
use super::process::{Binary, Process};
use super::tencent::Tencent;
use crate::cluster::Cluster;
use crate::fixtures;

/// `--call-timeout` of the processes that are killed: so short that the next one settles what it finds quickly, and
/// long enough for a busy machine.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(500);
/// The flags of those processes.
pub(crate) const HASTY: [&str; 4] = ["--call-timeout", "500ms", "--poll-interval", "100ms"];

/// The cluster and the clouds.
pub(crate) struct Camp {
    pub(crate) cluster: Cluster,
    pub(crate) clouds: Vec<Arc<dyn Cloud>>,
    pub(crate) binary: Binary,
    /// How many certificates were bought.
    pub(crate) bought: AtomicUsize,
}

/// A namespace with what orders refer to.
pub(crate) struct Ground<'a> {
    pub(crate) camp: &'a Camp,
    pub(crate) namespace: String,
}

impl Camp {
    /// A camp with every cloud, none of which limits the frequency of calls.
    pub(crate) async fn pitch(place: &Place) -> Self {
        Self::with(place, vec![Arc::new(Tencent::start().await), Arc::new(Huawei::start().await)]).await
    }

    /// A camp with these clouds.
    pub(crate) async fn with(place: &Place, clouds: Vec<Arc<dyn Cloud>>) -> Self {
        let cluster = Cluster::start(place.kubeconfig.as_deref()).await;
        Self { cluster, clouds, binary: Binary::new(place), bought: AtomicUsize::new(0) }
    }

    /// A number that no other certificate of this camp has.
    pub(crate) fn number(&self) -> usize {
        self.bought.fetch_add(1, Ordering::Relaxed)
    }

    /// A namespace of its own, with credentials, a profile and a letter.
    pub(crate) async fn ground(&self) -> Ground<'_> {
        let ground = Ground { camp: self, namespace: self.cluster.new_namespace().await };
        for cloud in &self.clouds {
            ground.create::<Secret>(cloud.credentials()).await;
        }
        ground.create::<OrganizationProfile>(fixtures::profile()).await;
        let letter = format!("%PDF-1.4\n{}", "x".repeat(4096));
        let letter = json!({
            "metadata": {"name": "letter", "labels": {"certorder.dev/readable": "true"}},
            "stringData": {"letter.pdf": letter},
        });
        ground.create::<Secret>(letter).await;
        ground
    }
}

impl Ground<'_> {
    pub(crate) fn orders(&self) -> Api<CertificateOrder> {
        self.api()
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.camp.cluster.client.clone(), &self.namespace)
    }

    pub(crate) async fn create<K>(&self, object: Value)
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug,
    {
        let object: K = serde_json::from_value(object).unwrap();
        self.api::<K>().create(&PostParams::default(), &object).await.unwrap();
    }

    /// Proxies for a process that is still to be started, so that faults are in place before its first request.
    pub(crate) async fn post(&self) -> Post {
        let api = Proxy::start(self.camp.cluster.upstream.clone()).await.unwrap();
        let mut nets = Vec::new();
        for cloud in &self.camp.clouds {
            nets.push(Proxy::start(Upstream::http(&cloud.url()).unwrap()).await.unwrap());
        }
        Post { api, nets, process: None }
    }

    /// Starts the operator behind these proxies, with more flags.
    pub(crate) fn man(&self, post: &mut Post, flags: &[&str]) {
        let mut all = vec!["--watch-namespace".to_owned(), self.namespace.clone()];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        for (cloud, net) in self.camp.clouds.iter().zip(&post.nets) {
            all.extend(cloud.flags(&net.url()));
        }
        post.process = Some(self.camp.binary.start(&post.api.url(), &all));
    }

    /// A process without faults.
    pub(crate) async fn operator(&self, flags: &[&str]) -> Post {
        let mut post = self.post().await;
        self.man(&mut post, flags);
        post
    }
}

impl Drop for Ground<'_> {
    fn drop(&mut self) {
        self.camp.cluster.clean_up(&self.namespace);
    }
}

/// A process of the operator, and what stands between it and the world.
pub(crate) struct Post {
    pub(crate) api: Proxy,
    /// One for each cloud.
    pub(crate) nets: Vec<Proxy>,
    pub(crate) process: Option<Process>,
}

impl Post {
    /// Waits until a request is held.
    pub(crate) async fn held(&self) {
        let nets = self.nets.iter().map(|net| Box::pin(net.killed()));
        tokio::select! {
            () = self.api.killed() => {}
            _ = futures::future::select_all(nets) => {}
        }
    }

    /// Whether the process has made its first request.
    pub(crate) fn is_awake(&self) -> bool {
        !self.api.seen().is_empty()
    }

    /// Whether one is held now.
    pub(crate) fn is_held(&self) -> bool {
        self.held().now_or_never().is_some()
    }

    /// Kills the process; an operator that ended by itself is a failure of its own.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        let ended = process.has_ended();
        assert!(ended.is_none(), "the operator ended by itself: {}", ended.unwrap());
        process.kill();
    }
}
