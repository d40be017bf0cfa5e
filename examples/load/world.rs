//! The cluster with its CRDs and namespaces, and the cloud with what was bought there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::tencent::{Account, Fault, Options, Product, TencentCloud};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use kube::runtime::conditions::{is_crd_established, is_deleted};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::Cli;
use crate::api;
use crate::operator::Program;

/// How many orders are created at the same time.
const CREATORS: usize = 16;
/// The namespace of the operator's Leases.
const CLAIMS: &str = "certorder-claims";

/// One measurement's cluster and cloud.
pub(crate) struct World {
    pub(crate) api: api::Api,
    pub(crate) client: Client,
    pub(crate) cloud: TencentCloud,
    pub(crate) directory: PathBuf,
    namespaces: Vec<String>,
}

impl World {
    pub(crate) async fn start(cli: &Cli, program: &Program) -> Self {
        let api = api::Api::start(cli.kubeconfig.as_deref(), Duration::from_millis(cli.api_latency)).await;
        let client = api.client();
        let directory = std::env::temp_dir().join(format!("certorder-load-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&directory).unwrap();
        let cloud =
            TencentCloud::start(Options { calls_per_second: None, ..Options::default() }).await.unwrap();
        if cli.cloud_latency > 0 {
            cloud.fault(Fault::reply_late(Duration::from_millis(cli.cloud_latency)).always());
        }
        let namespaces = (0..cli.accounts).map(|number| format!("load-{}", account_id(number))).collect();
        let world = Self { api, client, cloud, directory, namespaces };
        world.install_crds(program).await;
        world.create_namespace(CLAIMS).await;
        for (number, namespace) in world.namespaces.iter().enumerate() {
            world.create_namespace(namespace).await;
            let account = world.open_account(number).await;
            for order in (number..cli.orders).step_by(cli.accounts) {
                world.cloud.buy(&account, &certificate_id(order), Product::DV_SINGLE);
            }
        }
        world
    }

    /// The CRDs as the program prints them, in place of those that are there, with all objects of their kinds.
    async fn install_crds(&self, program: &Program) {
        let printed = Command::new(&program.crds).arg("crds").output().unwrap().stdout;
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let crds =
            serde_saphyr::from_multiple::<CustomResourceDefinition>(&String::from_utf8(printed).unwrap());
        for crd in crds.unwrap() {
            let name = crd.name_any();
            if let Some(old) = api.get_opt(&name).await.unwrap() {
                drop(api.delete(&name, &DeleteParams::default()).await.unwrap());
                await_condition(api.clone(), &name, is_deleted(&old.uid().unwrap())).await.unwrap();
            }
            api.create(&PostParams::default(), &crd).await.unwrap();
            await_condition(api.clone(), &name, is_crd_established()).await.unwrap();
        }
        // A list succeeds once the API server serves the new kind.
        while self.orders("default").list(&ListParams::default().limit(1)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    async fn create_namespace(&self, name: &str) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        create(&namespaces, json!({"metadata": {"name": name}})).await;
    }

    async fn open_account(&self, number: usize) -> Account {
        let (id, key) = (format!("AKID{}", account_id(number)), format!("key-of-{number}"));
        let secret = json!({
            "metadata": {"name": "credentials", "labels": {"certorder.dev/readable": "true"}},
            "stringData": {"secretId": id, "secretKey": key},
        });
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespaces[number]);
        create(&secrets, secret).await;
        self.cloud.account(&id, &key)
    }

    fn orders(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind())
    }

    /// Creates all orders, no more than `rate` in a second.
    pub(crate) async fn create_orders(&self, orders: usize, rate: Option<u32>) {
        let start = Instant::now();
        let create = |number: usize| async move {
            if let Some(rate) = rate {
                sleep_until(start + Duration::from_secs(1) / rate * u32::try_from(number).unwrap()).await;
            }
            let namespace = &self.namespaces[number % self.namespaces.len()];
            create(&self.orders(namespace), order(number)).await;
        };
        stream::iter(0..orders).map(create).buffer_unordered(CREATORS).collect::<()>().await;
    }

    /// How many calls of each action took effect, or failed, so far.
    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        let mut calls = BTreeMap::new();
        for call in self.cloud.ledger() {
            *calls.entry(call.action).or_default() += 1;
        }
        calls
    }

    /// The certificates that were handed in, or sent, more or less often than once.
    pub(crate) fn wrongs(&self, orders: usize) -> Vec<String> {
        let mut effects: BTreeMap<(String, String), usize> = BTreeMap::new();
        for call in self.cloud.ledger().into_iter().filter(|call| call.took_effect) {
            *effects.entry((call.action, call.certificate_id.unwrap_or_default())).or_default() += 1;
        }
        let count = |action: &str, id: String| effects.get(&(action.to_owned(), id)).copied().unwrap_or(0);
        let check = |action: &str, number: usize| {
            let (id, times) = (certificate_id(number), count(action, certificate_id(number)));
            (times != 1).then(|| format!("{action} took effect {times} times for {id}"))
        };
        let each = |action| (0..orders).filter_map(move |number| check(action, number));
        [crate::phases::SUBMIT, crate::phases::ORDER].into_iter().flat_map(each).take(10).collect()
    }

    /// Lets the authority issue every certificate.
    pub(crate) fn issue(&self, orders: usize) {
        for number in 0..orders {
            let id = certificate_id(number);
            while self.cloud.certificate(&id).unwrap().issued.is_none() {
                self.cloud.advance(&id).unwrap();
            }
        }
    }

    /// Removes what a real cluster would keep.
    pub(crate) async fn clean_up(self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        // Without the operator, nobody would take the finalizers off.
        let crds: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for namespace in &self.namespaces {
            let release = json!({"metadata": {"finalizers": null}});
            let release = Patch::Merge(release);
            for order in self.orders(namespace).list_metadata(&ListParams::default()).await.unwrap() {
                if !order.finalizers().is_empty() {
                    let name = order.name_any();
                    self.orders(namespace).patch(&name, &PatchParams::default(), &release).await.unwrap();
                }
            }
        }
        for name in ["certificateorders.certorder.dev", "organizationprofiles.certorder.dev"] {
            let old = crds.get(name).await.unwrap();
            drop(crds.delete(name, &DeleteParams::default()).await.unwrap());
            await_condition(crds.clone(), name, is_deleted(&old.uid().unwrap())).await.unwrap();
        }
        for namespace in self.namespaces.iter().map(String::as_str).chain([CLAIMS]) {
            let old = namespaces.get(namespace).await.unwrap();
            drop(namespaces.delete(namespace, &DeleteParams::default()).await.unwrap());
            await_condition(namespaces.clone(), namespace, is_deleted(&old.uid().unwrap())).await.unwrap();
        }
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// The kind of orders, without the types of this version: an older operator may have others.
pub(crate) fn kind() -> ApiResource {
    ApiResource::erase::<CertificateOrder>(&())
}

fn account_id(number: usize) -> String {
    format!("{number:04}")
}

fn certificate_id(order: usize) -> String {
    format!("L{order:07}")
}

fn order(number: usize) -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"name": format!("order-{number:06}")},
        "spec": {
            "provider": {"tencentCloud": {
                "certificateId": certificate_id(number), "contactEmail": "pki@acme.example",
            }},
            "credentialsRef": {"name": "credentials"},
            "commonName": format!("site-{number}.acme.example"),
            "privateKey": {"source": "Cloud", "algorithm": "ECDSA"},
        },
    })
}

async fn create<K>(api: &Api<K>, object: Value)
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
}
