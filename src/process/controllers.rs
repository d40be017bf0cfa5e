//! Both controllers, for one namespace or for all of them: watch events put the keys of orders and profiles into work
//! queues, and each controller reconciles what its queue holds.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{FutureExt, StreamExt};
use kube::core::NamespaceResourceScope;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config, Error};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, Resource};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, error, warn};

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use crate::cluster::cache::{Cache, Cached, Key, Writer};
use crate::cluster::watch::{self, ChangeFilter, Changed};
use crate::cluster::watch_health::WatchHealth;
use crate::controller::context::Context;
use crate::controller::schedule::Schedule;
use crate::order::export::places::HeldUp;
use crate::order::{self, references};
use crate::profile::{self, references as profile_references};

/// How long after a panic of its pass an object is requeued.
const REQUEUE_AFTER_PANIC: Duration = Duration::from_mins(5);

/// One namespace, or all of them.
pub struct Scope {
    client: Client,
    namespace: Option<String>,
    watches: WatchHealth,
    /// The cache of its orders.
    pub orders: Cache<CertificateOrder>,
    /// The cache of its profiles.
    pub profiles: Cache<OrganizationProfile>,
    orders_writer: Writer<CertificateOrder>,
    profiles_writer: Writer<OrganizationProfile>,
}

impl Scope {
    /// One scope for each namespace; a single one for all namespaces if none is named.
    #[must_use]
    pub fn all_of(namespaces: &[String], client: &Client, watches: &WatchHealth) -> Vec<Self> {
        let new = |namespace| Self::new(client.clone(), watches.clone(), namespace);
        if namespaces.is_empty() {
            return vec![new(None)];
        }
        namespaces.iter().map(|namespace| new(Some(namespace.clone()))).collect()
    }

    fn new(client: Client, watches: WatchHealth, namespace: Option<String>) -> Self {
        let (orders, orders_writer) = Cache::new();
        let (profiles, profiles_writer) = Cache::new();
        Self { client, namespace, watches, orders, profiles, orders_writer, profiles_writer }
    }

    /// Runs until `shutdown` is cancelled, and finishes the passes in flight.
    pub async fn run(
        self,
        order_controller: &Arc<order::Controller>,
        profile_controller: &Arc<profile::Controller>,
        shutdown: &CancellationToken,
    ) {
        let (orders, profiles) = (self.orders.clone(), self.profiles.clone());
        let (due_orders, orders_queued) = WorkQueue::new(&order_controller.schedule);
        let (due_profiles, profiles_queued) = WorkQueue::new(&profile_controller.schedule);
        // When the watches are dropped, the queues end; when the queues end, the workers stop.
        let watches =
            self.watch(&order_controller.context, &order_controller.held_up, due_orders, due_profiles);
        let watches = futures::future::select(Box::pin(watches), Box::pin(shutdown.cancelled()));
        let work_orders = async {
            // The Secrets of an order are known only once its profile is cached.
            are_filled(&orders, &profiles).await;
            tokio::select! {
                () = order_controller.claims.started() => {}
                () = shutdown.cancelled() => return,
            }
            work(
                orders.objects(),
                orders_queued,
                order::reconcile,
                order::Controller::forget,
                order_controller,
            )
            .await;
        };
        let forget = |controller: &profile::Controller, key: &Key| controller.schedule.forget(key);
        let work_profiles =
            work(profiles.objects(), profiles_queued, profile::reconcile, forget, profile_controller);
        tokio::join!(watches.map(drop), work_orders, work_profiles);
    }

    /// Watches orders, profiles and the metadata of Secrets.
    async fn watch(
        self,
        context: &Context,
        held_up: &HeldUp,
        due_orders: WorkQueue<'_, CertificateOrder>,
        due_profiles: WorkQueue<'_, OrganizationProfile>,
    ) {
        let Self { client, namespace, watches, orders, profiles, orders_writer, profiles_writer } = self;
        let (due_orders, due_profiles) = (&due_orders, &due_profiles);
        let namespace = namespace.as_deref();
        let client = |kind: &str| {
            let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
            watches.client(&client, &format!("{kind}{place}"))
        };
        let watch_orders = watch::objects(api(&client("CertificateOrders"), namespace), orders_writer)
            .for_each(async |changed| {
                if changed.is_edited {
                    context.secrets.forget(&changed.key.0);
                    due_orders.requeue_all(held_up.by(&changed.key));
                }
                due_orders.requeue_all(references::renewed_by(&orders, &changed.key));
                due_orders.add(&changed.key);
            });
        let filter = ChangeFilter::new(&context.clock);
        let watch_profiles = watch::objects(api(&client("OrganizationProfiles"), namespace), profiles_writer)
            .for_each(async |changed| {
                due_profiles.add(&changed.key);
                due_orders.requeue(references::of_profile(&orders, &changed.key), &filter, &changed);
            });
        let (orders_filter, profiles_filter) =
            (ChangeFilter::new(&context.clock), ChangeFilter::new(&context.clock));
        let watch_secrets = async {
            // Only cached objects can be requeued.
            are_filled(&orders, &profiles).await;
            let changes = watch::secrets(api(&client("Secrets"), namespace));
            changes
                .for_each(async |changed| {
                    context.secrets.changed(&changed.key, changed.version.as_deref());
                    let referring = references::of_secret(&orders, &profiles, &changed.key);
                    due_orders.requeue(referring, &orders_filter, &changed);
                    let referring = profile_references::of_secret(&profiles, &changed.key);
                    due_profiles.requeue(referring, &profiles_filter, &changed);
                })
                .await;
        };
        tokio::join!(watch_orders, watch_profiles, watch_secrets);
    }
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// The work queue of one controller.
struct WorkQueue<'a, K: Resource> {
    schedule: &'a Schedule,
    queue: UnboundedSender<ObjectRef<K>>,
}

impl<'a, K: Resource<DynamicType = ()>> WorkQueue<'a, K> {
    fn new(schedule: &'a Schedule) -> (Self, UnboundedReceiver<ObjectRef<K>>) {
        let (queue, queued) = unbounded();
        (Self { schedule, queue }, queued)
    }

    /// Adds an object. The schedule decides whether it is due.
    fn add(&self, (namespace, name): &Key) {
        // The receiver is dropped once the process shuts down.
        let _ = self.queue.unbounded_send(ObjectRef::new(name).within(namespace));
    }

    /// Requeues the objects that refer to a changed object.
    fn requeue(&self, referring: impl IntoIterator<Item = Key>, filter: &ChangeFilter, changed: &Changed) {
        let mut referring = referring.into_iter().peekable();
        // The filter keeps only objects that something refers to: a cluster may hold very many others.
        if referring.peek().is_none() || !filter.is_new(changed) {
            return;
        }
        self.requeue_all(referring);
    }

    /// Requeues objects at once.
    fn requeue_all(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.schedule.wake(&key);
            self.add(&key);
        }
    }
}

/// Reconciles each object of a work queue until the queue ends, and finishes the passes in flight.
///
/// The number of concurrent passes is not bounded here: an order that waits for a permit of its account delays no
/// other, see [`crate::controller::queue`].
async fn work<K, C, P>(
    objects: &Store<K>,
    queue: UnboundedReceiver<ObjectRef<K>>,
    reconcile: fn(Arc<K>, Arc<C>) -> P,
    forget: impl Fn(&C, &Key),
    controller: &Arc<C>,
) where
    K: Cached + Debug + Send + Sync,
    C: Send + Sync + 'static,
    P: Future<Output = Result<Action, Infallible>> + Send + 'static,
{
    let pass = |object, controller| {
        tokio::spawn(reconcile(object, controller).instrument(Span::current())).map(flatten)
    };
    let after_panic = |_, _: &JoinError, _| Action::requeue(REQUEUE_AFTER_PANIC);
    let queue = queue.map(Ok::<_, Infallible>);
    applier(pass, after_panic, Arc::clone(controller), objects.clone(), queue, Config::default())
        .for_each(async |outcome| match outcome {
            // The object was requeued, and deleted since.
            Err(Error::ObjectNotFound(object)) => {
                forget(controller, &(object.namespace.unwrap_or_default(), object.name));
            }
            Err(Error::ReconcilerFailed(panic, object)) => {
                error!(%panic, %object, "a pass panicked; please report it");
            }
            // The latter: the process shuts down before the cache is filled.
            Ok(_) | Err(Error::RunnerError(_)) => {}
            Err(error) => warn!(%error, "a controller failed"),
        })
        .await;
}

fn flatten(pass: Result<Result<Action, Infallible>, JoinError>) -> Result<Action, JoinError> {
    pass.map(|Ok(action)| action)
}

/// Waits until both caches are filled; false if the process shuts down before.
pub async fn are_filled(orders: &Cache<CertificateOrder>, profiles: &Cache<OrganizationProfile>) -> bool {
    is_filled(orders.objects()).await && is_filled(profiles.objects()).await
}

/// Waits until a cache is filled once. It polls, since kube wakes only the last task that waits for a store, and the
/// controller of that store waits too.
async fn is_filled<K: Cached>(store: &Store<K>) -> bool {
    loop {
        if let Ok(filled) = tokio::time::timeout(Duration::from_millis(50), store.wait_until_ready()).await {
            return filled.is_ok();
        }
    }
}
