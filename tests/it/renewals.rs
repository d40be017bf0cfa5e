//! Renewal: orders whose certificates run out, with the successors that the clouds make and those that people have made.

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::core::chain::Chain;
use certorder::core::keypair::KeyPair;
use certorder_sim::huawei::{Identity, Succession as InPlace};
use certorder_sim::proxy;
use certorder_sim::tencent::{Fault, LinkedEnds, Start, Succession, Way};
use http::Method;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::clouds::{Cloud, Kind, Product, for_both_clouds};
use crate::world::{World, ahead_at, condition, message};

for_both_clouds! {
    a_successor_that_the_cloud_filed_is_taken_over_and_swapped_in,
    a_rejected_successor_leaves_the_secret_alone_and_starts_over_when_asked,
    an_order_that_a_user_wrote_for_the_successor_is_followed,
    an_order_that_is_applied_again_finds_its_certificate_and_its_successor,
    an_order_that_is_applied_again_finds_the_key_of_a_certificate_in_between,
    a_kill_around_any_write_swaps_once_and_never_to_an_earlier_end,
    an_operator_that_was_away_for_long_swaps_what_was_issued_meanwhile,
    what_is_edited_after_a_swap_is_restored_from_the_successor,
}

/// The label of the orders that certorder makes.
const MADE: &str = "certorder.dev/renewal=true";

/// A day before a certificate of these stories is due for renewal, a cloud makes its successor.
const BEFORE_THE_END: i64 = 25;

pub(crate) fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

/// An order of the cloud with a Secret, and this renewal.
pub(crate) fn order(world: &World, renewal: &Value) -> Value {
    let mut order = world.order("www");
    order["spec"]["secretName"] = json!("www-tls");
    order["spec"]["privateKey"] = json!({"source": "InCluster", "algorithm": "ECDSA", "size": 256});
    if !renewal.is_null() {
        order["spec"]["renewal"] = renewal.clone();
    }
    if world.kind == Kind::Tencent {
        order["spec"]["provider"]["tencentCloud"]["tkeSecretName"] = json!("www-tke");
    }
    order
}

/// A world with an issued order that has its Secret.
async fn issued(kind: Kind, renewal: &Value) -> World {
    issued_as(kind, |world| order(world, renewal)).await
}

/// The same with this order.
async fn issued_as(kind: Kind, order: impl Fn(&World) -> Value) -> World {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    while !world.site.advance(world.certificate()) {}
    world.until_is("www", "Ready", "True", "Issued").await;
    world.until("www", "scheduled", |status| status.renewal.is_some()).await;
    world
}

/// Lets the time pass until so many days before the end of the certificate, and starts the operator anew.
pub(crate) async fn until_before_the_end(world: &mut World, left: i64) {
    let status = world.status("www").await;
    let end = status.not_after.unwrap().0;
    let ahead = ahead_at(end) - days(left);
    world.kill();
    world.run_ahead(ahead);
}

/// The cloud makes a successor and files its application. Returns its id.
pub(crate) fn filed(world: &World) -> String {
    match &world.site {
        Cloud::Tencent(cloud, _) => {
            cloud.make_successor(world.certificate(), Way::MultiYear, &Succession::default()).unwrap()
        }
        Cloud::Huawei(cloud, _) => cloud.make_successor(world.certificate(), InPlace::default()).unwrap(),
    }
}

/// The CA issues a certificate.
pub(crate) fn issue(world: &World, id: &str) {
    while !world.site.advance(id) {}
}

pub(crate) async fn made(world: &World) -> Vec<CertificateOrder> {
    world.orders().list(&ListParams::default().labels(MADE)).await.unwrap().items
}

/// The order that certorder made, once there is one with this condition.
pub(crate) async fn made_with(world: &World, id: &str, type_: &str, status: &str) -> String {
    let found = world
        .until("www", "followed by an order", |status| {
            let renewal = status.renewal.as_ref();
            renewal
                .and_then(|renewal| renewal.successor.as_ref())
                .is_some_and(|successor| successor.certificate_id == id && successor.order.is_some())
        })
        .await;
    let name = found.renewal.unwrap().successor.unwrap().order.unwrap();
    world
        .until(&name, type_, |found| condition(found, type_).is_some_and(|(value, _)| value == status))
        .await;
    name
}

pub(crate) async fn until_current(world: &World, id: &str) -> CertificateOrderStatus {
    let is = |status: &CertificateOrderStatus| {
        status.current.as_ref().is_some_and(|current| current.certificate_id == id)
            && condition(status, "Renewing").is_none()
            && status.renewal.as_ref().is_some_and(|renewal| renewal.due.is_some())
    };
    world.until("www", &format!("on certificate {id}"), is).await
}

async fn secret(world: &World) -> Secret {
    world.api_of::<Secret>().get("www-tls").await.unwrap()
}

fn entry(secret: &Secret, name: &str) -> Vec<u8> {
    secret.data.as_ref().unwrap()[name].0.clone()
}

/// How many calls at the cloud handed in something for a certificate.
pub(crate) fn handed_in(world: &World, id: &str) -> usize {
    world.kind.names().apply.iter().map(|call| world.made_for(call, id)).sum()
}

/// Whether the Secret holds a certificate that is valid at this time, and its key.
pub(crate) async fn secret_fits(world: &World, now: jiff::Timestamp) -> bool {
    let secret = secret(world).await;
    let text = |name| String::from_utf8(entry(&secret, name)).unwrap();
    let chain = Chain::parse(&text("tls.crt")).unwrap();
    let key = KeyPair::from_pem(&text("tls.key").into()).unwrap();
    chain.matches(&key) && chain.leaf_not_before() <= now && now < chain.leaf_not_after()
}

/// That Ready never left True since the certificate was issued, as its transition time shows.
fn ready_since(status: &CertificateOrderStatus) -> jiff::Timestamp {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready").unwrap();
    assert_eq!(ready.status, "True");
    ready.last_transition_time.0
}

async fn a_successor_that_the_cloud_filed_is_taken_over_and_swapped_in(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    let (before, old) = (world.status("www").await, secret(&world).await);
    assert_eq!(before.current.as_ref().unwrap().certificate_id, world.certificate());
    assert_eq!(condition(&before, "Renewing"), None);
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    world.poke("www").await;
    let name = made_with(&world, &next, "Ordered", "True").await;
    // What the CA wants of the successor is said in the order of the user, whose Secret stays.
    let asks = world
        .until("www", "asking for the record", |status| condition(status, "ActionRequired").is_some())
        .await;
    assert!(message(&asks, "ActionRequired").contains(&name), "{asks:?}");
    assert_eq!(condition(&asks, "Renewing"), Some(("True".into(), "SuccessorInProgress".into())));
    assert_eq!(secret(&world).await.data, old.data);
    issue(&world, &next);
    let after = until_current(&world, &next).await;
    assert_eq!(ready_since(&after), ready_since(&before), "Ready stayed");
    assert_eq!(condition(&after, "ActionRequired"), None);
    assert!(after.not_after > before.not_after);
    assert_eq!(after.certificate_id.as_deref(), Some(world.certificate()));
    let new = secret(&world).await;
    assert_eq!(new.annotations()["certorder.dev/current-certificate-id"], next);
    assert_ne!(entry(&new, "tls.crt"), entry(&old, "tls.crt"));
    assert_eq!(entry(&new, "tls.key"), entry(&old, "tls.key"), "the cloud filed it with the same request");
    assert_eq!(handed_in(&world, &next), 0, "the cloud filed it");
    if kind == Kind::Tencent {
        let tke = world.api_of::<Secret>().get("www-tke").await.unwrap();
        assert_eq!(entry(&tke, "qcloud_cert_id"), next.as_bytes());
    }
    let [order] = made(&world).await.try_into().unwrap();
    assert_eq!(order.status.as_ref().unwrap().renewal_of.as_deref(), Some("www"));
    assert_eq!(order.spec.secret_name, None);
    world.until_event("Renewed").await;
}

async fn a_rejected_successor_leaves_the_secret_alone_and_starts_over_when_asked(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    let old = secret(&world).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    world.poke("www").await;
    let name = made_with(&world, &next, "Ordered", "True").await;
    world.site.reject(&next);
    world.poke(&name).await;
    let status = world.until_is("www", "Renewing", "True", "SuccessorRejected").await;
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    assert!(message(&status, "ActionRequired").contains(&name), "{status:?}");
    assert_eq!(secret(&world).await.data, old.data);
    let again = json!({"metadata": {"annotations": {"certorder.dev/resubmit-at": world.now().to_string()}}});
    world.edit::<CertificateOrder>(&name, again).await;
    world
        .until(&name, "running again", |status| {
            status.last_handled_resubmit_at.is_some()
                && condition(status, "Reconciling") == Some(("True".into(), "AwaitingValidation".into()))
        })
        .await;
    for call in kind.names().apply {
        assert_eq!(world.made_for(call, &next), 1, "{call}");
    }
    issue(&world, &next);
    until_current(&world, &next).await;
    assert_ne!(entry(&secret(&world).await, "tls.crt"), entry(&old, "tls.crt"));
}

async fn an_order_that_a_user_wrote_for_the_successor_is_followed(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    let mut theirs = order(&world, &json!({"policy": "None"}));
    theirs["metadata"]["name"] = json!("next");
    theirs["spec"].as_object_mut().unwrap().remove("secretName");
    let cloud = if kind == Kind::Tencent { "tencentCloud" } else { "huaweiCloud" };
    theirs["spec"]["provider"][cloud]["certificateId"] = json!(next);
    theirs["spec"]["provider"][cloud].as_object_mut().unwrap().remove("tkeSecretName");
    world.create::<CertificateOrder>(theirs).await;
    world.until_is("next", "Ordered", "True", "Adopted").await;
    world.poke("www").await;
    issue(&world, &next);
    world.poke("next").await;
    until_current(&world, &next).await;
    assert!(made(&world).await.is_empty());
    assert_eq!(handed_in(&world, &next), 0);
}

async fn an_order_that_is_applied_again_finds_its_certificate_and_its_successor(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    world.poke("www").await;
    made_with(&world, &next, "Ordered", "True").await;
    // In the middle: what certorder made goes with it, and is made again.
    again(&world, &Value::Null).await;
    made_with(&world, &next, "Ordered", "True").await;
    issue(&world, &next);
    until_current(&world, &next).await;
    // After the swap: the Secret says which certificate it has.
    let swapped = secret(&world).await;
    again(&world, &Value::Null).await;
    let status = until_current(&world, &next).await;
    assert_eq!(status.renewal.unwrap().chain, [world.certificate().to_owned(), next.clone()]);
    assert_eq!(secret(&world).await.data, swapped.data);
    assert_eq!(handed_in(&world, &next), 0);
    assert_eq!(world.made(kind.submit()), 1);
}

/// The order is deleted and applied again, so that nothing is left of its status.
async fn again(world: &World, renewal: &Value) {
    for order in made(world).await {
        let _ = world.orders().delete(&order.name_any(), &DeleteParams::default()).await;
    }
    world.delete::<CertificateOrder>("www").await;
    world.create::<CertificateOrder>(order(world, renewal)).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    world.poke("www").await;
}

/// The cloud makes a successor that waits for its application, and the user names it where that is needed.
async fn waiting(world: &World, head: &str) -> String {
    match &world.site {
        Cloud::Tencent(cloud, _) => {
            let waits = Succession { start: Start::Pending, ..Succession::default() };
            cloud.make_successor(head, Way::AutoRenewal, &waits).unwrap()
        }
        Cloud::Huawei(cloud, _) => {
            let next = cloud.buy_alike(head).unwrap();
            let named = json!({"spec": {"renewal": {"certificateId": next}}});
            world.edit::<CertificateOrder>("www", named).await;
            next
        }
    }
}

/// The cloud makes another certificate of the head, and files what was handed in for an earlier one. Returns its id, which
/// is that of the head at Huawei Cloud.
fn filed_as_before(world: &World, head: &str, earlier: &str) -> String {
    match &world.site {
        Cloud::Tencent(cloud, _) => {
            let next = cloud.make_successor(head, Way::MultiYear, &Succession::default()).unwrap();
            let submission = cloud.certificate(earlier).unwrap().submission;
            cloud.set(&next, |certificate| certificate.submission = submission).unwrap();
            next
        }
        Cloud::Huawei(cloud, _) => {
            let same = InPlace { identity: Identity::Same, ..InPlace::default() };
            let next = cloud.make_successor(head, same).unwrap();
            let submission = cloud.certificate(earlier).unwrap().submission;
            cloud.set(&next, |certificate| certificate.submission = submission).unwrap();
            next
        }
    }
}

/// Each certificate has a key of its own. The status forgets the second of three, and then the cloud issues for its key.
async fn an_order_that_is_applied_again_finds_the_key_of_a_certificate_in_between(kind: Kind) {
    let renewal = json!({"rotationPolicy": "Always"});
    let mut world = issued(kind, &renewal).await;
    let mut chain = vec![world.certificate().to_owned()];
    let mut keys = Vec::new();
    for _ in 0..2 {
        until_before_the_end(&mut world, BEFORE_THE_END).await;
        let next = waiting(&world, chain.last().unwrap()).await;
        world.poke("www").await;
        made_with(&world, &next, "Ordered", "True").await;
        issue(&world, &next);
        until_current(&world, &next).await;
        keys.push(entry(&secret(&world).await, "tls.key"));
        chain.push(next);
    }
    let [first, middle, head] = chain.try_into().unwrap();
    again(&world, &renewal).await;
    let status = until_current(&world, &head).await;
    assert_eq!(status.renewal.unwrap().chain, [first, head.clone()]);
    let before = status.not_after.unwrap().0;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed_as_before(&world, &head, &middle);
    world.poke("www").await;
    if next != head {
        made_with(&world, &next, "Ordered", "True").await;
    }
    for _ in 0..6 {
        world.site.advance(&next);
    }
    world.poke("www").await;
    let is_new = |status: &CertificateOrderStatus| {
        let of_next = status.current.as_ref().is_some_and(|current| current.certificate_id == next);
        of_next && status.not_after.as_ref().is_some_and(|end| end.0 > before)
    };
    world.until("www", "on the last leaf", is_new).await;
    world.until_is("www", "SecretSynced", "True", "Synced").await;
    assert!(keys[0] != keys[1]);
    assert!(entry(&secret(&world).await, "tls.key") == keys[0], "the key of the certificate in between");
    assert!(secret_fits(&world, world.now()).await);
    // Whatever becomes of the Secret, that key is found again.
    let last = secret(&world).await;
    world.delete::<Secret>("www-tls").await;
    world.until_object::<Secret>("www-tls", |secret| secret.data == last.data).await;
}

async fn an_operator_that_was_away_for_long_swaps_what_was_issued_meanwhile(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    let before = world.status("www").await.not_after;
    until_before_the_end(&mut world, 30).await;
    world.kill();
    let next = filed(&world);
    issue(&world, &next);
    // The first certificate is over before anybody looks again.
    let end = world.status("www").await.not_after.unwrap().0;
    world.run_ahead(ahead_at(end) + days(10));
    world.poke("www").await;
    let after = until_current(&world, &next).await;
    assert!(after.not_after > before);
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(secret(&world).await.annotations()["certorder.dev/current-certificate-id"], next);
}

async fn what_is_edited_after_a_swap_is_restored_from_the_successor(kind: Kind) {
    let mut world = issued(kind, &Value::Null).await;
    let first = secret(&world).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    world.poke("www").await;
    made_with(&world, &next, "Ordered", "True").await;
    issue(&world, &next);
    until_current(&world, &next).await;
    let swapped = secret(&world).await;
    // The former pair, and nothing at all.
    world.edit::<Secret>("www-tls", json!({ "data": first.data })).await;
    world.until_object::<Secret>("www-tls", |secret| secret.data == swapped.data).await;
    world.delete::<Secret>("www-tls").await;
    world.until_object::<Secret>("www-tls", |secret| secret.data == swapped.data).await;
}

/// The writes to the API server from when the successor is there, by method and path.
const WRITES: [(Method, &str); 3] =
    [(Method::PUT, "/status"), (Method::POST, "/namespaces/"), (Method::PATCH, "/secrets/")];

/// Once each write has arrived. A kill before one finds the same as a kill after the one before it.
async fn a_kill_around_any_write_swaps_once_and_never_to_an_earlier_end(kind: Kind) {
    for (method, path) in WRITES {
        let rule = || proxy::Rule::new(proxy::Action::HoldAfter).method(method.clone()).path(path);
        let mut number = 1;
        while kill_at(kind, rule().nth(number)).await {
            number += 1;
        }
        assert!(number > 1, "{method} {path}");
    }
}

/// One renewal with one kill; false if it was done before the kill.
async fn kill_at(kind: Kind, rule: proxy::Rule) -> bool {
    let what = format!("{rule:?}");
    let mut world = issued(kind, &Value::Null).await;
    let before = world.status("www").await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    // The operator has its Leases by then.
    world.api.fault(rule);
    world.poke("www").await;
    let renewal = async {
        made_with(&world, &next, "Ordered", "True").await;
        issue(&world, &next);
        until_current(&world, &next).await;
    };
    let killed = tokio::select! {
        () = world.api.killed() => true,
        () = renewal => false,
    };
    if killed {
        let ahead = world.ahead();
        world.kill();
        world.api.clear();
        world.run_ahead(ahead);
        world.poke("www").await;
        issue(&world, &next);
    }
    let status = until_current(&world, &next).await;
    assert!(status.not_after > before.not_after, "{what}");
    assert_eq!(secret(&world).await.annotations()["certorder.dev/current-certificate-id"], next, "{what}");
    assert_eq!(made(&world).await.len(), 1, "{what}");
    assert_eq!(handed_in(&world, &next), 0, "{what}");
    killed
}

#[tokio::test]
async fn a_successor_that_waits_for_its_application_is_submitted_once_with_the_same_key() {
    for (rotation, same_key) in [("Never", true), ("Always", false)] {
        let mut world = issued(Kind::Tencent, &json!({ "rotationPolicy": rotation })).await;
        let old = secret(&world).await;
        until_before_the_end(&mut world, BEFORE_THE_END).await;
        let waits = Succession { start: Start::Pending, ..Succession::default() };
        let next = world.cloud.make_successor(world.certificate(), Way::AutoRenewal, &waits).unwrap();
        world.poke("www").await;
        let name = made_with(&world, &next, "Ordered", "True").await;
        world.until_is(&name, "Reconciling", "True", "AwaitingValidation").await;
        issue(&world, &next);
        until_current(&world, &next).await;
        for call in Kind::Tencent.names().apply {
            assert_eq!(world.made_for(call, &next), 1, "{rotation} {call}");
        }
        let new = secret(&world).await;
        assert_eq!(entry(&new, "tls.key") == entry(&old, "tls.key"), same_key, "{rotation}");
        let first = world.api_of::<Secret>().get("www-key").await.unwrap();
        assert_eq!(first.labels().contains_key("certorder.dev/superseded"), !same_key, "{rotation}");
        // Whatever becomes of the Secret, the right key is found again.
        world.delete::<Secret>("www-tls").await;
        world.until_object::<Secret>("www-tls", |secret| secret.data == new.data).await;
    }
}

#[tokio::test]
async fn a_certificate_that_waits_at_huawei_cloud_is_applied_for_only_if_it_is_named() {
    let mut world = issued(Kind::Huawei, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let Cloud::Huawei(cloud, _) = &world.site else { unreachable!() };
    let next = cloud.buy_alike(world.certificate()).unwrap();
    world.poke("www").await;
    let status = world.until_is("www", "ActionRequired", "True", "SuccessorFound").await;
    assert!(message(&status, "ActionRequired").contains(&format!("certificateId: {next}")), "{status:?}");
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    assert!(made(&world).await.is_empty());
    world.edit::<CertificateOrder>("www", json!({"spec": {"renewal": {"certificateId": next}}})).await;
    let name = made_with(&world, &next, "Ordered", "True").await;
    world.until_is(&name, "Reconciling", "True", "AwaitingValidation").await;
    issue(&world, &next);
    until_current(&world, &next).await;
    assert_eq!(handed_in(&world, &next), 1);
}

#[tokio::test]
async fn a_new_certificate_under_the_same_id_at_huawei_cloud_needs_no_order() {
    let mut world = issued(Kind::Huawei, &Value::Null).await;
    let before = world.status("www").await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let Cloud::Huawei(cloud, _) = &world.site else { unreachable!() };
    let same = InPlace { identity: Identity::Same, ..InPlace::default() };
    assert_eq!(cloud.make_successor(world.certificate(), same).unwrap(), world.certificate());
    world.poke("www").await;
    let id = world.certificate();
    // It stays issued until it has the new leaf.
    for _ in 0..6 {
        world.site.advance(id);
    }
    world.poke("www").await;
    let after = world.until("www", "on the new leaf", |status| status.not_after > before.not_after).await;
    world.until_is("www", "SecretSynced", "True", "Synced").await;
    assert_eq!(ready_since(&after), ready_since(&before));
    assert!(made(&world).await.is_empty());
    assert_eq!(handed_in(&world, id), 1);
}

#[tokio::test]
async fn several_candidates_wait_for_a_person_who_names_one() {
    let mut world = issued(Kind::Tencent, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let two = Succession { second_candidate: true, ..Succession::default() };
    let next = world.cloud.make_successor(world.certificate(), Way::AutoRenewal, &two).unwrap();
    world.poke("www").await;
    let status = world.until_is("www", "Renewing", "True", "SuccessorAmbiguous").await;
    assert!(message(&status, "ActionRequired").contains(&next), "{status:?}");
    assert!(made(&world).await.is_empty());
    world.edit::<CertificateOrder>("www", json!({"spec": {"renewal": {"certificateId": next}}})).await;
    made_with(&world, &next, "Ordered", "True").await;
    issue(&world, &next);
    until_current(&world, &next).await;
}

#[tokio::test]
async fn a_link_that_only_the_old_certificate_has_counts_for_a_reissue_alone() {
    for (way, counts) in [(Way::Reissue, true), (Way::PaidRenewal, false)] {
        let mut world = issued(Kind::Tencent, &Value::Null).await;
        until_before_the_end(&mut world, 40).await;
        let half = Succession { ends: LinkedEnds::Old, ..Succession::default() };
        let next = world.cloud.make_successor(world.certificate(), way, &half).unwrap();
        world.poke("www").await;
        if counts {
            made_with(&world, &next, "Submitted", "True").await;
        } else {
            let status = world.until_is("www", "Renewing", "True", "SuccessorFound").await;
            assert!(message(&status, "Renewing").contains(&next), "{status:?}");
            assert!(made(&world).await.is_empty());
        }
    }
}

#[tokio::test]
async fn what_the_api_server_refuses_is_told_and_tried_again() {
    let mut world = issued(Kind::Tencent, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    let refusal = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "exceeded quota: orders, requested: count/certificateorders.certorder.dev=1",
    });
    let path = format!("/namespaces/{}/certificateorders", world.namespace);
    let reply = proxy::Reply::json(http::StatusCode::FORBIDDEN, &refusal);
    world.api.fault(proxy::Rule::new(proxy::Action::Status(reply)).method(Method::POST).path(&path).always());
    world.poke("www").await;
    let status = world.until_is("www", "Renewing", "True", "SuccessorRefused").await;
    assert!(message(&status, "ActionRequired").contains("exceeded quota"), "{status:?}");
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    world.api.clear();
    world.poke("www").await;
    made_with(&world, &next, "Ordered", "True").await;
}

#[tokio::test]
async fn a_certificate_that_runs_out_is_warned_of_and_its_order_stays_ready_until_then() {
    let mut world = issued(Kind::Tencent, &Value::Null).await;
    until_before_the_end(&mut world, 9).await;
    world.poke("www").await;
    let status = world.until_is("www", "Renewing", "True", "RenewalOverdue").await;
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    world.until_warned("RenewalOverdue", "in less than 10 days").await;
    until_before_the_end(&mut world, -1).await;
    world.poke("www").await;
    world.until_is("www", "Stalled", "True", "Expired").await;
}

#[tokio::test]
async fn a_reissue_is_asked_for_once_also_if_its_reply_is_lost() {
    for (lost, rotation) in [(false, "Never"), (true, "Never"), (false, "Always")] {
        let renewal = json!({"policy": "Reissue", "rotationPolicy": rotation});
        let mut world = issued(Kind::Tencent, &renewal).await;
        let old = secret(&world).await;
        if lost {
            world.cloud.fault(Fault::reply_lost().action("ReplaceCertificate"));
        }
        until_before_the_end(&mut world, 45).await;
        world.poke("www").await;
        let found = world
            .until("www", "reissued", |status| {
                status
                    .renewal
                    .as_ref()
                    .is_some_and(|renewal| renewal.successor.is_some() && renewal.intent.is_none())
            })
            .await;
        let next = found.renewal.unwrap().successor.unwrap().certificate_id;
        made_with(&world, &next, "Submitted", "True").await;
        issue(&world, &next);
        let status = world
            .until("www", "on the reissued certificate", |status| {
                status.current.as_ref().is_some_and(|current| current.certificate_id == next)
            })
            .await;
        assert_eq!(world.calls_of("ReplaceCertificate", world.certificate()), 1, "lost: {lost}");
        let new = secret(&world).await;
        assert_eq!(entry(&new, "tls.key") == entry(&old, "tls.key"), rotation == "Never", "{rotation}");
        world.delete::<Secret>("www-tls").await;
        world.until_object::<Secret>("www-tls", |secret| secret.data == new.data).await;
        // It ends with its original, so no other one is asked for.
        let renewal = status.renewal.as_ref().unwrap();
        assert_eq!(renewal.did_not_extend, std::slice::from_ref(&next));
        until_before_the_end(&mut world, 32).await;
        world.poke("www").await;
        world.until_is("www", "Renewing", "True", "ReissueDidNotExtend").await;
        let calls = world.cloud.ledger();
        assert_eq!(calls.iter().filter(|call| call.action == "ReplaceCertificate").count(), 1);
        assert_eq!(handed_in(&world, &next), 0);
        assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    }
}

/// Two Secrets hold keys of one account, and the cloud reissues one certificate of a registered domain at a time.
#[tokio::test]
async fn certificates_of_an_account_are_reissued_one_after_the_other_whatever_credentials_their_orders_have()
{
    let renewal = json!({"policy": "Reissue"});
    let mut world = issued(Kind::Tencent, &renewal).await;
    world.cloud.add_credential(&world.account, "AKIDOTHER", "another-key-of-the-account");
    let credentials = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other-credentials"},
        "stringData": {"secretId": "AKIDOTHER", "secretKey": "another-key-of-the-account"},
    });
    world.create::<Secret>(credentials).await;
    world.site.buy("api00001", Product::Dv);
    let mut other = order(&world, &renewal);
    other["metadata"]["name"] = json!("api");
    other["spec"]["provider"] =
        json!({"tencentCloud": {"certificateId": "api00001", "contactEmail": "pki@acme.example"}});
    other["spec"]["credentialsRef"]["name"] = json!("other-credentials");
    other["spec"]["commonName"] = json!("api.acme.example");
    other["spec"]["secretName"] = json!("api-tls");
    world.create::<CertificateOrder>(other).await;
    world.until_is("api", "Ordered", "True", "Accepted").await;
    issue(&world, "api00001");
    world.until_is("api", "Ready", "True", "Issued").await;
    // Somebody has the first one reissued in the console, and that runs.
    let succession = Succession::default();
    let next = world.cloud.make_successor(world.certificate(), Way::Reissue, &succession).unwrap();
    until_before_the_end(&mut world, 45).await;
    world.poke("api").await;
    let status = world.until_is("api", "Renewing", "True", "SuccessorNotFound").await;
    let said = message(&status, "Renewing");
    assert!(said.contains(&format!("certificate {next} is being reissued")), "{said}");
    assert_eq!(world.called("ReplaceCertificate"), 0);
    issue(&world, &next);
    world.poke("api").await;
    world.until_in_the_ledger("ReplaceCertificate", "api00001").await;
    assert_eq!(world.calls_of("ReplaceCertificate", "api00001"), 1);
}

#[tokio::test]
async fn a_reissued_certificate_is_revoked_by_its_original_once_its_own_id_is_confirmed() {
    let revoking = |world: &World| {
        let mut order = order(world, &Value::Null);
        order["spec"]["deletionPolicy"] = json!("Revoke");
        order
    };
    let mut world = issued_as(Kind::Tencent, revoking).await;
    until_before_the_end(&mut world, 60).await;
    let succession = Succession::default();
    let next = world.cloud.make_successor(world.certificate(), Way::Reissue, &succession).unwrap();
    world.poke("www").await;
    made_with(&world, &next, "Submitted", "True").await;
    issue(&world, &next);
    until_current(&world, &next).await;
    world.orders().delete("www", &DeleteParams::default()).await.unwrap();
    let status = world.until_is("www", "ActionRequired", "True", "AwaitingConfirmation").await;
    assert!(message(&status, "ActionRequired").contains(&format!("confirm-revoke: {next}")), "{status:?}");
    let confirm = |id: &str| json!({"metadata": {"annotations": {"certorder.dev/confirm-revoke": id}}});
    world.edit::<CertificateOrder>("www", confirm(world.certificate())).await;
    world.poke("www").await;
    assert_eq!(world.called("RevokeCertificate"), 0, "that is not the certificate in use");
    world.edit::<CertificateOrder>("www", confirm(&next)).await;
    world.until_in_the_ledger("RevokeCertificate", world.certificate()).await;
    let revoked = |id: &str| world.calls_of("RevokeCertificate", id);
    assert_eq!(
        (revoked(world.certificate()), revoked(&next)),
        (1, 0),
        "a reissue is revoked with its original"
    );
}

#[tokio::test]
async fn a_suspended_order_suspends_the_one_of_its_successor() {
    let mut world = issued(Kind::Tencent, &Value::Null).await;
    until_before_the_end(&mut world, BEFORE_THE_END).await;
    let next = filed(&world);
    world.poke("www").await;
    let name = made_with(&world, &next, "Ordered", "True").await;
    world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": true}})).await;
    world.until_is(&name, "Suspended", "True", "Suspended").await;
    let status = world.until_is("www", "Suspended", "True", "Suspended").await;
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": false}})).await;
    issue(&world, &next);
    until_current(&world, &next).await;
}
