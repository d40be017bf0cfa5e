//! The claims of the orders of a sandbox: none is left once the orders are gone.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::time::{Instant, sleep};

use super::environment::Environment;
use crate::deploy;

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How many claims orders of these namespaces hold.
pub(crate) async fn count(environment: &Environment, namespaces: &[&str]) -> usize {
    let leases: Api<Lease> = Api::namespaced(environment.cluster.client.clone(), deploy::CLAIMS);
    let all = leases.list(&ListParams::default()).await.unwrap().items;
    let of_these = |lease: &&Lease| {
        let namespace = lease.annotations().get("certorder.dev/order-namespace");
        namespace.is_some_and(|namespace| namespaces.contains(&namespace.as_str()))
    };
    all.iter().filter(of_these).count()
}

/// Waits until there is none, and returns how many are left after this time.
pub(crate) async fn until_none(environment: &Environment, namespaces: &[&str], timeout: Duration) -> usize {
    let start = Instant::now();
    loop {
        let left = count(environment, namespaces).await;
        if left == 0 || start.elapsed() > timeout {
            return left;
        }
        sleep(POLL_INTERVAL).await;
    }
}
