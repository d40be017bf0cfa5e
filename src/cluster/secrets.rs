//! Secrets that orders and profiles refer to. One read serves all of them, until the watch shows another version, and
//! for a minute at most.

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

/// How long a reading serves.
const FRESH: Duration = Duration::from_secs(50);

/// How often what is older is wiped: so none is in memory for more than a minute.
const SWEEP: Duration = Duration::from_secs(10);

/// The data of a Secret.
pub type SecretData = BTreeMap<String, ByteString>;

/// What a Secret held when it was read. It is wiped from memory once nobody uses it.
pub struct Content {
    /// Its entries.
    pub data: SecretData,
    /// Whether its owner lets the entries be sent to a cloud, by the label [`READABLE`].
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
    /// `None` where there was no such Secret.
    content: Option<Arc<Content>>,
}

/// Locked while the Secret is read, so that all who come at the same moment wait for one reading.
type Entry = tokio::sync::Mutex<Option<Reading>>;

/// The Secrets that were read.
pub struct Secrets {
    client: Client,
    entries: Mutex<HashMap<Key, Arc<Entry>>>,
}

impl Secrets {
    /// None were read yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, entries: Mutex::default() }
    }

    /// A Secret, unless it does not exist.
    pub async fn get(&self, key: &Key) -> Result<Option<Arc<Content>>, kube::Error> {
        let entry = Arc::clone(self.lock().entry(key.clone()).or_default());
        bounded(async {
            let mut reading = entry.lock().await;
            if !is_fresh(reading.as_ref()) {
                let (namespace, name) = key;
                let at = Instant::now();
                let found = Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await?;
                let content = found.map(|secret| Arc::new(secret.into()));
                *reading = Some(Reading { at, content });
            }
            Ok(reading.as_ref().and_then(|reading| reading.content.clone()))
        })
        .await
    }

    /// The watch has shown a change of a Secret. A reading of another version serves no longer, nor does one that is under way: it
    /// may have begun before the change.
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

    /// No reading of a namespace serves any longer: a user may have changed a Secret just before what refers to it, and
    /// the watches are not in step.
    pub fn forget(&self, namespace: &str) {
        self.lock().retain(|(of, _), _| of != namespace);
    }

    /// Wipes what is too old, for as long as it is polled.
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
