//! One of several replicas works: it holds a Lease.
//!
//! Every write to the Lease names the resourceVersion that was read, so of two that take it at once one fails. Whether
//! its holder is gone is judged by how long the Lease has not changed here, by a steady clock: two machines' clocks
//! may differ. (The rules of client-go. A lease is a convenience all the same: who is stopped for long enough still
//! believes to hold it, so the promise of once does not rest on it.)

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use crate::api::v1alpha1::micros;
use crate::cluster::error::{self, Said};
use crate::core::clock::Clock;
use crate::order::status::FIELD_MANAGER;
use crate::process::runtime::Shutdown;

/// The name of the Lease.
pub const LEASE: &str = "certorder";

/// How long a holder that does not renew is believed to be alive.
const TERM: Duration = Duration::from_secs(15);
/// How often the holder renews.
const RENEWAL: Duration = Duration::from_secs(4);
/// When a holder that cannot renew stops: before anybody else begins.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often the others look, and the holder tries again after a failure.
const LOOK: Duration = Duration::from_secs(1);

/// A candidate.
pub struct Candidate {
    leases: Api<Lease>,
    identity: String,
    clock: Clock,
}

/// The Lease as last seen, and since when it has not changed.
struct Seen {
    version: Option<String>,
    since: Instant,
}

impl Candidate {
    /// A candidate by the name of this process, for the Lease in a namespace.
    #[must_use]
    pub fn new(client: Client, namespace: &str, identity: &str, clock: Clock) -> Self {
        Self { leases: Api::namespaced(client, namespace), identity: identity.to_owned(), clock }
    }

    /// Waits until this process holds the Lease; false if it is asked to end before. `standing_by` is called once
    /// another one is seen to hold it.
    pub async fn win(&self, standing_by: impl Fn(), mut shutdown: Shutdown) -> bool {
        let mut seen = Seen { version: None, since: Instant::now() };
        let mut said = Said::default();
        loop {
            // Not cut short: a Lease that was taken and not given back would keep the others waiting.
            match self.try_to_win(&mut seen).await {
                Ok(Some(holder)) => {
                    debug!(holder, "another replica works; this one stands by");
                    standing_by();
                }
                Ok(None) => {
                    info!(lease = LEASE, "holds the lease: this replica works");
                    return true;
                }
                Err(error) => {
                    let error = error::on(&error);
                    if said.is_news(&error) {
                        warn!(%error, lease = LEASE, "cannot take the lease yet; tries again every second");
                    }
                }
            }
            tokio::select! {
                () = &mut shutdown => return false,
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Takes the Lease if it is free. Returns who else holds it, or `None` once it is ours.
    async fn try_to_win(&self, seen: &mut Seen) -> Result<Option<String>, kube::Error> {
        let Some(lease) = bounded(self.leases.get_opt(LEASE)).await? else {
            let params =
                PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
            return match bounded(self.leases.create(&params, &self.renewed(None))).await {
                Ok(_) => Ok(None),
                Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Some(String::new())),
                Err(error) => Err(error),
            };
        };
        if seen.version != lease.metadata.resource_version {
            *seen = Seen { version: lease.metadata.resource_version.clone(), since: Instant::now() };
        }
        let holder = holder(&lease).to_owned();
        let is_free = holder.is_empty() || holder == self.identity || seen.since.elapsed() >= TERM;
        if !is_free {
            return Ok(Some(holder));
        }
        Ok(if self.write(self.renewed(Some(lease))).await? { None } else { Some(holder) })
    }

    /// Keeps the Lease. Resolves when it is lost: taken by somebody else, or not renewed for too long.
    pub async fn keep(&self) {
        let mut renewed_at = Instant::now();
        loop {
            match timeout(DEADLINE.saturating_sub(renewed_at.elapsed()), self.renew()).await {
                Ok(Ok(true)) => {
                    renewed_at = Instant::now();
                    sleep(RENEWAL).await;
                    continue;
                }
                Ok(Ok(false)) => {
                    warn!(lease = LEASE, "another replica took the lease");
                    return;
                }
                Ok(Err(error)) => {
                    warn!(error = %error::on(&error), lease = LEASE, "cannot renew the lease; tries again");
                }
                Err(_) => warn!(lease = LEASE, "the API server did not let the lease be renewed in time"),
            }
            if renewed_at.elapsed() >= DEADLINE {
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Whether the Lease is still ours, and renewed.
    async fn renew(&self) -> Result<bool, kube::Error> {
        match bounded(self.leases.get_opt(LEASE)).await? {
            Some(lease) if holder(&lease) == self.identity => self.write(self.renewed(Some(lease))).await,
            _ => Ok(false),
        }
    }

    /// Gives the Lease back, so that another replica begins at once.
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
            Ok(_) => debug!(lease = LEASE, "gave the lease back"),
            Err::<_, kube::Error>(error) => {
                let error = error::on(&error);
                warn!(%error, lease = LEASE, "cannot give the lease back; another replica begins in 15 s");
            }
        }
    }

    /// Writes the Lease unless it has changed since it was read.
    async fn write(&self, lease: Lease) -> Result<bool, kube::Error> {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match bounded(self.leases.replace(LEASE, &params, &lease)).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The Lease as ours, from now on.
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
            lease_duration_seconds: i32::try_from(TERM.as_secs()).ok(),
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

/// A call that hangs is a failure in time for the next try.
async fn bounded<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    const CALL: Duration = Duration::from_secs(4);
    timeout(CALL, call).await.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))
}
