//! Follows the objects of a kind, for as long as the process runs. Trouble with a watch is logged, and it is started
//! again with growing pauses; nothing else waits for it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use futures::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use kube::core::error_boundary::InvalidObject;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use tracing::warn;

use crate::cluster::cache::{Kept, Key, LAST_APPLIED, Writer};
use crate::cluster::error::{self, Said};
use crate::core::clock::Clock;

/// An object that a watch has shown: new, changed or gone.
#[derive(Debug)]
pub struct Shown {
    /// Which one.
    pub key: Key,
    /// Its resourceVersion; `None` if it is gone.
    pub version: Option<String>,
    /// Whether a user has changed it: its spec, or an annotation.
    pub is_edited: bool,
    changed_at: Option<Timestamp>,
}

impl Shown {
    fn new(metadata: &ObjectMeta) -> Self {
        let key = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let version = metadata.resource_version.clone();
        Self { key, version, is_edited: true, changed_at: changed_at(metadata) }
    }

    fn gone(metadata: &ObjectMeta) -> Self {
        Self { version: None, ..Self::new(metadata) }
    }
}

/// When an object was last changed, as its field managers tell.
fn changed_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    managers.chain(&metadata.creation_timestamp).map(|time| time.0).max()
}

/// Keeps a cache of objects, and shows each one that was touched. One that cannot be read is left alone and keeps
/// up no other: it may have been written for another version of certorder.
pub fn objects<K>(api: Api<DeserializeGuard<K>>, cache: Writer<K>) -> impl Stream<Item = Shown> + Send
where
    K: Kept + DeserializeOwned + Debug + Send + Sync,
{
    let mut intake = Intake { cache, listed: Vec::new() };
    events(api).flat_map(move |event| stream::iter(intake.take_in(event)))
}

/// Shows every Secret that was touched, and reads none: only metadata is watched.
pub fn secrets(api: Api<PartialObjectMeta<Secret>>) -> impl Stream<Item = Shown> + Send {
    events(api).filter_map(|event| {
        std::future::ready(match event {
            Event::Apply(secret) | Event::InitApply(secret) => Some(Shown::new(&secret.metadata)),
            Event::Delete(secret) => Some(Shown::gone(&secret.metadata)),
            Event::Init | Event::InitDone => None,
        })
    })
}

fn events<R>(api: Api<R>) -> impl Stream<Item = Event<R>> + Send
where
    R: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    // Not by kube's own means: they take the begin of each attempt for a success, and their pauses never grow.
    let mut pauses = DefaultBackoff::default();
    let mut said = Said::default();
    let shown = watcher(api, watcher::Config::default()).then(move |event| {
        let pause = match &event {
            Err(error) => {
                let error = error::on(error);
                if said.is_news(&error) {
                    warn!(kind = %R::kind(&()), %error, "trouble with a watch; it is started again");
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
    shown.filter_map(std::future::ready)
}

/// Takes in what a watch shows.
struct Intake<K: Kept> {
    cache: Writer<K>,
    /// What a list has shown so far. It is in the cache once the list is complete, and not before.
    listed: Vec<Shown>,
}

impl<K: Kept> Intake<K> {
    /// What is in the cache now, and was touched.
    fn take_in(&mut self, event: Event<DeserializeGuard<K>>) -> Vec<Shown> {
        match event {
            Event::Init => {
                self.listed.clear();
                self.cache.apply(Event::Init);
            }
            Event::InitApply(DeserializeGuard(object)) => {
                let shown = self.keep(object, Event::InitApply);
                self.listed.push(shown);
            }
            Event::InitDone => {
                self.cache.apply(Event::InitDone);
                return std::mem::take(&mut self.listed);
            }
            Event::Apply(DeserializeGuard(object)) => return vec![self.keep(object, Event::Apply)],
            Event::Delete(DeserializeGuard(object)) => {
                let shown = Shown::gone(metadata(&object));
                self.cache.gone(&shown.key);
                return vec![shown];
            }
        }
        Vec::new()
    }

    fn keep(&mut self, object: Result<K, InvalidObject>, event: fn(K) -> Event<K>) -> Shown {
        let shown = self.shown(&object);
        match object {
            Ok(object) => self.cache.apply(event(object)),
            Err(_) => self.leave_alone(&shown.key),
        }
        shown
    }

    fn shown(&self, object: &Result<K, InvalidObject>) -> Shown {
        let metadata = metadata(object);
        let shown = Shown::new(metadata);
        let before = self.cache.get(&shown.key);
        let is_edited = before.is_none_or(|before| {
            let before = before.meta();
            before.generation != metadata.generation || !annotations(before).eq(annotations(metadata))
        });
        Shown { is_edited, ..shown }
    }

    fn leave_alone(&mut self, key: &Key) {
        let (namespace, name) = key;
        // Why is not said: the reason may quote what stands in the object.
        warn!(
            kind = %K::kind(&()), namespace, name,
            "this version of certorder cannot read an object, and leaves it alone; mend it, or run the version that it \
             was written for"
        );
        self.cache.unreadable(key);
    }
}

/// The annotations that are kept.
fn annotations(metadata: &ObjectMeta) -> impl Iterator<Item = (&String, &String)> {
    metadata.annotations.iter().flatten().filter(|(name, _)| *name != LAST_APPLIED)
}

fn metadata<K: Resource>(object: &Result<K, InvalidObject>) -> &ObjectMeta {
    object.as_ref().map_or_else(|invalid| &invalid.metadata, Resource::meta)
}

/// The versions of referenced objects that others were woken for. A watch that begins, or starts over, shows every
/// object again, and that is no change.
pub struct Seen {
    /// By hash: a cluster may hold very many.
    versions: Mutex<HashMap<u64, u64>>,
    hasher: RandomState,
    /// What was last changed before then is seen by the first look of every order.
    since: Timestamp,
}

/// More than the clocks of two machines differ by.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(5);

impl Seen {
    /// Nothing seen, as of now.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        let since = clock.now().checked_sub(CLOCKS_DIFFER_BY).unwrap_or(Timestamp::MIN);
        Self { versions: Mutex::default(), hasher: RandomState::new(), since }
    }

    /// Whether the object has changed since it was last shown.
    pub fn is_new(&self, shown: &Shown) -> bool {
        let (object, version) = (self.hasher.hash_one(&shown.key), self.hasher.hash_one(&shown.version));
        let mut seen = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.insert(object, version) {
            Some(known) => known != version,
            None => shown.changed_at.is_none_or(|changed| changed >= self.since),
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

    fn order(name: &str, common_name: &Value) -> DeserializeGuard<CertificateOrder> {
        serde_json::from_value(json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"namespace": "shop", "name": name, "resourceVersion": "7"},
            "spec": {"provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
                     "credentialsRef": {"name": "cloud"}, "commonName": common_name},
        }))
        .unwrap()
    }

    #[test]
    fn one_object_that_cannot_be_read_keeps_up_no_other_and_is_back_once_it_is_mended() {
        let (cache, writer) = Cache::new();
        let mut intake = Intake { cache: writer, listed: Vec::new() };
        let key = |name: &str| ("shop".to_owned(), name.to_owned());
        let has = |name: &str| cache.get(&key(name)).is_some();
        let mut show =
            |event| intake.take_in(event).into_iter().map(|shown| shown.key.1).collect::<Vec<_>>().join(" ");
        let (good, bad) =
            (|name| order(name, &json!("www.acme.example")), |name| order(name, &json!({"no": 1})));
        assert_eq!(
            show(Event::Init) + &show(Event::InitApply(bad("a"))) + &show(Event::InitApply(good("b"))),
            ""
        );
        assert!(!has("b"), "the list is not complete");
        assert_eq!(show(Event::InitDone), "a b");
        assert_eq!((has("a"), has("b"), cache.has_unreadable()), (false, true, true));
        assert_eq!(show(Event::Apply(good("a"))) + &show(Event::Apply(bad("b"))), "ab");
        assert_eq!((has("a"), has("b"), cache.has_unreadable()), (true, false, true));
        assert_eq!(show(Event::Delete(bad("a"))), "a");
        show(Event::Apply(good("b")));
        assert_eq!((has("a"), has("b"), cache.has_unreadable()), (false, true, false));
        show(Event::Apply(bad("a")));
        show(Event::Init);
        show(Event::InitDone);
        assert!(!cache.has_unreadable(), "it was deleted while nobody watched");
    }

    #[test]
    fn a_user_edits_the_spec_or_an_annotation_and_the_controller_the_status() {
        let (_cache, writer) = Cache::new();
        let mut intake = Intake { cache: writer, listed: Vec::new() };
        let mut is_edited = |generation: i64, annotation: (&str, &str)| {
            let mut order = order("a", &json!("www.acme.example"));
            order.meta_mut().generation = Some(generation);
            order.meta_mut().annotations = Some([(annotation.0.to_owned(), annotation.1.to_owned())].into());
            intake.take_in(Event::Apply(order)).iter().any(|shown| shown.is_edited)
        };
        assert!(is_edited(1, (LAST_APPLIED, "{}")), "new");
        assert!(!is_edited(1, (LAST_APPLIED, "{}")));
        assert!(is_edited(2, (LAST_APPLIED, "{}")));
        assert!(is_edited(2, ("certorder.dev/resubmit-at", "now")));
    }

    #[test]
    fn a_watch_that_begins_or_starts_over_shows_no_change() {
        let clock = Clock::default();
        let seen = Seen::new(&clock);
        let shown = |version: &str, minutes| Shown {
            key: ("shop".to_owned(), "cloud".to_owned()),
            version: Some(version.to_owned()),
            is_edited: true,
            changed_at: Some(clock.now() - SignedDuration::from_mins(minutes)),
        };
        assert!(!seen.is_new(&shown("1", 60)), "as it was long before the start");
        assert!(!seen.is_new(&shown("1", 60)), "shown again");
        assert!(seen.is_new(&shown("2", 60)), "another version");
        assert!(Seen::new(&clock).is_new(&shown("1", 1)), "changed while the process started");
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
        assert!(timeout(Duration::from_mins(10), watch).await.is_err(), "it goes on");
        let asked = asked.load(Ordering::Relaxed);
        assert!((15..=40).contains(&asked), "{asked} times in ten minutes");
    }
}
