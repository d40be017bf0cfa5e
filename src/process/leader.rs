//! Leader election: of several replicas, only the one that holds a Lease reconciles.
//!
//! Every write to the Lease carries the resourceVersion that was read, so of two replicas that take it at once one
//! fails. A Lease counts as expired once this process has observed no change for its duration, by a monotonic clock:
//! the clocks of two machines may differ. These are the rules of client-go. A process that was stopped for long enough
//! still believes that it holds the Lease, so the promise of one submission does not depend on it.
//!
//! Where the API server takes longer than a few seconds to answer, the duration that the holder writes into the Lease
//! grows with that, and with it the time after which another replica takes over.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::api::v1alpha1::micros;
use crate::cluster::FIELD_MANAGER;
use crate::cluster::error::{LogOnce, explain};
use crate::cluster::request::Timeout;
use crate::core::clock::Clock;

/// The name of the Lease.
pub const LEASE: &str = "certorder";

/// The shortest timeout of a request for the Lease. One that hangs fails in time for the next one.
const MIN_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a Lease is valid without a renewal, at least.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// The longest duration that is believed: that of a timeout of five minutes.
const MAX_LEASE_DURATION: Duration = Duration::from_secs(1125);
/// How often the holder renews.
const RENEW_PERIOD: Duration = Duration::from_secs(4);
/// How often the other replicas try to acquire the Lease, and the holder retries after a failure.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// A process that holds the Lease, or waits for it.
pub struct LeaseHolder {
    leases: Api<Lease>,
    identity: String,
    clock: Clock,
    timeout: Timeout,
}

/// What this process holds: the Lease for a duration, from the moment at which it began to write it.
#[derive(Clone, Copy)]
pub struct Term {
    since: Instant,
    duration: Duration,
}

impl Term {
    /// What is left until a holder that cannot renew the Lease has to stop: before another replica may take it.
    fn left(self) -> Duration {
        (self.duration * 2 / 3).saturating_sub(self.since.elapsed())
    }
}

/// The Lease as last observed, and since when it has not changed.
struct LastObserved {
    version: Option<String>,
    since: Instant,
}

impl LeaseHolder {
    /// For the Lease in a namespace, with the identity of this process.
    #[must_use]
    pub fn new(client: Client, namespace: &str, identity: &str, clock: Clock) -> Self {
        let leases = Api::namespaced(client, namespace);
        Self { leases, identity: identity.to_owned(), clock, timeout: Timeout::at_least(MIN_TIMEOUT) }
    }

    /// Waits until this process holds the Lease; `None` if it shuts down before. Calls `standing_by` whenever another
    /// process holds it.
    pub async fn acquire(&self, standing_by: impl Fn(), shutdown: &CancellationToken) -> Option<Term> {
        let mut observed = LastObserved { version: None, since: Instant::now() };
        let mut log_once = LogOnce::default();
        loop {
            // Not cancelled half-way: a Lease that is acquired and not released delays the other replicas.
            match self.try_to_acquire(&mut observed).await {
                Ok(Some(term)) => {
                    info!(lease = LEASE, "acquired the lease: this replica is the leader");
                    return Some(term);
                }
                Ok(None) => {
                    debug!("another replica is the leader; this one stands by");
                    standing_by();
                }
                Err(error) => {
                    let error = explain(&error);
                    if log_once.is_new(&error) {
                        warn!(%error, lease = LEASE, "cannot acquire the lease yet; retries every second");
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = sleep(RETRY_PERIOD) => {}
            }
        }
    }

    /// Acquires the Lease if it is free; `None` if another replica holds it.
    async fn try_to_acquire(&self, observed: &mut LastObserved) -> Result<Option<Term>, kube::Error> {
        let Some(lease) = self.read().await? else { return self.create().await };
        if observed.version != lease.metadata.resource_version {
            *observed =
                LastObserved { version: lease.metadata.resource_version.clone(), since: Instant::now() };
        }
        let holder = holder(&lease);
        let is_ours = holder.is_empty() || holder == self.identity;
        let is_free = is_ours || observed.since.elapsed() >= duration(&lease);
        if is_free { self.renew(lease).await } else { Ok(None) }
    }

    /// Renews the Lease. Resolves when it is lost: taken by another replica, or not renewed for too long.
    pub async fn keep(&self, mut term: Term) {
        loop {
            match timeout(term.left(), self.renew_ours()).await {
                Ok(Ok(Some(renewed))) => {
                    term = renewed;
                    sleep(RENEW_PERIOD).await;
                    continue;
                }
                Ok(Ok(None)) => {
                    warn!(lease = LEASE, "another replica took the lease");
                    return;
                }
                Ok(Err(error)) => {
                    warn!(error = %explain(&error), lease = LEASE, "cannot renew the lease; retries");
                }
                Err(_) => {
                    warn!(lease = LEASE, "the API server did not answer a renewal of the lease in time");
                }
            }
            if term.left().is_zero() {
                return;
            }
            sleep(RETRY_PERIOD).await;
        }
    }

    /// Renews the Lease; `None` if another replica holds it.
    async fn renew_ours(&self) -> Result<Option<Term>, kube::Error> {
        match self.read().await? {
            Some(lease) if holder(&lease) == self.identity => self.renew(lease).await,
            _ => Ok(None),
        }
    }

    /// Releases the Lease, so that another replica can acquire it at once.
    pub async fn release(&self) {
        let released = async {
            let Some(mut lease) = self.read().await?.filter(|lease| holder(lease) == self.identity) else {
                return Ok(true);
            };
            if let Some(spec) = &mut lease.spec {
                spec.holder_identity = Some(String::new());
            }
            self.write(lease).await
        };
        match released.await {
            Ok(_) => debug!(lease = LEASE, "released the lease"),
            Err::<_, kube::Error>(error) => {
                let error = explain(&error);
                warn!(%error, lease = LEASE, "cannot release the lease; another replica acquires it once it has expired");
            }
        }
    }

    async fn read(&self) -> Result<Option<Lease>, kube::Error> {
        self.timeout.bound(self.leases.get_opt(LEASE)).await
    }

    /// Creates the Lease; `None` if there is one.
    async fn create(&self) -> Result<Option<Term>, kube::Error> {
        let (wanted, term) = self.renewed(None);
        match self.timeout.bound(self.leases.create(&params(), &wanted)).await {
            Ok(_) => Ok(Some(term)),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes this process the holder of the Lease for another term; `None` if it has changed since it was read.
    async fn renew(&self, lease: Lease) -> Result<Option<Term>, kube::Error> {
        let (wanted, term) = self.renewed(Some(lease));
        Ok(self.write(wanted).await?.then_some(term))
    }

    /// Writes the Lease; false if it has changed since it was read.
    async fn write(&self, lease: Lease) -> Result<bool, kube::Error> {
        match self.timeout.bound(self.leases.replace(LEASE, &params(), &lease)).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The Lease with this process as its holder, renewed now, and what that term is.
    fn renewed(&self, lease: Option<Lease>) -> (Lease, Term) {
        // A renewal takes two requests, and has to fit in more than once.
        let whole_seconds = (self.timeout.current() * 15 / 4).as_secs();
        let term = Term { since: Instant::now(), duration: Duration::from_secs(whole_seconds) };
        let now: MicroTime = micros(self.clock.now());
        let Lease { metadata, spec } = lease.unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(LEASE.to_owned()), ..ObjectMeta::default() },
            ..Lease::default()
        });
        let before = spec.unwrap_or_default();
        let is_ours = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(whole_seconds).ok(),
            acquire_time: if is_ours { before.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(if is_ours { transitions } else { transitions.saturating_add(1) }),
            ..before
        };
        (Lease { metadata, spec: Some(spec) }, term)
    }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// How long a Lease is valid without a renewal, as its holder wrote.
fn duration(lease: &Lease) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).clamp(LEASE_DURATION, MAX_LEASE_DURATION)
}
