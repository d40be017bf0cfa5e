//! What the deletion of an order does at the cloud before the finalizer is removed. Pure.
//!
//! A paid certificate is never lost: a review is stopped so that the certificate can be ordered again, and an issued
//! certificate is revoked only if the user names it a second time.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::DeletionPolicy;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::age;
use crate::core::annotations::CONFIRM_REVOKE;
use crate::core::conditions::Problem;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Facts};
use crate::order::plan::{Step, once, settle};
use crate::provider::Error;

/// How long a deletion waits for credentials. Namespaces are deleted with everything in them, in any order.
const WAIT_FOR_CREDENTIALS: Duration = Duration::from_mins(10);

/// The next step of a deletion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeletionStep {
    /// Remove the finalizer.
    Release,
    /// Remove the finalizer without cleanup at the cloud; why.
    GiveUp(String),
    /// Do this first.
    First(Step),
    /// Do this for now, and requeue at this time at the latest.
    Wait {
        /// The step for now.
        step: Step,
        /// When the deletion is given up.
        until: Timestamp,
    },
}

/// Decides the next step of a deletion.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> DeletionStep {
    if let Some(intent) = facts.intent() {
        return match settle(facts, intent) {
            // Nothing new is started for an order that is being deleted.
            Step::Write {
                action: Action::Submit | Action::Order | Action::Resubmit | Action::SendLetter,
                ..
            }
            | Step::Adopt
            | Step::Follow
            | Step::Export
            | Step::MakeKey
            | Step::StartOver
            | Step::NotLanded(_) => match by_policy(facts) {
                DeletionStep::First(Step::Write { action, .. }) => {
                    DeletionStep::First(Step::Write { action, attempt: intent.attempt.saturating_add(1) })
                }
                other => other,
            },
            step => retry_or_give_up(facts, step),
        };
    }
    by_policy(facts)
}

fn by_policy(facts: &Facts<'_>) -> DeletionStep {
    let adopted_or_not_ours = facts.ours().is_none_or(|ours| ours.adopted);
    if facts.order.spec.deletion_policy == DeletionPolicy::Retain || adopted_or_not_ours {
        return DeletionStep::Release;
    }
    match facts.observed {
        Some(Ok(seen)) => undo(facts, seen),
        Some(Err(_)) => retry_or_give_up(facts, Step::Unreadable),
        None => match facts.payload {
            Err(problem) => retry_or_give_up(facts, Step::Halt(problem.clone())),
            Ok(_) => retry_or_give_up(facts, Step::Unreadable),
        },
    }
}

/// The policy is Cancel or Revoke, and this order sent the application.
fn undo(facts: &Facts<'_>, seen: &Observation) -> DeletionStep {
    match seen.stage {
        Stage::AwaitingLetter | Stage::Validating | Stage::Reviewing => {
            DeletionStep::First(once(facts, Action::Withdraw))
        }
        Stage::Cancelling | Stage::Issuing => DeletionStep::First(Step::Follow),
        // The CA may require a proof or a letter for it, and only this object reports that.
        Stage::Revoking | Stage::AwaitingRevocationLetter if is_revoked_by_us(facts) => {
            DeletionStep::First(Step::Follow)
        }
        // The cloud may not show yet that it was ordered.
        Stage::AwaitingInformation if facts.ours().is_some_and(|ours| facts.may_not_show_the_order(ours)) => {
            DeletionStep::First(Step::Follow)
        }
        Stage::Issued if facts.order.spec.deletion_policy == DeletionPolicy::Revoke => revoke(facts),
        _ => DeletionStep::Release,
    }
}

/// Whether this order requested the revocation.
fn is_revoked_by_us(facts: &Facts<'_>) -> bool {
    let last = facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
    facts.order.spec.deletion_policy == DeletionPolicy::Revoke
        && last.is_some_and(|last| last.action == facts.action_name(Action::Revoke))
}

fn revoke(facts: &Facts<'_>) -> DeletionStep {
    let id = facts.current_id();
    if facts.annotation(CONFIRM_REVOKE).is_some_and(|confirmed| confirmed == id) {
        return DeletionStep::First(once(facts, Action::Revoke));
    }
    let message = format!(
        "the certificate is issued, and deletionPolicy is Revoke: annotate the order with {CONFIRM_REVOKE}: {id} to \
         revoke it for good, or set deletionPolicy to Retain to delete the order alone"
    );
    DeletionStep::First(Step::Halt(Problem::new(Reason::AwaitingConfirmation, message)))
}

/// A deletion waits a limited time if the account has no usable credentials, or does not have the certificate: other
/// credentials may still be supplied.
fn retry_or_give_up(facts: &Facts<'_>, step: Step) -> DeletionStep {
    let Some(why) = unreachable(facts) else { return DeletionStep::First(step) };
    // Deleted by the API server's clock. A process that was just started does not wait anew: one that is started again and
    // again would hold the deletion of a namespace up for ever, and nothing is called.
    let left = facts.order.metadata.deletion_timestamp.as_ref().map(|since| {
        age::left_by_the_time_of_day(WAIT_FOR_CREDENTIALS, facts.now, since.0, facts.ages.deleted.seen)
    });
    match left {
        Some(left) if !left.is_zero() => DeletionStep::Wait { step, until: age::after(facts.now, left) },
        _ => DeletionStep::GiveUp(format!(
            "{why} for 10 minutes: the order is deleted, and certificate {} is left as it is at {}",
            facts.certificate_id, facts.cloud
        )),
    }
}

/// Why the cleanup at the cloud is not possible.
fn unreachable(facts: &Facts<'_>) -> Option<&'static str> {
    let no_credentials = "no usable credentials";
    match facts.observed {
        Some(Err(Error::CredentialsRefused(_))) => Some(no_credentials),
        Some(Err(Error::Rejected { reason: Reason::CertificateNotFound, .. })) => {
            Some("the cloud knows no such certificate in this account")
        }
        Some(_) => None,
        None => facts.calls.is_none().then_some(no_credentials),
    }
}
