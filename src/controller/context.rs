//! What both controllers need.

use std::sync::Arc;
use std::time::Duration;

use kube::{Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use crate::cluster::Namespace;
use crate::cluster::secrets::Secrets;
use crate::controller::latency::ApiLatency;
use crate::controller::telemetry::Telemetry;
use crate::core::clock::Clock;
use crate::provider::registry::Clouds;

/// What both controllers need.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// The clouds.
    pub clouds: Clouds,
    /// The current time.
    pub clock: Clock,
    /// The UID of this process, which its intents carry.
    pub holder: String,
    /// The longest that one call to a cloud takes.
    pub call_timeout: Duration,
    /// How long the API server takes to answer.
    pub api_latency: ApiLatency,
    /// The namespaces that are watched; empty means all of them.
    pub namespaces: Vec<String>,
    /// The cache of Secrets that objects refer to.
    pub secrets: Arc<Secrets>,
    /// Cancelled when the process shuts down. No pass and no call starts after that.
    pub shutdown: CancellationToken,
    /// Log, Events and metrics.
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
