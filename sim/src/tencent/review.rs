//! The review of saved profiles: it takes time, passes or fails, and what it found does not hold for ever.

use jiff::{SignedDuration, Timestamp};

use super::profile::{Manager, ManagerLevel, Review};
use crate::cloud::time::{parse_time, text_time};

/// Inferred: how long an approval holds (what the authorities may reuse it for), and from when on it is `expiring`.
const APPROVAL: SignedDuration = SignedDuration::from_hours(398 * 24);
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Manager {
    /// The manager as the cloud shows it now.
    pub(super) fn as_of(&self, now: Timestamp) -> Self {
        let mut shown = self.clone();
        match &self.review {
            Some(review) if now < review.ends => shown.is_reviewed(review, now),
            Some(review) => shown.was_reviewed(review),
            None => {}
        }
        shown.ages(now);
        shown
    }

    /// Inferred: first the cloud reviews, then the authority, each half of the time.
    fn is_reviewed(&mut self, review: &Review, now: Timestamp) {
        let at_authority = now.duration_since(review.began) * 2 >= review.ends.duration_since(review.began);
        if at_authority { "CAaudit" } else { "audit" }.clone_into(&mut self.status);
        self.set_levels("submitted");
    }

    fn was_reviewed(&mut self, review: &Review) {
        if !review.passes {
            "invalid".clone_into(&mut self.status);
            self.set_levels("invalid");
            return;
        }
        let expires = review.ends.saturating_add(APPROVAL).unwrap_or(Timestamp::MAX);
        "ok".clone_into(&mut self.status);
        self.verify_time = Some(text_time(review.ends));
        self.expire_time = Some(text_time(expires));
        self.set_levels("completed");
    }

    /// An approval ends by itself.
    fn ages(&mut self, now: Timestamp) {
        let Some(expires) = self.expire_time.as_deref().and_then(parse_time) else { return };
        let word = match expires.duration_since(now) {
            left if left <= SignedDuration::ZERO => "expired",
            left if left <= NOTICE => "expiring",
            _ => return,
        };
        if matches!(self.status.as_str(), "ok" | "expiring") {
            word.clone_into(&mut self.status);
            for level in self.levels.iter_mut().filter(|level| level.status == "completed") {
                word.clone_into(&mut level.status);
            }
        }
    }

    /// Inferred: a review is one for OV and EV, where nothing else was saved.
    fn set_levels(&mut self, status: &str) {
        if self.levels.is_empty() {
            let level = |level: &str| ManagerLevel { level: level.to_owned(), ..ManagerLevel::default() };
            self.levels = vec![level("ov"), level("ev")];
        }
        for level in &mut self.levels {
            status.clone_into(&mut level.status);
        }
    }
}
