//! Puts the claims of orders that have acted in place at the start, and gives up those whose order is gone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Preconditions};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::bounded;
use crate::cluster::cache::{Cache, Key};
use crate::cluster::error::{LogOnce, explain};
use crate::controller::telemetry::Telemetry;
use crate::core::conditions::Problem;
use crate::order::claim::claims::{Claims, HolderState, State};
use crate::order::claim::lease::{self, Claim, Holder};
use crate::order::claim::rivals;

/// How many Leases one request lists.
const PAGE: u32 = 500;

/// How many requests are made at the same time.
const AT_ONCE: usize = 16;

/// How often Leases are listed.
const SWEEP: Duration = Duration::from_hours(1);

/// The pause after a failure, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// The orders of this installation.
struct Orders<'a> {
    caches: &'a [Cache<CertificateOrder>],
    namespaces: &'a [String],
    telemetry: &'a Telemetry,
}

impl Orders<'_> {
    /// Those that have acted: for each certificate the one that keeps it, and all others.
    fn acted(&self) -> (Vec<Arc<CertificateOrder>>, Vec<Arc<CertificateOrder>>) {
        let mut acted: Vec<_> = self.caches.iter().flat_map(|cache| cache.objects().state()).collect();
        acted.retain(|order| lease::has_acted(order));
        acted.sort_by_cached_key(|order| rivals::rank(order));
        let mut seen = HashSet::new();
        acted.into_iter().partition(|order| seen.insert(lease::name(order)))
    }

    /// A cached order of this name that names the certificate of a Lease.
    fn named(&self, key: &Key, lease: &str) -> Option<Arc<CertificateOrder>> {
        let order = self.caches.iter().find_map(|cache| cache.get(key))?;
        (lease::name(&order) == lease).then_some(order)
    }

    /// The holder of a Lease, if it is cached.
    fn holder(&self, holder: &Holder, lease: &str) -> Option<Arc<CertificateOrder>> {
        self.named(&holder.key, lease).filter(|order| order.uid().as_deref() == Some(&holder.uid))
    }
}

impl Claims {
    /// Works until it is dropped. Called once every order is cached: each order that has acted gets its claim, and no other
    /// order begins before. From then on claims are given up whose order is gone: as orders are deleted, and by a list each
    /// hour.
    ///
    /// `namespaces` are those that are watched; none means all. An order that has acted and whose claim another order holds
    /// is told so by an Event.
    pub async fn run(
        &self,
        caches: &[Cache<CertificateOrder>],
        namespaces: &[String],
        telemetry: &Telemetry,
    ) {
        let orders = &Orders { caches, namespaces, telemetry };
        let mut sweep_at = self.begin(orders).await;
        let mut log_once = LogOnce::default();
        loop {
            let due = self.memory.next_due().map_or(sweep_at, |due| due.min(sweep_at));
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.deletions.notified() => {}
            }
            let looked = stream::iter(self.memory.take_due())
                .map(|(lease, holder)| self.give_up(orders, lease, holder))
                .buffer_unordered(AT_ONCE);
            let mut failures = std::pin::pin!(looked.filter_map(async |failed| failed));
            while let Some(error) = failures.next().await {
                self.log(&mut log_once, "cannot give up a claim yet", &error);
            }
            if Instant::now() >= sweep_at {
                match self.payload_key.read().await {
                    Ok(Ok(())) => {}
                    Ok(Err(problem)) => {
                        warn!(%problem, "the key of the payload hashes stays the one of before");
                    }
                    Err(error) => {
                        self.log(&mut log_once, "cannot read the key of the payload hashes", &error);
                    }
                }
                sweep_at = match self.sweep(orders).await {
                    Ok(again) => again,
                    Err(error) => {
                        self.log(&mut log_once, "cannot list or store the claims", &error);
                        Instant::now() + SWEEP
                    }
                };
            }
        }
    }

    /// The first sweep, tried until it succeeds. Returns when the next one is due.
    async fn begin(&self, orders: &Orders<'_>) -> Instant {
        let (mut log_once, mut pause) = (LogOnce::default(), RETRY.0);
        loop {
            match self.begin_once(orders).await {
                Ok(Ok(again)) => {
                    self.state.send_replace(State::Ready);
                    return again;
                }
                Ok(Err(problem)) => {
                    if log_once.is_new(&problem.message) {
                        warn!(%problem, "nothing can be submitted yet");
                    }
                    self.state.send_replace(State::Failed(problem));
                }
                Err(error) => {
                    self.log(&mut log_once, "cannot read or store the claims yet", &error);
                    // Orders are told of missing rights; a failure of the API server is no matter of theirs.
                    if let Ok(problem) = self.unavailable(error) {
                        self.state.send_replace(State::Failed(problem));
                    }
                }
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(RETRY.1);
        }
    }

    /// The key of the hashes comes first: the first intent needs it.
    async fn begin_once(&self, orders: &Orders<'_>) -> Result<Result<Instant, Problem>, kube::Error> {
        if let Err(problem) = self.payload_key.read().await? {
            return Ok(Err(problem));
        }
        self.sweep(orders).await.map(Ok)
    }

    fn log(&self, log_once: &mut LogOnce, what: &str, error: &kube::Error) {
        let text = explain(error);
        if log_once.is_new(&text) {
            warn!(error = %text, namespace = self.namespace, "{what}");
        }
    }

    /// Lists the claims: orders that have acted and have none get theirs, and claims whose order is not cached are looked at.
    /// Returns when to list them again.
    async fn sweep(&self, orders: &Orders<'_>) -> Result<Instant, kube::Error> {
        let claims = self.list().await?;
        self.memory.keep_vacant(|lease| claims.contains_key(lease));
        // Of several that have acted on one certificate the one that keeps it comes first.
        let (first, others) = orders.acted();
        let mut waits = self.put_in_place(orders, &claims, &first).await?;
        waits |= self.put_in_place(orders, &claims, &others).await?;
        let acted: HashSet<String> = first.iter().map(|order| lease::name(order)).collect();
        for claim in claims.values().filter(|claim| !acted.contains(&claim.name)) {
            let Some(holder) = &claim.holder else { continue };
            let is_watched = orders.namespaces.is_empty() || orders.namespaces.contains(&holder.key.0);
            if is_watched && orders.holder(holder, &claim.name).is_none() {
                self.memory.give_up_at(&claim.name, holder.clone(), Instant::now());
            }
        }
        Ok(Instant::now() + if waits { self.duration.saturating_mul(2).min(SWEEP) } else { SWEEP })
    }

    /// Claims the certificates of orders that have acted on them. Answers whether one of them has to wait for a claim whose
    /// holder is gone.
    async fn put_in_place(
        &self,
        orders: &Orders<'_>,
        claims: &HashMap<String, Claim>,
        acted: &[Arc<CertificateOrder>],
    ) -> Result<bool, kube::Error> {
        let put = async |order: &Arc<CertificateOrder>| self.put_one_in_place(orders, claims, order).await;
        let mut all = std::pin::pin!(stream::iter(acted).map(put).buffer_unordered(AT_ONCE));
        let mut any_waits = false;
        while let Some(waits) = all.next().await {
            any_waits |= waits?;
        }
        Ok(any_waits)
    }

    async fn put_one_in_place(
        &self,
        orders: &Orders<'_>,
        claims: &HashMap<String, Claim>,
        order: &CertificateOrder,
    ) -> Result<bool, kube::Error> {
        let asked_at = Instant::now();
        let claim = match claims.get(&lease::name(order)) {
            Some(claim) => claim.clone(),
            None => match self.create(order, self.duration).await? {
                Some(lease) => lease.into(),
                // Created by somebody else and deleted again.
                None => return Ok(true),
            },
        };
        match self.judge(order, &claim, asked_at, self.duration).await? {
            None => Ok(false),
            Some(problem) if problem.reason == Reason::Settling => Ok(true),
            Some(problem) => {
                orders.telemetry.warn_of(order, &problem);
                Ok(false)
            }
        }
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

    /// Gives up the claim of an order that was deleted, now or once its last call is over. Returns what failed; it is tried
    /// again.
    async fn give_up(&self, orders: &Orders<'_>, lease: String, gone: Holder) -> Option<kube::Error> {
        let (left, failed) = match self.try_to_give_up(orders, &lease, &gone).await {
            Ok(None) => return None,
            Ok(Some(left)) => (left, None),
            Err(error) => (RETRY.1, Some(error)),
        };
        self.memory.give_up_at(&lease, gone, Instant::now() + left);
        failed
    }

    /// Returns how long to wait, if it is too early.
    async fn try_to_give_up(
        &self,
        orders: &Orders<'_>,
        name: &str,
        gone: &Holder,
    ) -> Result<Option<Duration>, kube::Error> {
        // The first look is at the order alone: its Lease matters once the wait is over.
        if !self.memory.waits_for(name) {
            if !matches!(self.state_of(gone, name).await?, HolderState::Gone) {
                return Ok(None);
            }
            let wait = self.duration.saturating_mul(2);
            return Ok(Some(self.memory.vacant_for(name, gone, wait)));
        }
        let asked_at = Instant::now();
        let claim = bounded(self.leases.get_opt(name)).await?.map(Claim::from);
        let Some((claim, holder)) =
            claim.and_then(|claim| claim.holder.clone().map(|holder| (claim, holder)))
        else {
            self.memory.forget(name, gone);
            return Ok(None);
        };
        if !matches!(self.state_of(&holder, name).await?, HolderState::Gone) {
            // Taken over; or the order is not deleted yet, and its end will be seen.
            if holder.uid != gone.uid {
                self.memory.forget(name, gone);
            }
            return Ok(None);
        }
        let left = self.vacant_for(&claim, &holder);
        if !left.is_zero() {
            return Ok(Some(left));
        }
        // Created again with the status of before, by a backup: it goes on, and its certificate is nobody else's.
        let again = orders.named(&holder.key, name).filter(|order| lease::has_acted(order));
        match again {
            Some(order) => drop(self.judge(&order, &claim, asked_at, self.duration).await?),
            None => self.delete(claim).await?,
        }
        self.memory.forget(name, gone);
        self.memory.forget(name, &holder);
        Ok(None)
    }

    /// Deletes a Lease as it was read, unless it was taken over meanwhile.
    async fn delete(&self, claim: Claim) -> Result<(), kube::Error> {
        let preconditions = Preconditions { uid: claim.uid, resource_version: claim.version };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match bounded(self.leases.delete(&claim.name, &params)).await {
            // Taken over, or deleted by somebody else.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}
