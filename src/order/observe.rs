//! Reads the cloud. Never writes.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::warn;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::cache::Key;
use crate::core::observation::{Observation, Stage};
use crate::order::controller::Controller;
use crate::order::facts::Facts;
use crate::order::plan;
use crate::order::resolve::Resolved;
use crate::order::validation::Validation;
use crate::provider::Error;

/// What the cloud says of the certificate; `None` where there are no credentials to ask with.
pub async fn observe(
    controller: &Controller,
    facts: &Facts<'_>,
    resolved: &Resolved,
) -> Option<Result<Observation, Error>> {
    let provider = resolved.provider.as_ref().ok()?;
    // A row of a list is enough before anything was handed in.
    if facts.expects_nothing()
        && let Some(seen) = provider.observe_unused().await
    {
        return Some(Ok(seen));
    }
    let observed = provider.observe().await;
    controller.context.telemetry.read(provider.calls().observe, &observed);
    Some(observed.map(|seen| seen.as_of(controller.context.clock.now())))
}

/// What only the cloud's list reports: the result of the CA's checks while it waits for the proofs of control, and what
/// an issued certificate was replaced by.
pub async fn validation(
    controller: &Controller,
    key: &Key,
    order: &CertificateOrder,
    resolved: &Resolved,
    seen: Option<&Observation>,
) -> Option<Arc<Validation>> {
    let provider = resolved.provider.as_ref().ok()?;
    let stage = seen?.stage;
    let deleting = order.metadata.deletion_timestamp.is_some();
    if deleting || !matches!(stage, Stage::Validating | Stage::Issued) {
        controller.validations.forget(key);
        return None;
    }
    let checks = stage == Stage::Validating;
    Some(controller.validations.of(key, provider.as_ref(), checks, Instant::now()).await)
}

/// Whether the cloud's own log has the call of an open intent, if no other evidence exists.
pub async fn logged(facts: &Facts<'_>, resolved: &Resolved) -> Option<bool> {
    let (action, intent) = plan::unsettled(facts)?;
    let provider = resolved.provider.as_ref().ok()?;
    match provider.was_called(action, facts.log_since(action, intent)).await {
        Ok(called) => Some(called),
        Err(error) => {
            warn!(%error, "cannot read the cloud's log of calls");
            None
        }
    }
}
