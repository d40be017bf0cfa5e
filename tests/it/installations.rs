//! Two installations in one cluster, each for a namespace of its own: one paid certificate is submitted once.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::proxy::{Action, Reply, Rule};
use certorder_sim::tencent::Product;
use http::StatusCode;
use kube::ResourceExt;
use serde_json::json;

use crate::leases::holder;
use crate::world::{World, condition, message};

/// Two installations by the manifests of `deploy/namespaced`, each of which may read no order of the other.
async fn two_installations() -> (World, World) {
    let one = World::in_one_namespace().await;
    one.allow_anything();
    let other = one.another_installation().await;
    for (world, namespace) in [(&one, &other.namespace), (&other, &one.namespace)] {
        // The in-process API lets everybody in; a real one says this by itself.
        let path = format!("/namespaces/{namespace}/certificateorders");
        let reply = Reply::json(StatusCode::FORBIDDEN, &forbidden("get", "certificateorders", namespace));
        world.api.fault(Rule::new(Action::Status(reply)).path(path).always());
    }
    (one, other)
}

/// What an API server answers to whom a right is missing.
pub(crate) fn forbidden(verb: &str, resource: &str, namespace: &str) -> serde_json::Value {
    let message = format!(
        "{resource} is forbidden: User \"system:serviceaccount:certorder:certorder\" cannot {verb} resource \"{resource}\" \
         in the namespace \"{namespace}\""
    );
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden",
        "code": 403, "message": message,
    })
}

fn ended(status: &CertificateOrderStatus) -> bool {
    is_ordered(status) || is_duplicate(status)
}

fn is_ordered(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ordered").is_some_and(|(is, _)| is == "True")
}

fn is_duplicate(status: &CertificateOrderStatus) -> bool {
    condition(status, "Stalled") == Some(("True".into(), "DuplicateCertificate".into()))
}

#[tokio::test]
async fn the_same_certificates_in_two_namespaces_at_once_are_submitted_once_each() {
    let (mut one, mut other) = two_installations().await;
    let ids: Vec<String> = (0..6).map(|number| format!("twice{number}")).collect();
    for id in &ids {
        one.buy(id, Product::DV_SINGLE);
    }
    for world in [&one, &other] {
        world.net.fault(Rule::new(Action::Delay(Duration::from_millis(300))).always());
    }
    one.run();
    other.run();
    let apply = async |world: &World, id: &String| {
        let mut order = world.order(id);
        order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(id);
        order["spec"]["commonName"] = json!(format!("{id}.acme.example"));
        world.create::<CertificateOrder>(order).await;
    };
    for id in &ids {
        tokio::join!(apply(&one, id), apply(&other, id));
    }
    for id in &ids {
        let (mine, theirs) = tokio::join!(
            one.until(id, "ordered or a duplicate", ended),
            other.until(id, "ordered or a duplicate", ended)
        );
        assert!(is_ordered(&mine) != is_ordered(&theirs), "{id}: {mine:?} {theirs:?}");
        let ((winner, _), (loser, lost)) = if is_ordered(&mine) {
            ((&one, &mine), (&other, &theirs))
        } else {
            ((&other, &theirs), (&one, &mine))
        };
        for call in one.kind.names().apply {
            assert_eq!(one.made_for(call, id), 1, "{id} {call}");
        }
        let claims = one.claims_of(&winner.orders().get(id).await.unwrap()).await;
        let [claim] = claims.as_slice() else { panic!("{id} has {} claims", claims.len()) };
        let told = message(lost, "Stalled");
        assert!(told.contains(&claim.name_any()), "the Lease is named: {told}");
        let told = told.replace(&one.claims, "the namespace of claims");
        assert!(!told.contains(&winner.namespace), "another namespace is not: {told}");
        assert!(lost.submission.as_ref().is_none_or(|submission| submission.intent.is_none()));
        assert!(one.claims_of(&loser.orders().get(id).await.unwrap()).await.is_empty());
    }
    assert_eq!(one.claims().await.len(), ids.len());
    one.stop().await;
    other.stop().await;
}

/// Who may read every namespace learns that there is another order, and in which namespace it is not.
#[tokio::test]
async fn an_order_of_another_namespace_that_can_be_read_is_not_named_either() {
    let mut one = World::in_one_namespace().await;
    one.allow_anything();
    let mut other = one.another_installation().await;
    if crate::cluster::is_real() {
        return; // There these roles let nobody read another namespace.
    }
    one.buy(one.certificate(), Product::DV_SINGLE);
    one.run();
    one.create::<CertificateOrder>(one.order("www")).await;
    one.until("www", "ordered", is_ordered).await;
    other.run();
    other.create::<CertificateOrder>(other.order("shop")).await;
    let lost = other.until("shop", "a duplicate", is_duplicate).await;
    let told = message(&lost, "Stalled");
    assert!(told.contains("a CertificateOrder in another namespace has this paid certificate"), "{told}");
    assert!(!told.contains(&one.namespace) && !told.contains("www"), "{told}");
    assert_eq!(one.made(one.kind.submit()), 1);
    one.stop().await;
    other.stop().await;
}

/// The order of the other installation is deleted, and its operator gives the claim up; the certificate is free again.
#[tokio::test]
async fn what_one_installation_gives_up_another_may_have() {
    let (mut one, mut other) = two_installations().await;
    one.buy(one.certificate(), Product::DV_SINGLE);
    one.run();
    one.create::<CertificateOrder>(one.order("www")).await;
    one.until("www", "ordered", is_ordered).await;
    one.delete::<CertificateOrder>("www").await;
    one.until_claims("given up", <[_]>::is_empty).await;
    other.run();
    other.create::<CertificateOrder>(other.order("www")).await;
    let status = other.until("www", "ordered", is_ordered).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    let claims = other.claims().await;
    assert_eq!(
        claims.iter().map(holder).collect::<Vec<_>>(),
        [other.orders().get("www").await.unwrap().uid()]
    );
    assert_eq!(one.made(one.kind.submit()), 1);
    one.stop().await;
    other.stop().await;
}
