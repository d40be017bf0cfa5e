//! Simulates the CA and the user of every order. Their actions depend on the current state, as in reality.

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::clock::Clock;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::cloud::Stage;
use super::environment::Sandbox;
use super::scenario::{Course, Scenario};

const RESUBMIT: &str = "certorder.dev/resubmit-at";
const WITHDRAW: &str = "certorder.dev/withdraw";

/// Does the CA's next action for one order.
pub(crate) fn ca(scenario: &mut Scenario) {
    let id = &scenario.id;
    match (scenario.cloud.stage(id), scenario.kind.course) {
        (Stage::Running, Course::Rejected | Course::Corrected) if !scenario.is_second => {
            scenario.cloud.reject(id);
            scenario.is_second = true;
        }
        // Waits for the user.
        (Stage::Running, Course::Withdrawn) if !scenario.is_second => {}
        (Stage::Running, Course::Deleted) => {}
        (Stage::Cancelling, _) => {
            scenario.cloud.advance(id);
            scenario.is_second = true;
        }
        (Stage::Running, _) => scenario.cloud.advance(id),
        _ => {}
    }
}

/// Does the user's next action with one order.
pub(crate) async fn user(sandbox: &Sandbox<'_>, scenario: &mut Scenario, order: &CertificateOrder) {
    let stage = scenario.cloud.stage(&scenario.id);
    if stage == Stage::Rejected && stalled(order) == "OutcomeUnknown" {
        // The user opens the console, as the message says, and finds the rejected application there.
        if is_handled(order) {
            set_resubmit(sandbox, order).await;
            scenario.unknown += 1;
        }
        return;
    }
    match scenario.kind.course {
        Course::Rejected if stage == Stage::Rejected && stalled(order) == "Rejected" => {
            ask_again(sandbox, order).await;
        }
        Course::Corrected if stage == Stage::Rejected && stalled(order) == "Rejected" => {
            let corrected = scenario.corrected_name();
            if order.spec.common_name != corrected
                && edit(sandbox, order, json!({"spec": {"commonName": corrected}})).await
            {
                scenario.common_name = corrected;
            }
        }
        // The status was lost in between: then only the name identifies the application, and it is a different one.
        Course::Corrected if stage == Stage::Rejected && stalled(order) == "CertificateInUse" => {
            ask_again(sandbox, order).await;
        }
        Course::Withdrawn if stage == Stage::Running && !scenario.is_second && is_true(order, "Ordered") => {
            annotate(sandbox, order, WITHDRAW, &json!(scenario.id)).await;
        }
        Course::Withdrawn if stage == Stage::Cancelled && !stalled(order).is_empty() => {
            annotate(sandbox, order, WITHDRAW, &Value::Null).await;
            ask_again(sandbox, order).await;
        }
        Course::Deleted if stage == Stage::Running && !scenario.is_deleted && is_true(order, "Ordered") => {
            let deleted = sandbox.orders().delete(&scenario.name, &DeleteParams::default()).await;
            scenario.is_deleted = deleted.is_ok();
        }
        Course::Issued | Course::Rejected | Course::Corrected | Course::Withdrawn | Course::Deleted => {}
    }
}

/// Whether a scenario is finished.
pub(crate) fn is_over(scenario: &Scenario, order: Option<&CertificateOrder>) -> bool {
    match (scenario.kind.course, order) {
        (Course::Deleted, order) => scenario.is_deleted && order.is_none(),
        (_, Some(order)) => {
            scenario.cloud.stage(&scenario.id) == Stage::Issued
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
pub(crate) fn stalled(order: &CertificateOrder) -> &str {
    condition(order, "Stalled").filter(|(status, _)| *status == "True").map_or("", |(_, reason)| reason)
}

async fn ask_again(sandbox: &Sandbox<'_>, order: &CertificateOrder) {
    if !order.annotations().contains_key(RESUBMIT) {
        set_resubmit(sandbox, order).await;
    }
}

async fn set_resubmit(sandbox: &Sandbox<'_>, order: &CertificateOrder) {
    let now = Clock::default().now().to_string();
    edit(sandbox, order, json!({"metadata": {"annotations": {RESUBMIT: now}}})).await;
}

/// Whether the annotation was handled, or the open call handles it.
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
async fn annotate(sandbox: &Sandbox<'_>, order: &CertificateOrder, name: &str, value: &Value) {
    if order.annotations().get(name).map(String::as_str) != value.as_str() {
        edit(sandbox, order, json!({"metadata": {"annotations": {name: value}}})).await;
    }
}

/// Returns false if the API server refuses: the order has changed since it was read, and the next tick retries.
pub(crate) async fn edit(sandbox: &Sandbox<'_>, order: &CertificateOrder, change: Value) -> bool {
    let patch = Patch::Merge(change);
    sandbox.orders().patch(&order.name_any(), &PatchParams::default(), &patch).await.is_ok()
}
