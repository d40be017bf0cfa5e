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
use crate::controller::context::Context;
use crate::controller::schedule::Schedule;
use crate::order::export::places::HeldUp;
use crate::order::{self, references};
use crate::profile::{self, references as profile_references};

/// When an object is requeued whose pass ended in a panic.
const AFTER_PANIC: Duration = Duration::from_mins(5);

/// One namespace, or all of them.
pub struct Scope {
    client: Client,
    namespace: Option<String>,
    /// The cache of its orders.
    pub orders: Cache<CertificateOrder>,
    /// The cache of its profiles.
    pub profiles: Cache<OrganizationProfile>,
    orders_writer: Writer<CertificateOrder>,
    profiles_writer: Writer<OrganizationProfile>,
}

impl Scope {
    /// One for each namespace; a single one if none is named.
    #[must_use]
    pub fn all_of(namespaces: &[String], client: &Client) -> Vec<Self> {
        if namespaces.is_empty() {
            return vec![Self::new(client.clone(), None)];
        }
        namespaces.iter().map(|namespace| Self::new(client.clone(), Some(namespace.clone()))).collect()
    }

    fn new(client: Client, namespace: Option<String>) -> Self {
        let (orders, orders_writer) = Cache::new();
        let (profiles, profiles_writer) = Cache::new();
        Self { client, namespace, orders, profiles, orders_writer, profiles_writer }
    }

    /// Works until `shutdown` is cancelled; passes that have begun are finished.
    pub async fn run(
        self,
        order_controller: &Arc<order::Controller>,
        profile_controller: &Arc<profile::Controller>,
        shutdown: &CancellationToken,
    ) {
        let (orders, profiles) = (self.orders.clone(), self.profiles.clone());
        let (due_orders, orders_queued) = WorkQueue::new(&order_controller.schedule);
        let (due_profiles, profiles_queued) = WorkQueue::new(&profile_controller.schedule);
        // The queues end with the watches, and the workers with the queues.
        let watches =
            self.watch(&order_controller.context, &order_controller.held_up, due_orders, due_profiles);
        let watches = futures::future::select(Box::pin(watches), Box::pin(shutdown.cancelled()));
        let work_orders = async {
            // Only a cached profile tells which Secrets its orders refer to.
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

    /// Follows orders, profiles and the metadata of Secrets.
    async fn watch(
        self,
        context: &Context,
        held_up: &HeldUp,
        due_orders: WorkQueue<'_, CertificateOrder>,
        due_profiles: WorkQueue<'_, OrganizationProfile>,
    ) {
        let Self { client, namespace, orders, profiles, orders_writer, profiles_writer } = self;
        let (due_orders, due_profiles) = (&due_orders, &due_profiles);
        let namespace = namespace.as_deref();
        let watch_orders = watch::objects(api(&client, namespace), orders_writer).for_each(async |changed| {
            if changed.is_edited {
                context.secrets.forget(&changed.key.0);
                due_orders.requeue(held_up.by(&changed.key));
            }
            due_orders.add(&changed.key);
        });
        let filter = ChangeFilter::new(&context.clock);
        let watch_profiles =
            watch::objects(api(&client, namespace), profiles_writer).for_each(async |changed| {
                due_profiles.add(&changed.key);
                due_orders.wake(references::of_profile(&orders, &changed.key), &filter, &changed);
            });
        let (orders_filter, profiles_filter) =
            (ChangeFilter::new(&context.clock), ChangeFilter::new(&context.clock));
        let watch_secrets = async {
            // Only cached objects can be requeued.
            are_filled(&orders, &profiles).await;
            let changes = watch::secrets(api(&client, namespace));
            changes
                .for_each(async |changed| {
                    context.secrets.changed(&changed.key, changed.version.as_deref());
                    let found = references::of_secret(&orders, &profiles, &changed.key);
                    due_orders.wake(found, &orders_filter, &changed);
                    let found = profile_references::of_secret(&profiles, &changed.key);
                    due_profiles.wake(found, &profiles_filter, &changed);
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

    /// Adds an object. Its schedule tells whether it is due.
    fn add(&self, (namespace, name): &Key) {
        // The receiver is gone once the process shuts down.
        let _ = self.queue.unbounded_send(ObjectRef::new(name).within(namespace));
    }

    /// Requeues objects at once, if the object that they refer to has changed.
    fn wake(&self, found: impl IntoIterator<Item = Key>, filter: &ChangeFilter, changed: &Changed) {
        let mut found = found.into_iter().peekable();
        // The filter keeps only objects that are referred to: a cluster may hold very many others.
        if found.peek().is_none() || !filter.is_new(changed) {
            return;
        }
        self.requeue(found);
    }

    /// Requeues objects at once.
    fn requeue(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.schedule.wake(&key);
            self.add(&key);
        }
    }
}

/// Reconciles each object of a work queue, until the queue ends; passes that have begun are finished.
///
/// The number of passes at the same time is not bounded here: an order that waits for a permit of its account delays no
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
        tokio::spawn(reconcile(object, controller).instrument(Span::current())).map(ended)
    };
    let after_panic = |_, _: &JoinError, _| Action::requeue(AFTER_PANIC);
    let queue = queue.map(Ok::<_, Infallible>);
    applier(pass, after_panic, Arc::clone(controller), objects.clone(), queue, Config::default())
        .for_each(async |outcome| match outcome {
            // A look that was planned for an object that is gone by now.
            Err(Error::ObjectNotFound(object)) => {
                forget(controller, &(object.namespace.unwrap_or_default(), object.name));
            }
            Err(Error::ReconcilerFailed(panic, object)) => {
                error!(%panic, %object, "a pass ended in a panic; please report it");
            }
            // The latter: the process ends before the cache was filled.
            Ok(_) | Err(Error::RunnerError(_)) => {}
            Err(error) => warn!(%error, "a controller failed"),
        })
        .await;
}

fn ended(pass: Result<Result<Action, Infallible>, JoinError>) -> Result<Action, JoinError> {
    pass.map(|Ok(action)| action)
}

/// Waits until every order and profile is known; false if the process ends before.
pub async fn are_filled(orders: &Cache<CertificateOrder>, profiles: &Cache<OrganizationProfile>) -> bool {
    is_filled(orders.objects()).await && is_filled(profiles.objects()).await
}

/// Waits until a cache was filled once. It asks again and again, since kube wakes only the last one who waits for a
/// store, and the controller of that store waits too.
async fn is_filled<K: Cached>(store: &Store<K>) -> bool {
    loop {
        if let Ok(filled) = tokio::time::timeout(Duration::from_millis(50), store.wait_until_ready()).await {
            return filled.is_ok();
        }
    }
}
