//! What orders take from a profile.

use serde_json::{Value, json};

use super::support::profile;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{OrganizationProfile, OrganizationProfileStatus};
use crate::core::application::Saved;
use crate::core::product::Level;
use crate::profile::reuse::{saved, with_another_key};

/// A profile of generation 1 with this policy, and with this status.
fn known(
    reuse: &str,
    generation: i64,
    ids: &Value,
    conditions: &[(&str, &str, &str)],
) -> OrganizationProfile {
    let condition = |(type_, status, reason): &(&str, &str, &str)| {
        json!({
            "type": type_, "status": status, "reason": reason, "message": format!("the message of {reason}"),
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": generation,
        })
    };
    let status = json!({
        "observedGeneration": generation, "tencentCloud": ids,
        "conditions": conditions.iter().map(condition).collect::<Vec<_>>(),
    });
    let spec = json!({"credentialsRef": {"name": "tencent-credentials"}, "reuse": reuse});
    let status: OrganizationProfileStatus = serde_json::from_value(status).unwrap();
    OrganizationProfile { status: Some(status), ..profile(&spec) }
}

fn taken(profile: &OrganizationProfile) -> Saved {
    saved(profile, profile.spec.tencent_cloud.as_ref().unwrap(), true)
}

/// What is taken, in short.
fn short(saved: &Saved) -> String {
    match saved {
        Saved::No => "nothing".to_owned(),
        Saved::NotUsable(why) => format!("data: {why}"),
        Saved::Held(problem) => format!("held: {}", problem.reason),
        Saved::Organization { id, without_people } => format!("company {id}: {without_people}"),
        Saved::Everything { organization, administrator, reviewed } => {
            format!("company {organization}, manager {administrator}, {reviewed:?}")
        }
    }
}

const FOUND: (&str, &str, &str) = ("Resolved", "True", "Matched");

#[test]
fn ids_are_used_once_they_are_approved() {
    let both = json!({"companyId": 134, "managerId": 2345, "ovReviewStatus": "completed", "evReviewStatus": "pending"});
    let company = json!({"companyId": 134});
    let none = json!({});
    let approved = |status, reason| vec![FOUND, ("Approved", status, reason)];
    let unresolved = |reason| vec![("Resolved", "False", reason)];
    let everything = "company 134, manager 2345, [Ov]";
    let table = [
        (&both, approved("True", "Approved"), everything, everything),
        (&both, approved("True", "Expiring"), everything, everything),
        (
            &both,
            approved("False", "InReview"),
            "data: the saved profile is not approved at Tencent Cloud yet",
            "held: ProfileInReview",
        ),
        (
            &both,
            approved("False", "Expired"),
            "data: the approval of the saved profile has run out at Tencent Cloud",
            "held: ProfileInReview",
        ),
        (
            &both,
            approved("False", "Invalid"),
            "data: the review of the saved profile failed at Tencent Cloud",
            "held: ProfileInReview",
        ),
        (
            &both,
            approved("Unknown", "Pending"),
            "data: the saved profile is not approved at Tencent Cloud yet",
            "held: ProfileInReview",
        ),
        (
            &company,
            unresolved("NotFound"),
            "company 134: the manager is not known to Tencent Cloud",
            "held: ProfileInReview",
        ),
        (
            &company,
            unresolved("Ambiguous"),
            "company 134: several managers at Tencent Cloud fit",
            "held: ProfileInReview",
        ),
        (
            &none,
            unresolved("NotFound"),
            "data: the company is not known to Tencent Cloud",
            "held: ProfileInReview",
        ),
        (
            &none,
            unresolved("Ambiguous"),
            "data: several companies at Tencent Cloud fit",
            "held: ProfileInReview",
        ),
        (
            &json!(null),
            unresolved("Refused"),
            "data: Tencent Cloud refuses to list the saved profiles",
            "held: ProfileInReview",
        ),
        (&json!(null), vec![("Resolved", "Unknown", "CloudUnavailable")], "held: Pending", "held: Pending"),
        (&none, vec![], "held: Pending", "held: Pending"),
    ];
    for (ids, conditions, preferred, required) in table {
        assert_eq!(short(&taken(&known("Preferred", 1, ids, &conditions))), preferred, "{conditions:?}");
        assert_eq!(short(&taken(&known("Required", 1, ids, &conditions))), required, "{conditions:?}");
    }
}

#[test]
fn a_wait_quotes_what_it_waits_for() {
    let both = json!({"companyId": 134, "managerId": 2345});
    let waits = known("Required", 1, &both, &[FOUND, ("Approved", "False", "InReview")]);
    let Saved::Held(problem) = taken(&waits) else { panic!("not held") };
    assert!(
        problem.message.ends_with("then starts by itself: the message of InReview"),
        "{}",
        problem.message
    );
    let lacks = known("Required", 1, &json!({}), &[("Resolved", "False", "NotFound")]);
    let Saved::Held(problem) = taken(&lacks) else { panic!("not held") };
    assert!(problem.message.ends_with(": the message of NotFound"), "{}", problem.message);
}

#[test]
fn the_status_of_another_generation_does_not_count() {
    let both = json!({"companyId": 134, "managerId": 2345});
    let conditions = [FOUND, ("Approved", "True", "Approved")];
    assert_eq!(short(&taken(&known("Preferred", 0, &both, &conditions))), "held: Pending");
    let without_status = profile(&json!({"credentialsRef": {"name": "tencent-credentials"}}));
    assert_eq!(short(&taken(&without_status)), "held: Pending");
}

#[test]
fn ids_of_another_account_are_never_used() {
    let both = json!({"companyId": 134, "managerId": 2345});
    let conditions = [FOUND, ("Approved", "True", "Approved")];
    let elsewhere = |reuse| {
        let profile = known(reuse, 1, &both, &conditions);
        saved(&profile, profile.spec.tencent_cloud.as_ref().unwrap(), false)
    };
    assert!(short(&elsewhere("Preferred")).starts_with("data: the profile is saved in another account"));
    let Saved::Held(problem) = elsewhere("Required") else { panic!("not held") };
    assert_eq!(problem.reason, Reason::InvalidRequest);
}

#[test]
fn another_key_of_the_same_account_is_enough_once_the_cloud_reports_the_owner() {
    let mut ids = json!({"companyId": 134, "managerId": 2345});
    let with_key = |reuse, ids: &Value| {
        let profile = known(reuse, 1, ids, &[FOUND, ("Approved", "True", "Approved")]);
        with_another_key(&profile, profile.spec.tencent_cloud.as_ref().unwrap())
    };
    let (taken, by_owner) = with_key("Preferred", &ids);
    assert!(by_owner.is_none() && short(&taken).starts_with("data: "), "the owner of the profile is unknown");
    ids["ownerUin"] = json!("100000000001");
    for (reuse, elsewhere) in
        [("Preferred", "data: the profile is saved in"), ("Required", "held: InvalidRequest")]
    {
        let (taken, by_owner) = with_key(reuse, &ids);
        assert_eq!(short(&taken), "held: Pending", "the owner of the certificate is unknown");
        let by_owner = by_owner.unwrap();
        assert_eq!(short(&by_owner.saved(Some("100000000001"))), "company 134, manager 2345, []");
        assert!(short(&by_owner.saved(Some("100000000002"))).starts_with(elsewhere));
    }
}

/// Only the ids and their approval change what is sent: another word of the cloud causes no second submission.
#[test]
fn another_word_for_the_same_review_changes_nothing_of_what_is_sent() {
    let ids = |word: &str, ends: &str| {
        json!({
            "companyId": 134, "managerId": 2345, "reviewStatus": word, "expiresAt": ends, "profiles": ends.len(),
            "ovReviewStatus": "completed",
        })
    };
    let before =
        known("Preferred", 1, &ids("ok", "2027-01-01T00:00:00Z"), &[FOUND, ("Approved", "True", "Approved")]);
    let after = known(
        "Preferred",
        1,
        &ids("expiring", "2026-12-01T00:00:00Z"),
        &[FOUND, ("Approved", "True", "Expiring")],
    );
    assert_eq!(taken(&before), taken(&after));
    let Saved::Everything { reviewed, .. } = taken(&before) else { panic!("not used") };
    assert_eq!(reviewed, [Level::Ov]);
}
