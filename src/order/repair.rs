//! Repairs the Secrets of an issued order between two looks at the cloud, without asking it.
//!
//! Whatever somebody does to a Secret requeues its order. Where the order rests and what the cloud handed over is still
//! kept, the Secret alone tells what to do: leave it alone, write it once more, or wait, since somebody else keeps
//! rewriting it.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use crate::cluster::cache::Key;
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::conditions::{Status, get};
use crate::core::names::Names;
use crate::order::controller::Controller;
use crate::order::export::secret::Owner;
use crate::order::export::target::Target;
use crate::order::export::write::write_secrets;
use crate::order::facts::Export;
use crate::order::fold::contested::{self, Found, synced};
use crate::order::own_key::{OwnKey, Place};
use crate::order::resolve;
use crate::order::status::{self, Swap};

/// Before the order is read again, after somebody else wrote it.
const A_MOMENT: Duration = Duration::from_millis(200);

/// An issued order and its Secrets, as they are now.
struct Look<'a> {
    controller: &'a Controller,
    key: &'a Key,
    order: &'a CertificateOrder,
    status: &'a CertificateOrderStatus,
    generation: i64,
    names: &'a Names,
    target: &'a Target,
}

/// What a look came to: what is to be said, and when to look again at the latest.
type Verdict = (Option<Found>, Duration);

/// Mends what can be mended without the cloud. Returns when to look at the Secrets again at the latest; `None` where
/// the order needs a whole pass.
pub async fn repair(controller: &Controller, key: &Key) -> Result<Option<Duration>, kube::Error> {
    let Some(order) = controller.live(key).await? else { return Ok(None) };
    let status = status::of(&order);
    let Ok(names) = Names::parse(&order.spec.common_name, &order.spec.dns_names) else { return Ok(None) };
    if !rests(&order, &status) {
        return Ok(None);
    }
    let namespace = controller.context.namespace(order.as_ref());
    let own_key = if order.spec.makes_key() {
        Some(OwnKey::read(&namespace, &Place::of(Owner::of(&order))).await?)
    } else {
        None
    };
    let target = resolve::target(controller, &namespace, &order, own_key.as_ref()).await?;
    let generation = order.metadata.generation.unwrap_or_default();
    let (order, status, target, names) = (order.as_ref(), &status, &target, &names);
    let look = Look { controller, key, order, status, generation, names, target };
    let verdict = match target.export(order, look.expires(), &Ok(names.clone())) {
        Export::Current => look.current(),
        Export::Due => look.due().await?,
        Export::NotWanted | Export::Blocked(_) => None,
    };
    let Some((found, wait)) = verdict else { return Ok(None) };
    let Some(found) = found else { return Ok(Some(wait)) };
    let next = contested::found(status, generation, controller.context.clock.now(), &found);
    Ok(Some(if store(controller, order, next).await? { wait } else { A_MOMENT }))
}

impl Look<'_> {
    fn expires(&self) -> Option<Timestamp> {
        self.status.not_after.as_ref().map(|time| time.0)
    }

    /// The Secrets are as they should be. They count as contested for a while. `None` where something else is to be said of
    /// them than before.
    fn current(&self) -> Option<Verdict> {
        let now = Instant::now();
        if let Some(until) = self.controller.repairs.contested_until(self.key, self.generation, now) {
            return Some((Some(self.contest()), until.saturating_duration_since(now)));
        }
        let message = synced(self.target.kept_keystores());
        if self.said().is_some() {
            return Some((Some(Found::Calm { message }), Duration::MAX));
        }
        let before = get(&self.status.conditions, ConditionType::SecretSynced);
        before.is_some_and(|before| before.message == message).then_some((None, Duration::MAX))
    }

    /// Writes them once more, unless that has to wait; `None` where the certificate has to be fetched.
    async fn due(&self) -> Result<Option<Verdict>, kube::Error> {
        let Self { controller, key, order, generation, names, target, .. } = self;
        let now = Instant::now();
        let wait = controller.repairs.wait(key, *generation, now);
        if !wait.is_zero() {
            return Ok(Some((Some(self.contest()), wait)));
        }
        let kept = controller.kept.get(key, now);
        let Some(bundle) = kept.filter(|bundle| target.is_of_this_term(bundle, self.expires())) else {
            return Ok(None);
        };
        let Ok(all) = target.wanted(order, names, &bundle, &[]) else { return Ok(None) };
        if write_secrets(controller, order, target.owner(), target.template(), &all).await?.is_err() {
            return Ok(None);
        }
        let now = Instant::now();
        controller.repairs.count(key, *generation, now);
        let until = controller.repairs.contested_until(key, *generation, now);
        Ok(Some(match until {
            Some(until) => (Some(self.contest()), until.saturating_duration_since(now)),
            None => (None, Duration::MAX),
        }))
    }

    /// What is said already of somebody who rewrites the Secrets.
    fn said(&self) -> Option<&str> {
        let synced = get(&self.status.conditions, ConditionType::SecretSynced)?;
        let contested: &str = Reason::SecretContested.into();
        (synced.reason == contested).then_some(synced.message.as_str())
    }

    fn contest(&self) -> Found {
        // Once it is repaired, nobody else is seen in the Secret: what was said of them stays.
        let message = match (self.said(), self.target.neighbour()) {
            (Some(said), None) => said.to_owned(),
            (_, neighbour) => self.target.contested(neighbour),
        };
        Found::Contested { message, fits: self.target.fits(self.order, self.expires(), self.names) }
    }
}

/// Whether an order has its certificate and was found in place, but for what somebody does to its Secrets.
fn rests(order: &CertificateOrder, status: &CertificateOrderStatus) -> bool {
    let reason = |type_| get(&status.conditions, type_).map(|condition| condition.reason.as_str());
    let [issued, contested]: [&str; 2] = [Reason::Issued.into(), Reason::SecretContested.into()];
    let is_issued = get(&status.conditions, ConditionType::Issued)
        .is_some_and(|condition| condition.status == Status::True.as_str());
    let ready = reason(ConditionType::Ready);
    let synced = reason(ConditionType::SecretSynced);
    let asked = order.annotations().get(RECONCILE_AT);
    let is_handled = asked.is_none_or(|asked| Some(handled_value(asked)) == status.last_handled_reconcile_at);
    is_issued
        && (ready == Some(issued) || ready == Some(contested))
        && (synced == Some(Reason::Synced.into()) || synced == Some(contested))
        && Some(status.observed_generation) == order.metadata.generation
        && order.metadata.deletion_timestamp.is_none()
        && !order.spec.suspend
        && is_handled
}

/// Stores a status that differs from the one that is there; false if another writer was faster.
async fn store(
    controller: &Controller,
    order: &CertificateOrder,
    next: CertificateOrderStatus,
) -> Result<bool, kube::Error> {
    match status::swap(&controller.context.client, order, next).await? {
        Swap::Stored(stored) => {
            controller.context.telemetry.changed(order, &stored);
            Ok(true)
        }
        Swap::Conflict => Ok(false),
    }
}
