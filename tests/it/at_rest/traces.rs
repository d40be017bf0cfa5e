//! What a while leaves behind: requests to the API server, calls to the cloud, versions of objects.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::cases::Case;
use crate::world::World;

/// What the names of the orders begin with that show that time passes.
pub(super) const MARKER: &str = "marker";

/// A moment.
pub(super) struct Traces {
    requests: usize,
    calls: usize,
    /// The versions of all objects, by kind and name.
    versions: BTreeMap<(&'static str, String), String>,
}

impl Traces {
    pub(super) async fn of(world: &World) -> Self {
        let (requests, calls) = (world.api.seen().len(), world.site.ledger().len());
        Self { requests, calls, versions: versions(world).await }
    }

    /// Whether each of the orders' Secrets was read since.
    pub(super) fn has_read_all(&self, world: &World, cases: &[Case]) -> bool {
        let seen = world.api.seen();
        let read = seen.iter().skip(self.requests).filter(|seen| seen.method == Method::GET);
        let read: BTreeSet<&str> = read.filter_map(|seen| seen.path.rsplit('/').next()).collect();
        cases.iter().flat_map(|case| &case.secrets).all(|secret| read.contains(secret.as_str()))
    }

    /// The requests since that change an object which was there.
    pub(super) fn writes(&self, world: &World) -> Vec<String> {
        let names: BTreeSet<&str> = self.versions.keys().map(|(_, name)| name.as_str()).collect();
        let seen = world.api.seen();
        let writes = seen.iter().skip(self.requests).filter(|seen| seen.method != Method::GET);
        let paths = writes.map(|seen| seen.path.split('?').next().unwrap_or_default());
        paths.filter(|path| path.split('/').any(|name| names.contains(name))).map(str::to_owned).collect()
    }

    /// The calls since for these orders.
    pub(super) fn calls_for<'a>(
        &self,
        world: &World,
        cases: impl IntoIterator<Item = &'a Case>,
    ) -> Vec<String> {
        self.calls_beyond_looks(world, cases, 0)
    }

    /// The same, but for so many looks at each.
    pub(super) fn calls_beyond_looks<'a>(
        &self,
        world: &World,
        cases: impl IntoIterator<Item = &'a Case>,
        most: usize,
    ) -> Vec<String> {
        let mut actions = BTreeMap::<String, Vec<String>>::new();
        for call in world.site.ledger().split_off(self.calls) {
            actions.entry(call.certificate_id.unwrap_or_default()).or_default().push(call.action);
        }
        let names = world.kind.names();
        let beyond = |case: &Case| {
            let of_this = actions.remove(&case.certificate).unwrap_or_default();
            let count = |action: &str| of_this.iter().filter(|made| *made == action).count();
            // The first read after a start is made for many.
            let looks = [Some(names.read), names.list].map(|action| action.map_or(0, count));
            let are_looks =
                looks.iter().sum::<usize>() == of_this.len() && looks.iter().all(|made| *made <= most);
            (!are_looks).then(|| format!("{}: {}", case.name, of_this.join(", ")))
        };
        cases.into_iter().filter_map(beyond).collect()
    }

    /// The objects that are not as they were.
    pub(super) async fn changed(&self, world: &World) -> Vec<String> {
        let now = versions(world).await;
        let changed = self.versions.iter().filter(|(object, version)| now.get(*object) != Some(version));
        changed.map(|((kind, name), _)| format!("{kind} {name}")).collect()
    }

    /// The objects that were not there and are no marker's. A claim is named after its certificate, and left out.
    pub(super) async fn created(&self, world: &World) -> Vec<String> {
        let now = versions(world).await;
        let new = now.into_keys().filter(|object| !self.versions.contains_key(object));
        let new = new.filter(|(kind, name)| !name.starts_with(MARKER) && *kind != "Lease");
        new.map(|(kind, name)| format!("{kind} {name}")).collect()
    }
}

async fn versions(world: &World) -> BTreeMap<(&'static str, String), String> {
    let mut all = BTreeMap::new();
    add(&mut all, "CertificateOrder", &world.orders()).await;
    add(&mut all, "Secret", &world.api_of::<Secret>()).await;
    add(&mut all, "Event", &world.api_of::<Event>()).await;
    let claims: Api<Lease> = Api::namespaced(world.client(), &world.claims);
    add(&mut all, "Lease", &claims).await;
    all
}

async fn add<K>(all: &mut BTreeMap<(&'static str, String), String>, kind: &'static str, api: &Api<K>)
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let objects = api.list(&ListParams::default()).await.unwrap().items;
    all.extend(
        objects
            .iter()
            .map(|object| ((kind, object.name_any()), object.resource_version().unwrap_or_default())),
    );
}
