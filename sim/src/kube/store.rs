//! What is stored, and the history that watches read: no rules of Kubernetes but one, that every
//! write gets the next resourceVersion.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::object::Object;

/// How many changes are kept for watches that resume; an older version gets 410.
const HISTORY: usize = 50_000;

/// Where objects of one kind live: its group and plural, without a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Collection {
    pub(crate) group: String,
    pub(crate) plural: String,
}

impl Collection {
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self { group: group.into(), plural: plural.into() }
    }
}

/// Where one object lives. `namespace` is empty for cluster-scoped kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) collection: Collection,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// One write: created (nothing before), changed, or removed (nothing after).
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) collection: Collection,
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) after: Option<Arc<Value>>,
}

/// Shows no objects, since Secrets are among them.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("version", &self.version).finish_non_exhaustive()
    }
}

type Place = (String, String);

/// All objects, with the order of their changes.
pub(crate) struct Store {
    version: u64,
    /// The newest version that the history no longer holds.
    compacted: u64,
    collections: BTreeMap<Collection, BTreeMap<Place, Arc<Value>>>,
    by_uid: BTreeMap<String, Key>,
    dependents: BTreeMap<String, BTreeSet<Key>>,
    history: VecDeque<Change>,
    latest: watch::Sender<u64>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            version: 1,
            compacted: 1,
            collections: BTreeMap::new(),
            by_uid: BTreeMap::new(),
            dependents: BTreeMap::new(),
            history: VecDeque::new(),
            latest: watch::Sender::new(1),
        }
    }

    /// The version of the newest write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// A receiver that wakes after each write.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.collections.get(&key.collection)?.get(&(key.namespace.clone(), key.name.clone()))
    }

    /// The objects of a collection after `start`, ordered by namespace and name; an empty namespace
    /// means all of them.
    pub(crate) fn list<'a>(
        &'a self,
        collection: &Collection,
        namespace: &'a str,
        start: Option<Place>,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        let from = start.map_or_else(
            || std::ops::Bound::Included((namespace.to_owned(), String::new())),
            std::ops::Bound::Excluded,
        );
        self.collections
            .get(collection)
            .into_iter()
            .flat_map(move |objects| objects.range((from.clone(), std::ops::Bound::Unbounded)))
            .take_while(move |((found, _), _)| namespace.is_empty() || found == namespace)
            .map(|(_, object)| object)
    }

    /// The keys of everything in a namespace.
    pub(crate) fn contents(&self, namespace: &str) -> Vec<Key> {
        let collections = self.collections.keys();
        collections.flat_map(|collection| self.keys(collection, namespace)).collect()
    }

    pub(crate) fn has_contents(&self, namespace: &str) -> bool {
        self.collections.keys().any(|collection| self.list(collection, namespace, None).next().is_some())
    }

    /// The keys of a collection; an empty namespace means all of them.
    pub(crate) fn keys(&self, collection: &Collection, namespace: &str) -> Vec<Key> {
        let objects = self.list(collection, namespace, None);
        objects.map(|object| key_of(collection, object)).collect()
    }

    pub(crate) fn find_uid(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    /// The objects that name `uid` as an owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Stores an object under the next resourceVersion and returns it as stored.
    pub(crate) fn put(&mut self, collection: &Collection, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object.set_meta("resourceVersion", self.version.to_string());
        let key = key_of(collection, &object);
        let object = Arc::new(object);
        let place = (key.namespace.clone(), key.name.clone());
        let objects = self.collections.entry(collection.clone()).or_default();
        let before = objects.insert(place, Arc::clone(&object));
        if let Some(before) = &before {
            self.unindex(&key, before);
        }
        self.by_uid.insert(object.uid().to_owned(), key.clone());
        for owner in object.owner_uids() {
            self.dependents.entry(owner.to_owned()).or_default().insert(key.clone());
        }
        self.record(collection, before, Some(Arc::clone(&object)));
        object
    }

    /// Removes an object and returns it as it was.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let objects = self.collections.get_mut(&key.collection)?;
        let before = objects.remove(&(key.namespace.clone(), key.name.clone()))?;
        self.version += 1;
        self.unindex(key, &before);
        self.record(&key.collection, Some(Arc::clone(&before)), None);
        Some(before)
    }

    /// The changes after `version`, or the oldest version that can be asked for when those are gone.
    pub(crate) fn since(&self, version: u64) -> Result<impl Iterator<Item = &Change>, u64> {
        if version < self.compacted {
            return Err(self.compacted);
        }
        let first = self.history.partition_point(|change| change.version <= version);
        Ok(self.history.range(first..))
    }

    /// Forgets the history, so that a watch can only begin at the present version.
    pub(crate) fn compact(&mut self) {
        self.history.clear();
        self.compacted = self.version;
    }

    fn record(&mut self, collection: &Collection, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        let change = Change { version: self.version, collection: collection.clone(), before, after };
        self.history.push_back(change);
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.version;
        }
        self.latest.send_replace(self.version);
    }

    fn unindex(&mut self, key: &Key, object: &Value) {
        self.by_uid.remove(object.uid());
        for owner in object.owner_uids() {
            if let Some(keys) = self.dependents.get_mut(owner) {
                keys.remove(key);
                if keys.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
    }
}

/// Where an object belongs.
pub(crate) fn key_of(collection: &Collection, object: &Value) -> Key {
    Key {
        collection: collection.clone(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
    }
}
