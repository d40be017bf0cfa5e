//! Follows the objects of a kind, for as long as the process runs. Trouble with a watch is logged, and it is started
//! again with growing pauses; nothing else waits for it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use futures::{Stream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use tracing::warn;

use crate::advice;
use crate::cache::{Kept, Key, Writer};
use crate::clock::Clock;

/// An object that a watch has shown: new, changed or gone.
#[derive(Debug)]
pub struct Shown {
    /// Which one.
    pub key: Key,
    /// Its resourceVersion; `None` for a Secret that is gone.
    pub version: Option<String>,
    changed_at: Option<Timestamp>,
}

impl Shown {
    fn new(metadata: &ObjectMeta) -> Self {
        let key = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        Self { key, version: metadata.resource_version.clone(), changed_at: changed_at(metadata) }
    }
}

/// When an object was last changed, as its field managers tell.
fn changed_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    managers.chain(&metadata.creation_timestamp).map(|time| time.0).max()
}

/// Keeps a cache of objects, and shows each one that it was touched. One that cannot be read is left alone and keeps
/// up no other: it may have been written for another version of certorder.
pub fn objects<K>(api: Api<DeserializeGuard<K>>, mut cache: Writer<K>) -> impl Stream<Item = Shown> + Send
where
    K: Kept + DeserializeOwned + Debug + Send + Sync,
{
    events(api).filter_map(move |event| std::future::ready(take_in(event, &mut cache)))
}

/// Shows every Secret that was touched, and reads none: only metadata is watched.
pub fn secrets(api: Api<PartialObjectMeta<Secret>>) -> impl Stream<Item = Shown> + Send {
    events(api).filter_map(|event| {
        std::future::ready(match event {
            Event::Apply(secret) | Event::InitApply(secret) => Some(Shown::new(&secret.metadata)),
            Event::Delete(secret) => Some(Shown { version: None, ..Shown::new(&secret.metadata) }),
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
    let shown = watcher(api, watcher::Config::default()).then(move |event| {
        let pause = match &event {
            Err(error) => {
                let error = advice::on(error);
                warn!(kind = %R::kind(&()), %error, "trouble with a watch; it is started again");
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

fn take_in<K: Kept>(event: Event<DeserializeGuard<K>>, cache: &mut Writer<K>) -> Option<Shown> {
    let shown = match &event {
        Event::Apply(object) | Event::Delete(object) | Event::InitApply(object) => {
            Some(Shown::new(object.meta()))
        }
        Event::Init | Event::InitDone => None,
    };
    let event = match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::Apply(DeserializeGuard(Ok(object))) => Event::Apply(object),
        Event::Delete(DeserializeGuard(Ok(object))) => Event::Delete(object),
        Event::InitApply(DeserializeGuard(Ok(object))) => Event::InitApply(object),
        Event::Delete(DeserializeGuard(Err(_))) => {
            cache.forget(&shown.as_ref()?.key);
            return shown;
        }
        Event::Apply(DeserializeGuard(Err(error))) | Event::InitApply(DeserializeGuard(Err(error))) => {
            let (namespace, name) = &shown.as_ref()?.key;
            warn!(
                kind = %K::kind(&()), namespace, name, %error,
                "this version of certorder cannot read an object, and leaves it alone; mend it, or run the version \
                 that it was written for"
            );
            cache.forget(&shown.as_ref()?.key);
            return shown;
        }
    };
    cache.apply(event);
    shown
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
    use crate::cache::Cache;

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
        let (cache, mut writer) = Cache::new();
        let key = |name: &str| ("shop".to_owned(), name.to_owned());
        let has = |name: &str| cache.get(&key(name)).is_some();
        let mut show = |event| take_in(event, &mut writer).map(|shown| shown.key);
        let (good, bad) =
            (|name| order(name, &json!("www.acme.example")), |name| order(name, &json!({"no": 1})));
        show(Event::Init);
        assert_eq!(show(Event::InitApply(bad("a"))), Some(key("a")));
        show(Event::InitApply(good("b")));
        show(Event::InitDone);
        assert_eq!((has("a"), has("b")), (false, true));
        show(Event::Apply(good("a")));
        show(Event::Apply(bad("b")));
        assert_eq!((has("a"), has("b")), (true, false));
        assert_eq!(show(Event::Delete(bad("a"))), Some(key("a")));
        show(Event::Apply(good("b")));
        assert_eq!((has("a"), has("b")), (false, true));
    }

    #[test]
    fn a_watch_that_begins_or_starts_over_shows_no_change() {
        let clock = Clock::default();
        let seen = Seen::new(&clock);
        let shown = |version: &str, minutes| Shown {
            key: ("shop".to_owned(), "cloud".to_owned()),
            version: Some(version.to_owned()),
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
