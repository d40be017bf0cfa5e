//! Puts the claims of orders that have acted in place at the start, and gives up those whose order is gone.

use std::collections::HashMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Preconditions};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::bounded;
use crate::cluster::cache::Cache;
use crate::cluster::error::{LogOnce, explain};
use crate::controller::telemetry::Telemetry;
use crate::order::claim::claims::{Claims, State};
use crate::order::claim::lease::{self, Claim};

/// How many Leases one request lists.
const PAGE: u32 = 500;

/// How many requests are made at the same time.
const AT_ONCE: usize = 8;

/// How often Leases are listed.
const SWEEP: Duration = Duration::from_hours(1);

/// The pause after a failure, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

impl Claims {
    /// Works until it is dropped. Called once every order is cached: each order that has acted gets its claim, and no other
    /// order begins before. From then on claims are given up whose order is gone: as orders are deleted, and by a list each
    /// hour.
    ///
    /// `namespaces` are those that are watched; none means all. An order that has acted and whose claim another order holds
    /// is told so by an Event.
    pub async fn run(
        &self,
        orders: &[Cache<CertificateOrder>],
        namespaces: &[String],
        telemetry: &Telemetry,
    ) {
        self.begin(orders, namespaces, telemetry).await;
        let mut sweep_at = Instant::now() + SWEEP;
        loop {
            let due = self.next_due().map_or(sweep_at, |due| due.min(sweep_at));
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.deletions.notified() => {}
            }
            stream::iter(self.take_due()).for_each_concurrent(AT_ONCE, |lease| self.give_up(lease)).await;
            if Instant::now() >= sweep_at {
                sweep_at = Instant::now() + SWEEP;
                if let Err(error) = self.sweep(orders, namespaces, telemetry).await {
                    warn!(error = %explain(&error), namespace = self.namespace, "cannot list the claims");
                }
            }
        }
    }

    /// The first sweep, tried until it succeeds.
    async fn begin(&self, orders: &[Cache<CertificateOrder>], namespaces: &[String], telemetry: &Telemetry) {
        let (mut log_once, mut pause) = (LogOnce::default(), RETRY.0);
        while let Err(error) = self.sweep(orders, namespaces, telemetry).await {
            let text = explain(&error);
            if log_once.is_new(&text) {
                warn!(error = %text, namespace = self.namespace, "cannot read or store the claims yet");
            }
            // Orders are told of missing rights; a failure of the API server is no matter of theirs.
            if let Ok(problem) = self.unavailable(error) {
                self.state.send_replace(State::Failed(problem));
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(RETRY.1);
        }
        self.state.send_replace(State::Ready);
    }

    /// Lists the claims: orders that have acted and have none get theirs, and claims whose order is not cached are to be given
    /// up.
    async fn sweep(
        &self,
        orders: &[Cache<CertificateOrder>],
        namespaces: &[String],
        telemetry: &Telemetry,
    ) -> Result<(), kube::Error> {
        let claims = self.list().await?;
        let acted = orders.iter().flat_map(|cache| cache.objects().state());
        let acted = acted.filter(|order| lease::has_acted(order));
        stream::iter(acted.map(Ok::<_, kube::Error>))
            .try_for_each_concurrent(AT_ONCE, async |order| {
                let known = claims.get(&lease::name(&order)).cloned();
                let claim = match known {
                    Some(claim) => Some(claim),
                    None => self.create(&order).await?.map(Claim::from),
                };
                let Some(claim) = claim else { return Ok(()) };
                if let Some(problem) = self.judge(&order, claim).await? {
                    telemetry.warn_of(&order, &problem).await;
                }
                Ok(())
            })
            .await?;
        for claim in claims.values() {
            let Some(holder) = &claim.holder else { continue };
            let is_watched = namespaces.is_empty() || namespaces.contains(&holder.key.0);
            let is_cached = orders.iter().filter_map(|cache| cache.get(&holder.key)).any(|order| {
                order.uid().as_deref() == Some(&holder.uid) && lease::name(&order) == claim.name
            });
            if is_watched && !is_cached {
                let left = self.vacant_for(claim, self.wait(claim));
                self.give_up_at(&claim.name, Instant::now() + left);
            }
        }
        Ok(())
    }

    /// Every claim, by the name of its Lease.
    async fn list(&self) -> Result<HashMap<String, Claim>, kube::Error> {
        let mut params = ListParams::default().limit(PAGE);
        let mut claims = HashMap::new();
        loop {
            let page = bounded(self.leases.list(&params)).await?;
            let found = page.items.into_iter().map(Claim::from);
            claims.extend(
                found.filter(|claim| lease::is_name(&claim.name)).map(|claim| (claim.name.clone(), claim)),
            );
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(claims),
            }
        }
    }

    /// Deletes a Lease whose order is gone, unless it was taken over meanwhile. What fails is tried again after a while.
    async fn give_up(&self, lease: String) {
        match self.try_to_give_up(&lease).await {
            Ok(None) => {}
            Ok(Some(left)) => self.give_up_at(&lease, Instant::now() + left),
            Err(error) => {
                debug!(error = %explain(&error), lease, "cannot give up a claim yet");
                self.give_up_at(&lease, Instant::now() + RETRY.1);
            }
        }
    }

    /// Returns how long to wait, if it is too early.
    async fn try_to_give_up(&self, name: &str) -> Result<Option<Duration>, kube::Error> {
        let claim = bounded(self.leases.get_opt(name)).await?.map(Claim::from);
        let Some((claim, holder)) =
            claim.and_then(|claim| claim.holder.clone().map(|holder| (claim, holder)))
        else {
            self.forget(name);
            return Ok(None);
        };
        if !self.is_gone(&holder, name).await? {
            return Ok(None);
        }
        let left = self.vacant_for(&claim, self.wait(&claim));
        if !left.is_zero() {
            return Ok(Some(left));
        }
        let preconditions = Preconditions { uid: claim.uid, resource_version: claim.version };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match bounded(self.leases.delete(name, &params)).await {
            // Taken over, or deleted by somebody else.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {}
            deleted => drop(deleted?),
        }
        self.forget(name);
        Ok(None)
    }
}
