//! Writes the status, by compare-and-swap on the version that was read.

use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tracing::{error, info, warn};

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::cluster::error::explain;
use crate::core::conditions::{Conditions, get};

/// The result of a status write.
pub enum Swap {
    /// Stored; the order as it is now.
    Stored(Box<CertificateOrder>),
    /// Another process wrote first, or the order was deleted. Read it again.
    Conflict,
}

/// The stored status, or the empty one of a new order.
#[must_use]
pub fn of(order: &CertificateOrder) -> CertificateOrderStatus {
    order.status.clone().unwrap_or_default()
}

/// Stores a status. An unchanged one is not written.
///
/// The first status of an order is never Ready=False, which GitOps tools report as a failed sync of an object that was
/// just created. It is Ready=Unknown first.
pub async fn swap(
    client: &Client,
    order: &CertificateOrder,
    status: CertificateOrderStatus,
) -> Result<Swap, kube::Error> {
    if order.status.as_ref() == Some(&status) {
        return Ok(Swap::Stored(Box::new(order.clone())));
    }
    let ready = get(&status.conditions, ConditionType::Ready);
    let is_first = of(order).conditions.is_empty();
    if is_first && ready.is_some_and(|ready| ready.status == "False") {
        let first =
            pending(&of(order), &status, ready.map(|ready| ready.last_transition_time.0).unwrap_or_default());
        return match write(client, order, first).await? {
            Swap::Stored(order) => write(client, &order, status).await,
            Swap::Conflict => Ok(Swap::Conflict),
        };
    }
    write(client, order, status).await
}

/// The first status of a new order.
fn pending(
    stored: &CertificateOrderStatus,
    status: &CertificateOrderStatus,
    now: jiff::Timestamp,
) -> CertificateOrderStatus {
    let mut conditions = Conditions::new(&[], status.observed_generation, now);
    conditions.working(Reason::Pending, "certorder has seen the order and looks into it");
    CertificateOrderStatus {
        observed_generation: status.observed_generation,
        provider: status.provider.clone(),
        certificate_id: status.certificate_id.clone(),
        phase: Some("Pending".to_owned()),
        conditions: conditions.into_list(),
        ..stored.clone()
    }
}

async fn write(
    client: &Client,
    order: &CertificateOrder,
    status: CertificateOrderStatus,
) -> Result<Swap, kube::Error> {
    let wanted = CertificateOrder { status: Some(status), ..order.clone() };
    match bounded(api(client, order).replace_status(&order.name_any(), &params(), &wanted)).await {
        Ok(stored) => Ok(Swap::Stored(Box::new(stored))),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(Swap::Conflict),
        Err(error) => Err(error),
    }
}

/// Stores an intent, and returns the order that holds it, or `None` on a conflict. `holds` tells whether a status has exactly
/// this intent.
///
/// After a conflict or an unclear response the order is read live: if it holds exactly this intent, the write took
/// effect.
pub async fn store_intent(
    client: &Client,
    order: &CertificateOrder,
    status: CertificateOrderStatus,
    holds: impl Fn(&CertificateOrderStatus) -> bool + Send + Sync,
) -> Result<Option<CertificateOrder>, kube::Error> {
    let cause = match write(client, order, status).await {
        Ok(Swap::Stored(stored)) => return Ok(Some(*stored)),
        Ok(Swap::Conflict) => None,
        Err(error) => Some(error),
    };
    match bounded(api(client, order).get_opt(&order.name_any())).await? {
        Some(live) if is_held(&live, order, holds) => Ok(Some(live)),
        _ => cause.map_or(Ok(None), Err),
    }
}

/// Stores the outcome of a call. Retries until it is stored, the order no longer holds the intent, or the process
/// terminates, so that a RequestId is never lost without need.
pub async fn store_outcome(
    client: &Client,
    mut stored: CertificateOrder,
    status: CertificateOrderStatus,
    holds: impl Fn(&CertificateOrderStatus) -> bool + Send + Sync,
) -> CertificateOrder {
    let mut pause = Duration::from_millis(50);
    loop {
        let cause = match write(client, &stored, status.clone()).await {
            Ok(Swap::Stored(order)) => return *order,
            Ok(Swap::Conflict) => "conflict: another process wrote the order first".to_owned(),
            Err(error) => explain(&error),
        };
        warn!(%cause, pause = ?pause, "the outcome of a call is not stored yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
        match bounded(api(client, &stored).get_opt(&stored.name_any())).await {
            Ok(Some(live)) if is_held(&live, &stored, &holds) => stored = live,
            Ok(Some(live)) if live.status.as_ref() == Some(&status) => {
                info!("the outcome of the call was stored, although the response to that write was lost");
                return live;
            }
            Ok(_) => {
                error!(
                    request_id = status.last_request.as_ref().and_then(|last| last.request_id.clone()),
                    "the order was deleted, or another process settled its intent: the outcome is only logged"
                );
                return stored;
            }
            Err(error) => {
                warn!(error = %explain(&error), "cannot read the order to store the outcome of a call");
            }
        }
    }
}

/// Whether `live` is the same object, and its status holds the intent.
fn is_held(
    live: &CertificateOrder,
    order: &CertificateOrder,
    holds: impl Fn(&CertificateOrderStatus) -> bool,
) -> bool {
    live.uid() == order.uid() && live.status.as_ref().is_some_and(holds)
}

fn api(client: &Client, order: &CertificateOrder) -> Api<CertificateOrder> {
    Api::namespaced(client.clone(), &order.namespace().unwrap_or_default())
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
