//! The list of reasons.

use std::collections::BTreeSet;

use strum::IntoEnumIterator;

use crate::api::v1alpha1::{Class, ConditionType, Reason};

fn of(class: Class) -> BTreeSet<&'static str> {
    Reason::iter().filter(|reason| reason.class() == class).map(Into::into).collect()
}

#[test]
fn waits_and_stops_are_told_apart() {
    let waiting = [
        "Pending",
        "SecretNotFound",
        "SecretKeyMissing",
        "ProfileNotFound",
        "ProfileInReview",
        "RateLimited",
        "CloudUnavailable",
        "ClaimUnavailable",
        "ClockSkew",
        "Settling",
        "Submitting",
        "InReview",
        "AwaitingValidation",
        "AwaitingLetter",
        "Issuing",
        "Exporting",
        "Withdrawing",
        "AwaitingConfirmation",
        "BudgetExceeded",
    ];
    let stopped = [
        "InvalidRequest",
        "ProfileIncomplete",
        "CsrInvalid",
        "CsrMismatch",
        "CertificateNotFound",
        "CertificateInUse",
        "DuplicateCertificate",
        "CredentialsRefused",
        "PermissionDenied",
        "AccountNotVerified",
        "Rejected",
        "Cancelled",
        "Withdrawn",
        "OutcomeUnknown",
        "KeyLost",
        "SecretConflict",
        "SecretContested",
        "KeyNotHeld",
        "BundleInvalid",
        "Expired",
        "Revoked",
        "Refunded",
    ];
    assert_eq!(of(Class::Waiting), BTreeSet::from(waiting));
    assert_eq!(of(Class::Stopped), BTreeSet::from(stopped));
}

#[test]
fn words_fit_what_kubernetes_allows() {
    // metav1.Condition: letters and digits, starting with a letter.
    let words = Reason::iter().map(<&str>::from).chain(ConditionType::iter().map(<&str>::from));
    for word in words {
        assert!(word.starts_with(char::is_alphabetic) && word.chars().all(char::is_alphanumeric), "{word}");
    }
}
