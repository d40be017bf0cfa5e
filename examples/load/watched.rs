//! What the statuses of the orders say, counted by a watch.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use kube::api::NotUsed;
use kube::core::Object;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::world::kind;

/// The part of a status that is read here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

type Order = Object<NotUsed, Status>;

/// The conditions that are counted.
const COUNTED: [&str; 2] = ["Ordered", "Issued"];

/// The orders of which a condition was true once.
pub(crate) struct Watched {
    seen: Arc<Mutex<[BTreeSet<String>; COUNTED.len()]>>,
    task: JoinHandle<()>,
}

impl Watched {
    pub(crate) fn start(client: Client) -> Self {
        let orders: Api<Order> = Api::all_with(client, &kind());
        let seen: Arc<Mutex<[BTreeSet<String>; COUNTED.len()]>> = Arc::default();
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let events = watcher(orders, watcher::Config::default()).default_backoff().applied_objects();
            let counted = events.try_for_each(|order| {
                note(&kept, &order);
                futures::future::ok(())
            });
            // It ends only with the cluster.
            drop(counted.await);
        });
        Self { seen, task }
    }

    /// How many orders are, or were, sent to the CA, by their status.
    pub(crate) fn ordered(&self) -> usize {
        self.count(0)
    }

    /// How many are issued, by their status.
    pub(crate) fn issued(&self) -> usize {
        self.count(1)
    }

    fn count(&self, which: usize) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)[which].len()
    }
}

fn note(seen: &Mutex<[BTreeSet<String>; COUNTED.len()]>, order: &Order) {
    let conditions = order.status.iter().flat_map(|status| &status.conditions);
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for condition in conditions.filter(|condition| condition.status == "True") {
        if let Some(which) = COUNTED.iter().position(|counted| *counted == condition.kind) {
            seen[which].insert(order.name_any());
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}
