//! The store together with the kinds it serves, since a stored `CustomResourceDefinition` is a kind.

use std::sync::Arc;

use serde_json::Value;

use super::crd;
use super::object::Object;
use super::registry::{Registry, Target};
use super::resource::Resource;
use super::status::Failure;
use super::store::{Collection, Key, Store};

/// Everything behind the server's lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
}

impl State {
    /// The object that a target names, as stored.
    pub(crate) fn get(&self, target: &Target) -> Result<&Arc<Value>, Failure> {
        let name = target.name.as_deref().unwrap_or_default();
        self.store.get(&target.key(name)).ok_or_else(|| Failure::not_found(&target.resource, name))
    }

    /// Stores an object, and serves the kind that it declares if it is a `CustomResourceDefinition`.
    pub(crate) fn put(&mut self, collection: &Collection, object: Value) -> Result<Arc<Value>, Failure> {
        if crd::is_definition(collection) {
            let versions =
                crd::resources_of(&object).map_err(|_| Failure::internal("unusable definition"))?;
            self.registry.replace(&crd::collection_of(&object), versions);
        }
        Ok(self.store.put(collection, object))
    }

    /// Removes an object, and the kind that it declared.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let removed = self.store.remove(key)?;
        if crd::is_definition(&key.collection) {
            self.registry.replace(&crd::collection_of(&removed), Vec::new());
        }
        Some(removed)
    }

    /// The Namespace object of that name.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Arc<Value>> {
        self.store.get(&namespace_key(name))
    }

    /// 404 or 403 when nothing can be created in a namespace.
    pub(crate) fn check_namespace(
        &self,
        resource: &Resource,
        name: &str,
        namespace: &str,
    ) -> Result<(), Failure> {
        match self.namespace(namespace) {
            Some(found) if found.is_deleting() => {
                Err(Failure::namespace_terminating(resource, name, namespace))
            }
            Some(_) => Ok(()),
            None => {
                let namespaces =
                    self.registry.find("", "v1", "namespaces").ok_or_else(Failure::no_such_path)?;
                Err(Failure::not_found(namespaces, namespace))
            }
        }
    }
}

impl Target {
    pub(crate) fn key(&self, name: &str) -> Key {
        Key {
            collection: self.resource.collection.clone(),
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

pub(crate) fn namespace_key(name: &str) -> Key {
    Key { collection: Collection::new("", "namespaces"), namespace: String::new(), name: name.to_owned() }
}
