//! Every version of a story's TLS Secret: its key fits its certificate, and it never ends earlier than before.

use std::collections::BTreeSet;
use std::time::Duration;

use certorder::core::chain::Chain;
use certorder::core::keypair::KeyPair;
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::world::World;

/// How long a story waits for the latest version.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Watches the Secret `www-tls` of a world.
pub(crate) struct SecretWatch {
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

/// What was seen of it.
#[derive(Default)]
struct Seen {
    versions: BTreeSet<String>,
    /// The end of the last one.
    end: Option<Timestamp>,
    wrongs: Vec<String>,
}

impl SecretWatch {
    /// Begins to watch.
    pub(crate) fn start(world: &World) -> Self {
        let secrets: Api<Secret> = world.api_of();
        let (tell, seen) = watch::channel(Seen::default());
        let task = tokio::spawn(async move {
            let only = watcher::Config::default().fields("metadata.name=www-tls");
            let mut versions = std::pin::pin!(watcher(secrets, only).applied_objects());
            while let Some(secret) = versions.next().await {
                let Ok(secret) = secret else { continue };
                tell.send_modify(|seen| seen.see(&secret));
            }
        });
        Self { seen, task }
    }

    /// What is wrong with any version up to the present one; waits until that was seen.
    pub(crate) async fn check(&mut self, world: &World, what: &str) {
        if let Some(present) = world.api_of::<Secret>().get_opt("www-tls").await.unwrap() {
            let version = present.resource_version().unwrap();
            let seen = self.seen.wait_for(|seen| seen.versions.contains(&version));
            tokio::time::timeout(TIMEOUT, seen).await.expect("the Secret is not seen").unwrap();
        }
        let wrongs = self.seen.borrow().wrongs.join("\n");
        assert!(wrongs.is_empty(), "{what}: {wrongs}");
    }
}

impl Drop for SecretWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    fn see(&mut self, secret: &Secret) {
        let version = secret.resource_version().unwrap();
        self.versions.insert(version.clone());
        let text = |name| {
            let entry = secret.data.as_ref()?.get(name)?;
            String::from_utf8(entry.0.clone()).ok()
        };
        let pair = || {
            let chain = Chain::parse(&text("tls.crt")?).ok()?;
            let key = KeyPair::from_pem(&text("tls.key")?.into()).ok()?;
            Some((chain.matches(&key), chain.leaf_not_after()))
        };
        let Some((fits, end)) = pair() else {
            return self.wrongs.push(format!("version {version} has no certificate with a key"));
        };
        if !fits {
            self.wrongs.push(format!("version {version} has a key that is not the certificate's"));
        }
        if let Some(before) = self.end.filter(|before| *before > end) {
            self.wrongs.push(format!("version {version} ends at {end}, the one before it at {before}"));
        }
        self.end = Some(end);
    }
}
