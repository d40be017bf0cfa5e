//! Plays the CA and the user of every order. What they do depends on what they see, as in life.

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::clock::Clock;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::cloud::Stage;
use super::environment::Ground;
use super::scenario::{Life, Plot};

const RESUBMIT: &str = "certorder.dev/resubmit-at";
const WITHDRAW: &str = "certorder.dev/withdraw";

/// Lets the CA do its part of one order.
pub(crate) fn ca(life: &mut Life) {
    let id = &life.id;
    match (life.cloud.stage(id), life.script.plot) {
        (Stage::Running, Plot::Rejected | Plot::Corrected) if !life.is_second => {
            life.cloud.reject(id);
            life.is_second = true;
        }
        // Waits for the user.
        (Stage::Running, Plot::Withdrawn) if !life.is_second => {}
        (Stage::Running, Plot::Deleted) => {}
        (Stage::Cancelling, _) => {
            life.cloud.advance(id);
            life.is_second = true;
        }
        (Stage::Running, _) => life.cloud.advance(id),
        _ => {}
    }
}

/// Lets the user do the next thing with one order.
pub(crate) async fn user(ground: &Ground<'_>, life: &mut Life, order: &CertificateOrder) {
    let stage = life.cloud.stage(&life.id);
    if stage == Stage::Rejected && stalled(order) == "OutcomeUnknown" {
        // The user looks into the console, as the message says, and finds the rejected application there.
        if is_handled(order) {
            set_resubmit(ground, order).await;
            life.unknown += 1;
        }
        return;
    }
    match life.script.plot {
        Plot::Rejected if stage == Stage::Rejected && stalled(order) == "Rejected" => {
            ask_again(ground, order).await;
        }
        Plot::Corrected if stage == Stage::Rejected && stalled(order) == "Rejected" => {
            let corrected = life.corrected_name();
            if order.spec.common_name != corrected
                && edit(ground, order, json!({"spec": {"commonName": corrected}})).await
            {
                life.common_name = corrected;
            }
        }
        // The status was lost in between: then only the name tells whose it is, and it is another one.
        Plot::Corrected if stage == Stage::Rejected && stalled(order) == "CertificateInUse" => {
            ask_again(ground, order).await;
        }
        Plot::Withdrawn if stage == Stage::Running && !life.is_second && is_true(order, "Ordered") => {
            annotate(ground, order, WITHDRAW, &json!(life.id)).await;
        }
        Plot::Withdrawn if stage == Stage::Cancelled && !stalled(order).is_empty() => {
            annotate(ground, order, WITHDRAW, &Value::Null).await;
            ask_again(ground, order).await;
        }
        Plot::Deleted if stage == Stage::Running && !life.is_deleted && is_true(order, "Ordered") => {
            let deleted = ground.orders().delete(&life.name, &DeleteParams::default()).await;
            life.is_deleted = deleted.is_ok();
        }
        Plot::Issued | Plot::Rejected | Plot::Corrected | Plot::Withdrawn | Plot::Deleted => {}
    }
}

/// Whether a life has reached its end.
pub(crate) fn is_over(life: &Life, order: Option<&CertificateOrder>) -> bool {
    match (life.script.plot, order) {
        (Plot::Deleted, order) => life.is_deleted && order.is_none(),
        (_, Some(order)) => {
            life.cloud.stage(&life.id) == Stage::Issued
                && condition(order, "Ready") == Some(("True", "Issued"))
                && is_true(order, "SecretSynced")
        }
        (_, None) => false,
    }
}

/// Status and reason of a condition.
pub(crate) fn condition<'a>(order: &'a CertificateOrder, type_: &str) -> Option<(&'a str, &'a str)> {
    let conditions = &order.status.as_ref()?.conditions;
    let found = conditions.iter().find(|condition| condition.type_ == type_)?;
    Some((&found.status, &found.reason))
}

fn is_true(order: &CertificateOrder, type_: &str) -> bool {
    condition(order, type_).is_some_and(|(status, _)| status == "True")
}

/// Why an order is stalled; empty if it is not.
fn stalled(order: &CertificateOrder) -> &str {
    condition(order, "Stalled").filter(|(status, _)| *status == "True").map_or("", |(_, reason)| reason)
}

async fn ask_again(ground: &Ground<'_>, order: &CertificateOrder) {
    if !order.annotations().contains_key(RESUBMIT) {
        set_resubmit(ground, order).await;
    }
}

async fn set_resubmit(ground: &Ground<'_>, order: &CertificateOrder) {
    let now = Clock::default().now().to_string();
    edit(ground, order, json!({"metadata": {"annotations": {RESUBMIT: now}}})).await;
}

/// Whether the order has acted on its annotation, or its open call does.
fn is_handled(order: &CertificateOrder) -> bool {
    let status = order.status.as_ref();
    let intent = status.and_then(|status| status.submission.as_ref()?.intent.as_ref());
    let handled = [
        status.and_then(|status| status.last_handled_resubmit_at.as_ref()),
        intent.and_then(|intent| intent.resubmit_at.as_ref()),
    ];
    handled.contains(&order.annotations().get(RESUBMIT))
}

/// Sets an annotation, or removes it.
async fn annotate(ground: &Ground<'_>, order: &CertificateOrder, name: &str, value: &Value) {
    if order.annotations().get(name).map(String::as_str) != value.as_str() {
        edit(ground, order, json!({"metadata": {"annotations": {name: value}}})).await;
    }
}

/// False where the API server refuses: the order has changed since it was read, and is looked at again soon.
pub(crate) async fn edit(ground: &Ground<'_>, order: &CertificateOrder, change: Value) -> bool {
    let patch = Patch::Merge(change);
    ground.orders().patch(&order.name_any(), &PatchParams::default(), &patch).await.is_ok()
}
