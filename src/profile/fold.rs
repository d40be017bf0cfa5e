//! Computes the next status of a profile. Pure: it takes the profile as read and the facts, and returns the new status
//! and when to requeue.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{
    OrganizationProfile, OrganizationProfileStatus, TencentCloudProfile, TencentCloudProfileStatus, seconds,
};
use crate::controller::failure::{self, Retry};
use crate::core::application::Profile;
use crate::core::conditions::{Conditions, Problem, Status, get};
use crate::core::product::Level;
use crate::core::redact::Filter;
use crate::profile::approval::approval;
use crate::profile::matching::Found;
use crate::profile::messages;
use crate::profile::observe::{Observed, ReadFailure};
use crate::provider::Error;
use crate::provider::directory::{ReviewState, SavedAdministrator};

/// Everything that is known of one profile at one time.
pub struct Facts<'a> {
    /// The profile as read.
    pub profile: &'a OrganizationProfile,
    /// Its data.
    pub data: &'a Result<Profile, Problem>,
    /// Whether there are credentials to read the cloud with; `None` if the profile names no cloud.
    pub directory: Option<Result<(), Problem>>,
    /// What the account has saved, if it was read.
    pub observed: Option<&'a Result<Observed, ReadFailure>>,
    /// The annotation that requests a reconciliation.
    pub asked: Option<&'a str>,
    /// Blanks everything sensitive.
    pub filter: &'a Filter,
    /// Now.
    pub now: Timestamp,
}

/// The status to store, and when to requeue.
pub struct Next {
    /// The new status.
    pub status: OrganizationProfileStatus,
    /// When to requeue.
    pub requeue: Requeue,
}

/// When to requeue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requeue {
    /// Nothing is read but the cluster.
    Cluster,
    /// A review is pending.
    Review,
    /// No change is expected soon.
    Settled,
    /// After a failure: with exponential backoff, and at least this long.
    Failed(Option<Duration>),
    /// The same, but within two minutes.
    FailedForAll,
}

/// Computes the next status.
#[must_use]
pub fn fold(facts: &Facts<'_>) -> Next {
    let status = facts.profile.status.clone().unwrap_or_default();
    let generation = facts.profile.metadata.generation.unwrap_or_default();
    let conditions = Conditions::new(&status.conditions, generation, facts.now);
    let mut fold = Fold { status, conditions, facts };
    fold.status.observed_generation = generation;
    if let Some(asked) = facts.asked {
        fold.status.last_handled_reconcile_at = Some(asked.to_owned());
    }
    let requeue = if let Some(spec) = &facts.profile.spec.tencent_cloud {
        fold.saved(spec)
    } else {
        fold.forget();
        fold.conditions.remove(ConditionType::Resolved);
        Requeue::Cluster
    };
    fold.ready();
    fold.status.conditions = fold.conditions.into_list();
    Next { status: fold.status, requeue }
}

struct Fold<'a> {
    status: OrganizationProfileStatus,
    conditions: Conditions,
    facts: &'a Facts<'a>,
}

impl Fold<'_> {
    /// Ready: the data are complete, and every reference resolves. What the cloud reports of a saved profile does not
    /// count, since that would delay whatever else is applied together with the profile.
    fn ready(&mut self) {
        let missing = match (self.facts.data, &self.facts.directory) {
            (Err(problem), _) | (_, Some(Err(problem))) => Some(problem.clone()),
            (Ok(data), _) => self.incomplete(data),
        };
        if let Some(problem) = missing {
            self.conditions.halted(&problem);
        } else {
            let message = "the data are complete and every reference resolves; orders may use this profile";
            self.conditions.resting(Status::True, Reason::Complete, message);
        }
    }

    /// What is missing. A saved manager replaces an administrator that is not named.
    fn incomplete(&self, data: &Profile) -> Option<Problem> {
        let spec = &self.facts.profile.spec;
        let manager = self.status.tencent_cloud.as_ref().and_then(|saved| saved.manager_id);
        let is_reused = super::resolve::is_reused(spec);
        if super::resolve::names_a_person(data) || (is_reused && manager.is_some()) {
            return None;
        }
        if is_reused && self.conditions.is(ConditionType::Resolved, Status::Unknown) {
            let message = "spec.administrator is empty, and the saved manager is still looked for";
            return Some(Problem::new(Reason::Pending, message));
        }
        let why = if is_reused {
            "and the manager is not known to Tencent Cloud"
        } else {
            "and every application needs a person who answers for it"
        };
        Some(Problem::new(Reason::ProfileIncomplete, format!("spec.administrator is empty, {why}")))
    }

    /// What the account of the profile has saved.
    fn saved(&mut self, spec: &TencentCloudProfile) -> Requeue {
        let unfollowed = match (self.facts.data, &self.facts.directory) {
            (Err(problem), _) | (_, Some(Err(problem))) => Some(problem),
            _ => None,
        };
        if let Some(problem) = unfollowed {
            let message = format!("not looked up: {problem}");
            self.unknown(Reason::Pending, &message);
            return Requeue::Cluster;
        }
        match self.facts.observed {
            Some(Ok(observed)) => self.observed(spec, observed),
            Some(Err(failure)) => self.failed(failure),
            None => {
                self.unknown(Reason::Pending, "not looked up yet");
                Requeue::Failed(None)
            }
        }
    }

    fn observed(&mut self, spec: &TencentCloudProfile, observed: &Observed) -> Requeue {
        let count = |number: usize| i64::try_from(number).ok();
        let mut saved = TencentCloudProfileStatus {
            owner_uin: observed.owner.clone(),
            company_id: observed.organization.id().and_then(|id| i64::try_from(id).ok()),
            profiles: count(observed.profiles),
            limit: count(messages::LIMIT),
            ..TencentCloudProfileStatus::default()
        };
        self.resolved(spec, observed);
        let Some(manager) = &observed.manager else {
            self.conditions.remove(ConditionType::Approved);
            self.status.tencent_cloud = Some(saved);
            return Requeue::Settled;
        };
        reviewed(&mut saved, manager);
        self.status.tencent_cloud = Some(saved);
        let approval = approval(manager, self.facts.now);
        self.conditions.set(ConditionType::Approved, approval.status, approval.reason, &approval.message);
        match manager.review.state {
            ReviewState::InReview | ReviewState::NotSubmitted | ReviewState::Unrecognised => Requeue::Review,
            _ => Requeue::Settled,
        }
    }

    fn resolved(&mut self, spec: &TencentCloudProfile, observed: &Observed) {
        let (status, reason, message) = match (&observed.organization, &observed.administrator) {
            (Found::One(company), Found::One(manager)) => {
                let is_given = spec.manager_id.is_some();
                let (reason, how) =
                    if is_given { (Reason::Given, "as given") } else { (Reason::Matched, "found") };
                (Status::True, reason, format!("company {company} and manager {manager}, {how}"))
            }
            (Found::One(company), manager) => {
                let (reason, message) = messages::no_manager(spec, *company, manager);
                (Status::False, reason, message)
            }
            (company, _) => {
                let (reason, message) = messages::no_company(spec, company, observed.profiles);
                (Status::False, reason, message)
            }
        };
        self.conditions.set(ConditionType::Resolved, status, reason, &message);
    }

    /// A refusal is a result. A temporary failure keeps what is already known of the same generation.
    fn failed(&mut self, failure: &ReadFailure) -> Requeue {
        let failure = failure::describe_with(
            "Tencent Cloud",
            failure.action,
            &failure.error,
            self.facts.filter,
            what_next,
        );
        let stored = self.facts.profile.status.as_ref().map(|status| status.conditions.as_slice());
        let resolved = get(stored.unwrap_or_default(), ConditionType::Resolved);
        // Of several equal failures in a row the first one stays, so that a retry writes nothing.
        let shown = resolved.filter(|shown| failure.continues(&shown.message));
        let message = shown.map_or_else(|| failure.problem.message.clone(), |shown| shown.message.clone());
        let requeue = match failure.retry {
            Retry::OnChange => {
                self.forget();
                self.conditions.set(ConditionType::Resolved, Status::False, Reason::Refused, &message);
                return Requeue::Settled;
            }
            Retry::Backoff(asked) => Requeue::Failed(asked),
            Retry::Soon => Requeue::FailedForAll,
        };
        let generation = self.facts.profile.metadata.generation;
        let is_known = resolved.is_some_and(|resolved| {
            resolved.status != "Unknown" && resolved.observed_generation == generation
        });
        if !is_known {
            self.unknown(failure.problem.reason, &message);
        }
        requeue
    }

    fn unknown(&mut self, reason: Reason, message: &str) {
        self.forget();
        self.conditions.set(ConditionType::Resolved, Status::Unknown, reason, message);
    }

    fn forget(&mut self) {
        self.status.tencent_cloud = None;
        self.conditions.remove(ConditionType::Approved);
    }
}

/// Copies what the cloud reports of a manager.
fn reviewed(saved: &mut TencentCloudProfileStatus, manager: &SavedAdministrator) {
    let SavedAdministrator { id, review, .. } = manager;
    let word = |level: Level| review.levels.iter().find(|one| one.level == level).map(|one| one.word.clone());
    saved.manager_id = i64::try_from(*id).ok();
    saved.review_status = Some(review.word.clone()).filter(|word| !word.is_empty());
    saved.ov_review_status = word(Level::Ov);
    saved.ev_review_status = word(Level::Ev);
    saved.expires_at = review.ends.map(seconds);
}

fn what_next(error: &Error) -> &'static str {
    match error {
        Error::Rejected { reason: Reason::PermissionDenied, .. } => {
            "Let the owner of the API key call DescribeCompanies and DescribeManagers, in CAM; certorder looks again \
             within 12 hours, or at once with the annotation certorder.dev/reconcile-at on this profile."
        }
        Error::CredentialsRefused(_) => {
            "Replace the content of the Secret that spec.tencentCloud.credentialsRef names; certorder then looks again \
             at once."
        }
        Error::Rejected { .. } | Error::NotNow(_) | Error::UnderWay(_) => {
            "Orders send the data of this profile meanwhile. certorder looks again within 12 hours, or at once with the \
             annotation certorder.dev/reconcile-at on this profile."
        }
        Error::ClockSkew(_)
        | Error::Throttled { .. }
        | Error::Unavailable(_)
        | Error::Unknown(_)
        | Error::NotSent(_) => "certorder tries again by itself.",
    }
}
