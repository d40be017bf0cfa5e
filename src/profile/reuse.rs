//! What an order takes from a profile: the ids of the saved one, the profile's own data, or nothing yet.
//!
//! The ids come from the status of the profile; an order does not read them from a cloud. Everything here depends only
//! on the ids and on whether they are approved, so that no order is submitted twice without need: the cloud's word for
//! the review, its expiry, and temporary read failures do not change what is sent.

use kube::ResourceExt;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{
    OrganizationProfile, OrganizationProfileStatus, Reuse, TencentCloudProfile, TencentCloudProfileStatus,
};
use crate::cluster::{Error, Namespace, as_data};
use crate::core::application::{Profile, Saved};
use crate::core::conditions::{Problem, get};
use crate::core::product::Level;
use crate::profile::resolve;
use crate::provider::Account;
use crate::provider::registry::{self, Clouds};

/// A profile as an order sends it.
pub struct Taken {
    /// The profile, as far as the cluster holds it.
    pub profile: Profile,
    /// What replaces its data once the cloud reports the owner of the order's certificate; `None` if the owner makes no
    /// difference.
    pub by_owner: Option<ByOwner>,
}

/// What replaces the data of a profile if the order uses another API key than the profile: both keys may belong to one
/// account.
#[derive(Clone, Debug)]
pub struct ByOwner {
    owner: String,
    same: Saved,
    other: Saved,
}

impl ByOwner {
    /// For a certificate of this account.
    #[must_use]
    pub fn saved(&self, owner: Option<&str>) -> Saved {
        match owner {
            Some(owner) if owner == self.owner => self.same.clone(),
            Some(_) => self.other.clone(),
            None => {
                let message = "waits until the cloud tells whose the certificate is: the order's key is another one than \
                               the profile's";
                Saved::Held(Problem::new(Reason::Pending, message))
            }
        }
    }
}

/// A profile as an order of this account sends it. Reads Secrets only.
pub async fn application(
    clouds: &Clouds,
    namespace: &Namespace,
    profile: &OrganizationProfile,
    account: Option<&Account>,
) -> Result<Taken, Error> {
    let data = resolve::data(namespace, &profile.spec).await?;
    let (saved, by_owner) = match (&profile.spec.tencent_cloud, account) {
        // A cloud without saved profiles, or an order without credentials, has nothing to reuse.
        (Some(spec), Some(account)) if spec.reuse != Reuse::Never => {
            match as_data(resolve::directory(clouds, namespace, spec).await)? {
                Ok(directory) if directory.account() == *account => (saved(profile, spec, true), None),
                Ok(_) => with_another_key(profile, spec),
                Err(problem) => (Saved::Held(problem), None),
            }
        }
        _ => (Saved::No, None),
    };
    Ok(Taken { profile: Profile { saved, ..data }, by_owner })
}

/// For an order with another API key than the profile. Pure.
pub(super) fn with_another_key(
    profile: &OrganizationProfile,
    spec: &TencentCloudProfile,
) -> (Saved, Option<ByOwner>) {
    let other = saved(profile, spec, false);
    let Some(owner) = Known::of(profile).and_then(|known| known.ids.owner_uin) else { return (other, None) };
    let by_owner = ByOwner { owner, same: saved(profile, spec, true), other };
    (by_owner.saved(None), Some(by_owner))
}

/// What replaces the data of a profile, for an order of the same account or of another one. Pure.
#[must_use]
pub fn saved(profile: &OrganizationProfile, spec: &TencentCloudProfile, same_account: bool) -> Saved {
    let name = profile.name_any();
    let required = spec.reuse == Reuse::Required;
    let Some(known) = Known::of(profile) else {
        let message =
            format!("OrganizationProfile {name} is being looked up at Tencent Cloud; its status has more");
        return Saved::Held(Problem::new(Reason::Pending, message));
    };
    let usable = if same_account {
        known.usable()
    } else {
        let why = "the profile is saved in another account than that of the order's credentials";
        if required {
            let message = format!(
                "OrganizationProfile {name} has spec.tencentCloud.reuse: Required, but {why}; use credentials of one \
                 account in both, or set it to Preferred"
            );
            return Saved::Held(Problem::new(Reason::InvalidRequest, message));
        }
        Saved::NotUsable(why.to_owned())
    };
    if !required || matches!(usable, Saved::Everything { .. }) {
        return usable;
    }
    let message = format!(
        "OrganizationProfile {name} has spec.tencentCloud.reuse: Required, so the order waits until the saved profile is \
         approved, and then starts by itself: {}",
        known.message()
    );
    Saved::Held(Problem::new(Reason::ProfileInReview, message))
}

/// What the status reports of the current generation of a profile.
struct Known<'a> {
    status: &'a OrganizationProfileStatus,
    ids: TencentCloudProfileStatus,
}

impl<'a> Known<'a> {
    fn of(profile: &'a OrganizationProfile) -> Option<Self> {
        let status = profile.status.as_ref()?;
        let resolved = get(&status.conditions, ConditionType::Resolved)?;
        let is_current = Some(status.observed_generation) == profile.metadata.generation;
        let is_known = is_current && resolved.status != "Unknown";
        is_known.then(|| Self { status, ids: status.tencent_cloud.clone().unwrap_or_default() })
    }

    fn usable(&self) -> Saved {
        let id = |id: Option<i64>| id.and_then(|id| u64::try_from(id).ok());
        match (id(self.ids.company_id), id(self.ids.manager_id)) {
            (Some(organization), Some(administrator)) if self.is_approved() => {
                Saved::Everything { organization, administrator, reviewed: self.reviewed() }
            }
            (Some(_), Some(_)) => Saved::NotUsable(self.why_not_approved().to_owned()),
            (Some(id), None) => Saved::Organization { id, without_people: self.why_no_manager().to_owned() },
            (None, _) => Saved::NotUsable(self.why_no_company().to_owned()),
        }
    }

    fn is_approved(&self) -> bool {
        self.approved().is_some_and(|(status, _)| status == "True")
    }

    fn reviewed(&self) -> Vec<Level> {
        let words = [(Level::Ov, &self.ids.ov_review_status), (Level::Ev, &self.ids.ev_review_status)];
        let passed = |word: &Option<String>| word.as_deref().is_some_and(registry::is_passed);
        words.into_iter().filter(|(_, word)| passed(word)).map(|(level, _)| level).collect()
    }

    fn approved(&self) -> Option<(&str, &str)> {
        let approved = get(&self.status.conditions, ConditionType::Approved)?;
        Some((approved.status.as_str(), approved.reason.as_str()))
    }

    fn why_not_approved(&self) -> &'static str {
        let is = |reason: Reason| self.approved().is_some_and(|(_, actual)| actual == <&str>::from(reason));
        if is(Reason::Expired) {
            "the approval of the saved profile has run out at Tencent Cloud"
        } else if is(Reason::Invalid) {
            "the review of the saved profile failed at Tencent Cloud"
        } else {
            "the saved profile is not approved at Tencent Cloud yet"
        }
    }

    fn why_no_manager(&self) -> &'static str {
        if self.resolved_says(Reason::Ambiguous) {
            "several managers at Tencent Cloud fit"
        } else {
            "the manager is not known to Tencent Cloud"
        }
    }

    fn why_no_company(&self) -> &'static str {
        if self.resolved_says(Reason::Ambiguous) {
            "several companies at Tencent Cloud fit"
        } else if self.resolved_says(Reason::Refused) {
            "Tencent Cloud refuses to list the saved profiles"
        } else {
            "the company is not known to Tencent Cloud"
        }
    }

    fn resolved_says(&self, reason: Reason) -> bool {
        let resolved = get(&self.status.conditions, ConditionType::Resolved);
        resolved.is_some_and(|resolved| resolved.reason == <&str>::from(reason))
    }

    /// Why the profile cannot be used.
    fn message(&self) -> &str {
        let conditions = &self.status.conditions;
        let shown = [ConditionType::Approved, ConditionType::Resolved]
            .into_iter()
            .find_map(|type_| get(conditions, type_));
        shown.map_or("", |condition| &condition.message)
    }
}
