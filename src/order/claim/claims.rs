//! Holds and takes over claims: one Lease for each paid certificate, in a namespace that every installation of the cluster
//! shares.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::core::{DeserializeGuard, Status};
use kube::{Api, Client, ResourceExt};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::cache::Key;
use crate::cluster::error::explain;
use crate::cluster::{FIELD_MANAGER, bounded};
use crate::core::clock::Clock;
use crate::core::conditions::Problem;
use crate::core::fingerprint::HashKey;
use crate::order::claim::lease::{self, Claim, Holder};
use crate::order::claim::memory::Memory;
use crate::order::claim::payload_key::{self, PayloadKey};
use crate::order::claim::rivals;

/// The longest that reads and polls wait for the claims of before. First intents wait for as long as it takes.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// The claims of this process.
pub struct Claims {
    pub(super) client: Client,
    pub(super) leases: Api<Lease>,
    pub(super) namespace: String,
    clock: Clock,
    /// How long a call may take from its intent on, and so what a Lease says.
    pub(super) duration: Duration,
    pub(super) state: watch::Sender<State>,
    /// Tells the task that gives claims up that there is one more.
    pub(super) deletions: Notify,
    pub(super) memory: Memory,
    pub(super) payload_key: PayloadKey,
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

/// What became of the order that holds a claim.
pub(super) enum HolderState {
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
        let payload_key = PayloadKey::new(Api::namespaced(client.clone(), namespace), namespace);
        let namespace = namespace.to_owned();
        let state = watch::Sender::new(State::Starting);
        let (deletions, memory) = (Notify::new(), Memory::default());
        Self { client, leases, namespace, clock, duration, state, deletions, memory, payload_key }
    }

    /// The key of the payload hashes; it was read before the first claim is held.
    #[must_use]
    pub fn hash_key(&self) -> Option<Arc<HashKey>> {
        self.payload_key.known()
    }

    /// Makes sure that an order holds the claim to its certificate. Returns why it does not, if so; only a failure of the
    /// API server that says nothing about the claim is an error.
    ///
    /// The next call of the order may take as long as `lasts`, counted from its intent; where that is longer than usual, the
    /// Lease has to say so first.
    pub async fn hold(
        &self,
        order: &CertificateOrder,
        lasts: Duration,
    ) -> Result<Option<Problem>, kube::Error> {
        let lasts = lasts.max(self.duration);
        if let Some(problem) = self.not_ready() {
            return Ok(Some(problem));
        }
        let name = lease::name(order);
        let asked_at = Instant::now();
        let found = match self.memory.read_at(&Holder::of(order), &name) {
            Some(read_at) if read_at.elapsed() < self.duration && lasts == self.duration => return Ok(None),
            Some(_) => match bounded(self.leases.get_opt(&name)).await {
                // Somebody deleted it.
                Ok(None) => self.create(order, lasts).await,
                found => found,
            },
            None => self.create(order, lasts).await,
        };
        match found {
            Ok(Some(lease)) => self.judge(order, &lease.into(), asked_at, lasts).await,
            // Created by somebody else and deleted again, or the answer was not clear and nothing was stored.
            Ok(None) => Ok(Some(self.contested())),
            Err(error) => self.unavailable(error).map(Some),
        }
    }

    /// Waits until the claims of orders that have acted are in place, or cannot be; not for ever, since a namespace that
    /// cannot be read must not hold up what needs no claim.
    pub async fn started(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this.
        let _ = timeout(STARTS_WITHIN, state.wait_for(|state| !matches!(state, State::Starting))).await;
    }

    fn not_ready(&self) -> Option<Problem> {
        match &*self.state.borrow() {
            State::Ready => None,
            State::Failed(problem) => Some(problem.clone()),
            State::Starting => {
                let message = format!(
                    "nothing is submitted or adopted before the orders of every watched namespace and the Leases in \
                     namespace {} were read once; the log of certorder says what cannot be read",
                    self.namespace
                );
                Some(Problem::new(Reason::ClaimUnavailable, message))
            }
        }
    }

    /// Creates the Lease of an order. After an answer that is not clear, or says that there is one, it is read: that is the
    /// answer to whose it is.
    pub(super) async fn create(
        &self,
        order: &CertificateOrder,
        lasts: Duration,
    ) -> Result<Option<Lease>, kube::Error> {
        let wanted = lease::lease(order, lasts, None, self.clock.now());
        match bounded(self.leases.create(&params(), &wanted)).await {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if is_refusal(&status) => Err(kube::Error::Api(status)),
            Err(_) => bounded(self.leases.get_opt(&lease::name(order))).await,
        }
    }

    /// What a Lease means for an order that was asked for at this time.
    pub(super) async fn judge(
        &self,
        order: &CertificateOrder,
        claim: &Claim,
        asked_at: Instant,
        lasts: Duration,
    ) -> Result<Option<Problem>, kube::Error> {
        let me = Holder::of(order);
        let Some(holder) = &claim.holder else { return Ok(Some(self.nameless(claim))) };
        if holder.uid == me.uid {
            // A process with shorter calls made it: whoever takes it over has to know of the longer ones.
            if claim.duration < lease::stored(lasts) {
                return self.replace(order, claim, lasts).await;
            }
            self.remember(&me, &claim.name, asked_at);
            return Ok(None);
        }
        Ok(match self.state_of(holder, &claim.name).await? {
            HolderState::Live => Some(rivals::lost_to(order, &holder.key)),
            HolderState::Unreadable => Some(rivals::unreadable(order, &holder.key)),
            HolderState::OutOfSight => Some(self.out_of_sight(claim)),
            // A call of that order may still be under way.
            HolderState::Gone if self.vacant_for(claim, holder).is_zero() => {
                return self.replace(order, claim, lasts).await;
            }
            HolderState::Gone => Some(waits(self.wait(claim))),
        })
    }

    /// Makes a claim that was read this order's, by compare-and-swap.
    async fn replace(
        &self,
        order: &CertificateOrder,
        claim: &Claim,
        lasts: Duration,
    ) -> Result<Option<Problem>, kube::Error> {
        let asked_at = Instant::now();
        let wanted = lease::lease(order, lasts, claim.version.clone(), self.clock.now());
        match bounded(self.leases.replace(&claim.name, &params(), &wanted)).await {
            Ok(_) => {
                self.remember(&Holder::of(order), &claim.name, asked_at);
                Ok(None)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                Ok(Some(self.contested()))
            }
            // Whether it was stored shows the next read.
            Err(error) => self.unavailable(error).map(Some),
        }
    }

    /// How long the holder of a claim must have been gone before somebody else may act on its certificate: twice as long as
    /// a call of it may take.
    pub(super) fn wait(&self, claim: &Claim) -> Duration {
        claim.duration.max(self.duration).saturating_mul(2)
    }

    /// What is left of that wait, for a holder that was just read to be gone.
    pub(super) fn vacant_for(&self, claim: &Claim, holder: &Holder) -> Duration {
        self.memory.vacant_for(&claim.name, holder, self.wait(claim))
    }

    /// What became of the holder of a Lease, read live.
    pub(super) async fn state_of(&self, holder: &Holder, lease: &str) -> Result<HolderState, kube::Error> {
        let (namespace, name) = &holder.key;
        let api: Api<DeserializeGuard<CertificateOrder>> = Api::namespaced(self.client.clone(), namespace);
        let state = match bounded(api.get_opt(name)).await {
            Ok(Some(order)) if order.uid().as_deref() != Some(&holder.uid) => HolderState::Gone,
            Ok(Some(DeserializeGuard(Ok(order)))) if lease::name(&order) == lease => HolderState::Live,
            Ok(Some(DeserializeGuard(Err(_)))) => HolderState::Unreadable,
            Ok(_) => HolderState::Gone,
            Err(kube::Error::Api(status)) if status.is_forbidden() => HolderState::OutOfSight,
            Err(error) => return Err(error),
        };
        if !matches!(state, HolderState::Gone) {
            self.memory.not_vacant(lease);
        }
        Ok(state)
    }

    /// An order was deleted: its claim is given up once no call of it can be under way any more.
    pub fn order_deleted(&self, key: &Key) {
        if self.memory.deleted(key) {
            self.deletions.notify_one();
        }
    }

    fn remember(&self, order: &Holder, lease: &str, asked_at: Instant) {
        if self.memory.held(order, lease, asked_at) {
            self.deletions.notify_one();
        }
    }

    /// What a refusal of the API server means: rights or the namespace are missing, or a policy or quota is in the way,
    /// which somebody has to mend.
    pub(super) fn unavailable(&self, error: kube::Error) -> Result<Problem, kube::Error> {
        match &error {
            kube::Error::Api(status) if is_refusal(status) => {}
            _ => return Err(error),
        }
        let message = format!(
            "nothing is submitted or adopted without a claim to the certificate, a Lease in namespace {}, and without the key \
             of its hashes, Secret {} there: {}; install the namespace, its Role and RoleBinding as docs/install.md, Claims, \
             says",
            self.namespace,
            payload_key::NAME,
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

fn waits(wait: Duration) -> Problem {
    // Not what is left of it: each look would write another message.
    let message = format!(
        "the order that had this certificate was deleted, and its last call may still be under way; this one takes the \
         certificate over once that was seen for {} s",
        lease::stored(wait).as_secs()
    );
    Problem::new(Reason::Settling, message)
}

/// Whether an answer says for certain that a request had no effect, and will have none until something is mended.
fn is_refusal(status: &Status) -> bool {
    (400..500).contains(&status.code) && !matches!(status.code, 401 | 408 | 409 | 410 | 429)
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
