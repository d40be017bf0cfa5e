//! What the deletion of an order does at the cloud first. Pure.
//!
//! What was paid for is never given up: a review is stopped so that the certificate can be ordered again, and an
//! issued certificate is revoked only where the user names it a second time.

use jiff::SignedDuration;

use crate::api::v1alpha1::DeletionPolicy;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::conditions::Problem;
use crate::core::order::{Observation, Stage};
use crate::order::facts::{Action, Facts};
use crate::order::plan::{Step, once, settle};
use crate::provider::Error;

/// The annotation that confirms a revocation; its value is the id of the certificate.
pub const CONFIRM_REVOKE: &str = "certorder.dev/confirm-revoke";

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
        // The cloud may not show yet that it was ordered.
        Stage::AwaitingInformation if facts.ours().is_some_and(|ours| facts.may_not_show_the_order(ours)) => {
            End::First(Step::Follow)
        }
        Stage::Issued if facts.order.spec.deletion_policy == DeletionPolicy::Revoke => revoke(facts),
        _ => End::Release,
    }
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

/// A deletion does not wait for ever for an account that cannot be reached any more.
fn or_give_up(facts: &Facts<'_>, step: Step) -> End {
    let credentials_are_gone = match facts.observed {
        Some(Err(error)) => matches!(error, Error::CredentialsRefused(_)),
        Some(Ok(_)) => false,
        None => facts.calls.is_none(),
    };
    let since = facts.order.metadata.deletion_timestamp.as_ref();
    let waited = since.is_some_and(|since| facts.now.duration_since(since.0) >= WAIT_FOR_CREDENTIALS);
    if credentials_are_gone && waited {
        return End::GiveUp(format!(
            "no usable credentials for 10 minutes: the order is deleted, and certificate {} is left as it is at {}",
            facts.certificate_id, facts.cloud
        ));
    }
    End::First(step)
}
