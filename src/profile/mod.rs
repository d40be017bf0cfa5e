//! The controller of OrganizationProfiles: are the data complete, and do the references resolve?

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::api::PostParams;
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};
use tracing::instrument;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{OrganizationProfile, OrganizationProfileStatus};
use crate::cluster::{Namespace, as_data, bounded};
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::order::Profile;
use crate::core::pace;
use crate::order::Context;
use crate::order::status::FIELD_MANAGER;

pub mod resolve;

/// The pause after trouble with the API server, or after another writer was faster.
const RETRY: Duration = Duration::from_secs(2);

/// Looks at one profile.
#[instrument(skip_all, fields(namespace = profile.namespace(), profile = profile.name_any()))]
pub async fn reconcile(profile: Arc<OrganizationProfile>, ctx: Arc<Context>) -> Result<Action, Infallible> {
    if profile.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    match look(&profile, &ctx).await {
        Ok(()) => Ok(Action::requeue(pace::STOPPED)),
        Err(error) => {
            ctx.telemetry.api_trouble(&error);
            Ok(Action::requeue(RETRY))
        }
    }
}

async fn look(profile: &OrganizationProfile, ctx: &Context) -> Result<(), kube::Error> {
    let namespace = profile.namespace().unwrap_or_default();
    let cluster = Namespace::new(ctx.client.clone(), &namespace);
    let resolved = as_data(resolve::resolve(&cluster, &profile.spec).await)?;
    let status = fold(profile, &resolved, ctx.clock.now());
    if profile.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let api: Api<OrganizationProfile> = Api::namespaced(ctx.client.clone(), &namespace);
    // The first status never says Ready=False, as that of an order.
    let is_first = profile.status.as_ref().is_none_or(|status| status.conditions.is_empty());
    let status = if is_first && is_not_ready(&status) { pending(&status, ctx.clock.now()) } else { status };
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let wanted = OrganizationProfile { status: Some(status), ..profile.clone() };
    bounded(api.replace_status(&profile.name_any(), &params, &wanted)).await.map(drop)
}

fn is_not_ready(status: &OrganizationProfileStatus) -> bool {
    get(&status.conditions, ConditionType::Ready).is_some_and(|ready| ready.status == "False")
}

/// The status of a profile that was just seen. Storing it brings the next look.
fn pending(status: &OrganizationProfileStatus, now: jiff::Timestamp) -> OrganizationProfileStatus {
    let mut conditions = Conditions::new(&[], status.observed_generation, now);
    conditions.working(Reason::Pending, "certorder has seen the profile and looks into it");
    OrganizationProfileStatus { conditions: conditions.into_list(), ..status.clone() }
}

/// The status that follows from what the references hold. Pure.
fn fold(
    profile: &OrganizationProfile,
    resolved: &Result<Profile, Problem>,
    now: jiff::Timestamp,
) -> OrganizationProfileStatus {
    let generation = profile.metadata.generation.unwrap_or_default();
    let mut status = profile.status.clone().unwrap_or_default();
    let mut conditions = Conditions::new(&status.conditions, generation, now);
    match resolved.as_ref().map(resolve::incomplete) {
        Ok(None) => conditions.resting(
            Status::True,
            Reason::Complete,
            "the data are complete and every reference resolves; orders may use this profile",
        ),
        Ok(Some(problem)) => conditions.halted(&problem),
        Err(problem) => conditions.halted(problem),
    }
    if profile.spec.tencent_cloud.is_some() {
        let message = "this version of certorder does not look up profiles that are saved at Tencent Cloud yet; \
                       orders send the data of this object";
        conditions.set(ConditionType::Resolved, Status::Unknown, Reason::Pending, message);
    } else {
        conditions.remove(ConditionType::Resolved);
    }
    status.observed_generation = generation;
    status.conditions = conditions.into_list();
    status
}
