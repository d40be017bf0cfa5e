//! A pass over one profile: resolve, observe, fold, write status.

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
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::pace;
use crate::profile::controller::Controller;
use crate::profile::fold::{Facts, Requeue, fold};
use crate::profile::lookups::{Ask, FRESH};
use crate::profile::matching::Wanted;
use crate::profile::observe::{self, Observed, ReadFailure};
use crate::profile::resolve::{self, Resolved};
use crate::profile::status;

/// Reconciles one profile. Failures are logged, counted and retried here, so none is returned.
#[instrument(skip_all, fields(namespace = profile.namespace(), profile = profile.name_any()))]
pub async fn reconcile(
    profile: Arc<OrganizationProfile>,
    controller: Arc<Controller>,
) -> Result<Action, Infallible> {
    let key = cache::key(profile.as_ref());
    if profile.metadata.deletion_timestamp.is_some() {
        controller.schedule.forget(&key);
        return Ok(Action::await_change());
    }
    let request = format!(
        "{} {} {}",
        profile.uid().unwrap_or_default(),
        profile.metadata.generation.unwrap_or_default(),
        asked(&profile).unwrap_or_default()
    );
    let version = profile.metadata.resource_version.as_deref();
    let pass = match controller.schedule.begin(&key, &request, version, Instant::now()) {
        Due::Now(pass) => pass,
        Due::NotBefore(left) => return Ok(Action::requeue(left)),
    };
    // On the heap: many profiles wait for the cloud at the same time.
    let requeue = Box::pin(run_pass(&profile, &controller)).await.unwrap_or_else(|error| {
        controller.context.telemetry.api_error(&error);
        Requeue::Failed(None)
    });
    let pause = pause(&profile, &controller, requeue, pass.failures.saturating_add(1));
    controller.schedule.end(
        &key,
        pass,
        matches!(requeue, Requeue::Failed(_) | Requeue::FailedForAll),
        pause,
        Instant::now(),
    );
    Ok(Action::requeue(pause))
}

/// One pass: resolve, observe, fold, write status.
async fn run_pass(profile: &OrganizationProfile, controller: &Controller) -> Result<Requeue, kube::Error> {
    let mut resolved = resolve::resolve(controller, profile).await?;
    let observed = observe(profile, controller, &resolved).await;
    resolved.update_filter(&controller.lookups);
    let next = fold(&Facts {
        profile,
        data: &resolved.data,
        directory: resolved.directory.as_ref().map(|opened| opened.as_ref().map(drop).map_err(Clone::clone)),
        observed: observed.as_ref(),
        asked: asked(profile).as_deref(),
        filter: &resolved.filter,
        now: controller.context.clock.now(),
    });
    match status::swap(&controller.context.client, profile, next.status, controller.context.clock.now())
        .await?
    {
        Some(stored) => {
            let version = stored.metadata.resource_version.as_deref();
            controller.schedule.stored(&cache::key(profile), version, Instant::now());
            controller.context.telemetry.profile_changed(profile, &stored);
            Ok(next.requeue)
        }
        None => Ok(Requeue::Failed(None)),
    }
}

/// What the account has saved; `None` without credentials, or without complete data to match.
async fn observe(
    profile: &OrganizationProfile,
    controller: &Controller,
    resolved: &Resolved,
) -> Option<Result<Observed, ReadFailure>> {
    let spec = profile.spec.tencent_cloud.as_ref()?;
    let (Ok(data), Some(Ok(directory))) = (&resolved.data, &resolved.directory) else { return None };
    let id = |id: Option<i64>| id.and_then(|id| u64::try_from(id).ok());
    let wanted =
        Wanted { organization_id: id(spec.company_id), administrator_id: id(spec.manager_id), profile: data };
    let now = controller.context.clock.now();
    let handled = profile.status.as_ref().and_then(|status| status.last_handled_reconcile_at.clone());
    let is_asked = asked(profile).is_some_and(|asked| handled != Some(asked));
    let not_before = if is_asked { now } else { now.checked_sub(FRESH).unwrap_or(now) };
    let report =
        |action: &'static str, error: Option<&_>| controller.context.telemetry.read_outcome(action, error);
    let ask = Ask { directory: directory.as_ref(), not_before, now, report: &report };
    Some(observe::observe(&controller.lookups, ask, &wanted).await)
}

/// The reconciliation that the user requests by annotation.
fn asked(profile: &OrganizationProfile) -> Option<String> {
    profile.annotations().get(RECONCILE_AT).map(|asked| handled_value(asked))
}

/// The pause until the next pass.
fn pause(
    profile: &OrganizationProfile,
    controller: &Controller,
    requeue: Requeue,
    failures: u32,
) -> Duration {
    let mut hasher = DefaultHasher::new();
    profile.uid().hash(&mut hasher);
    let seed = hasher.finish() ^ controller.context.clock.now().as_second().unsigned_abs();
    match requeue {
        Requeue::Cluster => pace::STOPPED,
        Requeue::Review => pace::review(seed),
        Requeue::Settled => pace::settled(seed),
        Requeue::Failed(asked) => pace::after_failure(failures, asked, seed),
        Requeue::FailedForAll => pace::after_failure_of_all(failures, seed),
    }
}
