//! Writes the status of a profile, by compare-and-swap on the version that was read.

use jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{OrganizationProfile, OrganizationProfileStatus};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::core::conditions::{Conditions, get};

/// Stores a status. An unchanged one is not written. `None`: another process wrote first, or the profile was deleted.
///
/// As with an order, the first status is never Ready=False.
pub async fn swap(
    client: &Client,
    profile: &OrganizationProfile,
    status: OrganizationProfileStatus,
    now: Timestamp,
) -> Result<Option<OrganizationProfile>, kube::Error> {
    if profile.status.as_ref() == Some(&status) {
        return Ok(Some(profile.clone()));
    }
    let is_first = profile.status.as_ref().is_none_or(|status| status.conditions.is_empty());
    let ready = get(&status.conditions, ConditionType::Ready);
    if is_first && ready.is_some_and(|ready| ready.status == "False") {
        let Some(profile) = write(client, profile, pending(&status, now)).await? else { return Ok(None) };
        return write(client, &profile, status).await;
    }
    write(client, profile, status).await
}

/// The first status of a new profile.
fn pending(status: &OrganizationProfileStatus, now: Timestamp) -> OrganizationProfileStatus {
    let mut conditions = Conditions::new(&[], status.observed_generation, now);
    conditions.working(Reason::Pending, "certorder has seen the profile and looks into it");
    OrganizationProfileStatus {
        observed_generation: status.observed_generation,
        conditions: conditions.into_list(),
        ..OrganizationProfileStatus::default()
    }
}

async fn write(
    client: &Client,
    profile: &OrganizationProfile,
    status: OrganizationProfileStatus,
) -> Result<Option<OrganizationProfile>, kube::Error> {
    let api: Api<OrganizationProfile> =
        Api::namespaced(client.clone(), &profile.namespace().unwrap_or_default());
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let wanted = OrganizationProfile { status: Some(status), ..profile.clone() };
    match bounded(api.replace_status(&profile.name_any(), &params, &wanted)).await {
        Ok(stored) => Ok(Some(stored)),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
