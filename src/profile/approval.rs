//! What a review means for the condition Approved. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::age;
use crate::core::conditions::Status;
use crate::profile::messages;
use crate::provider::directory::{Review, ReviewState, SavedAdministrator};

/// How long before its end an approval counts as expiring.
const EXPIRING_WITHIN: Duration = Duration::from_hours(30 * 24);

/// The condition Approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// Its status.
    pub status: Status,
    /// Its reason.
    pub reason: Reason,
    /// Its message.
    pub message: String,
}

/// The state of a review now: the cloud may report late that an approval has ended.
#[must_use]
pub fn state(review: &Review, now: Timestamp) -> ReviewState {
    match review.ends.map(|ends| age::left(now, ends)) {
        Some(left) if review.state.is_passed() && left.is_zero() => ReviewState::Expired,
        Some(left) if review.state == ReviewState::Approved && left <= EXPIRING_WITHIN => {
            ReviewState::Expiring
        }
        _ => review.state,
    }
}

/// The condition for the review of a manager.
#[must_use]
pub fn approval(manager: &SavedAdministrator, now: Timestamp) -> Approval {
    let SavedAdministrator { id, review, .. } = manager;
    let word =
        format!("Tencent Cloud says {}", if review.word.is_empty() { "nothing" } else { &review.word });
    let until = review.ends.map(|ends| format!(" on {}", day(ends))).unwrap_or_default();
    let submit = messages::how_to_submit();
    let (status, reason, message) = match state(review, now) {
        ReviewState::Approved => {
            let until = review.ends.map(|ends| format!(" until {}", day(ends))).unwrap_or_default();
            let message = format!("manager {id} has passed the review ({word}){until}.{}", levels(review));
            (Status::True, Reason::Approved, message)
        }
        ReviewState::Expiring => {
            let message = format!(
                "the approval of manager {id} ends{until} ({word}); orders use it until then. Renew it in time. \
                 {submit}{}",
                levels(review)
            );
            (Status::True, Reason::Expiring, message)
        }
        ReviewState::InReview => {
            let message = format!("manager {id} is under review ({word}). {}", messages::in_review());
            (Status::False, Reason::InReview, message)
        }
        ReviewState::NotSubmitted => {
            let message = format!("manager {id} is saved, but not submitted for review ({word}). {submit}");
            (Status::False, Reason::InReview, message)
        }
        ReviewState::Expired => {
            let message = format!("the approval of manager {id} has run out{until} ({word}). {submit}");
            (Status::False, Reason::Expired, message)
        }
        ReviewState::Invalid => {
            let message = format!(
                "the review of manager {id} failed ({word}): correct the data that are saved. {submit}"
            );
            (Status::False, Reason::Invalid, message)
        }
        ReviewState::Unrecognised => {
            let message = format!(
                "this version of certorder does not know what it means for manager {id} that {word}; it counts as not \
                 approved"
            );
            (Status::Unknown, Reason::Pending, message)
        }
    };
    Approval { status, reason, message }
}

/// The levels of a product whose review is not passed yet: the CA does not skip the review of such an order.
fn levels(review: &Review) -> String {
    let unfinished = review.levels.iter().filter(|one| !one.passed);
    let words: Vec<_> = unfinished
        .map(|one| format!(" For {} products it is {}, so their review is not skipped.", one.level, one.word))
        .collect();
    words.concat()
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
