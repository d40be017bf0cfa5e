//! Watches of the objects of a kind. A watch that fails is logged and restarted with exponential backoff; it does not
//! delay other watches.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use futures::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use tracing::warn;

use crate::cluster::cache::{Cached, Key, LAST_APPLIED, Target, Writer};
use crate::cluster::error::{LogOnce, explain};
use crate::cluster::listed::{Listed, Unreadable};
use crate::core::clock::Clock;

/// How many objects one request lists: a page is in memory several times over while it is parsed.
const PAGE: u32 = 250;

/// A watch event: an object was created, changed or deleted.
#[derive(Debug)]
pub struct Changed {
    /// The object.
    pub key: Key,
    /// Its resourceVersion; `None` if it was deleted.
    pub version: Option<String>,
    /// Whether a user has changed it: its spec, or an annotation.
    pub is_edited: bool,
    at: Option<Timestamp>,
}

impl Changed {
    fn new(metadata: &ObjectMeta) -> Self {
        let key = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let version = metadata.resource_version.clone();
        Self { key, version, is_edited: true, at: changed_at(metadata) }
    }

    fn deleted(metadata: &ObjectMeta) -> Self {
        Self { version: None, ..Self::new(metadata) }
    }
}

/// When an object was last changed, by the times of its managed fields.
fn changed_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    managers.chain(&metadata.creation_timestamp).map(|time| time.0).max()
}

/// Fills a cache of objects, and yields each one that changed. One that cannot be read is ignored and does not delay
/// others: it may have been written for another version of certorder.
pub fn objects<K>(api: Api<Listed<K>>, cache: Writer<K>) -> impl Stream<Item = Changed> + Send
where
    K: Cached + DeserializeOwned + Debug + Send + Sync,
{
    let mut writer = CacheWriter { cache, listed: Vec::new() };
    events(api).flat_map(move |event| stream::iter(writer.apply(event)))
}

/// Yields every Secret that changed, without its content: only metadata is watched.
pub fn secrets(api: Api<PartialObjectMeta<Secret>>) -> impl Stream<Item = Changed> + Send {
    events(api).filter_map(|event| {
        std::future::ready(match event {
            Event::Apply(secret) | Event::InitApply(secret) => Some(Changed::new(&secret.metadata)),
            Event::Delete(secret) => Some(Changed::deleted(&secret.metadata)),
            Event::Init | Event::InitDone => None,
        })
    })
}

fn events<R>(api: Api<R>) -> impl Stream<Item = Event<R>> + Send
where
    R: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    // kube's own backoff is not used: it counts the start of each attempt as a success, so its pauses never grow.
    let mut pauses = DefaultBackoff::default();
    let mut log_once = LogOnce::default();
    let changed = watcher(api, watcher::Config::default().page_size(PAGE)).then(move |event| {
        let pause = match &event {
            Err(error) => {
                let error = explain(error);
                if log_once.is_new(&error) {
                    warn!(kind = %R::kind(&()), %error, "the watch failed and is restarted");
                }
                pauses.next()
            }
            Ok(Event::Init | Event::InitApply(_)) => None,
            Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => {
                pauses.reset();
                None
            }
        };
        async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            event.ok()
        }
    });
    changed.filter_map(std::future::ready)
}

/// Writes what a watch shows into a cache.
struct CacheWriter<K: Cached> {
    cache: Writer<K>,
    /// The objects of the current list so far. They are in the cache only once the list is complete.
    listed: Vec<Changed>,
}

impl<K: Cached> CacheWriter<K> {
    /// Applies an event, and returns the changes that the cache now has.
    fn apply(&mut self, event: Event<Listed<K>>) -> Vec<Changed> {
        match event {
            Event::Init => {
                self.listed.clear();
                self.cache.apply(Event::Init);
            }
            Event::InitApply(Listed(object)) => {
                let changed = self.keep(object, Event::InitApply);
                self.listed.push(changed);
            }
            Event::InitDone => {
                self.cache.apply(Event::InitDone);
                return std::mem::take(&mut self.listed);
            }
            Event::Apply(Listed(object)) => return vec![self.keep(object, Event::Apply)],
            Event::Delete(Listed(object)) => {
                let changed = Changed::deleted(metadata(&object));
                self.cache.deleted(&changed.key);
                return vec![changed];
            }
        }
        Vec::new()
    }

    fn keep(&mut self, object: Result<K, Unreadable>, event: fn(K) -> Event<K>) -> Changed {
        let changed = self.changed(&object);
        match object {
            Ok(object) => self.cache.apply(event(object)),
            Err(unreadable) => self.ignore(&changed.key, unreadable.certificate),
        }
        changed
    }

    fn changed(&self, object: &Result<K, Unreadable>) -> Changed {
        let metadata = metadata(object);
        let changed = Changed::new(metadata);
        let before = self.cache.get(&changed.key);
        let is_edited = before.is_none_or(|before| {
            let before = before.meta();
            before.generation != metadata.generation || !annotations(before).eq(annotations(metadata))
        });
        Changed { is_edited, ..changed }
    }

    fn ignore(&mut self, key: &Key, certificate: Option<Target>) {
        let (namespace, name) = key;
        // The error itself is not logged: it may quote values of the object.
        warn!(
            kind = %K::kind(&()), namespace, name,
            "this version of certorder cannot read an object, and ignores it; correct the object, or run the version \
             that it was written for"
        );
        self.cache.unreadable(key, certificate);
    }
}

/// The annotations that are kept.
fn annotations(metadata: &ObjectMeta) -> impl Iterator<Item = (&String, &String)> {
    metadata.annotations.iter().flatten().filter(|(name, _)| *name != LAST_APPLIED)
}

fn metadata<K: Resource>(object: &Result<K, Unreadable>) -> &ObjectMeta {
    object.as_ref().map_or_else(|unreadable| &unreadable.metadata, Resource::meta)
}

/// Filters out events that show no change of a referenced object: a watch that starts or restarts shows every object
/// again.
pub struct ChangeFilter {
    /// By hash, to save memory: a cluster may have very many Secrets.
    versions: Mutex<HashMap<u64, u64>>,
    hasher: RandomState,
    /// Changes before then are read by the first pass of every order.
    since: Timestamp,
}

/// More than the clocks of two machines differ by.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(5);

impl ChangeFilter {
    /// A filter that has seen no event, starting now.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        let since = clock.now().checked_sub(CLOCKS_DIFFER_BY).unwrap_or(Timestamp::MIN);
        Self { versions: Mutex::default(), hasher: RandomState::new(), since }
    }

    /// Whether the object has changed since the watch showed it last.
    pub fn is_new(&self, changed: &Changed) -> bool {
        let (object, version) = (self.hasher.hash_one(&changed.key), self.hasher.hash_one(&changed.version));
        let mut seen = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.insert(object, version) {
            Some(known) => known != version,
            None => changed.at.is_none_or(|changed| changed >= self.since),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::Router;
    use axum::http::StatusCode;
    use kube::Client;
    use serde_json::{Value, json};
    use tokio::time::timeout;

    use super::*;
    use crate::api::v1alpha1::CertificateOrder;
    use crate::cluster::cache::Cache;

    fn order(name: &str, common_name: &Value) -> Listed<CertificateOrder> {
        serde_json::from_value(json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"namespace": "shop", "name": name, "resourceVersion": "7"},
            "spec": {"provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
                     "credentialsRef": {"name": "cloud"}, "commonName": common_name},
        }))
        .unwrap()
    }

    #[test]
    fn an_object_that_cannot_be_read_delays_no_other_and_is_back_once_it_is_corrected() {
        let (cache, into) = Cache::new();
        let mut writer = CacheWriter { cache: into, listed: Vec::new() };
        let key = |name: &str| ("shop".to_owned(), name.to_owned());
        let has = |name: &str| cache.get(&key(name)).is_some();
        let mut show = |event| {
            writer.apply(event).into_iter().map(|changed| changed.key.1).collect::<Vec<_>>().join(" ")
        };
        let (good, bad) =
            (|name| order(name, &json!("www.acme.example")), |name| order(name, &json!({"no": 1})));
        assert_eq!(
            show(Event::Init) + &show(Event::InitApply(bad("a"))) + &show(Event::InitApply(good("b"))),
            ""
        );
        assert!(!has("b"), "the list is not complete");
        assert_eq!(show(Event::InitDone), "a b");
        assert_eq!((has("a"), has("b"), cache.unreadable() > 0), (false, true, true));
        assert_eq!(show(Event::Apply(good("a"))) + &show(Event::Apply(bad("b"))), "ab");
        assert_eq!((has("a"), has("b"), cache.unreadable() > 0), (true, false, true));
        assert_eq!(show(Event::Delete(bad("a"))), "a");
        show(Event::Apply(good("b")));
        assert_eq!((has("a"), has("b"), cache.unreadable() > 0), (false, true, false));
        show(Event::Apply(bad("a")));
        show(Event::Init);
        show(Event::InitDone);
        assert!(cache.unreadable() == 0, "it was deleted while the watch was interrupted");
    }

    #[test]
    fn an_order_that_cannot_be_read_may_hide_its_own_certificate_and_no_other() {
        let (cache, into) = Cache::new();
        let mut writer = CacheWriter { cache: into, listed: Vec::new() };
        let certificate = |id: &str| Target::Certificate("TencentCloud", id.to_owned());
        writer.apply(Event::Apply(order("a", &json!({"no": 1}))));
        assert!(cache.may_hide(&certificate("J2lX2maH")) && !cache.may_hide(&certificate("another")));
        let unknown = json!({"apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
                             "metadata": {"namespace": "shop", "name": "b"}, "spec": {"provider": {"new": {}}}});
        writer.apply(Event::Apply(serde_json::from_value(unknown).unwrap()));
        assert!(cache.may_hide(&certificate("another")), "it may be for any");
    }

    #[test]
    fn a_user_edits_the_spec_or_an_annotation_and_the_controller_the_status() {
        let (_cache, into) = Cache::new();
        let mut writer = CacheWriter { cache: into, listed: Vec::new() };
        let mut is_edited = |generation: i64, annotation: (&str, &str)| {
            let mut order = order("a", &json!("www.acme.example"));
            order.meta_mut().generation = Some(generation);
            order.meta_mut().annotations = Some([(annotation.0.to_owned(), annotation.1.to_owned())].into());
            writer.apply(Event::Apply(order)).iter().any(|changed| changed.is_edited)
        };
        assert!(is_edited(1, (LAST_APPLIED, "{}")), "new");
        assert!(!is_edited(1, (LAST_APPLIED, "{}")));
        assert!(is_edited(2, (LAST_APPLIED, "{}")));
        assert!(is_edited(2, ("certorder.dev/resubmit-at", "now")));
    }

    #[test]
    fn a_watch_that_begins_or_starts_over_shows_no_change() {
        let clock = Clock::default();
        let seen = ChangeFilter::new(&clock);
        let changed = |version: &str, minutes| Changed {
            key: ("shop".to_owned(), "cloud".to_owned()),
            version: Some(version.to_owned()),
            is_edited: true,
            at: Some(clock.now() - SignedDuration::from_mins(minutes)),
        };
        assert!(!seen.is_new(&changed("1", 60)), "as it was long before the start");
        assert!(!seen.is_new(&changed("1", 60)), "changed again");
        assert!(seen.is_new(&changed("2", 60)), "another version");
        assert!(ChangeFilter::new(&clock).is_new(&changed("1", 1)), "changed while the process started");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_watched_is_tried_again_with_growing_pauses() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let refuse = async move || {
            counter.fetch_add(1, Ordering::Relaxed);
            StatusCode::UNAUTHORIZED
        };
        let client = Client::new(Router::new().fallback(refuse), "default");
        let watch = secrets(Api::all(client)).for_each(async |_| ());
        assert!(timeout(Duration::from_mins(10), watch).await.is_err(), "the watch continues");
        let asked = asked.load(Ordering::Relaxed);
        assert!((15..=40).contains(&asked), "{asked} times in ten minutes");
    }
}
