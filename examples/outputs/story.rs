//! The story: all orders are issued.

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::cloud::Shape;
use certorder_sim::tencent::Status;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::wait::await_condition;
use tokio::time::timeout;

use crate::clouds::{self, Cloud, Kind};
use crate::orders::Order;
use crate::world::{World, condition};

/// How long an order may take. Many keys are made at once, on a machine that may be busy with others.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs the operator until the Secret of each order is written. The operator does not run while the CAs issue, so that
/// it sees no bundle before it is complete.
pub(crate) async fn issue(orders: &[Order]) -> World {
    let mut world = World::quiet_at(Kind::Huawei).await;
    for order in orders {
        match order.cloud {
            Kind::Tencent => world.buy(&order.certificate, order.product),
            Kind::Huawei => world.site.buy(&order.certificate, clouds::Product::Dv),
        }
        for secret in order.needs() {
            world.create::<Secret>(secret).await;
        }
        world.create::<CertificateOrder>(order.manifest()).await;
    }
    world.run();
    all(&world, orders, "Ordered").await;
    world.stop().await;
    for order in orders {
        deliver(&world, order);
    }
    world.run();
    all(&world, orders, "Ready").await;
    world
}

/// Waits until a condition of every order is true.
async fn all(world: &World, orders: &[Order], type_: &str) {
    for Order { name, .. } in orders {
        let is_so = |order: Option<&CertificateOrder>| {
            let status = order.and_then(|order| order.status.as_ref());
            status.and_then(|status| condition(status, type_)).is_some_and(|(status, _)| status == "True")
        };
        let waited = timeout(PATIENCE, await_condition(world.orders(), name, is_so)).await;
        if waited.is_err() {
            let status = serde_json::to_string_pretty(&world.status(name).await).unwrap();
            panic!("order {name} is not {type_} within {PATIENCE:?}: {status}");
        }
    }
}

/// The CA issues, with the root in the bundle or without.
fn deliver(world: &World, order: &Order) {
    let id = order.certificate.as_str();
    if order.is_rooted {
        match (order.cloud, &world.site) {
            (Kind::Huawei, Cloud::Huawei(cloud, _)) => {
                cloud.set(id, |certificate| certificate.shape = Shape::WithRoot).unwrap();
            }
            _ => world.cloud.set(id, |certificate| certificate.shape = Shape::WithRoot).unwrap(),
        }
    }
    match order.cloud {
        Kind::Tencent => while world.cloud.advance(id).unwrap() != Status::ISSUED {},
        Kind::Huawei => while !world.site.advance(id) {},
    }
}

/// The root of the CA behind a cloud, PEM.
pub(crate) fn root(world: &World, cloud: Kind) -> String {
    match (cloud, &world.site) {
        (Kind::Huawei, Cloud::Huawei(cloud, _)) => cloud.root_certificate().to_owned(),
        _ => world.cloud.root_certificate().to_owned(),
    }
}
