//! The API server: a simulated one behind a proxy that counts, or a real one that counts by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certorder_sim::kube::ApiServer;
use certorder_sim::proxy::{Action, Proxy, Rule, Seen, Upstream};
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::machine::Process;

/// Requests by verb and resource, as in `PUT certificateorders/status`.
pub(crate) type Requests = BTreeMap<String, f64>;

/// What an operator asks for. Other resources are not counted: a real cluster has other components.
const RESOURCES: [&str; 6] =
    ["certificateorders", "organizationprofiles", "dnsendpoints", "secrets", "events", "leases"];

/// What this process asks for, and no operator does in the same number.
const OWN: [&str; 2] = ["POST certificateorders", "WATCH certificateorders"];

/// The API server of one measurement.
pub(crate) enum Api {
    Simulated { server: ApiServer, proxy: Proxy },
    Real { kubeconfig: PathBuf, client: Client, process: Option<Process> },
}

impl Api {
    pub(crate) async fn start(kubeconfig: Option<&Path>, latency: Duration) -> Self {
        let Some(path) = kubeconfig else {
            let server = ApiServer::start().await.unwrap();
            let proxy = Proxy::start(Upstream::http(&server.url()).unwrap()).await.unwrap();
            if !latency.is_zero() {
                let is_answered = |path: &str| !path.contains("watch=true");
                proxy.fault(Rule::new(Action::Delay(latency)).path_where(is_answered).always());
            }
            return Self::Simulated { server, proxy };
        };
        assert!(latency.is_zero(), "--api-latency is for the simulated API server");
        let config = Kubeconfig::read_from(path).unwrap();
        let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
        let port = config.cluster_url.port_u16().unwrap_or(443);
        let is_local = ["127.0.0.1", "localhost"].contains(&config.cluster_url.host().unwrap_or_default());
        let process = if is_local { Process::listening_on(port) } else { None };
        Self::Real { kubeconfig: path.to_owned(), client: Client::try_from(config).unwrap(), process }
    }

    /// A client of this process; its requests are not counted where the proxy counts.
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::Simulated { server, .. } => {
                Client::try_from(Config::new(server.url().parse().unwrap())).unwrap()
            }
            Self::Real { client, .. } => client.clone(),
        }
    }

    /// The kubeconfig for the operator.
    pub(crate) fn kubeconfig(&self, directory: &Path) -> PathBuf {
        match self {
            Self::Simulated { proxy, .. } => {
                let path = directory.join("kubeconfig");
                std::fs::write(&path, kubeconfig_of(&proxy.url())).unwrap();
                path
            }
            Self::Real { kubeconfig, .. } => std::path::absolute(kubeconfig).unwrap(),
        }
    }

    /// The processor time that it has used so far; `None` where it is not a process of its own on this machine.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        match self {
            Self::Simulated { .. } => None,
            Self::Real { process, .. } => process.map(Process::cpu),
        }
    }

    /// All requests so far. A real API server also counts those of this process: see [`OWN`].
    pub(crate) async fn requests(&self) -> Requests {
        match self {
            Self::Simulated { proxy, .. } => {
                let mut requests = Requests::new();
                for name in proxy.seen().iter().filter_map(name_of) {
                    *requests.entry(name).or_default() += 1.0;
                }
                requests
            }
            Self::Real { client, .. } => {
                let request = Request::get("/metrics").body(Vec::new()).unwrap();
                counted(&client.request_text(request).await.unwrap())
            }
        }
    }
}

/// The verb and the resource of a request that the proxy has seen.
fn name_of(seen: &Seen) -> Option<String> {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let parts: Vec<_> = path.split('/').skip_while(|part| !RESOURCES.contains(part)).collect();
    let resource = *parts.first()?;
    let subresource = parts.get(2).map(|name| format!("/{name}")).unwrap_or_default();
    let verb = match seen.method {
        Method::GET if query.contains("watch=true") => "WATCH",
        Method::GET if parts.len() == 1 => "LIST",
        ref other => other.as_str(),
    };
    Some(format!("{verb} {resource}{subresource}"))
}

/// The counters of `apiserver_request_total`.
fn counted(metrics: &str) -> Requests {
    let mut requests = Requests::new();
    for line in metrics.lines() {
        let Some(line) = line.strip_prefix("apiserver_request_total{") else { continue };
        let Some((labels, value)) = line.rsplit_once("} ") else { continue };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        // `subresource` ends with `resource` as well, and comes after it.
        let (Some(resource), Some(verb)) = (label(",resource"), label(",verb")) else { continue };
        if RESOURCES.contains(&resource) {
            let subresource = label(",subresource").filter(|name| !name.is_empty());
            let subresource = subresource.map(|name| format!("/{name}")).unwrap_or_default();
            *requests.entry(format!("{verb} {resource}{subresource}")).or_default() +=
                value.trim().parse::<f64>().unwrap_or_default();
        }
    }
    requests
}

/// The requests between two counts, without those of this process.
pub(crate) fn between(before: &Requests, after: &Requests) -> Requests {
    let grown =
        after.iter().map(|(name, count)| (name.clone(), count - before.get(name).copied().unwrap_or(0.0)));
    grown.filter(|(name, count)| *count > 0.0 && !OWN.contains(&name.as_str())).collect()
}

fn kubeconfig_of(url: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: load, \
         clusters: [{{name: load, cluster: {{server: '{url}'}}}}], users: [{{name: load, user: {{}}}}], \
         contexts: [{{name: load, context: {{cluster: load, user: load, namespace: default}}}}]}}"
    )
}
