//! Profiles that are saved in the console: found, waited for, used, or ignored.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder::core::clock::Clock;
use certorder_sim::tencent::{Company, Fault, Manager, ManagerLevel, Product, Status};
use jiff::{SignedDuration, tz};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, NAME, SECRET_ID};
use crate::world::{World, message};

const SUBMIT: &str = "CertificateInfoSubmit";

/// The profile of the fixtures, as saved in the console: the same data, spelled differently.
fn save(world: &World, company: u64, manager: u64, status: &str) {
    world.cloud.save_company(
        &world.account,
        Company {
            id: company,
            name: "ACME Trading  Co., Ltd.".to_owned(),
            city: "guangzhou".to_owned(),
            ..Company::default()
        },
    );
    world.cloud.save_manager(
        &world.account,
        Manager {
            id: manager,
            company_id: company,
            status: status.to_owned(),
            first_name: "Ning".to_owned(),
            last_name: "Huang".to_owned(),
            mail: "PKI@acme.example".to_owned(),
            levels: vec![level("ov", if status == "ok" { "completed" } else { "pending" })],
            ..Manager::default()
        },
    );
}

fn level(level: &str, status: &str) -> ManagerLevel {
    ManagerLevel { level: level.to_owned(), status: status.to_owned(), domains: Vec::new() }
}

/// An order with the profile `acme` for this certificate.
fn order(name: &str, certificate: &str) -> Value {
    let mut order = fixtures::company(name, &fixtures::csr(&[NAME]));
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(certificate);
    order
}

/// The application that the cloud accepted.
fn sent(world: &World) -> Value {
    world
        .cloud
        .ledger()
        .into_iter()
        .find(|call| call.action == SUBMIT && call.took_effect)
        .unwrap()
        .body
        .json()
}

fn ids(body: &Value) -> (&str, &str) {
    (body["CompanyId"].as_str().unwrap(), body["ManagerId"].as_str().unwrap())
}

fn brings_data(body: &Value) -> bool {
    let names = body.as_object().unwrap().keys();
    names.into_iter().any(|name| ["Org", "Admin", "Tech"].iter().any(|prefix| name.starts_with(prefix)))
}

#[tokio::test]
async fn an_approved_profile_is_found_and_its_ids_are_sent_alone() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "ok");
    // Both at once, as with one `kubectl apply`.
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;
    assert!(message(&status, "Submitted").contains("saved company 134 and manager 2345"), "{status:?}");
    let body = sent(&world);
    assert_eq!(ids(&body), ("134", "2345"));
    assert!(!brings_data(&body), "{body}");
    assert_eq!(world.carried_out(SUBMIT, CERTIFICATE), 1);

    let profile = world.until_profile_is("acme", "Approved", "True", "Approved").await;
    let saved = profile.tencent_cloud.unwrap();
    assert_eq!((saved.company_id, saved.manager_id), (Some(134), Some(2345)));
    assert_eq!((saved.profiles, saved.limit), (Some(1), Some(10)));
    assert_eq!(
        (saved.review_status.as_deref(), saved.ov_review_status.as_deref()),
        (Some("ok"), Some("completed"))
    );
    world.until_profile_is("acme", "Resolved", "True", "Matched").await;
    world.until_profile("acme", "True", "Complete").await;
    world.until_event("Approved").await;
}

#[tokio::test]
async fn an_order_that_requires_the_approval_waits_and_starts_by_itself() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "none");
    let hour = SignedDuration::from_hours(1);
    assert!(world.cloud.submit_for_review(&world.account, 2345, hour, true));
    let profile = fixtures::saved_profile("acme", &json!({"reuse": "Required"}));
    world.create::<OrganizationProfile>(profile).await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    let status = world.until_is("www", "Ready", "Unknown", "ProfileInReview").await;
    assert!(message(&status, "Ready").contains("manager 2345 is under review"), "{status:?}");
    world.until_profile_is("acme", "Approved", "False", "InReview").await;
    assert_eq!(world.called(SUBMIT), 0);

    // The review ends, and the profile is reconciled; the order is not changed.
    assert!(world.cloud.submit_for_review(&world.account, 2345, SignedDuration::ZERO, true));
    world.poke_profile("acme").await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    assert_eq!(ids(&sent(&world)), ("134", "2345"));
    assert_eq!(world.called(SUBMIT), 1);
}

#[tokio::test]
async fn without_the_approval_the_data_are_sent_and_the_status_says_why() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "audit");
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;
    assert!(message(&status, "Submitted").contains("since the saved profile is not approved"), "{status:?}");
    assert_eq!(ids(&sent(&world)), ("0", "0"));
    assert!(brings_data(&sent(&world)));

    // Approved afterwards: what was sent stays as it is.
    save(&world, 134, 2345, "ok");
    world.poke_profile("acme").await;
    world.until_profile_is("acme", "Approved", "True", "Approved").await;
    world.poke("www").await;
    world.until("www", "reconciled", |_| true).await;
    assert_eq!(world.called(SUBMIT), 1);
}

#[tokio::test]
async fn a_company_without_its_manager_brings_the_people_along() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "ok");
    let mut profile = fixtures::saved_profile("acme", &json!({"companyId": 134}));
    profile["spec"]["administrator"]["email"] = json!("wei@acme.example");
    profile["spec"]["administrator"]["firstName"] = json!("Wei");
    profile["spec"]["administrator"].as_object_mut().unwrap().remove("phone");
    world.create::<OrganizationProfile>(profile).await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    let status = world.until_is("www", "Ready", "False", "ProfileIncomplete").await;
    let expected = "spec.administrator.phone is empty, and the manager is not known to Tencent Cloud";
    assert!(message(&status, "Ready").contains(expected), "{status:?}");
    let change = json!({"spec": {"administrator": {"phone": "13112341234"}}});
    world.edit::<OrganizationProfile>("acme", change).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    let body = sent(&world);
    assert_eq!(ids(&body), ("134", "0"));
    assert!(body.get("OrgOrganization").is_none() && body["AdminFirstName"] == "Wei", "{body}");
    world.until_event("NotFound").await;
}

#[tokio::test]
async fn ids_of_another_account_are_never_sent() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    let other = world.cloud.account("AKIDother", "other-key");
    world.cloud.save_company(
        &other,
        Company { id: 134, name: "Acme Trading Co., Ltd.".to_owned(), ..Company::default() },
    );
    world.cloud.save_manager(
        &other,
        Manager {
            id: 2345,
            company_id: 134,
            status: "ok".to_owned(),
            mail: "pki@acme.example".to_owned(),
            ..Manager::default()
        },
    );
    let mut secret = fixtures::credentials();
    secret["metadata"]["name"] = json!("other-credentials");
    secret["stringData"] = json!({"secretId": "AKIDother", "secretKey": "other-key"});
    world.create::<Secret>(secret).await;
    let elsewhere = json!({"credentialsRef": {"name": "other-credentials"}, "reuse": "Required"});
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &elsewhere)).await;
    world.until_profile_is("acme", "Approved", "True", "Approved").await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    let status = world.until_is("www", "Ready", "False", "InvalidRequest").await;
    assert!(message(&status, "Ready").contains("another account"), "{status:?}");
    world
        .edit::<OrganizationProfile>("acme", json!({"spec": {"tencentCloud": {"reuse": "Preferred"}}}))
        .await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;
    assert!(message(&status, "Submitted").contains("another account"), "{status:?}");
    assert_eq!(ids(&sent(&world)), ("0", "0"));
}

#[tokio::test]
async fn another_key_of_the_same_account_will_do() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "ok");
    world.cloud.add_credential(&world.account, "AKIDother", "other-key");
    let mut secret = fixtures::credentials();
    secret["metadata"]["name"] = json!("other-credentials");
    secret["stringData"] = json!({"secretId": "AKIDother", "secretKey": "other-key"});
    world.create::<Secret>(secret).await;
    let another_key = json!({"credentialsRef": {"name": "other-credentials"}, "reuse": "Required"});
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &another_key)).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    assert_eq!((ids(&sent(&world)), world.called(SUBMIT)), (("134", "2345"), 1));
}

#[tokio::test]
async fn a_lost_reply_to_ids_is_settled_by_the_clouds_own_log() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "ok");
    world.cloud.fault(Fault::reply_lost().action(SUBMIT));
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;
    assert!(message(&status, "Submitted").contains("its reply was lost"), "{status:?}");
    assert_eq!((ids(&sent(&world)), world.called(SUBMIT)), (("134", "2345"), 1));
    assert_eq!(world.called("DescribeCertificateOperateLogs"), 1);
}

#[tokio::test]
async fn what_cannot_be_found_says_what_to_do() {
    let world = World::start().await;
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    let status = world.until_profile_is("acme", "Resolved", "False", "NotFound").await;
    let text = |status: &certorder::api::v1alpha1::OrganizationProfileStatus| {
        status.conditions.iter().find(|condition| condition.type_ == "Resolved").unwrap().message.clone()
    };
    assert!(text(&status).contains("click Create Now"), "{status:?}");
    world.until_profile("acme", "True", "Complete").await;

    for id in 1..=10 {
        let company = Company { id, name: format!("Other {id}"), ..Company::default() };
        world.cloud.add_company(&world.account, company).unwrap();
    }
    world.poke_profile("acme").await;
    let full = |profile: &OrganizationProfile| {
        let saved = profile.status.as_ref().and_then(|status| status.tencent_cloud.as_ref());
        saved.is_some_and(|saved| saved.profiles == Some(10) && saved.limit == Some(10))
    };
    world.until_object::<OrganizationProfile>("acme", full).await;
    let status = world.until_profile_is("acme", "Resolved", "False", "NotFound").await;
    assert!(text(&status).contains("one must be removed in the console first"), "{status:?}");

    save(&world, 134, 2345, "ok");
    save(&world, 135, 2346, "ok");
    world.poke_profile("acme").await;
    let status = world.until_profile_is("acme", "Resolved", "False", "Ambiguous").await;
    assert!(text(&status).contains("134, 135"), "{status:?}");
    world.edit::<OrganizationProfile>("acme", json!({"spec": {"tencentCloud": {"companyId": 999}}})).await;
    let status = world.until_profile_is("acme", "Resolved", "False", "NotFound").await;
    assert!(text(&status).contains("companyId 999"), "{status:?}");
    let both = json!({"spec": {"tencentCloud": {"companyId": 135, "managerId": 2346}}});
    world.edit::<OrganizationProfile>("acme", both).await;
    world.until_profile_is("acme", "Resolved", "True", "Given").await;
    for reason in ["NotFound", "Ambiguous"] {
        world.until_event(reason).await;
    }
}

#[tokio::test]
async fn every_page_of_an_account_is_read() {
    let world = World::start().await;
    for id in 1000..1150 {
        let company = Company { id, name: format!("Other {id}"), ..Company::default() };
        world.cloud.save_company(&world.account, company);
    }
    save(&world, 5000, 2345, "ok");
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    let status = world.until_profile_is("acme", "Approved", "True", "Approved").await;
    let saved = status.tencent_cloud.unwrap();
    assert_eq!((saved.company_id, saved.profiles), (Some(5000), Some(151)));
}

#[tokio::test]
async fn one_reading_serves_every_profile_of_an_account() {
    let mut world = World::quiet().await;
    save(&world, 134, 2345, "ok");
    for number in 0..8 {
        let name = format!("acme-{number}");
        world.create::<OrganizationProfile>(fixtures::saved_profile(&name, &json!({}))).await;
    }
    world.run();
    for number in 0..8 {
        world.until_profile_is(&format!("acme-{number}"), "Approved", "True", "Approved").await;
    }
    assert_eq!((world.called("DescribeCompanies"), world.called("DescribeManagers")), (1, 1));
}

#[tokio::test]
async fn a_profile_without_a_saved_one_makes_no_call() {
    let world = World::start().await;
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    world.until_profile("acme", "True", "Complete").await;
    world.poke_profile("acme").await;
    world.until_profile("acme", "True", "Complete").await;
    assert!(world.cloud.ledger().is_empty());
}

#[tokio::test]
async fn a_deleted_profile_leaves_the_orders_that_need_it_waiting() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    save(&world, 134, 2345, "audit");
    let profile = fixtures::saved_profile("acme", &json!({"reuse": "Required"}));
    world.create::<OrganizationProfile>(profile.clone()).await;
    world.create::<CertificateOrder>(order("www", CERTIFICATE)).await;
    world.until_is("www", "Ready", "Unknown", "ProfileInReview").await;
    world.delete::<OrganizationProfile>("acme").await;
    let status = world.until_is("www", "Ready", "Unknown", "ProfileNotFound").await;
    assert!(message(&status, "Ready").contains("OrganizationProfile acme does not exist"), "{status:?}");
    save(&world, 134, 2345, "ok");
    world.create::<OrganizationProfile>(profile).await;
    // The account was read a moment ago, and is still cached.
    world.poke_profile("acme").await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    assert_eq!((ids(&sent(&world)), world.called(SUBMIT)), (("134", "2345"), 1));
}

#[tokio::test]
async fn an_approval_wakes_the_orders_that_wait_for_it_and_no_others() {
    let world = World::start().await;
    let certificates = ["waits001", "other001", "issued01"];
    for certificate in certificates {
        world.buy(certificate, Product::OV_SINGLE);
    }
    save(&world, 134, 2345, "ok");
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    world.create::<CertificateOrder>(order("issued", "issued01")).await;
    world.until_is("issued", "Ordered", "True", "Accepted").await;
    while world.cloud.advance("issued01").unwrap() != Status::ISSUED {}
    world.until_is("issued", "Ready", "True", "Issued").await;

    save(&world, 134, 2345, "audit");
    let required = json!({"spec": {"tencentCloud": {"reuse": "Required"}}});
    world.edit::<OrganizationProfile>("acme", required).await;
    world.poke_profile("acme").await;
    world.until_profile_is("acme", "Approved", "False", "InReview").await;
    let elsewhere = json!({"reuse": "Required", "companyId": 7});
    world.create::<OrganizationProfile>(fixtures::saved_profile("globex", &elsewhere)).await;
    world.until_profile_is("globex", "Resolved", "False", "NotFound").await;
    world.create::<CertificateOrder>(order("waits", "waits001")).await;
    let mut other = order("other", "other001");
    other["spec"]["organizationProfileRef"]["name"] = json!("globex");
    world.create::<CertificateOrder>(other).await;
    for name in ["waits", "other"] {
        world.until_is(name, "Ready", "Unknown", "ProfileInReview").await;
    }
    let reads = || {
        let ledger = world.cloud.ledger();
        certificates.map(|id| ledger.iter().filter(|call| call.certificate_id.as_deref() == Some(id)).count())
    };
    // The pass in progress ends, and a pass whose write conflicted is repeated; every pass shows in the ledger.
    let before = loop {
        let seen = reads();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        if seen == reads() {
            break seen;
        }
    };
    save(&world, 134, 2345, "ok");
    world.poke_profile("acme").await;
    world.until_is("waits", "Ordered", "True", "Accepted").await;
    let after = reads();
    assert!(after[0] > before[0]);
    assert_eq!(after[1..], before[1..], "orders of other profiles, and what is with the CA");
}

#[tokio::test]
async fn an_approval_that_ends_soon_is_announced() {
    let world = World::start().await;
    let soon = Clock::default().now() + SignedDuration::from_hours(20 * 24);
    let text = soon.to_zoned(tz::TimeZone::fixed(tz::offset(8))).strftime("%Y-%m-%d %H:%M:%S").to_string();
    save(&world, 134, 2345, "ok");
    let manager = Manager {
        id: 2345,
        company_id: 134,
        status: "ok".to_owned(),
        mail: "pki@acme.example".to_owned(),
        expire_time: Some(text),
        ..Manager::default()
    };
    world.cloud.save_manager(&world.account, manager);
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    let status = world.until_profile_is("acme", "Approved", "True", "Expiring").await;
    let expires = status.tencent_cloud.unwrap().expires_at.unwrap();
    assert_eq!(expires.0.as_second(), soon.as_second());
    world.until_event("Expiring").await;

    assert!(world.cloud.submit_for_review(&world.account, 2345, SignedDuration::ZERO, false));
    world.poke_profile("acme").await;
    world.until_profile_is("acme", "Approved", "False", "Invalid").await;
    world.until_event("Invalid").await;
}

#[tokio::test]
async fn a_refused_key_is_reported_and_a_new_one_requeues_the_profile() {
    let world = World::start().await;
    world.cloud.remove_credential(SECRET_ID);
    save(&world, 134, 2345, "ok");
    world.create::<OrganizationProfile>(fixtures::saved_profile("acme", &json!({}))).await;
    world.until_profile_is("acme", "Resolved", "False", "Refused").await;
    world.until_profile("acme", "True", "Complete").await;
    world.cloud.add_credential(&world.account, "AKIDnew", "new-key");
    let fresh = json!({"stringData": {"secretId": "AKIDnew", "secretKey": "new-key"}});
    world.edit::<Secret>("tencent-credentials", fresh).await;
    world.until_profile_is("acme", "Approved", "True", "Approved").await;
    world.until_event("Refused").await;
}
