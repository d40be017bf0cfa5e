//! A short-lived cache of the Secrets that orders and profiles refer to. A Secret is read once for all of them, until
//! the watch shows another version, and for a minute at most.

use std::collections::{BTreeMap, HashMap};
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
        Self {
            is_readable: secret.labels().get(READABLE).is_some_and(|value| value == "true"),
            version: secret.metadata.resource_version,
            data: secret.data.unwrap_or_default(),
        }
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
}

/// Locked while the Secret is read, so that concurrent callers share one read.
type Entry = tokio::sync::Mutex<Option<Reading>>;

/// The cached Secrets.
pub struct Secrets {
    client: Client,
    entries: Mutex<HashMap<Key, Arc<Entry>>>,
}

impl Secrets {
    /// An empty cache.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, entries: Mutex::default() }
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
            let content = found.map(|secret| Arc::new(secret.into()));
            *reading = Some(Reading { at, content });
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
    use axum::http::StatusCode;
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
}
