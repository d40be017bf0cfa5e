//! Starts the process (client, caches, controllers, probes), and shuts it down.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use prometheus_client::registry::Registry;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use crate::cluster::cache::Cache;
use crate::cluster::secrets::Secrets;
use crate::cluster::slim;
use crate::cluster::watch_health::WatchHealth;
use crate::controller::context::Context;
use crate::controller::latency::ApiLatency;
use crate::controller::queue::AccountQueue;
use crate::controller::schedule::Schedule;
use crate::controller::telemetry::{Metrics, QueueMetrics, Telemetry};
use crate::controller::watch_metrics::WatchMetrics;
use crate::core::clock::Clock;
use crate::order;
use crate::order::ages::RecordAges;
use crate::order::claim::claims::Claims;
use crate::order::claim::locks::CertificateLocks;
use crate::order::dns_endpoint::memory::DnsEndpoints;
use crate::order::export::kept::{Kept, Repairs};
use crate::order::export::places::HeldUp;
use crate::order::export::template::Prefixes;
use crate::order::renewal::metrics::RenewalMetrics;
use crate::order::validation::Validations;
use crate::process::config::{Config, LogFormat};
use crate::process::controllers::{Scope, are_filled};
use crate::process::http::{self, Readiness};
use crate::process::leader::LeaseHolder;
use crate::process::proxy::{self, NotAProxy, Variables};
use crate::process::watching;
use crate::profile;
use crate::profile::lookups::Lookups;
use crate::provider::registry::{Clouds, Settings, SetupError};

/// Why the controller cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter does not parse.
    #[error("--log-level: {0}")]
    LogLevel(#[from] ParseError),
    /// No cluster is configured.
    #[error("no Kubernetes cluster: {0}; set KUBECONFIG, or run in a cluster")]
    Cluster(#[from] kube::config::InferConfigError),
    /// The API server cannot be reached by the proxy that is named.
    #[error(transparent)]
    Proxy(#[from] NotAProxy),
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
    /// Another replica takes over.
    #[error(
        "the lease is lost: another replica took it, or it could not be renewed; this process shuts down"
    )]
    LeaseLost,
    /// The runtime or the probes failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Runs the controller until SIGTERM or ctrl-c.
pub fn start(config: Config) -> Result<(), Error> {
    init_log(&config)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut cluster = kube::Config::infer().await?;
        proxy::choose(&mut cluster, &Variables::read())?;
        // A watch may be silent for up to five minutes; a connection that is silent for longer is dead.
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

/// certorder logs every failure that kube logs, and adds what to do about it. A filter other than a plain level shows
/// both. A response that cannot be parsed is never logged: it may be a Secret.
fn log_filter(level: &str) -> Result<EnvFilter, ParseError> {
    const RESPONSES_OFF: &str = "kube_client::client=off";
    const DUPLICATES_OFF: &str = "kube_client::client::builder=off,kube_runtime::watcher=off";
    let requests = match level {
        "debug" | "trace" => format!("kube_client::client::builder={level}"),
        "error" | "warn" | "info" => DUPLICATES_OFF.to_owned(),
        _ => return EnvFilter::try_new(format!("{level},{RESPONSES_OFF}")),
    };
    EnvFilter::try_new(format!("{level},{requests},{RESPONSES_OFF}"))
}

/// Cancelled by SIGTERM or ctrl-c.
fn signals() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("shuts down: finishes the calls in flight");
        signalled.cancel();
    });
    Ok(shutdown)
}

/// How long a process that ends waits for the API server to take its last Events.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Runs the controllers and the probes until `shutdown` is cancelled, and finishes the passes in flight.
pub async fn run(config: Config, client: Client, shutdown: CancellationToken) -> Result<(), Error> {
    run_by(Clock::default(), config, client, shutdown).await
}

/// The same with another clock, for tests that simulate days.
pub async fn run_by(
    clock: Clock,
    config: Config,
    client: Client,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let client = slim::client(&client);
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let queue_metrics = QueueMetrics::register(&mut registry);
    let renewal_metrics = RenewalMetrics::register(&mut registry);
    let readiness = Readiness::default();
    let watch_metrics = WatchMetrics::register(&mut registry, &readiness.watches);
    let port = http::bind(config.http_address)
        .await
        .map_err(|source| Error::Port { address: config.http_address, source })?;
    // They are served until this function returns, which drops them.
    let mut probes = JoinSet::new();
    probes.spawn(http::serve(port, registry, readiness.clone()));

    // Also cancelled when the Lease is lost.
    let shutdown = shutdown.child_token();
    let clouds = Clouds::new(&settings(&config, &shutdown, clock))?;

    let holder = uuid::Uuid::new_v4().to_string();
    let leadership = match &config {
        Config { leader_elect: true, lease_namespace, .. } => {
            let namespace = lease_namespace.as_deref().unwrap_or(client.default_namespace());
            let lease_holder = LeaseHolder::new(client.clone(), namespace, &holder, clock);
            match Leadership::acquire(lease_holder, &readiness, &shutdown).await {
                Some(leadership) => Some(leadership),
                None => return Ok(()),
            }
        }
        _ => None,
    };
    announce_shutdown(&readiness, &shutdown);
    // A namespace that is given twice is watched once.
    let mut config = config;
    config.watch_namespaces.sort_unstable();
    config.watch_namespaces.dedup();
    let scopes = Scope::all_of(&config.watch_namespaces, &client, &readiness.watches);
    let secrets = Arc::new(Secrets::new(client.clone()));
    let sweep = tokio::spawn({
        let secrets = Arc::clone(&secrets);
        async move { secrets.sweep().await }
    });
    let queue = Arc::new(AccountQueue::new(config.concurrency.into()));
    queue_metrics.set(Arc::clone(&queue));
    renewal_metrics.set(orders_of(&scopes), clock);
    let context = Arc::new(Context {
        telemetry: Telemetry::new(client.clone(), &holder, metrics),
        client,
        clouds,
        clock,
        holder,
        call_timeout: config.call_timeout,
        api_latency: ApiLatency::default(),
        namespaces: config.watch_namespaces.clone(),
        secrets,
        shutdown: shutdown.clone(),
    });
    // From the intent on a call begins within one call-timeout, and ends within another.
    let duration = config.call_timeout.saturating_mul(2);
    let claims = Arc::new(Claims::new(context.client.clone(), &config.claims_namespace, clock, duration));
    let lookups = Arc::new(Lookups::default());
    let orders = Arc::new(order::Controller {
        context: Arc::clone(&context),
        poll_interval: config.poll_interval,
        reissue_bar: config.tencent_reissue_bar,
        template_prefixes: Prefixes::new(config.secret_template_prefixes.clone()),
        max_orders: config.max_orders_per_namespace.map(NonZeroUsize::get),
        orders: orders_of(&scopes),
        schedule: Schedule::default(),
        queue,
        lookups: Arc::clone(&lookups),
        claims: Arc::clone(&claims),
        locks: CertificateLocks::default(),
        ages: RecordAges::default(),
        held_up: HeldUp::default(),
        kept: Kept::default(),
        repairs: Repairs::default(),
        validations: Validations::default(),
        dns_endpoints: DnsEndpoints::new(config.dns_endpoint_quote_txt),
    });
    let tell = tokio::spawn(tell(readiness.watches.clone(), Arc::clone(&context), own_pod(&config)));
    let sweep_kept = tokio::spawn({
        let orders = Arc::clone(&orders);
        async move { orders.kept.sweep().await }
    });
    let profiles = Arc::new(profile::Controller { context, schedule: Schedule::default(), lookups });
    info!(version = env!("CARGO_PKG_VERSION"), namespaces = ?config.watch_namespaces, "certorder runs");
    let caches: Vec<_> = scopes.iter().map(|scope| (scope.orders.clone(), scope.profiles.clone())).collect();
    count_unreadable(&watch_metrics, caches.clone());
    let keep_claims = tokio::spawn(keep_claims(Arc::clone(&orders), caches.clone()));
    tokio::spawn(announce_ready(caches, readiness));
    let controllers = scopes.into_iter().map(|scope| scope.run(&orders, &profiles, &shutdown));
    futures::future::join_all(controllers).await;
    // Those that the API server does not take by then are lost.
    drop(tokio::time::timeout(LAST_EVENTS, orders.context.telemetry.told()).await);
    tell.abort();
    sweep.abort();
    sweep_kept.abort();
    keep_claims.abort();
    if let Some(leadership) = leadership {
        leadership.release().await?;
    }
    info!("certorder stopped");
    Ok(())
}

fn orders_of(scopes: &[Scope]) -> Vec<Cache<CertificateOrder>> {
    scopes.iter().map(|scope| scope.orders.clone()).collect()
}

/// What the clients of the clouds need to know.
fn settings(config: &Config, shutdown: &CancellationToken, clock: Clock) -> Settings {
    Settings {
        call_timeout: config.call_timeout,
        tencent_rate_limit: config.tencent_rate_limit,
        tencent_endpoint: config.tencent_endpoint.clone(),
        huawei_rate_limit: config.huawei_rate_limit,
        huawei_endpoint: config.huawei_endpoint.clone(),
        shutdown: shutdown.clone(),
        clock,
    }
}

/// Tells of watches that fail for minutes.
async fn tell(watches: WatchHealth, context: Arc<Context>, pod: Option<ObjectReference>) {
    watching::tell(&watches, &context.telemetry, pod).await;
}

/// Lets a metric count the objects that cannot be read.
fn count_unreadable(metrics: &WatchMetrics, caches: Vec<Caches>) {
    metrics.count(move || {
        let sum = |count: fn(&Caches) -> usize| caches.iter().map(count).sum();
        let orders = sum(|(orders, _)| orders.unreadable());
        vec![
            ("CertificateOrder", orders),
            ("OrganizationProfile", sum(|(_, profiles)| profiles.unreadable())),
        ]
    });
}

/// The caches of one scope.
type Caches = (Cache<CertificateOrder>, Cache<OrganizationProfile>);

/// The Pod that this process runs in, if it was told.
fn own_pod(config: &Config) -> Option<ObjectReference> {
    let Config { pod_name, pod_namespace, pod_uid, .. } = config;
    Some(ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: Some(pod_name.clone().filter(|name| !name.is_empty())?),
        namespace: pod_namespace.clone(),
        uid: pod_uid.clone(),
        ..ObjectReference::default()
    })
}

/// This process is the leader, and renews the Lease.
struct Leadership {
    lease_holder: Arc<LeaseHolder>,
    renewal: JoinHandle<()>,
    /// Cancelled when the Lease is lost, before the process shuts down for that.
    lost: CancellationToken,
}

impl Leadership {
    /// Waits for the Lease; `None` if the process shuts down before. Losing the Lease also shuts the process down.
    async fn acquire(
        lease_holder: LeaseHolder,
        readiness: &Readiness,
        shutdown: &CancellationToken,
    ) -> Option<Self> {
        let term = lease_holder.acquire(|| readiness.stand_by(), shutdown).await?;
        readiness.start();
        let (lease_holder, lost) = (Arc::new(lease_holder), CancellationToken::new());
        let renewal = tokio::spawn({
            let (lease_holder, lost, shutdown) = (Arc::clone(&lease_holder), lost.clone(), shutdown.clone());
            async move {
                lease_holder.keep(term).await;
                lost.cancel();
                shutdown.cancel();
            }
        });
        Some(Self { lease_holder, renewal, lost })
    }

    /// Releases the Lease, unless it is lost.
    async fn release(self) -> Result<(), Error> {
        if self.lost.is_cancelled() {
            return Err(Error::LeaseLost);
        }
        // Only now that the last pass has finished: no other replica may start before.
        self.renewal.abort();
        self.lease_holder.release().await;
        Ok(())
    }
}

/// A process that shuts down is no longer ready.
fn announce_shutdown(readiness: &Readiness, shutdown: &CancellationToken) {
    let (readiness, shutdown) = (readiness.clone(), shutdown.clone());
    tokio::spawn(async move {
        shutdown.cancelled().await;
        readiness.shut_down();
    });
}

/// Puts the claims of running orders in place once every order is cached, and gives up those of deleted orders.
async fn keep_claims(controller: Arc<order::Controller>, caches: Vec<Caches>) {
    for (orders, profiles) in &caches {
        if !are_filled(orders, profiles).await {
            return; // The process shuts down.
        }
    }
    let order::Controller { context, claims, orders, .. } = controller.as_ref();
    claims.run(orders, &context.namespaces, &context.telemetry).await;
}

async fn announce_ready(caches: Vec<Caches>, readiness: Readiness) {
    for (orders, profiles) in caches {
        if !are_filled(&orders, &profiles).await {
            return; // The process shuts down.
        }
    }
    readiness.set();
    info!("ready: every cache is filled");
}
