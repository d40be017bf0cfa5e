//! Reads the cloud. Never writes.

use std::sync::Arc;

use tracing::warn;

use crate::core::order::{Observation, Stage};
use crate::order::Context;
use crate::order::facts::{Action, Facts};
use crate::order::lookout::Key;
use crate::order::resolve::Resolved;
use crate::order::validation::Validation;
use crate::provider::Error;

/// What the cloud says of the certificate; `None` where there are no credentials to ask with.
pub async fn observe(ctx: &Context, resolved: &Resolved) -> Option<Result<Observation, Error>> {
    let provider = resolved.provider.as_ref().ok()?;
    let observed = provider.observe().await;
    ctx.telemetry.read(provider.calls().observe, &observed);
    Some(observed.map(|seen| seen.as_of(ctx.clock.now())))
}

/// What only the cloud's list tells: what the CA found of the proofs of control while it waits for them, and what an
/// issued certificate was replaced by.
pub async fn validation(
    ctx: &Context,
    key: &Key,
    resolved: &Resolved,
    seen: Option<&Observation>,
) -> Option<Arc<Validation>> {
    let provider = resolved.provider.as_ref().ok()?;
    let stage = seen?.stage;
    if !matches!(stage, Stage::Validating | Stage::Issued) {
        ctx.validations.forget(key);
        return None;
    }
    let checks = stage == Stage::Validating;
    Some(ctx.validations.of(key, provider.as_ref(), checks, ctx.clock.now()).await)
}

/// What the cloud's own log says of the call of an open intent, where the state alone proves nothing: the cloud may
/// still hold an application of before.
pub async fn logged(facts: &Facts<'_>, resolved: &Resolved) -> Option<bool> {
    let intent = facts.intent().filter(|intent| facts.action_of(intent) == Action::Submit)?;
    let provider = resolved.provider.as_ref().ok()?;
    if facts.log_is_ambiguous(intent) || !facts.may_look_like_another() {
        return None;
    }
    match provider.was_called(Action::Submit, intent.started_at.0).await {
        Ok(called) => Some(called),
        Err(error) => {
            warn!(%error, "cannot read the cloud's log of calls");
            None
        }
    }
}
