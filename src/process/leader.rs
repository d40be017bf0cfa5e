//! Leader election: of several replicas, only the one that holds a Lease reconciles.
//!
//! Every write to the Lease carries the resourceVersion that was read, so of two replicas that take it at once one
//! fails. A Lease counts as expired once this process has observed no change for its duration, by a monotonic clock:
//! the clocks of two machines may differ. These are the rules of client-go. A process that was stopped for long enough
//! still believes that it holds the Lease, so the promise of one submission does not depend on it.

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
use crate::core::clock::Clock;

/// The name of the Lease.
pub const LEASE: &str = "certorder";

/// How long a Lease is valid without a renewal.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// How often the holder renews.
const RENEW_PERIOD: Duration = Duration::from_secs(4);
/// When a holder that cannot renew the Lease stops: before another replica may take it.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often the other replicas try to acquire the Lease, and the holder retries after a failure.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// A process that holds the Lease, or waits for it.
pub struct LeaseHolder {
    leases: Api<Lease>,
    identity: String,
    clock: Clock,
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
        Self { leases: Api::namespaced(client, namespace), identity: identity.to_owned(), clock }
    }

    /// Waits until this process holds the Lease; false if it shuts down before. Calls `standing_by` whenever another
    /// process holds it.
    pub async fn acquire(&self, standing_by: impl Fn(), shutdown: &CancellationToken) -> bool {
        let mut observed = LastObserved { version: None, since: Instant::now() };
        let mut log_once = LogOnce::default();
        loop {
            // Not cancelled half-way: a Lease that is acquired and not released delays the other replicas.
            match self.try_to_acquire(&mut observed).await {
                Ok(Some(holder)) => {
                    debug!(holder, "another replica is the leader; this one stands by");
                    standing_by();
                }
                Ok(None) => {
                    info!(lease = LEASE, "acquired the lease: this replica is the leader");
                    return true;
                }
                Err(error) => {
                    let error = explain(&error);
                    if log_once.is_new(&error) {
                        warn!(%error, lease = LEASE, "cannot acquire the lease yet; retries every second");
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return false,
                () = sleep(RETRY_PERIOD) => {}
            }
        }
    }

    /// Acquires the Lease if it is free. Returns `None` on success, or else the identity of its holder.
    async fn try_to_acquire(&self, observed: &mut LastObserved) -> Result<Option<String>, kube::Error> {
        let Some(lease) = bounded(self.leases.get_opt(LEASE)).await? else {
            let params =
                PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
            return match bounded(self.leases.create(&params, &self.renewed(None))).await {
                Ok(_) => Ok(None),
                Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Some(String::new())),
                Err(error) => Err(error),
            };
        };
        if observed.version != lease.metadata.resource_version {
            *observed =
                LastObserved { version: lease.metadata.resource_version.clone(), since: Instant::now() };
        }
        let holder = holder(&lease).to_owned();
        let is_free =
            holder.is_empty() || holder == self.identity || observed.since.elapsed() >= LEASE_DURATION;
        if !is_free {
            return Ok(Some(holder));
        }
        Ok(if self.write(self.renewed(Some(lease))).await? { None } else { Some(holder) })
    }

    /// Renews the Lease. Resolves when it is lost: taken by another replica, or not renewed for too long.
    pub async fn keep(&self) {
        let mut renewed_at = Instant::now();
        loop {
            match timeout(RENEW_DEADLINE.saturating_sub(renewed_at.elapsed()), self.renew()).await {
                Ok(Ok(true)) => {
                    renewed_at = Instant::now();
                    sleep(RENEW_PERIOD).await;
                    continue;
                }
                Ok(Ok(false)) => {
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
            if renewed_at.elapsed() >= RENEW_DEADLINE {
                return;
            }
            sleep(RETRY_PERIOD).await;
        }
    }

    /// Renews the Lease; false if another replica holds it.
    async fn renew(&self) -> Result<bool, kube::Error> {
        match bounded(self.leases.get_opt(LEASE)).await? {
            Some(lease) if holder(&lease) == self.identity => self.write(self.renewed(Some(lease))).await,
            _ => Ok(false),
        }
    }

    /// Releases the Lease, so that another replica can acquire it at once.
    pub async fn release(&self) {
        let released = async {
            let Some(lease) = bounded(self.leases.get_opt(LEASE)).await? else { return Ok(true) };
            if holder(&lease) != self.identity {
                return Ok(true);
            }
            let mut lease = lease;
            if let Some(spec) = &mut lease.spec {
                spec.holder_identity = Some(String::new());
            }
            self.write(lease).await
        };
        match released.await {
            Ok(_) => debug!(lease = LEASE, "released the lease"),
            Err::<_, kube::Error>(error) => {
                let error = explain(&error);
                warn!(%error, lease = LEASE, "cannot release the lease; another replica acquires it in 15 s");
            }
        }
    }

    /// Writes the Lease; false if it has changed since it was read.
    async fn write(&self, lease: Lease) -> Result<bool, kube::Error> {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match bounded(self.leases.replace(LEASE, &params, &lease)).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The Lease with this process as its holder, renewed now.
    fn renewed(&self, lease: Option<Lease>) -> Lease {
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
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: if is_ours { before.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(if is_ours { transitions } else { transitions.saturating_add(1) }),
            ..before
        };
        Lease { metadata, spec: Some(spec) }
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// A call that hangs fails in time for the next retry.
async fn bounded<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    const CALL: Duration = Duration::from_secs(4);
    timeout(CALL, call).await.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))
}
