//! The cluster of the manifests: the in-process API, or a real cluster.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certorder::api;
use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::kube::ApiServer;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_deleted;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config, ResourceExt};

use crate::error::Error;
use crate::manifests::{FIELD_MANAGER, MADE_BY, Manifests};
use crate::screen::Screen;
use crate::served::is_served;

/// How long a cluster may take to serve a new kind, or to remove a namespace.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A cluster.
pub(crate) enum Cluster {
    /// In this process.
    Simulated(Client, ApiServer),
    /// The cluster of a kubeconfig.
    Real(Client, PathBuf),
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulated(_, server) => write!(f, "simulated at {}", server.url()),
            Self::Real(_, file) => write!(f, "that of {}", file.display()),
        }
    }
}

impl Cluster {
    /// Starts an in-process API, or connects to the cluster of a kubeconfig.
    pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Self, Error> {
        let Some(file) = kubeconfig else {
            let server =
                ApiServer::start().await.map_err(|source| Error::io("start the Kubernetes API", source))?;
            let config = Kubeconfig::from_yaml(&server.kubeconfig());
            return Ok(Self::Simulated(client(config, Path::new("the simulated cluster")).await?, server));
        };
        Ok(Self::Real(client(Kubeconfig::read_from(file), file).await?, file.to_owned()))
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::Simulated(client, _) | Self::Real(client, _) => client.clone(),
        }
    }

    /// Whether it outlives this process.
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Real(..))
    }

    /// A kubeconfig for kubectl. The in-process cluster gets a temporary file.
    pub(crate) fn kubeconfig(&self) -> Result<(PathBuf, Option<TemporaryFile>), Error> {
        match self {
            Self::Real(_, file) => Ok((file.clone(), None)),
            Self::Simulated(_, server) => {
                let name = format!("certorder-tryout-{}.kubeconfig", std::process::id());
                let file = std::env::temp_dir().join(name);
                std::fs::write(&file, server.kubeconfig())
                    .map_err(|source| Error::io(format!("write {}", file.display()), source))?;
                Ok((file.clone(), Some(TemporaryFile(file))))
            }
        }
    }

    /// Installs the CRDs and applies the manifests, in a namespace without objects of an earlier tryout.
    pub(crate) async fn prepare(&self, manifests: &Manifests, screen: &mut Screen) -> Result<(), Error> {
        self.clean(manifests, screen).await?;
        let prepared = tokio::time::timeout(TIMEOUT, install_crds(&self.client())).await;
        prepared.map_err(|_| Error::TooSlow(format!("the CRDs were not served within {TIMEOUT:?}")))??;
        for manifest in &manifests.all {
            let what = manifest.to_string();
            manifest.apply(&self.client()).await.map_err(Error::api(format!("apply {what}")))?;
            screen.say(&format!("applied {what}"));
        }
        Ok(())
    }

    /// Removes the namespace of the manifests, if the tryout made it, with everything in it.
    pub(crate) async fn clean(&self, manifests: &Manifests, screen: &mut Screen) -> Result<(), Error> {
        let Self::Real(..) = self else { return Ok(()) };
        let name = manifests.namespace.as_str();
        let found = self.namespaces().get_opt(name).await;
        let Some(found) = found.map_err(Error::api(format!("look for namespace {name}")))? else {
            return Ok(());
        };
        if found.labels().get(MADE_BY).is_none_or(|value| value != FIELD_MANAGER) {
            return Err(Error::NamespaceInUse(name.to_owned()));
        }
        screen.say(&format!("removes namespace {name}"));
        let uid = found.uid().unwrap_or_default();
        let deleted = self.namespaces().delete(name, &DeleteParams::default()).await;
        deleted.map_err(Error::api(format!("remove namespace {name}")))?;
        let deleted = await_condition(self.namespaces(), name, is_deleted(&uid));
        match tokio::time::timeout(TIMEOUT, deleted).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::TooSlow(format!("cannot watch namespace {name} end: {error}"))),
            Err(_) => Err(Error::TooSlow(format!("namespace {name} was not deleted within {TIMEOUT:?}"))),
        }
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client())
    }
}

async fn client(
    config: Result<Kubeconfig, kube::config::KubeconfigError>,
    file: &Path,
) -> Result<Client, Error> {
    let unusable = |source| Error::Kubeconfig { file: file.display().to_string(), source };
    let config = config.map_err(unusable)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(config, &options).await.map_err(unusable)?;
    Client::try_from(config).map_err(Error::api("set up the Kubernetes client"))
}

async fn install_crds(client: &Client) -> Result<(), Error> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let name = crd.name_any();
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let applied = crds.patch(&name, &params, &Patch::Apply(&crd)).await;
        applied.map_err(Error::api(format!("install the CRD {name}")))?;
    }
    is_served::<CertificateOrder>(client).await.map_err(Error::api("list certificateorders"))?;
    is_served::<OrganizationProfile>(client).await.map_err(Error::api("list organizationprofiles"))
}

/// A file that is removed when this is dropped.
pub(crate) struct TemporaryFile(PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // It may be deleted already.
    }
}
