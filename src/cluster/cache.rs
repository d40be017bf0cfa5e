//! Objects as a watch last showed them, with an index of their references: the objects that refer to another one are
//! looked up, not searched.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, PoisonError, RwLock};

use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use serde_json::Value;

/// An object by namespace and name.
pub type Key = (String, String);

/// The annotation in which `kubectl apply` keeps a copy of the object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What an object refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A Secret.
    Secret(Key),
    /// An `OrganizationProfile`.
    Profile(Key),
    /// A paid certificate, by the cloud's name and its id.
    Certificate(&'static str, String),
    /// A certificate that is to take the place of the one of an order, in the same way.
    Successor(&'static str, String),
    /// The order that carries such a certificate.
    Carrier(Key),
}

/// A kind of object that is cached.
pub trait Cached: Resource<DynamicType = ()> + Clone + 'static {
    /// Everything that it refers to, in any order.
    fn targets(&self) -> Vec<Target>;

    /// The certificate that an object names which cannot be read, if that can be read of it.
    #[must_use]
    fn certificate_in(_object: &Value) -> Option<Target> {
        None
    }

    /// Drops the fields of a cached object that are not read.
    fn trim(&mut self) {}
}

/// The objects of one kind. Cloning shares them.
pub struct Cache<K: Cached> {
    objects: Store<K>,
    index: Arc<RwLock<Index>>,
    /// The objects that cannot be read, with the certificate of each that names one.
    unreadable: Arc<RwLock<BTreeMap<Key, Option<Target>>>>,
}

impl<K: Cached> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self {
            objects: self.objects.clone(),
            index: Arc::clone(&self.index),
            unreadable: Arc::clone(&self.unreadable),
        }
    }
}

impl<K: Cached> Cache<K> {
    /// An empty cache, and its writer.
    #[must_use]
    pub fn new() -> (Self, Writer<K>) {
        let (objects, into) = store();
        let cache = Self { objects, index: Arc::default(), unreadable: Arc::default() };
        (cache.clone(), Writer { cache, into, listed: Index::default() })
    }

    /// The objects themselves.
    #[must_use]
    pub fn objects(&self) -> &Store<K> {
        &self.objects
    }

    /// An object, unless it is deleted.
    #[must_use]
    pub fn get(&self, (namespace, name): &Key) -> Option<Arc<K>> {
        self.objects.get(&ObjectRef::new(name).within(namespace))
    }

    /// Whether an object that this version of certorder cannot read may refer to this certificate.
    #[must_use]
    pub fn may_hide(&self, certificate: &Target) -> bool {
        let unreadable = self.unreadable.read().unwrap_or_else(PoisonError::into_inner);
        unreadable.values().any(|named| named.as_ref().is_none_or(|named| named == certificate))
    }

    /// How many objects this version of certorder cannot read.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.unreadable.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn now_readable(&self, key: &Key) {
        self.unreadable.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// The objects that refer to this one.
    #[must_use]
    pub fn referring_to(&self, target: &Target) -> Vec<Arc<K>> {
        let keys = self.index.read().unwrap_or_else(PoisonError::into_inner).candidates(target);
        keys.iter()
            .filter_map(|key| self.get(key))
            .filter(|object| object.targets().contains(target))
            .collect()
    }
}

/// Fills a cache from a watch.
pub struct Writer<K: Cached> {
    cache: Cache<K>,
    into: store::Writer<K>,
    /// The index of the objects in the current list so far.
    listed: Index,
}

impl<K: Cached> Writer<K> {
    /// An object as cached now.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.cache.get(key)
    }

    /// Applies an event of the watch. Fields that are not read are dropped: they are more than half of most objects.
    pub fn apply(&mut self, event: Event<K>) {
        let event = event.modify(|object| {
            object.meta_mut().managed_fields = None;
            if let Some(annotations) = &mut object.meta_mut().annotations {
                annotations.remove(LAST_APPLIED);
            }
            object.trim();
        });
        match &event {
            Event::Apply(object) => {
                let key = key(object);
                self.cache.now_readable(&key);
                self.replace(&key, Some(object));
            }
            Event::Delete(object) => self.replace(&key(object), None),
            Event::Init => {
                self.listed = Index::default();
                // The list shows again those that still exist.
                self.cache.unreadable.write().unwrap_or_else(PoisonError::into_inner).clear();
            }
            Event::InitApply(object) => {
                let key = key(object);
                self.cache.now_readable(&key);
                self.listed.add(key, &object.targets());
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                self.write_index(|index| *index = listed);
            }
        }
        self.into.apply_watcher_event(&event);
    }

    /// Marks an object that cannot be read, and drops its earlier version.
    pub fn unreadable(&mut self, key: &Key, certificate: Option<Target>) {
        self.remove(key);
        let unreadable = self.cache.unreadable.write();
        unreadable.unwrap_or_else(PoisonError::into_inner).insert(key.clone(), certificate);
    }

    /// Removes an object that was deleted.
    pub fn deleted(&mut self, key: &Key) {
        self.remove(key);
        self.cache.now_readable(key);
    }

    fn remove(&mut self, key: &Key) {
        if let Some(object) = self.cache.get(key) {
            self.apply(Event::Delete(K::clone(&object)));
        }
    }

    fn replace(&self, key: &Key, object: Option<&K>) {
        let before = self.cache.get(key).map(|object| object.targets()).unwrap_or_default();
        let after = object.map(Cached::targets).unwrap_or_default();
        if before != after {
            self.write_index(|index| {
                index.remove(key, &before);
                index.add(key.clone(), &after);
            });
        }
    }

    fn write_index<T>(&self, write: impl FnOnce(&mut Index) -> T) -> T {
        write(&mut self.cache.index.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key of this object.
pub fn key(object: &impl ResourceExt) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// The objects that may refer to a target, by the target's hash: the names of all targets would take as much memory as
/// the objects. The caller checks the object itself.
#[derive(Default)]
struct Index {
    referrers: HashMap<u64, Vec<Arc<Key>>>,
    hasher: RandomState,
}

impl Index {
    fn add(&mut self, key: Key, targets: &[Target]) {
        let key = Arc::new(key);
        for target in targets {
            let hash = self.hasher.hash_one(target);
            let referrers = self.referrers.entry(hash).or_insert_with(|| Vec::with_capacity(1));
            if referrers.last() != Some(&key) {
                referrers.push(Arc::clone(&key));
            }
        }
    }

    fn remove(&mut self, key: &Key, targets: &[Target]) {
        for target in targets {
            let hash = self.hasher.hash_one(target);
            if let Some(referrers) = self.referrers.get_mut(&hash) {
                referrers.retain(|referrer| **referrer != *key);
                if referrers.is_empty() {
                    self.referrers.remove(&hash);
                }
            }
        }
    }

    fn candidates(&self, target: &Target) -> Vec<Arc<Key>> {
        self.referrers.get(&self.hasher.hash_one(target)).cloned().unwrap_or_default()
    }
}
