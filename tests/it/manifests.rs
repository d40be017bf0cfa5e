//! The example manifests: every file is applied, and every order reaches the state that it announces.

use std::path::Path;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::provider::registry;
use certorder_sim::proxy::{Action, Reply, Rule};
use http::StatusCode;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::{Client, Config, ResourceExt};

use crate::clouds::{Cloud, Kind};
use crate::world::{World, condition};

#[path = "../../examples/tryout/manifests.rs"]
mod tryout;

#[path = "../../examples/tryout/served.rs"]
mod served;

use tryout::{Goal, Manifests, Product};

#[tokio::test]
async fn every_example_is_applied_and_reaches_what_it_announces() {
    let world = World::start_at(Kind::Huawei).await;
    let Cloud::Huawei(huawei, account) = &world.site else { unreachable!() };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let manifests = Manifests::read(&directory).unwrap();
    for order in &manifests.orders {
        let id = registry::certificate_id(&order.object.spec.provider);
        match order.product {
            Product::Tencent(product) => {
                world.cloud.add_credential(&world.account, &order.secret_id, &order.secret_key);
                world.buy(id, product);
            }
            Product::Huawei(product) => {
                huawei.add_credential(account, &order.secret_id, &order.secret_key);
                huawei.buy(account, id, product);
            }
        }
    }
    for saved in &manifests.saved {
        world.cloud.save_company(&world.account, saved.company.clone());
        world.cloud.save_manager(&world.account, saved.manager.clone());
        let passed =
            world.cloud.submit_for_review(&world.account, saved.manager.id, SignedDuration::ZERO, true);
        assert!(passed, "{} of {}", saved.profile, saved.secret_id);
    }
    for mut manifest in manifests.all {
        if manifest.object.namespace().as_ref() == Some(&manifests.namespace) {
            manifest.object.metadata.namespace = Some(world.namespace.clone());
            manifest.apply(&world.client()).await.unwrap();
        }
    }
    for order in manifests.orders {
        let name = order.object.name_any();
        let is_ordered =
            |status: &_| condition(status, "Ordered").is_some_and(|(status, _)| status == "True");
        world
            .until(&name, "ordered or done", |status| order.goal.is_reached(status) || is_ordered(status))
            .await;
        let id = registry::certificate_id(&order.object.spec.provider);
        while world.cloud.running().iter().any(|running| running == id) {
            world.cloud.advance(id).unwrap();
        }
        while huawei.running().iter().any(|running| running == id) {
            huawei.advance(id).unwrap();
        }
        let status =
            world.until(&name, &order.goal.to_string(), |status| order.goal.is_reached(status)).await;
        let submissions = world.carried_out("CertificateInfoSubmit", id) + world.made_for("apply", id);
        assert_eq!(submissions, usize::from(status.request_id.is_some()), "{name}");
        if let (Some(secret), Some(_)) = (&order.object.spec.secret_name, &status.not_after) {
            let stored = world.api_of::<Secret>().get(secret).await.unwrap();
            assert_eq!(stored.type_.as_deref(), Some("kubernetes.io/tls"), "{secret}");
        }
    }
}

#[test]
fn an_announcement_with_a_typing_error_is_refused() {
    for good in ["Issued=True", "Ready=True/Issued", "Stalled=True/CsrMismatch"] {
        assert_eq!(good.parse::<Goal>().map(|goal| goal.to_string()).as_deref(), Ok(good));
    }
    for bad in ["Issued", "Isued=True", "Issued=true", "Stalled=True/CsrMissmatch", ""] {
        assert!(bad.parse::<Goal>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_kind_that_is_not_served_yet_is_waited_for() {
    let world = World::quiet().await;
    world.allow_anything();
    // As a real API server answers, for a moment, after the CRD was created.
    let not_yet = Reply::text(StatusCode::NOT_FOUND, "404 page not found\n");
    world.api.fault(Rule::new(Action::Status(not_yet)).path("/certificateorders"));
    let client = Client::try_from(Config::new(world.api.url().parse().unwrap())).unwrap();
    served::is_served::<CertificateOrder>(&client).await.unwrap();
    let asked = world.api.seen().iter().filter(|seen| seen.path.contains("/certificateorders")).count();
    assert_eq!(asked, 2);
}
