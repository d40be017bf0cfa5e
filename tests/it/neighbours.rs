//! What the orders and profiles of one namespace cannot do to another one.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::Company;
use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::wait::await_condition;
use serde_json::json;
use tokio::time::Instant;

use crate::clouds::{Call, Kind, Product, for_both_clouds};
use crate::fixtures::{self, ACCESS_KEY, SECRET_ID};
use crate::world::World;

/// How many orders a neighbour has, and over how many Secrets: the operator works on 32 orders of one Secret at a time.
const CROWD: (usize, usize) = (300, 10);
/// What the clouds of these stories allow. The calls of the crowd take five minutes.
const CALLS_PER_SECOND: u32 = 1;
/// The longest that an order may take that has four calls to make, on a machine that is busy.
const SOON: Duration = Duration::from_secs(25);

for_both_clouds! {
    orders_of_another_namespace_for_the_same_certificate_do_not_delay_its_owner,
    calls_with_the_id_of_a_key_and_a_wrong_key_do_not_delay_the_owner_of_the_key,
}

async fn orders_of_another_namespace_for_the_same_certificate_do_not_delay_its_owner(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.site.open_account("AKIDneighbour", "key-of-the-neighbour");
    let certificate = world.certificate();
    crowd(&mut world, ["AKIDneighbour", "key-of-the-neighbour"], |_| certificate.to_owned()).await;
    world.run_at(CALLS_PER_SECOND);
    // By then most of the crowd waits for the first of it.
    until(SOON * 8, || world.site.ledger().len() >= 10).await;
    the_owner_is_served(&world).await;
}

async fn calls_with_the_id_of_a_key_and_a_wrong_key_do_not_delay_the_owner_of_the_key(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    let id = match kind {
        Kind::Tencent => SECRET_ID,
        Kind::Huawei => ACCESS_KEY,
    };
    // Sixteen characters, as one of the clouds requires for its ids.
    let namespace = crowd(&mut world, [id, "guessed"], |number| format!("scs1590053{number:06}")).await;
    world.run_at(CALLS_PER_SECOND);
    // An order reads its profile just before it waits for its call.
    let profile = format!("/namespaces/{namespace}/organizationprofiles/acme");
    let in_line = || world.api.seen().iter().filter(|seen| seen.path.contains(&profile)).count();
    until(SOON * 8, || in_line() >= CROWD.0 / 2).await;
    the_owner_is_served(&world).await;
    // The calls of the crowd are reads, so a read of the owner's waits where they do.
    let (read, certificate) = (kind.names().read, world.certificate());
    let is_of_the_owner =
        |call: &Call| call.action == read && call.certificate_id.as_deref() == Some(certificate);
    until(SOON, || world.site.ledger().iter().any(is_of_the_owner)).await;
}

/// The orders of a neighbour, each for the certificate of its number, with credentials of this key.
async fn crowd(world: &mut World, [id, key]: [&str; 2], certificate: impl Fn(usize) -> String) -> String {
    let namespace = world.neighbour().await;
    let (orders, secrets) = CROWD;
    world.create_in::<OrganizationProfile>(&namespace, fixtures::profile()).await;
    for number in 0..secrets {
        let entries = json!({"secretId": id, "accessKey": id, "secretKey": key});
        let secret = json!({"metadata": {"name": format!("credentials-{number}")}, "stringData": entries});
        world.create_in::<Secret>(&namespace, secret).await;
    }
    let all = (0..orders).map(|number| {
        let mut order = world.order(&format!("crowd-{number}"));
        for block in order["spec"]["provider"].as_object_mut().unwrap().values_mut() {
            block["certificateId"] = json!(certificate(number));
            block.as_object_mut().unwrap().remove("contactEmail");
        }
        order["spec"]["organizationProfileRef"] = json!({"name": "acme"});
        order["spec"]["credentialsRef"]["name"] = json!(format!("credentials-{}", number % secrets));
        world.create_in::<CertificateOrder>(&namespace, order)
    });
    join_all(all).await;
    namespace
}

/// An order of the certificate's owner is submitted soon, although the operator is at work on those of the crowd.
async fn the_owner_is_served(world: &World) {
    world.site.buy(world.certificate(), Product::Dv);
    let begin = Instant::now();
    world.create::<CertificateOrder>(world.order("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    let took = begin.elapsed();
    assert!(took < SOON, "submitted after {took:?}");
    assert_eq!(world.made(world.kind.submit()), 1);
}

/// Waits until this is so.
async fn until(within: Duration, wanted: impl Fn() -> bool) {
    let begin = Instant::now();
    while !wanted() {
        assert!(begin.elapsed() < within, "not after {:?}", begin.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_profile_with_a_wrong_key_reads_nothing_of_what_the_account_has_saved() {
    let mut world = World::quiet().await;
    let namespace = world.neighbour().await;
    let name = "Acme Trading Co., Ltd.".to_owned();
    world.cloud.save_company(&world.account, Company { id: 134, name, ..Company::default() });
    world.run_at(1000);
    let profile = || fixtures::saved_profile("acme", &json!({}));
    world.create::<OrganizationProfile>(profile()).await;
    world.until_profile_is("acme", "Resolved", "False", "NotFound").await;

    let mut secret = fixtures::credentials();
    secret["stringData"]["secretKey"] = json!("guessed");
    world.create_in::<Secret>(&namespace, secret).await;
    world.create_in::<OrganizationProfile>(&namespace, profile()).await;
    let profiles: Api<OrganizationProfile> = Api::namespaced(world.client(), &namespace);
    let looked_up = |profile: Option<&OrganizationProfile>| {
        let status = profile.and_then(|profile| profile.status.as_ref());
        status.is_some_and(|status| status.conditions.iter().any(|one| one.type_ == "Resolved"))
    };
    let waits = await_condition(profiles, "acme", looked_up);
    let seen = tokio::time::timeout(SOON, waits).await.unwrap().unwrap().unwrap();
    let status = seen.status.unwrap();
    assert!(status.tencent_cloud.as_ref().is_none_or(|saved| saved.company_id.is_none()), "{status:?}");
    let resolved = status.conditions.iter().find(|one| one.type_ == "Resolved").unwrap();
    assert_eq!(resolved.reason, "Refused", "{resolved:?}");
}
