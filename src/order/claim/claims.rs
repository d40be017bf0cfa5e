//! Holds and takes over claims: one Lease for each paid certificate, in a namespace that every installation of the cluster
//! shares.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::core::{DeserializeGuard, Status};
use kube::{Api, Client, ResourceExt};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::cache::Key;
use crate::cluster::error::explain;
use crate::cluster::{FIELD_MANAGER, bounded};
use crate::core::clock::Clock;
use crate::core::conditions::Problem;
use crate::order::claim::lease::{self, Claim, Holder};
use crate::order::claim::rivals;
use crate::provider::registry;

/// The claims of this process.
pub struct Claims {
    pub(super) client: Client,
    pub(super) leases: Api<Lease>,
    pub(super) namespace: String,
    clock: Clock,
    /// How long a call may take from its intent on, and so what a Lease says.
    duration: Duration,
    pub(super) state: watch::Sender<State>,
    /// Tells the task that gives claims up that there is one more.
    pub(super) deletions: Notify,
    memory: Mutex<Memory>,
}

/// Whether the claims of the orders that run already are known to be in place.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not yet: no first intent is stored.
    Starting,
    /// They are.
    Ready,
    /// They cannot be read or stored; why.
    Failed(Problem),
}

#[derive(Default)]
struct Memory {
    /// The claims that orders of this process hold.
    held: HashMap<Key, Held>,
    /// Since when the holder of a claim is seen to be gone, by the name of its Lease.
    vacant: HashMap<String, Vacant>,
    /// Claims to give up, by the name of the Lease, and when.
    to_give_up: HashMap<String, Instant>,
}

/// A claim that an order of this process holds.
#[derive(Clone, Debug)]
struct Held {
    /// The name of the Lease.
    lease: String,
    /// Its resourceVersion.
    version: Option<String>,
    /// The UID of the order.
    order_uid: String,
    /// When the Lease was last read, or written, for this order.
    read_at: Instant,
}

struct Vacant {
    /// The Lease as it was read then; another version starts the wait anew.
    version: Option<String>,
    since: Instant,
}

/// What became of the order that holds a claim.
enum HolderState {
    /// It exists and names this certificate.
    Live,
    /// It exists, and this version of certorder cannot read what it names.
    Unreadable,
    /// Its namespace is another installation's.
    OutOfSight,
    /// It was deleted, or names another certificate.
    Gone,
}

impl Claims {
    /// The claims in a namespace. A call of an order takes at most `duration` from its intent on.
    #[must_use]
    pub fn new(client: Client, namespace: &str, clock: Clock, duration: Duration) -> Self {
        let leases = Api::namespaced(client.clone(), namespace);
        let namespace = namespace.to_owned();
        let state = watch::Sender::new(State::Starting);
        let (deletions, memory) = (Notify::new(), Mutex::default());
        Self { client, leases, namespace, clock, duration, state, deletions, memory }
    }

    /// Makes sure that an order holds the claim to its certificate. Returns why it does not, if so; only a failure of the
    /// API server that says nothing about the claim is an error.
    pub async fn hold(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        if let Some(problem) = self.not_ready() {
            return Ok(Some(problem));
        }
        let name = lease::name(order);
        let found = match self.recall(order, &name) {
            Some(held) if held.read_at.elapsed() < self.duration => return Ok(None),
            Some(_) => match bounded(self.leases.get_opt(&name)).await {
                // Somebody deleted it.
                Ok(None) => self.create(order).await,
                found => found,
            },
            None => self.create(order).await,
        };
        match found {
            Ok(Some(lease)) => self.judge(order, lease.into()).await,
            // Created by somebody else, and deleted again.
            Ok(None) => Ok(Some(self.contested())),
            Err(error) => self.unavailable(error).map(Some),
        }
    }

    /// Waits until the claims of orders that have acted are in place, or cannot be.
    pub async fn started(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this.
        let _ = state.wait_for(|state| !matches!(state, State::Starting)).await;
    }

    fn not_ready(&self) -> Option<Problem> {
        match &*self.state.borrow() {
            State::Ready => None,
            State::Failed(problem) => Some(problem.clone()),
            State::Starting => Some(self.contested()),
        }
    }

    /// Creates the Lease of an order. After an answer that is not clear, or says that there is one, it is read: that is the
    /// answer to whose it is.
    pub(super) async fn create(&self, order: &CertificateOrder) -> Result<Option<Lease>, kube::Error> {
        let wanted = lease::lease(order, self.duration, None, self.clock.now());
        match bounded(self.leases.create(&params(), &wanted)).await {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if !is_unclear(&status) && !status.is_already_exists() => {
                Err(kube::Error::Api(status))
            }
            Err(_) => bounded(self.leases.get_opt(&lease::name(order))).await,
        }
    }

    /// What a Lease that was read means for an order.
    pub(super) async fn judge(
        &self,
        order: &CertificateOrder,
        claim: Claim,
    ) -> Result<Option<Problem>, kube::Error> {
        let me = Holder::of(order);
        let Some(holder) = &claim.holder else { return Ok(Some(self.nameless(&claim))) };
        if holder.uid == me.uid {
            self.remember(order, claim.name, claim.version);
            return Ok(None);
        }
        match self.state_of(holder, &registry::certificate_key(&order.spec.provider)).await? {
            HolderState::Live => Ok(Some(rivals::lost_to(order, &holder.key))),
            HolderState::Unreadable => Ok(Some(rivals::unreadable(order, &holder.key))),
            HolderState::OutOfSight => Ok(Some(self.out_of_sight(&claim))),
            HolderState::Gone => self.take_over(order, &claim).await,
        }
    }

    /// Takes over the claim of an order that is gone. A call of that order may still be under way, so it must have been seen
    /// to be gone for twice as long as such a call takes.
    async fn take_over(
        &self,
        order: &CertificateOrder,
        claim: &Claim,
    ) -> Result<Option<Problem>, kube::Error> {
        let left = self.vacant_for(claim, self.wait(claim));
        if !left.is_zero() {
            return Ok(Some(waits(left)));
        }
        let wanted = lease::lease(order, self.duration, claim.version.clone(), self.clock.now());
        match bounded(self.leases.replace(&claim.name, &params(), &wanted)).await {
            Ok(taken) => {
                self.remember(order, claim.name.clone(), taken.metadata.resource_version);
                Ok(None)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                Ok(Some(self.contested()))
            }
            // Whether it was stored shows the next read.
            Err(error) => self.unavailable(error).map(Some),
        }
    }

    /// How long the holder of a claim must have been gone before somebody else may act on its certificate.
    pub(super) fn wait(&self, claim: &Claim) -> Duration {
        claim.duration.max(self.duration).saturating_mul(2)
    }

    async fn state_of(&self, holder: &Holder, certificate: &str) -> Result<HolderState, kube::Error> {
        let (namespace, name) = &holder.key;
        let api: Api<DeserializeGuard<CertificateOrder>> = Api::namespaced(self.client.clone(), namespace);
        let found = match bounded(api.get_opt(name)).await {
            Ok(found) => found,
            Err(kube::Error::Api(status)) if status.is_forbidden() => return Ok(HolderState::OutOfSight),
            Err(error) => return Err(error),
        };
        Ok(match found {
            Some(order) if order.uid().as_deref() != Some(&holder.uid) => HolderState::Gone,
            Some(DeserializeGuard(Ok(order))) => {
                let is_named = registry::certificate_key(&order.spec.provider) == certificate;
                if is_named { HolderState::Live } else { HolderState::Gone }
            }
            Some(DeserializeGuard(Err(_))) => HolderState::Unreadable,
            None => HolderState::Gone,
        })
    }

    /// Whether the order of a claim was deleted. One that cannot be read is taken to exist.
    pub(super) async fn is_gone(&self, holder: &Holder, name: &str) -> Result<bool, kube::Error> {
        let (namespace, order) = &holder.key;
        let api: Api<DeserializeGuard<CertificateOrder>> = Api::namespaced(self.client.clone(), namespace);
        let found = bounded(api.get_opt(order)).await?;
        Ok(match found {
            Some(order) if order.uid().as_deref() != Some(&holder.uid) => true,
            Some(DeserializeGuard(Ok(order))) => lease::name(&order) != name,
            Some(DeserializeGuard(Err(_))) => false,
            None => true,
        })
    }

    /// Starts or continues the wait for a vacant claim, and returns what is left of it.
    pub(super) fn vacant_for(&self, claim: &Claim, wait: Duration) -> Duration {
        let mut memory = self.lock();
        let now = || Vacant { version: claim.version.clone(), since: Instant::now() };
        let vacant = memory.vacant.entry(claim.name.clone()).or_insert_with(now);
        if vacant.version != claim.version {
            *vacant = now();
        }
        wait.saturating_sub(vacant.since.elapsed())
    }

    /// An order was deleted: its claim is given up once no call of it can be under way any more.
    pub fn order_deleted(&self, key: &Key) {
        let mut memory = self.lock();
        let Some(Held { lease, version, .. }) = memory.held.get(key).cloned() else { return };
        let now = Instant::now();
        memory.vacant.entry(lease.clone()).or_insert(Vacant { version, since: now });
        // A Lease may say more than this process would.
        memory.to_give_up.entry(lease).or_insert(now + self.duration.saturating_mul(2));
        drop(memory);
        self.deletions.notify_one();
    }

    /// A claim whose order is gone is given up then.
    pub(super) fn give_up_at(&self, lease: &str, at: Instant) {
        self.lock().to_give_up.insert(lease.to_owned(), at);
    }

    /// The claims that are to be given up by now.
    pub(super) fn take_due(&self) -> Vec<String> {
        let now = Instant::now();
        self.lock().to_give_up.extract_if(|_, at| *at <= now).map(|(lease, _)| lease).collect()
    }

    /// When the next claim is to be given up.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lock().to_give_up.values().min().copied()
    }

    pub(super) fn remember(&self, order: &CertificateOrder, lease: String, version: Option<String>) {
        let Holder { key, uid: order_uid } = Holder::of(order);
        let mut memory = self.lock();
        memory.vacant.remove(&lease);
        memory.to_give_up.remove(&lease);
        memory.held.insert(key, Held { lease, version, order_uid, read_at: Instant::now() });
    }

    /// The claim that this very object is known to hold for this certificate.
    fn recall(&self, order: &CertificateOrder, name: &str) -> Option<Held> {
        let Holder { key, uid } = Holder::of(order);
        let held = self.lock().held.get(&key).cloned()?;
        (held.order_uid == uid && held.lease == name).then_some(held)
    }

    /// Forgets a claim that was given up.
    pub(super) fn forget(&self, lease: &str) {
        let mut memory = self.lock();
        memory.vacant.remove(lease);
        memory.held.retain(|_, held| held.lease != lease);
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a refusal of the API server means: rights or the namespace are missing, which somebody has to mend.
    pub(super) fn unavailable(&self, error: kube::Error) -> Result<Problem, kube::Error> {
        match &error {
            kube::Error::Api(status) if status.is_forbidden() || status.is_not_found() => {}
            _ => return Err(error),
        }
        let message = format!(
            "nothing is submitted or adopted without a claim to the certificate, a Lease in namespace {}: {}; install the \
             namespace, its Role and RoleBinding as docs/install.md, Claims, says",
            self.namespace,
            explain(&error)
        );
        Ok(Problem::new(Reason::ClaimUnavailable, message))
    }

    fn contested(&self) -> Problem {
        let message = format!(
            "another order claims the same certificate at this moment; certorder reads the Lease in namespace {} again",
            self.namespace
        );
        Problem::new(Reason::Settling, message)
    }

    fn nameless(&self, claim: &Claim) -> Problem {
        let message = format!(
            "Lease {} in namespace {} claims this certificate and does not say for which order; delete the Lease if no order \
             of this cluster has the certificate",
            claim.name, self.namespace
        );
        Problem::new(Reason::DuplicateCertificate, message)
    }

    fn out_of_sight(&self, claim: &Claim) -> Problem {
        let message = format!(
            "an order in a namespace that this installation cannot read has this paid certificate already, by Lease {} in \
             namespace {}, and one certificate is submitted once; delete this order, and create a new one for another \
             certificate. If that order is gone for good, an administrator deletes the Lease",
            claim.name, self.namespace
        );
        Problem::new(Reason::DuplicateCertificate, message)
    }
}

fn waits(left: Duration) -> Problem {
    let message = format!(
        "the order that had this certificate was deleted, and its last call may still be under way; this one takes the \
         certificate over in {} s",
        left.as_secs().saturating_add(1)
    );
    Problem::new(Reason::Settling, message)
}

/// Whether an answer leaves open whether the write took effect.
fn is_unclear(status: &Status) -> bool {
    status.code >= 500 || status.code == 429
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
