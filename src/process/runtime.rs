//! Puts the process together: client, caches, controllers, probes, and the way down.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use kube::Client;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tracing::info;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use crate::cluster::cache::Cache;
use crate::cluster::secrets::Secrets;
use crate::controller::queue::Gate;
use crate::controller::schedule::Lookout;
use crate::controller::telemetry::{GateMetrics, Metrics, Telemetry};
use crate::core::clock::Clock;
use crate::core::shutdown::Ending;
use crate::order::Context;
use crate::order::claim::intent_ages::Sightings;
use crate::order::claim::locks::Turns;
use crate::order::validation::Validations;
use crate::process::config::{Config, LogFormat};
use crate::process::controllers::{Scope, are_filled};
use crate::process::http::{self, Readiness};
use crate::process::leader::Candidate;
use crate::profile::lookups::Lookups;
use crate::provider::registry::{Clouds, Settings, SetupError};

/// Why the controller cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter does not parse.
    #[error("--log-level: {0}")]
    LogLevel(#[from] ParseError),
    /// No cluster to talk to.
    #[error("no Kubernetes cluster: {0}; set KUBECONFIG, or run in a cluster")]
    Cluster(#[from] kube::config::InferConfigError),
    /// The client cannot be built.
    #[error("the Kubernetes client: {0}")]
    Client(#[from] kube::Error),
    /// The clouds cannot be set up.
    #[error(transparent)]
    Clouds(#[from] SetupError),
    /// The port of the probes.
    #[error("--http-address {address}: {source}")]
    Port {
        /// The address.
        address: std::net::SocketAddr,
        /// Why it cannot be opened.
        source: std::io::Error,
    },
    /// Another replica goes on.
    #[error("the lease is lost: another replica took it, or it could not be renewed; this process ends")]
    LeaseLost,
    /// The runtime or the probes failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Resolves when the process must end.
pub type Shutdown = Shared<BoxFuture<'static, ()>>;

/// Runs the controller until SIGTERM or ctrl-c.
pub fn start(config: Config) -> Result<(), Error> {
    init_log(&config)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut cluster = kube::Config::infer().await?;
        // A watch is quiet for up to five minutes; what is quiet for longer is dead.
        cluster.read_timeout = Some(Duration::from_mins(6));
        let client = Client::try_from(cluster)?;
        run(config, client, signals()?).await
    })
}

fn init_log(config: &Config) -> Result<(), Error> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(log_filter(&config.log_level)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// What kube says of a failure, certorder says too, and with what to do about it. Whoever wants to hear more than a
/// plain level hears both. An answer that cannot be read is never shown: it may be a Secret.
fn log_filter(level: &str) -> Result<EnvFilter, ParseError> {
    const ANSWERS: &str = "kube_client::client=off";
    const SAID_TWICE: &str = "kube_client::client::builder=off,kube_runtime::watcher=off";
    let requests = match level {
        "debug" | "trace" => format!("kube_client::client::builder={level}"),
        "error" | "warn" | "info" => SAID_TWICE.to_owned(),
        _ => return EnvFilter::try_new(format!("{level},{ANSWERS}")),
    };
    EnvFilter::try_new(format!("{level},{requests},{ANSWERS}"))
}

/// Resolves on SIGTERM or ctrl-c.
fn signals() -> std::io::Result<Shutdown> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let first = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("ends: finishes the calls in flight");
    };
    Ok(first.boxed().shared())
}

/// Runs the controllers and the probes until `shutdown` resolves; passes that have begun are finished.
pub async fn run(config: Config, client: Client, shutdown: Shutdown) -> Result<(), Error> {
    run_by(Clock::default(), config, client, shutdown).await
}

/// The same by another clock, for tests that let days pass.
pub async fn run_by(clock: Clock, config: Config, client: Client, shutdown: Shutdown) -> Result<(), Error> {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let watch_gate = GateMetrics::register(&mut registry);
    let readiness = Readiness::default();
    let port = http::bind(config.http_address)
        .await
        .map_err(|source| Error::Port { address: config.http_address, source })?;
    // They answer until the very end, which drops them.
    let mut probes = JoinSet::new();
    probes.spawn(http::serve(port, registry, readiness.clone()));

    let ending = Ending::default();
    let settings = Settings {
        call_timeout: config.call_timeout,
        tencent_rate_limit: config.tencent_rate_limit,
        tencent_endpoint: config.tencent_endpoint.clone(),
        huawei_rate_limit: config.huawei_rate_limit,
        huawei_endpoint: config.huawei_endpoint.clone(),
        ending: ending.clone(),
    };
    let clouds = Clouds::new(&settings)?;

    let holder = uuid::Uuid::new_v4().to_string();
    let term = match &config {
        Config { leader_elect: true, lease_namespace, .. } => {
            let namespace = lease_namespace.as_deref().unwrap_or(client.default_namespace());
            let candidate = Candidate::new(client.clone(), namespace, &holder, clock);
            Term::begin(candidate, &readiness, shutdown.clone()).await
        }
        _ => Some(Term::without_end(shutdown.clone())),
    };
    let Some(term) = term else { return Ok(()) };
    let shutdown = term.ends.clone();
    announce_end(&ending, &readiness, shutdown.clone());
    // A namespace that is named twice is watched once.
    let mut config = config;
    config.watch_namespaces.sort_unstable();
    config.watch_namespaces.dedup();
    let scopes = Scope::all_of(&config.watch_namespaces, &client);
    let secrets = Arc::new(Secrets::new(client.clone()));
    let sweep = tokio::spawn({
        let secrets = Arc::clone(&secrets);
        async move { secrets.sweep().await }
    });
    let gate = Arc::new(Gate::new(config.concurrency.into()));
    watch_gate.set(Arc::clone(&gate));
    let context = Arc::new(Context {
        telemetry: Telemetry::new(client.clone(), &holder, metrics),
        client,
        clouds,
        clock,
        holder,
        call_timeout: config.call_timeout,
        poll_interval: config.poll_interval,
        most_orders: config.max_orders_per_namespace.map(NonZeroUsize::get),
        namespaces: config.watch_namespaces.clone(),
        secrets,
        orders: scopes.iter().map(|scope| scope.orders.clone()).collect(),
        lookout: Lookout::default(),
        gate,
        profiles: Lookout::default(),
        lookups: Lookups::default(),
        turns: Turns::default(),
        sightings: Sightings::default(),
        validations: Validations::default(),
        ending,
    });
    info!(version = env!("CARGO_PKG_VERSION"), namespaces = ?config.watch_namespaces, "certorder runs");
    let caches = scopes.iter().map(|scope| (scope.orders.clone(), scope.profiles.clone()));
    tokio::spawn(announce_ready(caches.collect(), readiness));
    let controllers = scopes.into_iter().map(|scope| scope.run(&context, &shutdown));
    futures::future::join_all(controllers).await;
    sweep.abort();
    term.end().await?;
    info!("certorder has ended");
    Ok(())
}

/// The time in which this process works.
struct Term {
    /// Resolves when it must end.
    ends: Shutdown,
    /// Who keeps the Lease meanwhile.
    keeper: Option<(Arc<Candidate>, JoinHandle<()>)>,
}

impl Term {
    /// Waits for the Lease; `None` where the process is asked to end before.
    async fn begin(candidate: Candidate, readiness: &Readiness, shutdown: Shutdown) -> Option<Self> {
        if !candidate.win(|| readiness.stand_by(), shutdown.clone()).await {
            return None;
        }
        readiness.begin();
        let candidate = Arc::new(candidate);
        let (lost, is_lost) = oneshot::channel();
        let keeper = tokio::spawn({
            let candidate = Arc::clone(&candidate);
            async move {
                candidate.keep().await;
                let _ = lost.send(());
            }
        });
        let ends = async move {
            tokio::select! {
                () = shutdown => {}
                Ok(()) = is_lost => {}
            }
        };
        Some(Self { ends: ends.boxed().shared(), keeper: Some((candidate, keeper)) })
    }

    /// Without a Lease.
    fn without_end(shutdown: Shutdown) -> Self {
        Self { ends: shutdown, keeper: None }
    }

    /// Gives the Lease back, unless it is lost.
    async fn end(self) -> Result<(), Error> {
        let Some((candidate, keeper)) = self.keeper else { return Ok(()) };
        if keeper.is_finished() {
            return Err(Error::LeaseLost);
        }
        // Not before: while a pass ends, no other replica may begin.
        keeper.abort();
        candidate.release().await;
        Ok(())
    }
}

/// Nothing new begins once the process is asked to end, and it is not ready any more.
fn announce_end(ending: &Ending, readiness: &Readiness, shutdown: Shutdown) {
    let (ending, readiness) = (ending.clone(), readiness.clone());
    tokio::spawn(async move {
        shutdown.await;
        ending.begin();
        readiness.end();
    });
}

async fn announce_ready(
    caches: Vec<(Cache<CertificateOrder>, Cache<OrganizationProfile>)>,
    readiness: Readiness,
) {
    for (orders, profiles) in caches {
        if !are_filled(&orders, &profiles).await {
            return; // The process ends.
        }
    }
    readiness.set();
    info!("ready: every order and profile is known");
}
