//! Reads the cloud.

use crate::core::order::Observation;
use crate::order::Context;
use crate::order::resolve::Resolved;
use crate::provider::Error;

/// What the cloud says of the certificate; `None` where there are no credentials to ask with.
pub async fn observe(ctx: &Context, resolved: &Resolved) -> Option<Result<Observation, Error>> {
    let provider = resolved.provider.as_ref().ok()?;
    let observed = provider.observe().await;
    ctx.telemetry.read(provider.calls().observe, &observed);
    Some(observed)
}
