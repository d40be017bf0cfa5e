//! Repairs the Secrets of an issued order between two looks at the cloud, without asking it.
//!
//! Whatever somebody does to a Secret requeues its order. Where the order rests and what the cloud handed over is still
//! kept, the Secret alone tells what to do: leave it alone, write it once more, or wait, since somebody else keeps
//! rewriting it.

use std::time::Duration;

use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use crate::cluster::cache::Key;
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::conditions::{Problem, Status, get};
use crate::core::names::Names;
use crate::order::controller::Controller;
use crate::order::execute;
use crate::order::export::secret::Owner;
use crate::order::export::target::Target;
use crate::order::facts::Export;
use crate::order::fold::contested::{self, Found};
use crate::order::own_key::OwnKey;
use crate::order::status::{self, Swap};

/// Before the order is read again, after somebody else wrote it.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Mends what can be mended without the cloud. Returns when to look at the Secrets again at the latest; `None` where
/// the order needs a whole pass.
pub async fn repair(controller: &Controller, key: &Key) -> Result<Option<Duration>, kube::Error> {
    let Some(order) = controller.whole(key).await? else { return Ok(None) };
    let status = status::of(&order);
    if !rests(&order, &status) {
        return Ok(None);
    }
    let namespace = controller.context.namespace(order.as_ref());
    let owner = Owner::of(&order);
    let own_key = if order.spec.makes_key() { Some(OwnKey::read(&namespace, &owner).await?) } else { None };
    let target = Target::read(&namespace, &order, owner, own_key.as_ref()).await?;
    let names = Names::parse(&order.spec.common_name, &order.spec.dns_names)
        .map_err(|error| Problem::new(Reason::InvalidRequest, error.to_string()));
    let expires = status.not_after.as_ref().map(|time| time.0);
    let generation = order.metadata.generation.unwrap_or_default();
    let contested_until = |now: Instant| controller.repairs.contested_until(key, generation, now);
    let now = Instant::now();
    let said = get(&status.conditions, ConditionType::SecretSynced)
        .filter(|synced| synced.reason == <&str>::from(Reason::SecretContested));
    // Once it is repaired, nobody else is seen in the Secret: what was said of them stays.
    let contest = || Found::Contested {
        message: match (said, target.neighbour()) {
            (Some(said), None) => said.message.clone(),
            (_, neighbour) => target.contested(neighbour),
        },
        fits: names.as_ref().is_ok_and(|names| target.fits(&order, expires, names)),
    };
    let (found, wait) = match (target.export(&order, expires, &names), &names) {
        (Export::Current, _) => match contested_until(now) {
            Some(until) => (Some(contest()), until.saturating_duration_since(now)),
            None => (said.map(|_| Found::Calm), Duration::MAX),
        },
        (Export::Due, Ok(names)) => {
            let wait = controller.repairs.wait(key, generation, now);
            if !wait.is_zero() {
                (Some(contest()), wait)
            } else {
                let kept = controller.kept.get(key, now);
                let Some(bundle) = kept.filter(|bundle| target.is_of_this_term(bundle, expires)) else {
                    return Ok(None);
                };
                let Ok(all) = target.wanted(&order, names, &bundle) else { return Ok(None) };
                if execute::write_secrets(controller, &order, &all).await?.is_err() {
                    return Ok(None);
                }
                controller.repairs.count(key, generation, Instant::now());
                let now = Instant::now();
                match contested_until(now) {
                    Some(until) => (Some(contest()), until.saturating_duration_since(now)),
                    None => (None, Duration::MAX),
                }
            }
        }
        (Export::NotWanted | Export::Blocked(_) | Export::Due, _) => return Ok(None),
    };
    let stored = match found {
        Some(found) => {
            let now = controller.context.clock.now();
            store(controller, &order, contested::found(&status, generation, now, &found)).await?
        }
        None => true,
    };
    Ok(Some(if stored { wait } else { A_MOMENT }))
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
            controller.context.telemetry.changed(order, &stored).await;
            Ok(true)
        }
        Swap::Lost => Ok(false),
    }
}
