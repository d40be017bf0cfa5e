//! Both controllers of one namespace, or of all of them. What the watches show makes orders and profiles due, and each
//! one that is due is looked at.

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
use tracing::{Instrument, Span, error, warn};

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use crate::cluster::cache::{Cache, Kept, Key, Writer};
use crate::cluster::watch::{self, Seen, Shown};
use crate::controller::schedule::Lookout;
use crate::order::references;
use crate::order::{self, Context};
use crate::process::runtime::Shutdown;
use crate::profile;

/// When an object is looked at again whose pass ended in a panic.
const AFTER_PANIC: Duration = Duration::from_mins(5);

/// One namespace, or all of them.
pub struct Scope {
    client: Client,
    namespace: Option<String>,
    /// Its orders as last seen.
    pub orders: Cache<CertificateOrder>,
    /// Its profiles as last seen.
    pub profiles: Cache<OrganizationProfile>,
    orders_shown: Writer<CertificateOrder>,
    profiles_shown: Writer<OrganizationProfile>,
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
        let (orders, orders_shown) = Cache::new();
        let (profiles, profiles_shown) = Cache::new();
        Self { client, namespace, orders, profiles, orders_shown, profiles_shown }
    }

    /// Works until `shutdown` resolves; passes that have begun are finished.
    pub async fn run(self, context: &Arc<Context>, shutdown: &Shutdown) {
        let (orders, profiles) = (self.orders.clone(), self.profiles.clone());
        let (due_orders, order_queue) = Due::new(&context.lookout);
        let (due_profiles, profile_queue) = Due::new(&context.profiles);
        // Once the watches end, so do the queues, and with them the work.
        let watches = self.watch(context, due_orders, due_profiles);
        let watches = futures::future::select(Box::pin(watches), shutdown.clone());
        let work_orders = async {
            // A profile that is not seen yet would not tell which Secrets its orders look at.
            are_filled(&orders, &profiles).await;
            work(orders.objects(), order_queue, order::reconcile, Context::forget, context).await;
        };
        let forget = |context: &Context, key: &Key| context.profiles.forget(key);
        let work_profiles = work(profiles.objects(), profile_queue, profile::reconcile, forget, context);
        tokio::join!(watches.map(drop), work_orders, work_profiles);
    }

    /// Follows orders, profiles and the metadata of Secrets.
    async fn watch(
        self,
        context: &Context,
        due_orders: Due<'_, CertificateOrder>,
        due_profiles: Due<'_, OrganizationProfile>,
    ) {
        let Self { client, namespace, orders, profiles, orders_shown, profiles_shown } = self;
        let (due_orders, due_profiles) = (&due_orders, &due_profiles);
        let namespace = namespace.as_deref();
        let show_orders = watch::objects(api(&client, namespace), orders_shown).for_each(async |shown| {
            if shown.is_edited {
                context.secrets.forget(&shown.key.0);
            }
            due_orders.touched(&shown.key);
        });
        let seen = Seen::new(&context.clock);
        let show_profiles = watch::objects(api(&client, namespace), profiles_shown).for_each(async |shown| {
            due_profiles.touched(&shown.key);
            due_orders.wake(references::of_profile(&orders, &shown.key), &seen, &shown);
        });
        let (seen_by_orders, seen_by_profiles) = (Seen::new(&context.clock), Seen::new(&context.clock));
        let show_secrets = async {
            // Who is not known yet cannot be woken.
            are_filled(&orders, &profiles).await;
            let shown = watch::secrets(api(&client, namespace));
            shown
                .for_each(async |shown| {
                    context.secrets.shown(&shown.key, shown.version.as_deref());
                    let found = references::of_secret(&orders, &profiles, &shown.key);
                    due_orders.wake(found, &seen_by_orders, &shown);
                    let found = references::profiles_of_secret(&profiles, &shown.key);
                    due_profiles.wake(found, &seen_by_profiles, &shown);
                })
                .await;
        };
        tokio::join!(show_orders, show_profiles, show_secrets);
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

/// Where objects are put that may be due.
struct Due<'a, K: Resource> {
    lookout: &'a Lookout,
    queue: UnboundedSender<ObjectRef<K>>,
}

impl<'a, K: Resource<DynamicType = ()>> Due<'a, K> {
    fn new(lookout: &'a Lookout) -> (Self, UnboundedReceiver<ObjectRef<K>>) {
        let (queue, queued) = unbounded();
        (Self { lookout, queue }, queued)
    }

    /// The object itself was touched.
    fn touched(&self, (namespace, name): &Key) {
        // Nobody listens any more once the process ends.
        let _ = self.queue.unbounded_send(ObjectRef::new(name).within(namespace));
    }

    /// Objects are due, if the one that they refer to has changed.
    fn wake(&self, found: impl IntoIterator<Item = Key>, seen: &Seen, shown: &Shown) {
        let mut found = found.into_iter().peekable();
        // Only objects that are referred to are remembered: a cluster may hold very many others.
        if found.peek().is_none() || !seen.is_new(shown) {
            return;
        }
        for key in found {
            self.lookout.wake(&key);
            self.touched(&key);
        }
    }
}

/// Looks at each object that is queued, until the queue ends; passes that have begun are finished.
///
/// The number of passes at the same time is not bounded here: an order that waits for its account's turn holds up
/// nobody, see [`crate::controller::queue`].
async fn work<K, P>(
    objects: &Store<K>,
    queue: UnboundedReceiver<ObjectRef<K>>,
    reconcile: fn(Arc<K>, Arc<Context>) -> P,
    forget: impl Fn(&Context, &Key),
    context: &Arc<Context>,
) where
    K: Kept + Debug + Send + Sync,
    P: Future<Output = Result<Action, Infallible>> + Send + 'static,
{
    let pass =
        |object, context| tokio::spawn(reconcile(object, context).instrument(Span::current())).map(ended);
    let after_panic = |_, _: &JoinError, _| Action::requeue(AFTER_PANIC);
    let queue = queue.map(Ok::<_, Infallible>);
    applier(pass, after_panic, Arc::clone(context), objects.clone(), queue, Config::default())
        .for_each(async |outcome| match outcome {
            // A look that was planned for an object that is gone by now.
            Err(Error::ObjectNotFound(object)) => {
                forget(context, &(object.namespace.unwrap_or_default(), object.name));
            }
            Err(Error::ReconcilerFailed(panic, object)) => {
                error!(%panic, %object, "a pass ended in a panic; please report it");
            }
            // The latter: the process ends before the cache was filled.
            Ok(_) | Err(Error::RunnerError(_)) => {}
            Err(error) => warn!(%error, "trouble with a controller"),
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
async fn is_filled<K: Kept>(store: &Store<K>) -> bool {
    loop {
        if let Ok(filled) = tokio::time::timeout(Duration::from_millis(50), store.wait_until_ready()).await {
            return filled.is_ok();
        }
    }
}
