//! The controller of OrganizationProfiles, one file a step:
//!
//! 1. [`resolve`] reads from the cluster what the profile refers to (client required);
//! 2. [`observe`] reads what the account has saved (client required), through [`lookups`], which all profiles of an
//!    account share, and finds the profile in it by [`matching`] (pure);
//! 3. [`mod@fold`] makes the next status of it (pure), with the words of [`approval`], [`messages`] and [`console`];
//! 4. [`status`] stores it by compare-and-swap (client required).
//!
//! [`reuse`] says what an order takes from a profile.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::controller::Action;
use tokio::time::Instant;
use tracing::instrument;

use crate::api::v1alpha1::OrganizationProfile;
use crate::cluster::cache;
use crate::controller::schedule::Due;
use crate::core::pace;
use crate::core::redact::truncate;
use crate::order::Context;
use crate::order::facts::RECONCILE_AT;
use crate::profile::fold::{Facts, Requeue, fold};
use crate::profile::lookups::{Ask, FRESH};
use crate::profile::matching::Wanted;
use crate::profile::observe::{Failure, Seen};
use crate::profile::resolve::Resolved;

pub mod approval;
pub mod console;
pub mod fold;
pub mod lookups;
pub mod matching;
pub mod messages;
pub mod observe;
pub mod resolve;
pub mod reuse;
pub mod status;
#[cfg(test)]
mod tests;

/// The longest value of an annotation that the status echoes, in bytes.
const LONGEST_ANNOTATION: usize = 256;

/// Looks at one profile. Trouble is logged, counted and tried again here, so nothing is left to report.
#[instrument(skip_all, fields(namespace = profile.namespace(), profile = profile.name_any()))]
pub async fn reconcile(profile: Arc<OrganizationProfile>, ctx: Arc<Context>) -> Result<Action, Infallible> {
    let key = cache::key(profile.as_ref());
    if profile.metadata.deletion_timestamp.is_some() {
        ctx.profiles.forget(&key);
        return Ok(Action::await_change());
    }
    let wish = format!(
        "{} {} {}",
        profile.uid().unwrap_or_default(),
        profile.metadata.generation.unwrap_or_default(),
        asked(&profile).unwrap_or_default()
    );
    let pass = match ctx.profiles.begin(&key, wish, Instant::now()) {
        Due::Now(pass) => pass,
        Due::NotBefore(left) => return Ok(Action::requeue(left)),
    };
    // On the heap: many profiles wait for the cloud at the same time.
    let requeue = Box::pin(look(&profile, &ctx)).await.unwrap_or_else(|error| {
        ctx.telemetry.api_trouble(&error);
        Requeue::Failed(None)
    });
    let pause = pause(&profile, &ctx, requeue, pass.failures.saturating_add(1));
    ctx.profiles.end(&key, pass, matches!(requeue, Requeue::Failed(_)), pause, Instant::now());
    Ok(Action::requeue(pause))
}

/// One pass: resolve, observe, fold, write status.
async fn look(profile: &OrganizationProfile, ctx: &Context) -> Result<Requeue, kube::Error> {
    let mut resolved = resolve::resolve(ctx, profile).await?;
    let seen = observe(profile, ctx, &resolved).await;
    resolved.learn(&ctx.lookups);
    let next = fold(&Facts {
        profile,
        data: &resolved.data,
        directory: resolved.directory.as_ref().map(|opened| opened.as_ref().map(drop).map_err(Clone::clone)),
        seen: seen.as_ref(),
        asked: asked(profile).as_deref(),
        filter: &resolved.filter,
        now: ctx.clock.now(),
    });
    match status::swap(&ctx.client, profile, next.status, ctx.clock.now()).await? {
        Some(stored) => {
            ctx.telemetry.profile_changed(profile, &stored).await;
            Ok(next.requeue)
        }
        None => Ok(Requeue::Failed(None)),
    }
}

/// What the account has saved; `None` where there is nothing to ask with, or nothing to look for.
async fn observe(
    profile: &OrganizationProfile,
    ctx: &Context,
    resolved: &Resolved,
) -> Option<Result<Seen, Failure>> {
    let spec = profile.spec.tencent_cloud.as_ref()?;
    let (Ok(data), Some(Ok(directory))) = (&resolved.data, &resolved.directory) else { return None };
    let id = |id: Option<i64>| id.and_then(|id| u64::try_from(id).ok());
    let wanted =
        Wanted { organization_id: id(spec.company_id), administrator_id: id(spec.manager_id), profile: data };
    let now = ctx.clock.now();
    let handled = profile.status.as_ref().and_then(|status| status.last_handled_reconcile_at.clone());
    let is_asked = asked(profile).is_some_and(|asked| handled != Some(asked));
    let not_before = if is_asked { now } else { now.checked_sub(FRESH).unwrap_or(now) };
    let report = |action: &'static str, error: Option<&_>| ctx.telemetry.read_ended(action, error);
    let ask = Ask { directory: directory.as_ref(), not_before, now, report: &report };
    Some(observe::observe(&ctx.lookups, ask, &wanted).await)
}

/// What the user asks for, besides the spec.
fn asked(profile: &OrganizationProfile) -> Option<String> {
    profile.annotations().get(RECONCILE_AT).map(|asked| truncate(asked, LONGEST_ANNOTATION))
}

/// When to look again, in time.
fn pause(profile: &OrganizationProfile, ctx: &Context, requeue: Requeue, failures: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    profile.uid().hash(&mut hasher);
    let seed = hasher.finish() ^ ctx.clock.now().as_second().unsigned_abs();
    match requeue {
        Requeue::Cluster => pace::STOPPED,
        Requeue::Review => pace::review(seed),
        Requeue::Settled => pace::settled(seed),
        Requeue::Failed(asked) => pace::after_failure(failures, asked, seed),
    }
}
