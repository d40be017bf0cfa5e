//! Puts the process together: client, caches, controllers, probes, and the way down.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::Hash;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action, Config as ControllerConfig, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt};
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::http::{self, Readiness};
use crate::leader::Candidate;
use crate::order::gate::Gate;
use crate::order::lookout::Lookout;
use crate::order::sightings::Sightings;
use crate::order::turns::Turns;
use crate::order::validation::Validations;
use crate::order::{self, Context, mapping};
use crate::profile::{self, lookups::Lookups};
use crate::provider::registry::{Clouds, Settings, SetupError};
use crate::telemetry::{GateMetrics, Metrics, Telemetry};

/// Why the controller cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter does not parse.
    #[error("--log-level: {0}")]
    LogLevel(#[from] tracing_subscriber::filter::ParseError),
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
        .with_env_filter(EnvFilter::try_new(&config.log_level)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
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
    let probes = tokio::spawn(http::serve(port, registry, readiness.clone(), shutdown.clone()));

    let holder = uuid::Uuid::new_v4().to_string();
    let term = match &config {
        Config { leader_elect: true, lease_namespace, .. } => {
            let namespace = lease_namespace.as_deref().unwrap_or(client.default_namespace());
            let candidate = Candidate::new(client.clone(), namespace, &holder, clock);
            Term::begin(candidate, &readiness, shutdown.clone()).await
        }
        _ => Some(Term::without_end(shutdown.clone())),
    };
    let Some(term) = term else {
        probes.await.map_err(std::io::Error::other)??;
        return Ok(());
    };
    let shutdown = term.ends.clone();
    // A namespace that is named twice is watched once.
    let mut config = config;
    config.watch_namespaces.sort_unstable();
    config.watch_namespaces.dedup();
    let scopes = Scope::all_of(&config, &client);
    let settings = Settings {
        call_timeout: config.call_timeout,
        tencent_rate_limit: config.tencent_rate_limit,
        tencent_endpoint: config.tencent_endpoint.clone(),
        huawei_rate_limit: config.huawei_rate_limit,
        huawei_endpoint: config.huawei_endpoint.clone(),
    };
    let clouds = Clouds::new(&settings)?;
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
        orders: scopes.iter().map(|scope| scope.orders.store()).collect(),
        lookout: Lookout::default(),
        gate,
        profiles: Lookout::default(),
        lookups: Lookups::default(),
        turns: Turns::default(),
        sightings: Sightings::default(),
        validations: Validations::default(),
        ending: ending(&shutdown),
    });
    info!(version = env!("CARGO_PKG_VERSION"), namespaces = ?config.watch_namespaces, "certorder runs");
    let stores: Vec<_> = scopes.iter().map(|scope| (scope.orders.store(), scope.profiles.store())).collect();
    tokio::spawn(announce_ready(stores, readiness));
    let controllers = scopes.into_iter().map(|scope| scope.run(&context, &shutdown));
    futures::future::join_all(controllers).await;
    term.end().await?;
    probes.await.map_err(std::io::Error::other)??;
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
        tokio::select! {
            () = candidate.win(|| readiness.stand_by()) => readiness.begin(),
            () = shutdown.clone() => return None,
        }
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

/// A flag that is set once the process is asked to end.
fn ending(shutdown: &Shutdown) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let (shutdown, set) = (shutdown.clone(), Arc::clone(&flag));
    tokio::spawn(async move {
        shutdown.await;
        set.store(true, Ordering::Release);
    });
    flag
}

async fn announce_ready(
    stores: Vec<(Store<CertificateOrder>, Store<OrganizationProfile>)>,
    readiness: Readiness,
) {
    for (orders, profiles) in stores {
        if !is_filled(&orders).await || !is_filled(&profiles).await {
            return; // The process ends.
        }
    }
    readiness.set();
    info!("ready: every order and profile is known");
}

/// Waits until a cache was filled once. It asks again and again, since kube wakes only the last one who waits for a
/// store, and the controller of that store waits too.
async fn is_filled<K>(store: &Store<K>) -> bool
where
    K: Resource + Clone + 'static,
    K::DynamicType: Eq + Hash + Clone,
{
    loop {
        if let Ok(filled) = tokio::time::timeout(Duration::from_millis(50), store.wait_until_ready()).await {
            return filled.is_ok();
        }
    }
}

/// One namespace, or all of them.
struct Scope {
    orders: Controller<CertificateOrder>,
    profiles: Controller<OrganizationProfile>,
    secrets_for_orders: Api<PartialObjectMeta<Secret>>,
    secrets_for_profiles: Api<PartialObjectMeta<Secret>>,
    profiles_for_orders: Api<OrganizationProfile>,
}

impl Scope {
    fn all_of(config: &Config, client: &Client) -> Vec<Self> {
        if config.watch_namespaces.is_empty() {
            return vec![Self::new(client, None)];
        }
        config.watch_namespaces.iter().map(|namespace| Self::new(client, Some(namespace))).collect()
    }

    fn new(client: &Client, namespace: Option<&str>) -> Self {
        // Unbounded: an order that waits for its account's turn holds up nobody, see [`crate::order::gate`].
        let controller = ControllerConfig::default();
        let watch = watcher::Config::default;
        Self {
            orders: Controller::new(api(client, namespace), watch()).with_config(controller.clone()),
            profiles: Controller::new(api(client, namespace), watch()).with_config(controller),
            secrets_for_orders: api(client, namespace),
            secrets_for_profiles: api(client, namespace),
            profiles_for_orders: api(client, namespace),
        }
    }

    async fn run(self, context: &Arc<Context>, shutdown: &Shutdown) {
        let (orders, profiles) = (self.orders.store(), self.profiles.store());
        let (seen_secrets, seen_profiles) = (Seen::new(&context.clock), Seen::new(&context.clock));
        let by_secret = {
            let (context, orders, profiles) = (Arc::clone(context), orders.clone(), profiles.clone());
            move |secret: PartialObjectMeta<Secret>| {
                let namespace = secret.namespace().unwrap_or_default();
                let found = mapping::of_secret(&orders, &profiles, &namespace, &secret.name_any());
                wake(&context.lookout, found, &seen_secrets, &secret)
            }
        };
        let by_profile = {
            let (context, orders) = (Arc::clone(context), orders);
            move |profile: OrganizationProfile| {
                let namespace = profile.namespace().unwrap_or_default();
                let found = mapping::of_profile(&orders, &namespace, &profile.name_any());
                wake(&context.lookout, found, &seen_profiles, &profile)
            }
        };
        let seen_by_profiles = Seen::new(&context.clock);
        let profiles_by_secret = {
            let context = Arc::clone(context);
            move |secret: PartialObjectMeta<Secret>| {
                let namespace = secret.namespace().unwrap_or_default();
                let found = mapping::profiles_of_secret(&profiles, &namespace, &secret.name_any());
                wake(&context.profiles, found, &seen_by_profiles, &secret)
            }
        };
        let watch = watcher::Config::default;
        let run_orders = self
            .orders
            .watches(self.secrets_for_orders, watch(), by_secret)
            .watches(self.profiles_for_orders, watch(), by_profile)
            .graceful_shutdown_on(shutdown.clone())
            .run(order::reconcile, |_, never, _| no_error(*never), Arc::clone(context))
            .for_each(|outcome| {
                if let Some(gone) = log_trouble("orders", outcome) {
                    context.forget(&gone);
                }
                std::future::ready(())
            });
        let run_profiles = self
            .profiles
            .watches(self.secrets_for_profiles, watch(), profiles_by_secret)
            .graceful_shutdown_on(shutdown.clone())
            .run(profile::reconcile, |_, never, _| no_error(*never), Arc::clone(context))
            .for_each(|outcome| {
                if let Some(gone) = log_trouble("profiles", outcome) {
                    context.profiles.forget(&gone);
                }
                std::future::ready(())
            });
        tokio::join!(run_orders, run_profiles);
    }
}

/// The versions of referenced objects that orders were woken for. A watch that begins, or starts over, shows every
/// object again, and that is no change.
struct Seen {
    versions: Mutex<HashMap<String, Option<String>>>,
    /// What was last changed before then is seen by the first look of every order.
    since: Timestamp,
}

impl Seen {
    fn new(clock: &Clock) -> Self {
        let since = clock.now().checked_sub(CLOCKS_DIFFER_BY).unwrap_or(Timestamp::MIN);
        Self { versions: Mutex::default(), since }
    }

    fn is_new(&self, object: String, metadata: &ObjectMeta) -> bool {
        let version = metadata.resource_version.clone();
        let mut seen = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.insert(object, version.clone()) {
            Some(known) => known != version,
            None => changed_at(metadata).is_none_or(|changed| changed >= self.since),
        }
    }
}

/// More than the clocks of two machines differ by.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(5);

/// When an object was last changed, as its field managers tell.
fn changed_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    managers.chain(&metadata.creation_timestamp).map(|time| time.0).max()
}

/// Makes objects due, if the one that they refer to has changed.
fn wake<K, R>(lookout: &Lookout, found: Vec<ObjectRef<K>>, seen: &Seen, object: &R) -> Vec<ObjectRef<K>>
where
    K: Resource,
    R: Resource,
{
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    // Only objects that are referred to are remembered: a cluster may hold very many others.
    if found.is_empty() || !seen.is_new(name, object.meta()) {
        return Vec::new();
    }
    for one in &found {
        lookout.wake(&(one.namespace.clone().unwrap_or_default(), one.name.clone()));
    }
    found
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn no_error(never: Infallible) -> Action {
    match never {}
}

/// Watches are restarted by kube with growing pauses; here they are only made visible.
fn log_trouble<T, E, Q>(kind: &str, outcome: Result<T, controller::Error<E, Q>>) -> Option<(String, String)>
where
    E: std::error::Error + 'static,
    Q: std::error::Error + 'static,
{
    match outcome {
        Ok(_) => None,
        // A look that was planned for an object that is gone by now.
        Err(controller::Error::ObjectNotFound(object)) => {
            Some((object.namespace.unwrap_or_default(), object.name))
        }
        Err(error) => {
            warn!(kind, %error, "trouble with a watch; it is started again");
            None
        }
    }
}
