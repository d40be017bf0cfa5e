//! No personal data appears anywhere: every personal field has a unique value, the cloud and the CA repeat all of them in
//! their texts, and everything that the operator writes is searched for them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::{Company, Fault, Manager, Product};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, NAME, SECRET_KEY};
use crate::process::Process;
use crate::world::World;

/// The personal data of the administrator and of the technical contact.
const ADMINISTRATOR: [&str; 5] =
    ["Qzfirst", "Qzlast", "Qztitle & co", "13912340001", "qzadmin@people.example"];
const TECHNICAL: [&str; 5] = ["Wxfirst", "Wxlast", "Wxtitle & co", "13912340002", "wxtech@people.example"];
/// Those of the saved manager, which the profile matches by the e-mail address alone.
const SAVED: [&str; 4] = ["Kvfirst", "Kvlast", "Kvposition", "13912340003"];
/// The numbers of the documents: organisation, administrator, technical contact.
const NUMBERS: [&str; 3] = ["QZORG00010002", "QZSFZ00030004", "QZHZ00050006"];
const KEY_PASSWORD: &str = "qz pass phrase";
const CONTACT_EMAIL: &str = "qzperson@people.example";
const KEYS: [&str; 5] = ["firstName", "lastName", "title", "phone", "email"];

/// Every value that must not be seen.
fn markers() -> Vec<&'static str> {
    [&ADMINISTRATOR[..], &TECHNICAL, &SAVED, &NUMBERS, &[KEY_PASSWORD, CONTACT_EMAIL, SECRET_KEY]].concat()
}

/// A text of a cloud or a CA that repeats everything it knows.
fn echo() -> String {
    repeating(&markers())
}

fn repeating(values: &[&str]) -> String {
    format!("The data are wrong: {}; call us.", values.join(", "))
}

/// A contact, inline or in a Secret of this name, with a document whose number is in the Secret `numbers`.
fn contact(data: [&str; 5], secret: Option<&str>, number: &str, kind: &str) -> Value {
    let mut contact = json!({
        "identification": {"type": kind, "numberSecretRef": {"name": "numbers", "key": number}},
    });
    match secret {
        Some(name) => contact["fromSecret"] = json!({ "name": name }),
        None => {
            for (key, value) in KEYS.into_iter().zip(data) {
                contact[key] = json!(value);
            }
        }
    }
    contact
}

async fn readable(world: &World, name: &str, data: &Value) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": data,
        "metadata": {"name": name, "labels": {"certorder.dev/readable": "true"}},
    });
    world.create::<Secret>(secret).await;
}

async fn secrets(world: &World) {
    let numbers: Value = ["org", "admin", "tech"].into_iter().zip(NUMBERS).collect();
    readable(world, "numbers", &numbers).await;
    readable(world, "packing", &json!({ "password": KEY_PASSWORD })).await;
    for (name, data) in [("admin", ADMINISTRATOR), ("tech", TECHNICAL)] {
        readable(world, name, &KEYS.into_iter().zip(data).collect()).await;
    }
}

/// The profile: with the people inline or in Secrets.
fn profile(inline: bool) -> Value {
    let mut profile = fixtures::saved_profile("acme", &json!({}));
    let from = |name| Some(name).filter(|_| !inline);
    profile["spec"]["administrator"] = contact(ADMINISTRATOR, from("admin"), "admin", "SFZ");
    profile["spec"]["technicalContact"] = contact(TECHNICAL, from("tech"), "tech", "HZ");
    profile["spec"]["organization"]["identification"] =
        json!({"type": "TYDMZ", "numberSecretRef": {"name": "numbers", "key": "org"}});
    profile
}

fn save(world: &World) {
    world.cloud.save_company(
        &world.account,
        Company {
            id: 134,
            name: "Acme Trading Co., Ltd.".to_owned(),
            phone: SAVED[3].to_owned(),
            id_number: NUMBERS[0].to_owned(),
            ..Company::default()
        },
    );
    let [first_name, last_name, position, phone] = SAVED.map(str::to_owned);
    let manager = Manager {
        id: 2345,
        company_id: 134,
        status: "audit".to_owned(),
        mail: ADMINISTRATOR[4].to_owned(),
        first_name,
        last_name,
        position,
        phone,
        ..Manager::default()
    };
    world.cloud.save_manager(&world.account, manager);
}

/// An order for the organisation.
fn company(name: &str, certificate: &str) -> Value {
    let mut order = fixtures::company(name, &fixtures::csr(&[NAME]));
    order["spec"]["provider"]["tencentCloud"] = json!({
        "certificateId": certificate, "keyPasswordSecretRef": {"name": "packing", "key": "password"},
    });
    order
}

/// Every call is refused once, with a text that repeats everything.
async fn live(world: &World, inline: bool) {
    let faulty = |action: &str, code: &str| world.cloud.fault(Fault::error(code, &echo()).action(action));
    // Known to the filters from here on: before that, the cloud's texts cannot name the saved people.
    world.create::<OrganizationProfile>(profile(inline)).await;
    world.until_profile_is("acme", "Approved", "False", "InReview").await;
    // Of people and documents; a password is part of an order.
    let texts = repeating(&[&ADMINISTRATOR[..], &TECHNICAL, &SAVED, &NUMBERS, &[SECRET_KEY]].concat());
    for action in ["DescribeCompanies", "DescribeManagers"] {
        world.cloud.fault(Fault::error("FailedOperation", &texts).action(action));
        world.poke_profile("acme").await;
        world.until_profile_is("acme", "Resolved", "False", "Refused").await;
    }
    world.poke_profile("acme").await;
    world.until_profile_is("acme", "Approved", "False", "InReview").await;

    faulty("DescribeCertificate", "FailedOperation.NetworkError");
    faulty("CertificateInfoSubmit", "FailedOperation.InvalidParam");
    faulty("CertificateOrderSubmit", "FailedOperation.NoRealNameAuth");
    let mut order = company("www", CERTIFICATE);
    order["spec"]["mode"] = json!("Plan");
    world.create::<CertificateOrder>(order).await;
    let plan = world.until_is("www", "Planned", "True", "Planned").await.plan.unwrap();
    let plan = serde_json::to_string(&plan).unwrap();
    assert!(plan.contains("\"AdminPhone\":\"***\""), "{plan}");
    search("plan", &plan);
    world.edit::<CertificateOrder>("www", json!({"spec": {"mode": "Apply"}})).await;
    world.until_is("www", "Ready", "False", "InvalidRequest").await;
    world.poke("www").await;
    world.until_is("www", "Ready", "False", "AccountNotVerified").await;
    world.poke("www").await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    world.cloud.set(CERTIFICATE, |certificate| certificate.status_message = echo()).unwrap();
    world.until("www", "filtered", |status| has_message(status.cloud.as_ref())).await;
    world.cloud.reject(CERTIFICATE, &echo()).unwrap();
    world.until_is("www", "Ready", "False", "Rejected").await;

    let mut person = fixtures::personal("person");
    person["spec"]["provider"]["tencentCloud"] =
        json!({"certificateId": "person01", "contactEmail": CONTACT_EMAIL});
    // The cloud has no other data of a person.
    let texts = repeating(&[CONTACT_EMAIL, SECRET_KEY]);
    world.cloud.fault(Fault::error("FailedOperation.InvalidParam", &texts).action("CertificateInfoSubmit"));
    world.create::<CertificateOrder>(person).await;
    world.until_is("person", "Ready", "False", "InvalidRequest").await;

    // Only the ids are sent, and the CA knows the people behind them.
    save_approved(world);
    world.poke_profile("acme").await;
    world.until_profile_is("acme", "Approved", "True", "Approved").await;
    faulty("CertificateInfoSubmit", "FailedOperation.InvalidParam");
    world.create::<CertificateOrder>(company("saved", "saved001")).await;
    world.until_is("saved", "Ready", "False", "InvalidRequest").await;
    world.poke("saved").await;
    world.until_is("saved", "Ordered", "True", "Accepted").await;
    world.cloud.reject("saved001", &echo()).unwrap();
    world.until_is("saved", "Ready", "False", "Rejected").await;
}

fn has_message(cloud: Option<&certorder::api::v1alpha1::CloudState>) -> bool {
    cloud.and_then(|cloud| cloud.message.as_ref()).is_some_and(|message| message.contains("are wrong"))
}

fn save_approved(world: &World) {
    let at_once = jiff::SignedDuration::ZERO;
    assert!(world.cloud.submit_for_review(&world.account, 2345, at_once, true));
}

/// Everything that others can read: statuses, including the plans in them, and Events.
async fn shown(world: &World) -> String {
    let mut shown = String::new();
    for order in world.orders().list(&ListParams::default()).await.unwrap() {
        shown += &serde_json::to_string(&order.status).unwrap();
    }
    for profile in world.api_of::<OrganizationProfile>().list(&ListParams::default()).await.unwrap() {
        shown += &serde_json::to_string(&profile.status).unwrap();
    }
    for event in world.api_of::<Event>().list(&ListParams::default()).await.unwrap() {
        shown += &serde_json::to_string(&event).unwrap();
    }
    shown
}

fn search(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for marker in markers() {
        // In clear, or in base64 as in a Secret on the wire.
        let found = lower.find(&marker.to_lowercase()).or_else(|| text.find(&BASE64_STANDARD.encode(marker)));
        if let Some(at) = found {
            let from = lower.floor_char_boundary(at.saturating_sub(200));
            let to = lower.floor_char_boundary(at + 100);
            panic!("{marker} is in the {what}: …{}…", &lower[from..to]);
        }
    }
}

async fn no_personal_data_appears(inline: bool) {
    let world = World::quiet().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    world.buy("person01", Product::DV_SINGLE);
    world.buy("saved001", Product::OV_SINGLE);
    save(&world);
    secrets(&world).await;
    let process = Process::start(&world.api.url(), &world.net.url(), &world.namespace);
    live(&world, inline).await;
    for reason in ["InvalidRequest", "Rejected", "Refused"] {
        world.until_event(reason).await;
    }

    let shown = shown(&world).await;
    assert!(shown.contains("The data are wrong: ***"), "the cloud's words are shown, blanked");
    search("statuses and Events", &shown);
    let metrics = process.metrics().await;
    assert!(metrics.contains("certorder_cloud_calls"), "{metrics}");
    search("metrics", &metrics);
    let log = process.log();
    assert!(
        log.contains("TRACE") && log.contains("CertificateInfoSubmit"),
        "the log is the most verbose one"
    );
    search("log", &log);
}

#[tokio::test]
async fn no_datum_of_anybody_is_seen_when_it_is_written_into_the_profile() {
    no_personal_data_appears(true).await;
}

#[tokio::test]
async fn no_datum_of_anybody_is_seen_when_it_is_in_secrets() {
    no_personal_data_appears(false).await;
}
