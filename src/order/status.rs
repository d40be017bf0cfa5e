//! Writes the status, by compare-and-swap on the version that was read.

use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tracing::{error, info, warn};

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, Intent};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::cluster::error::explain;
use crate::core::conditions::{Conditions, get};

/// What became of a status write.
pub enum Swap {
    /// Stored; the order as it is now.
    Stored(Box<CertificateOrder>),
    /// Somebody else wrote first, or the order is gone. Read again.
    Lost,
}

/// The stored status, or that of an order that nobody has seen.
#[must_use]
pub fn of(order: &CertificateOrder) -> CertificateOrderStatus {
    order.status.clone().unwrap_or_default()
}

/// Stores a status. An unchanged one is not written.
///
/// The first status of an order never says Ready=False: GitOps tools take that for a failed sync of an object that
/// was just created. It says Unknown first.
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
            Swap::Lost => Ok(Swap::Lost),
        };
    }
    write(client, order, status).await
}

/// The status of an order that was just seen.
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
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(Swap::Lost),
        Err(error) => Err(error),
    }
}

/// Stores an intent, and answers with the order that holds it, or `None` where another writer was faster.
///
/// After a conflict or an unclear answer the order is read live: this very intent stored there means that the
/// write took effect.
pub async fn store_intent(
    client: &Client,
    order: &CertificateOrder,
    status: CertificateOrderStatus,
    intent: &Intent,
) -> Result<Option<CertificateOrder>, kube::Error> {
    let cause = match write(client, order, status).await {
        Ok(Swap::Stored(stored)) => return Ok(Some(*stored)),
        Ok(Swap::Lost) => None,
        Err(error) => Some(error),
    };
    match bounded(api(client, order).get_opt(&order.name_any())).await? {
        Some(live) if holds(&live, order, intent) => Ok(Some(live)),
        _ => cause.map_or(Ok(None), Err),
    }
}

/// Stores the outcome of a call. It is tried until it is stored, the intent is gone from the order, or the
/// process ends: a RequestId in hand is never thrown away.
pub async fn store_outcome(
    client: &Client,
    mut stored: CertificateOrder,
    intent: &Intent,
    status: CertificateOrderStatus,
) -> CertificateOrder {
    let mut pause = Duration::from_millis(50);
    loop {
        let cause = match write(client, &stored, status.clone()).await {
            Ok(Swap::Stored(order)) => return *order,
            Ok(Swap::Lost) => "another writer was faster".to_owned(),
            Err(error) => explain(&error),
        };
        warn!(%cause, pause = ?pause, "the outcome of a call is not stored yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
        match bounded(api(client, &stored).get_opt(&stored.name_any())).await {
            Ok(Some(live)) if holds(&live, &stored, intent) => stored = live,
            Ok(Some(live)) if live.status.as_ref() == Some(&status) => {
                info!("the outcome of the call was stored although its reply was lost");
                return live;
            }
            Ok(_) => {
                error!(
                    request_id = status.last_request.as_ref().and_then(|last| last.request_id.clone()),
                    "the order is gone, or its intent was settled by another process: the outcome is only logged"
                );
                return stored;
            }
            Err(error) => {
                warn!(error = %explain(&error), "cannot read the order to store the outcome of a call");
            }
        }
    }
}

/// Whether `live` is the same object and holds this very intent.
fn holds(live: &CertificateOrder, order: &CertificateOrder, intent: &Intent) -> bool {
    let stored = live.status.as_ref().and_then(|status| status.submission.as_ref()?.intent.as_ref());
    live.uid() == order.uid() && stored == Some(intent)
}

fn api(client: &Client, order: &CertificateOrder) -> Api<CertificateOrder> {
    Api::namespaced(client.clone(), &order.namespace().unwrap_or_default())
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
