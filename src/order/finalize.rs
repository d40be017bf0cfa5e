//! What the deletion of an order does at the cloud first. Pure.
//!
//! What was paid for is never given up: a review is stopped so that the certificate can be ordered again, and an
//! issued certificate is revoked only where the user names it a second time.

use jiff::{SignedDuration, Timestamp};

use crate::api::v1alpha1::DeletionPolicy;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::CONFIRM_REVOKE;
use crate::core::conditions::Problem;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Facts};
use crate::order::plan::{Step, once, settle};
use crate::provider::Error;

/// How long a deletion waits for credentials. Namespaces are deleted with everything in them, in any order.
const WAIT_FOR_CREDENTIALS: SignedDuration = SignedDuration::from_mins(10);

/// The next step of a deletion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// Let go of the object.
    Release,
    /// Let go of the object although the cloud was not told; why.
    GiveUp(String),
    /// Do this first.
    First(Step),
    /// Show this meanwhile, and look again then at the latest.
    Wait {
        /// What is the case.
        step: Step,
        /// When the deletion is given up.
        until: Timestamp,
    },
}

/// Decides the next step of a deletion.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> End {
    if let Some(intent) = facts.intent() {
        return match settle(facts, intent) {
            // Nothing new is begun for an order that is being deleted.
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
                End::First(Step::Write { action, .. }) => {
                    End::First(Step::Write { action, attempt: intent.attempt.saturating_add(1) })
                }
                end => end,
            },
            step => or_give_up(facts, step),
        };
    }
    by_policy(facts)
}

fn by_policy(facts: &Facts<'_>) -> End {
    let adopted_or_not_ours = facts.ours().is_none_or(|ours| ours.adopted);
    if facts.order.spec.deletion_policy == DeletionPolicy::Retain || adopted_or_not_ours {
        return End::Release;
    }
    match facts.observed {
        Some(Ok(seen)) => undo(facts, seen),
        Some(Err(_)) => or_give_up(facts, Step::Unreadable),
        None => match facts.payload {
            Err(problem) => or_give_up(facts, Step::Halt(problem.clone())),
            Ok(_) => or_give_up(facts, Step::Unreadable),
        },
    }
}

/// The policy is Cancel or Revoke, and the order is ours.
fn undo(facts: &Facts<'_>, seen: &Observation) -> End {
    match seen.stage {
        Stage::AwaitingLetter | Stage::Validating | Stage::Reviewing => {
            End::First(once(facts, Action::Withdraw))
        }
        Stage::Cancelling | Stage::Issuing => End::First(Step::Follow),
        // The CA may want a proof or a letter for it, and only this object says so.
        Stage::Revoking | Stage::AwaitingRevocationLetter if is_revoked_by_us(facts) => {
            End::First(Step::Follow)
        }
        // The cloud may not show yet that it was ordered.
        Stage::AwaitingInformation if facts.ours().is_some_and(|ours| facts.may_not_show_the_order(ours)) => {
            End::First(Step::Follow)
        }
        Stage::Issued if facts.order.spec.deletion_policy == DeletionPolicy::Revoke => revoke(facts),
        _ => End::Release,
    }
}

/// Whether the revocation was asked for here.
fn is_revoked_by_us(facts: &Facts<'_>) -> bool {
    let last = facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
    facts.order.spec.deletion_policy == DeletionPolicy::Revoke
        && last.is_some_and(|last| last.action == facts.action_name(Action::Revoke))
}

fn revoke(facts: &Facts<'_>) -> End {
    let id = facts.certificate_id;
    if facts.annotation(CONFIRM_REVOKE).is_some_and(|confirmed| confirmed == id) {
        return End::First(once(facts, Action::Revoke));
    }
    let message = format!(
        "the certificate is issued, and deletionPolicy is Revoke: annotate the order with {CONFIRM_REVOKE}: {id} to \
         revoke it for good, or set deletionPolicy to Retain to delete the order alone"
    );
    End::First(Step::Halt(Problem::new(Reason::AwaitingConfirmation, message)))
}

/// A deletion does not wait for ever for an account that cannot be reached any more, or for a certificate that is not
/// there: with other credentials it might be.
fn or_give_up(facts: &Facts<'_>, step: Step) -> End {
    let Some(why) = out_of_reach(facts) else { return End::First(step) };
    let since = facts.order.metadata.deletion_timestamp.as_ref();
    let until = since.and_then(|since| since.0.checked_add(WAIT_FOR_CREDENTIALS).ok());
    match until {
        Some(until) if facts.now < until => End::Wait { step, until },
        _ => End::GiveUp(format!(
            "{why} for 10 minutes: the order is deleted, and certificate {} is left as it is at {}",
            facts.certificate_id, facts.cloud
        )),
    }
}

/// Why nothing can be done at the cloud.
fn out_of_reach(facts: &Facts<'_>) -> Option<&'static str> {
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
