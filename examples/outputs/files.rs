//! The files.

use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::clouds::Kind;
use crate::orders::Order;
use crate::story;
use crate::world::World;

/// Writes the entries of the Secrets, the roots, and what is what.
pub(crate) async fn write(world: &World, orders: &[Order], directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    for cloud in [Kind::Tencent, Kind::Huawei] {
        std::fs::write(directory.join(root_file(cloud)), story::root(world, cloud)).unwrap();
    }
    let mut outputs = Vec::new();
    for order in orders {
        let secret = world.api_of::<Secret>().get(&order.secret()).await.unwrap();
        let place = directory.join(&order.name);
        std::fs::create_dir_all(&place).unwrap();
        for (entry, content) in secret.data.unwrap_or_default() {
            std::fs::write(place.join(entry), content.0).unwrap();
        }
        outputs.push(json!({
            "name": order.name,
            "names": order.names,
            "root": root_file(order.cloud),
            "type": secret.type_,
            "has_key": order.passwords.is_some(),
            "has_root": order.is_rooted,
            "pkcs12_password": order.passwords.map(|passwords| passwords.pkcs12),
            "jks_password": order.passwords.map(|passwords| passwords.jks),
            "jks_alias": order.alias.unwrap_or("certificate").to_lowercase(),
        }));
    }
    std::fs::write(directory.join("outputs.json"), format!("{:#}\n", json!(outputs))).unwrap();
}

fn root_file(cloud: Kind) -> &'static str {
    match cloud {
        Kind::Tencent => "root-tencent.pem",
        Kind::Huawei => "root-huawei.pem",
    }
}
