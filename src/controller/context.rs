//! What both controllers need.

use std::sync::Arc;
use std::time::Duration;

use kube::{Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use crate::cluster::Namespace;
use crate::cluster::secrets::Secrets;
use crate::controller::telemetry::Telemetry;
use crate::core::clock::Clock;
use crate::provider::registry::Clouds;

/// What both controllers need.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// The clouds.
    pub clouds: Clouds,
    /// The time.
    pub clock: Clock,
    /// The UID of this process, which its intents bear.
    pub holder: String,
    /// The longest that one call to a cloud takes.
    pub call_timeout: Duration,
    /// The namespaces that are watched; empty means all of them.
    pub namespaces: Vec<String>,
    /// Secrets that are referred to, as last read.
    pub secrets: Arc<Secrets>,
    /// Cancelled when the process shuts down. Nothing new begins then.
    pub shutdown: CancellationToken,
    /// Log, Events, metrics.
    pub telemetry: Telemetry,
}

impl Context {
    /// The namespace of an object.
    #[must_use]
    pub fn namespace(&self, object: &impl ResourceExt) -> Namespace {
        let name = object.namespace().unwrap_or_default();
        Namespace::new(self.client.clone(), Arc::clone(&self.secrets), name)
    }
}
