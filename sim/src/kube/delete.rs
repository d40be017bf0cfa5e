//! Deletion: finalizers, and everything that goes with an object.
//!
//! A cluster's garbage collector and namespace controller work in the background; here their work is done before the
//! reply is sent. Clients that rely on neither see the same end.

use std::sync::Arc;

use serde_json::{Value, json};

use super::crd;
use super::object::Object;
use super::preconditions;
use super::registry::Target;
use super::resource::Resource;
use super::state::{State, namespace_key};
use super::status::{self, Failure};
use super::store::{Key, key_of};
use super::time::timestamp;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What happens to the objects that name the deleted one as their owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// How a deletion is to be carried out.
#[derive(Debug, Clone)]
pub(crate) struct DeleteOptions {
    pub(crate) dry_run: bool,
    pub(crate) propagation: Propagation,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
}

impl State {
    /// Deletes the target. The reply is a `Status` when the object is gone, or the object while finalizers hold it.
    pub(crate) fn delete(&mut self, target: &Target, options: &DeleteOptions) -> Result<Arc<Value>, Failure> {
        let resource = &target.resource;
        check_protected(resource, target.name.as_deref().unwrap_or_default())?;
        let object = Arc::clone(self.get(target)?);
        preconditions::check(resource, &object, &options.uid, &options.resource_version)?;
        let gone = Arc::new(status::deleted(resource, object.name(), object.uid()));
        if options.dry_run {
            return Ok(gone);
        }
        let key = key_of(&resource.collection, &object);
        self.begin_deletion(&key, options.propagation)?;
        // A namespace is shown as it ends, though here it is gone by now.
        let lingers = resource.is_namespace();
        Ok(match self.store.get(&key) {
            Some(waiting) => resource.present(waiting),
            None if lingers => object,
            None => gone,
        })
    }

    /// Deletes one object of a list that was just read.
    pub(crate) fn delete_listed(
        &mut self,
        target: &Target,
        object: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Failure> {
        let one = Target {
            namespace: object.namespace().to_owned(),
            name: Some(object.name().to_owned()),
            ..target.clone()
        };
        match self.delete(&one, options) {
            // Gone already, as a dependent of an object deleted before.
            Err(failure) if failure.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes an object: at once without finalizers, else it is marked and waits for them.
    fn begin_deletion(&mut self, key: &Key, propagation: Propagation) -> Result<(), Failure> {
        let Some(object) = self.store.get(key).cloned() else { return Ok(()) };
        if object.finalizers().is_empty() && propagation == Propagation::Background && !holds_others(key) {
            return self.take_away(key);
        }
        if !object.is_deleting() {
            let marked = mark(key, &object, propagation);
            self.put(&key.collection, marked)?;
        }
        if is_namespace(key) {
            for inner in self.store.contents(&key.name) {
                self.begin_deletion(&inner, Propagation::Background)?;
            }
        }
        if crd::is_definition(&key.collection) {
            for instance in self.store.keys(&crd::collection_of(&object), "") {
                self.begin_deletion(&instance, Propagation::Background)?;
            }
        }
        match propagation {
            Propagation::Foreground => self.delete_dependents(object.uid())?,
            Propagation::Orphan => self.orphan_dependents(object.uid())?,
            Propagation::Background => {}
        }
        self.finish_deletion(key)
    }

    fn delete_dependents(&mut self, uid: &str) -> Result<(), Failure> {
        for dependent in self.store.dependents(uid) {
            if self.living_owners(&dependent) <= 1 {
                self.begin_deletion(&dependent, Propagation::Foreground)?;
            }
        }
        Ok(())
    }

    fn orphan_dependents(&mut self, uid: &str) -> Result<(), Failure> {
        for dependent in self.store.dependents(uid) {
            self.disown(&dependent, |owner| owner == uid)?;
        }
        Ok(())
    }

    /// Removes a marked object that nothing holds any more; takes off the finalizers that stand for work of the cluster
    /// itself, once that is done.
    pub(crate) fn finish_deletion(&mut self, key: &Key) -> Result<(), Failure> {
        let Some(object) = self.store.get(key).cloned() else { return Ok(()) };
        if !object.is_deleting() {
            return Ok(());
        }
        let mut left = Value::clone(&object);
        let finalizers = object.finalizers();
        let kept: Vec<&str> = finalizers.iter().filter(|name| self.holds(&object, name)).copied().collect();
        set_finalizers(&mut left, &kept);
        if self.is_released(key, &left) {
            return self.take_away(key);
        }
        if kept.len() < finalizers.len() {
            self.put(&key.collection, left)?;
        }
        Ok(())
    }

    /// Whether an object is marked and nothing holds it.
    pub(crate) fn is_released(&self, key: &Key, object: &Value) -> bool {
        let holds_contents = is_namespace(key) && self.store.has_contents(&key.name);
        object.is_deleting() && object.finalizers().is_empty() && !holds_contents
    }

    /// Whether a finalizer still has a reason; those of controllers always have.
    fn holds(&self, object: &Value, finalizer: &str) -> bool {
        let dependents = || self.store.dependents(object.uid());
        match finalizer {
            ORPHAN => !dependents().is_empty(),
            FOREGROUND => dependents().iter().any(|dependent| self.blocks(dependent, object.uid())),
            crd::FINALIZER => self.store.list(&crd::collection_of(object), "", None).next().is_some(),
            _ => true,
        }
    }

    /// Removes an object, what depended on it, and what waited for its end.
    pub(crate) fn take_away(&mut self, key: &Key) -> Result<(), Failure> {
        let Some(gone) = self.remove(key) else { return Ok(()) };
        for dependent in self.store.dependents(gone.uid()) {
            self.collect_if_orphaned(&dependent)?;
        }
        let owners = gone.owner_uids().into_iter().filter_map(|uid| self.store.find_uid(uid).cloned());
        let mut waiting: Vec<Key> = owners.collect();
        waiting.push(namespace_key(&key.namespace));
        waiting.push(crd::definition_of(&key.collection));
        for key in waiting {
            if self.store.get(&key).is_some_and(|object| object.is_deleting()) {
                self.finish_deletion(&key)?;
            }
        }
        Ok(())
    }

    /// Deletes an object all of whose owners are gone; else takes the gone ones off its list.
    pub(crate) fn collect_if_orphaned(&mut self, key: &Key) -> Result<(), Failure> {
        let Some(object) = self.store.get(key) else { return Ok(()) };
        let owners = object.owner_references().len();
        let living = self.living_owners(key);
        if living == owners {
            return Ok(());
        }
        if living == 0 {
            return self.begin_deletion(key, Propagation::Background);
        }
        let gone: Vec<String> =
            object.owner_uids().into_iter().filter(|uid| !self.lives(key, uid)).map(str::to_owned).collect();
        self.disown(key, |owner| gone.iter().any(|uid| uid == owner))
    }

    fn living_owners(&self, key: &Key) -> usize {
        let owners = self.store.get(key).map(|object| object.owner_uids()).unwrap_or_default();
        owners.iter().filter(|uid| self.lives(key, uid)).count()
    }

    /// Whether an owner exists, in the namespace of its dependent or outside namespaces.
    fn lives(&self, dependent: &Key, uid: &str) -> bool {
        let owner = self.store.find_uid(uid);
        owner.is_some_and(|owner| owner.namespace.is_empty() || owner.namespace == dependent.namespace)
    }

    fn blocks(&self, dependent: &Key, uid: &str) -> bool {
        let references =
            self.store.get(dependent).map(|object| object.owner_references()).unwrap_or_default();
        references.iter().any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
    }

    fn disown(&mut self, key: &Key, lost: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let Some(object) = self.store.get(key) else { return Ok(()) };
        let mut changed = Value::clone(object);
        let owners = object.owner_references().iter();
        let kept: Vec<Value> =
            owners.filter(|owner| !owner["uid"].as_str().is_some_and(&lost)).cloned().collect();
        if kept.is_empty() {
            changed.remove_meta("ownerReferences");
        } else {
            changed.set_meta("ownerReferences", kept);
        }
        self.put(&key.collection, changed).map(drop)
    }
}

/// The object with a deletion timestamp and what must happen before it may go.
fn mark(key: &Key, object: &Value, propagation: Propagation) -> Value {
    let mut marked = object.clone();
    marked.set_meta("deletionTimestamp", timestamp());
    marked.set_meta("deletionGracePeriodSeconds", 0);
    if let Some(generation) = object.meta("generation").and_then(Value::as_i64) {
        marked.set_meta("generation", generation + 1);
    }
    let mut finalizers = object.finalizers();
    match propagation {
        Propagation::Foreground => finalizers.push(FOREGROUND),
        Propagation::Orphan => finalizers.push(ORPHAN),
        Propagation::Background => {}
    }
    if crd::is_definition(&key.collection) {
        finalizers.push(crd::FINALIZER);
    }
    set_finalizers(&mut marked, &finalizers);
    if is_namespace(key) {
        marked.set("status", Some(json!({ "phase": "Terminating" })));
    }
    marked
}

fn set_finalizers(object: &mut Value, finalizers: &[&str]) {
    if finalizers.is_empty() {
        object.remove_meta("finalizers");
    } else {
        object.set_meta("finalizers", finalizers.to_vec());
    }
}

/// Namespaces and definitions go last, after what is in them.
fn holds_others(key: &Key) -> bool {
    is_namespace(key) || crd::is_definition(&key.collection)
}

fn is_namespace(key: &Key) -> bool {
    key.collection.group.is_empty() && key.collection.plural == "namespaces"
}

/// The namespaces that every cluster needs stay.
fn check_protected(resource: &Resource, name: &str) -> Result<(), Failure> {
    if resource.is_namespace() && matches!(name, "default" | "kube-system" | "kube-public") {
        return Err(Failure::forbidden(resource, name, "this namespace may not be deleted"));
    }
    Ok(())
}
