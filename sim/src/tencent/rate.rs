//! The frequency limit: so many calls of one action by one account in any window of one second.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::state::Account;

/// Remembers the calls of the last second.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    recent: HashMap<(Account, &'static str), VecDeque<Timestamp>>,
}

impl Limiter {
    /// Whether one more call fits.
    ///
    /// Inferred: a refused call does not count against the limit.
    pub(super) fn admit(
        &mut self,
        account: &Account,
        action: &'static str,
        limit: usize,
        now: Timestamp,
    ) -> bool {
        let recent = self.recent.entry((account.clone(), action)).or_default();
        while recent.front().is_some_and(|first| now.duration_since(*first) >= SignedDuration::from_secs(1)) {
            recent.pop_front();
        }
        let fits = recent.len() < limit;
        if fits {
            recent.push_back(now);
        }
        fits
    }
}
