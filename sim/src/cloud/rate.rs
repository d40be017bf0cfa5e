//! The frequency limit: so many calls of one action by one account in any window of one second.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use jiff::{SignedDuration, Timestamp};

/// Remembers the calls of the last second.
pub(crate) struct Limiter<A> {
    recent: HashMap<(A, &'static str), VecDeque<Timestamp>>,
}

impl<A> Default for Limiter<A> {
    fn default() -> Self {
        Self { recent: HashMap::new() }
    }
}

impl<A: Clone + Eq + Hash> Limiter<A> {
    /// Whether one more call fits.
    ///
    /// Inferred: a refused call does not count against the limit.
    pub(crate) fn admit(&mut self, account: &A, action: &'static str, limit: usize, now: Timestamp) -> bool {
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
