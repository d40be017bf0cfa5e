//! A short form of a status, and the rules that every status keeps.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::v1alpha1::CertificateOrderStatus;
use crate::api::v1alpha1::conditions::ConditionType;
use crate::core::conditions::get;

pub(super) fn condition(status: &CertificateOrderStatus, type_: ConditionType) -> &Condition {
    get(&status.conditions, type_).unwrap_or_else(|| panic!("no {type_} in {}", summary(status)))
}

pub(super) fn message(status: &CertificateOrderStatus, type_: ConditionType) -> &str {
    &condition(status, type_).message
}

/// The conditions in short, and the phase: `Pending: Ready=Unknown/Pending Reconciling=True/Pending`.
pub(super) fn summary(status: &CertificateOrderStatus) -> String {
    let conditions: Vec<_> = status
        .conditions
        .iter()
        .map(|condition| format!("{}={}/{}", condition.type_, condition.status, condition.reason))
        .collect();
    format!("{}: {}", status.phase.as_deref().unwrap_or("-"), conditions.join(" "))
}

/// The rules for every stored status.
pub(super) fn assert_well_formed(status: &CertificateOrderStatus) {
    let text = summary(status);
    let is = |type_, wanted: &str| get(&status.conditions, type_).is_some_and(|held| held.status == wanted);
    let has = |type_| get(&status.conditions, type_).is_some();
    assert!(has(ConditionType::Ready), "every status has Ready: {text}");
    for only_while_true in [
        ConditionType::Reconciling,
        ConditionType::Stalled,
        ConditionType::Suspended,
        ConditionType::Renewing,
    ] {
        assert_eq!(has(only_while_true), is(only_while_true, "True"), "{text}");
    }
    let accepted = ConditionType::SecretTemplateAccepted;
    assert_eq!(has(accepted), is(accepted, "False"), "{text}");
    assert!(
        !(has(ConditionType::Reconciling) && has(ConditionType::Stalled)),
        "wait and stop at once: {text}"
    );
    if has(ConditionType::Stalled) {
        assert!(is(ConditionType::Ready, "False"), "stopped, yet not unready: {text}");
    }
    if has(ConditionType::Reconciling) {
        assert!(is(ConditionType::Ready, "Unknown"), "a wait is no failure and no success: {text}");
    }
    if is(ConditionType::Planned, "True") && !has(ConditionType::Suspended) {
        assert!(is(ConditionType::Ready, "False") && !has(ConditionType::Reconciling), "{text}");
        assert!(status.plan.is_some(), "{text}");
    }
    if is(ConditionType::Ordered, "True") {
        assert!(is(ConditionType::Submitted, "True"), "nothing is ordered that was not submitted: {text}");
    }
    let types: Vec<_> = status.conditions.iter().map(|condition| &condition.type_).collect();
    assert!(types.is_sorted_by(|a, b| a < b), "each type once, in a stable order: {text}");
    for condition in &status.conditions {
        assert!(!condition.message.is_empty(), "{text}");
        // Whole seconds, since the API server stores no fractions.
        assert_eq!(condition.last_transition_time.0.subsec_nanosecond(), 0, "{text}");
    }
    if let Some(submission) = &status.submission {
        assert!(submission.frozen || submission.intent.is_none(), "an intent freezes the order: {text}");
        assert_eq!(submission.submitted_at.is_some(), is(ConditionType::Submitted, "True"), "{text}");
        assert_eq!(submission.ordered_at.is_some(), is(ConditionType::Ordered, "True"), "{text}");
    }
}
