//! The cluster that a story runs on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use certorder::api;
use certorder_sim::kube::ApiServer;
use certorder_sim::proxy::{Trust, Upstream};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::deploy;

/// The kubeconfig of a real cluster to run the stories on.
pub(crate) fn kubeconfig() -> Option<PathBuf> {
    std::env::var_os("CERTORDER_TEST_KUBECONFIG").map(PathBuf::from)
}

/// A cluster with the CRDs installed.
pub(crate) struct Cluster {
    /// A client without faults.
    pub(crate) client: Client,
    /// The upstream of a proxy. On a real cluster it has only the permissions of the ServiceAccount of `deploy/`.
    pub(crate) upstream: Upstream,
    kubeconfig: Option<PathBuf>,
    _simulated: Option<ApiServer>,
}

impl Cluster {
    /// The cluster of a kubeconfig, or an in-process one.
    pub(crate) async fn start(kubeconfig: Option<&Path>) -> Self {
        match kubeconfig {
            Some(path) => Self::real(path).await,
            None => Self::simulated().await,
        }
    }

    async fn simulated() -> Self {
        let server = ApiServer::start().await.unwrap();
        let client = Client::try_from(Config::new(server.url().parse().unwrap())).unwrap();
        install_crds(&client).await;
        create_namespace(&client, "certorder-claims").await;
        let upstream = Upstream::http(&server.url()).unwrap();
        Self { client, upstream, kubeconfig: None, _simulated: Some(server) }
    }

    async fn real(path: &Path) -> Self {
        static PREPARED: OnceCell<String> = OnceCell::const_new();
        let kubeconfig = Kubeconfig::read_from(path).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let url = config.cluster_url.to_string();
        let client = Client::try_from(config).unwrap();
        let token = PREPARED
            .get_or_init(|| async {
                install_crds(&client).await;
                deploy::apply(&client, &deploy::everything()).await;
                token(&client, deploy::NAMESPACE, deploy::ACCOUNT).await
            })
            .await;
        let upstream = Upstream::https(url.trim_end_matches('/'), &Trust::Anybody).unwrap();
        let upstream = upstream.with_token(token).unwrap().with_own_host();
        Self { client, upstream, kubeconfig: Some(path.to_owned()), _simulated: None }
    }

    /// The upstream with the permissions of another ServiceAccount.
    pub(crate) async fn upstream_of(&self, namespace: &str, account: &str) -> Upstream {
        if is_real() {
            let token = token(&self.client, namespace, account).await;
            self.upstream.clone().with_token(&token).unwrap()
        } else {
            self.upstream.clone()
        }
    }

    /// Creates a namespace with a unique name.
    pub(crate) async fn new_namespace(&self) -> String {
        let name = format!("story-{}", uuid::Uuid::new_v4());
        create_namespace(&self.client, &name).await;
        name
    }

    /// Creates the namespace for the claims of a story: other stories have certificates with the same id. On a real cluster
    /// the operator gets the permissions there that `deploy/` grants in the default one.
    pub(crate) async fn create_claims(&self, namespace: &str) -> String {
        let claims = claims_of(namespace);
        create_namespace(&self.client, &claims).await;
        if is_real() {
            let mut objects = deploy::read_file("deploy/operator/claims.yaml");
            for object in &mut objects {
                object.metadata.namespace = Some(claims.clone());
                if let Some(subjects) = object.data.get_mut("subjects").and_then(Value::as_array_mut) {
                    let mut here = subjects[0].clone();
                    here["namespace"] = namespace.into();
                    subjects.push(here);
                }
            }
            deploy::apply(&self.client, &objects).await;
        }
        claims
    }

    /// Gives the operator of another namespace the same rights there.
    pub(crate) async fn may_claim(&self, claims: &str, namespace: &str) {
        if is_real() {
            let mut objects = deploy::read_file("deploy/operator/claims.yaml");
            objects.retain(|object| deploy::kind(object) == "RoleBinding");
            for object in &mut objects {
                object.metadata.name = Some(namespace.to_owned());
                object.metadata.namespace = Some(claims.to_owned());
                object.data["subjects"][0]["namespace"] = namespace.into();
            }
            deploy::apply(&self.client, &objects).await;
        }
    }

    /// Waits until the operator may delete objects of a kind in a namespace: a real API server takes a moment to see a role.
    pub(crate) async fn until_allowed(&self, namespace: &str, group: &str, resource: &str) {
        let review: SubjectAccessReview = serde_json::from_value(json!({"spec": {
            "user": format!("system:serviceaccount:{}:{}", deploy::NAMESPACE, deploy::ACCOUNT),
            "resourceAttributes": {
                "group": group, "resource": resource, "namespace": namespace, "verb": "delete",
            },
        }}))
        .unwrap();
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        while is_real() {
            let answer = reviews.create(&PostParams::default(), &review).await.unwrap();
            if answer.status.unwrap().allowed {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Deletes such a namespace from a real cluster. On a thread of its own: the story's runtime may be shutting down.
    pub(crate) fn clean_up(&self, namespace: &str) {
        let Some(path) = self.kubeconfig.clone() else { return };
        let namespace = namespace.to_owned();
        let delete = async move {
            let kubeconfig = Kubeconfig::read_from(path).unwrap();
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            let namespaces: Api<Namespace> = Api::all(Client::try_from(config).unwrap());
            drop(namespaces.delete(&namespace, &DeleteParams::default()).await);
        };
        let run =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(delete);
        drop(std::thread::spawn(run).join());
    }
}

/// The namespace for the claims of the story in a namespace.
pub(crate) fn claims_of(namespace: &str) -> String {
    format!("{namespace}-claims")
}

/// A kind of object in a namespace.
pub(crate) trait Namespaced:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + DeserializeOwned
    + Serialize
    + std::fmt::Debug
    + Send
    + 'static
{
}

impl<K> Namespaced for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Serialize
        + std::fmt::Debug
        + Send
        + 'static
{
}

/// Creates an object.
pub(crate) async fn create<K>(api: &Api<K>, object: Value) -> K
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap()
}

/// Creates a namespace, unless it exists.
pub(crate) async fn create_namespace(client: &Client, name: &str) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    match namespaces.create(&PostParams::default(), &namespace).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        Err(error) => panic!("{error}"),
    }
}

/// Whether the stories run on a real cluster, which has an authorizer and evaluates policies.
pub(crate) fn is_real() -> bool {
    kubeconfig().is_some()
}

/// Removes the CRDs and all objects of their kinds; only for a cluster that no other story uses.
pub(crate) async fn remove_crds(client: &Client) {
    assert!(!is_real(), "other stories need them");
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        api.delete(&crd.metadata.name.unwrap(), &DeleteParams::default()).await.unwrap();
    }
}

/// Installs or updates the CRDs.
pub(crate) async fn install_crds(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let name = crd.metadata.name.clone().unwrap();
        match api.create(&PostParams::default(), &crd).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                api.patch(&name, &PatchParams::default(), &Patch::Merge(&crd)).await.unwrap();
            }
            Err(error) => panic!("{name}: {error}"),
        }
        let established = kube::runtime::conditions::is_crd_established();
        kube::runtime::wait::await_condition(api.clone(), &name, established).await.unwrap();
    }
    // A list succeeds once the API server serves the new kind.
    let orders: Api<api::v1alpha1::CertificateOrder> = Api::all(client.clone());
    while orders.list(&ListParams::default().limit(1)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// A bearer token of a ServiceAccount, as its Pod gets it.
async fn token(client: &Client, namespace: &str, account: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec { expiration_seconds: Some(7200), ..TokenRequestSpec::default() }),
        ..TokenRequest::default()
    };
    let answer = accounts.create_token_request(account, &PostParams::default(), &request).await.unwrap();
    answer.status.unwrap().token.unwrap()
}
