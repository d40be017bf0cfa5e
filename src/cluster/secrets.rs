//! A short-lived cache of the Secrets that orders and profiles refer to. A Secret is read once for all of them, until
//! the watch shows another version, and for a minute at most. What is cached is bounded, for each Secret and for all.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;
use zeroize::Zeroize;

use crate::cluster::cache::Key;
use crate::cluster::request::bounded;
use crate::core::annotations::READABLE;

/// How long a Secret is cached.
const FRESH: Duration = Duration::from_secs(50);

/// How often expired Secrets are wiped, so that none is in memory for more than a minute.
const SWEEP: Duration = Duration::from_secs(10);

/// The most bytes that are kept of an entry: keys, certificates and credentials are far shorter.
const LONGEST_ENTRY: usize = 64 * 1024;

/// The most bytes that are kept of all entries of a Secret.
const MOST_ENTRIES: usize = 256 * 1024;

/// The longest content that is cached. A longer one is read for each use.
const LONGEST_CACHED: usize = 64 * 1024;

/// The most bytes that are cached of all Secrets.
const MOST_CACHED: usize = 8 * 1024 * 1024;

/// The data of a Secret.
pub type SecretData = BTreeMap<String, ByteString>;

/// The content of a Secret when it was read. It is wiped from memory with its last reference.
pub struct Content {
    /// Its entries.
    pub data: SecretData,
    /// Whether its owner allows that the entries are sent to a cloud, by the label [`READABLE`].
    pub is_readable: bool,
    version: Option<String>,
}

impl From<Secret> for Content {
    fn from(secret: Secret) -> Self {
        let is_readable = secret.labels().get(READABLE).is_some_and(|value| value == "true");
        let mut data = secret.data.unwrap_or_default();
        // A letter that is sent to a cloud may be long, and its Secret has the label for that.
        if !is_readable {
            cut(&mut data);
        }
        Self { is_readable, version: secret.metadata.resource_version, data }
    }
}

impl Content {
    fn length(&self) -> usize {
        self.data.iter().map(|(name, value)| name.len() + value.0.len()).sum()
    }
}

/// Cuts entries that are longer than anything that is read of them, certificates and their keys last.
pub fn cut(data: &mut SecretData) {
    let mut entries: Vec<_> = data.iter_mut().collect();
    entries.sort_by_key(|(name, _)| !name.starts_with("tls."));
    let mut left = MOST_ENTRIES;
    for (_, ByteString(value)) in entries {
        let longest = left.min(LONGEST_ENTRY);
        if let Some(rest) = value.get_mut(longest..).filter(|rest| !rest.is_empty()) {
            rest.zeroize();
            value.truncate(longest);
            value.shrink_to_fit();
        }
        left -= value.len();
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.data.values_mut().for_each(|value| value.0.zeroize());
    }
}

struct Reading {
    at: Instant,
    /// `None` if there was no such Secret.
    content: Option<Arc<Content>>,
    /// Its part of what may be cached.
    #[allow(dead_code, reason = "it is given back when it is dropped")]
    share: Share,
}

/// A part of what may be cached of all Secrets. Dropping it gives it back.
struct Share {
    length: usize,
    all: Arc<AtomicUsize>,
}

impl Share {
    /// A share of this length, if there is one left.
    fn take(length: usize, all: &Arc<AtomicUsize>) -> Option<Self> {
        let add = |taken: usize| taken.checked_add(length).filter(|taken| *taken <= MOST_CACHED);
        let is_short = length <= LONGEST_CACHED;
        let taken = is_short && all.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).is_ok();
        taken.then(|| Self { length, all: Arc::clone(all) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.length, Ordering::AcqRel);
    }
}

/// Locked while the Secret is read, so that concurrent callers share one read.
type Entry = tokio::sync::Mutex<Option<Reading>>;

/// The cached Secrets.
pub struct Secrets {
    client: Client,
    entries: Mutex<HashMap<Key, Arc<Entry>>>,
    cached: Arc<AtomicUsize>,
}

impl Secrets {
    /// An empty cache.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, entries: Mutex::default(), cached: Arc::default() }
    }

    /// A Secret, unless it does not exist.
    pub async fn get(&self, key: &Key) -> Result<Option<Arc<Content>>, kube::Error> {
        let entry = Arc::clone(self.lock().entry(key.clone()).or_default());
        // The wait for another caller's read says nothing about the API server, so it is outside of the timeout.
        let mut reading = entry.lock().await;
        if !is_fresh(reading.as_ref()) {
            let (namespace, name) = key;
            let at = Instant::now();
            let secrets = Api::<Secret>::namespaced(self.client.clone(), namespace);
            let found = bounded(secrets.get_opt(name)).await?;
            let content: Option<Arc<Content>> = found.map(|secret| Arc::new(secret.into()));
            // What was cached before gives its share back first.
            *reading = None;
            let length = content.as_ref().map_or(0, |content| content.length());
            let share = Share::take(length, &self.cached);
            *reading = share.map(|share| Reading { at, content: content.clone(), share });
            return Ok(content);
        }
        Ok(reading.as_ref().and_then(|reading| reading.content.clone()))
    }

    /// Handles a change of a Secret that the watch has shown. A cached read of another version is dropped, and so is a
    /// read in progress: it may have begun before the change.
    pub fn changed(&self, key: &Key, version: Option<&str>) {
        let mut entries = self.lock();
        let is_current = entries.get(key).is_some_and(|entry| {
            let reading = entry.try_lock();
            reading.is_ok_and(|reading| {
                let content = reading.as_ref().and_then(|reading| reading.content.as_ref());
                content.is_some_and(|content| content.version.as_deref() == version)
            })
        });
        if !is_current {
            entries.remove(key);
        }
    }

    /// Drops all cached Secrets of a namespace: a user may have changed a Secret just before the object that refers to it,
    /// and watches are not synchronised with each other.
    pub fn forget(&self, namespace: &str) {
        self.lock().retain(|(of, _), _| of != namespace);
    }

    /// Wipes expired Secrets periodically; it never returns.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.lock()
                .retain(|_, entry| entry.try_lock().map_or(true, |reading| is_fresh(reading.as_ref())));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(reading: Option<&Reading>) -> bool {
    reading.is_some_and(|reading| reading.at.elapsed() < FRESH)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{StatusCode, Uri};
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_read_of_another_caller_is_no_time_of_the_api_server() {
        let server = Router::new().fallback(async || {
            sleep(Duration::from_secs(20)).await;
            StatusCode::INTERNAL_SERVER_ERROR
        });
        let secrets = Secrets::new(Client::new(server, "default"));
        let key = ("shop".to_owned(), "tencent-credentials".to_owned());
        let (first, second) = tokio::join!(secrets.get(&key), secrets.get(&key));
        for failed in [first, second] {
            let error = failed.map(drop).unwrap_err();
            assert!(matches!(error, kube::Error::Api(_)), "answered after 20 s of its own: {error}");
        }
    }

    /// A server whose Secrets have one entry of the length that their name says.
    fn lengths() -> (Secrets, Arc<AtomicUsize>) {
        let reads = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reads);
        let answer = async move |uri: Uri| {
            count.fetch_add(1, Ordering::Relaxed);
            let name = uri.path().rsplit('/').next().unwrap();
            let length: usize = name.split('-').next_back().unwrap().parse().unwrap();
            axum::Json(serde_json::json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "resourceVersion": "1"},
                "data": {"a": ByteString(vec![b'x'; length])},
            }))
        };
        (Secrets::new(Client::new(Router::new().fallback(answer), "default")), reads)
    }

    #[tokio::test]
    async fn what_is_cached_is_bounded_for_each_secret_and_for_all() {
        let (secrets, reads) = lengths();
        let get = async |name: &str| {
            let before = reads.load(Ordering::Relaxed);
            let content = secrets.get(&("shop".to_owned(), name.to_owned())).await.unwrap().unwrap();
            (content.data["a"].0.len(), reads.load(Ordering::Relaxed) - before)
        };
        assert_eq!((get("short-100").await, get("short-100").await), ((100, 1), (100, 0)));
        for _ in 0..2 {
            assert_eq!(get("long-70000").await, (LONGEST_ENTRY, 1), "cut, and not cached");
        }
        for number in 0..200 {
            get(&format!("{number}-60000")).await;
        }
        assert!(secrets.cached.load(Ordering::Relaxed) <= MOST_CACHED);
        assert_eq!((get("0-60000").await.1, get("199-60000").await.1), (0, 1));
        secrets.forget("shop");
        assert_eq!(secrets.cached.load(Ordering::Relaxed), 0);
        assert_eq!((get("199-60000").await.1, get("199-60000").await.1), (1, 0));
    }
}
