//! What this process knows of the `DNSEndpoint`s of orders, so that a pass in which nothing changed makes no request. Lost
//! with the process: then each order that waits for its proofs of control is looked at once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::cache::Key;
use crate::order::dns_endpoint::records::Selection;
use crate::order::dns_endpoint::standing::Standing;

/// How long what was found holds: the object as it was written, and that the cluster has no such kind.
const LONG: Duration = Duration::from_hours(1);

/// The same of a problem that somebody may have mended.
const SHORT: Duration = Duration::from_mins(5);

/// What one process knows.
#[derive(Default)]
pub struct DnsEndpoints {
    /// Whether TXT values are written in quotes.
    pub quoted: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Until when the kind counts as absent.
    absent_until: Option<Instant>,
    orders: HashMap<Key, Found>,
}

/// What was found of one order.
struct Found {
    /// The order's UID.
    uid: String,
    wanted: Selection,
    standing: Standing,
    until: Instant,
}

impl DnsEndpoints {
    /// Nothing is known yet. TXT values are written in quotes if `quoted`.
    #[must_use]
    pub fn new(quoted: bool) -> Self {
        Self { quoted, known: Mutex::default() }
    }

    /// What was found lately of an order that wants the same as then.
    pub fn of(&self, key: &Key, uid: &str, wanted: &Selection, now: Instant) -> Option<Standing> {
        let known = self.lock();
        let found = known.orders.get(key)?;
        let holds = found.uid == uid && found.wanted == *wanted && now < found.until;
        holds.then(|| found.standing.clone())
    }

    /// What was found last, however long ago.
    pub fn last(&self, key: &Key, uid: &str) -> Option<Standing> {
        let known = self.lock();
        known.orders.get(key).filter(|found| found.uid == uid).map(|found| found.standing.clone())
    }

    /// Keeps what was found of an order.
    pub fn found(&self, key: &Key, uid: &str, wanted: &Selection, standing: &Standing, now: Instant) {
        let is_calm = matches!(standing, Standing::Written { taken: None, .. } | Standing::Empty { .. });
        let until = now + if is_calm { LONG } else { SHORT };
        let (uid, wanted, standing) = (uid.to_owned(), wanted.clone(), standing.clone());
        self.lock().orders.insert(key.clone(), Found { uid, wanted, standing, until });
    }

    /// Whether the cluster was found without the kind, within the last hour.
    pub fn is_absent(&self, now: Instant) -> bool {
        self.lock().absent_until.is_some_and(|until| now < until)
    }

    /// The cluster has no such kind, or has it after all.
    pub fn absent(&self, is_absent: bool, now: Instant) {
        self.lock().absent_until = is_absent.then_some(now + LONG);
    }

    /// Removes an order that has no such object, or was deleted.
    pub fn forget(&self, key: &Key) {
        self.lock().orders.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1alpha1::conditions::Reason;
    use crate::core::conditions::Problem;

    #[test]
    fn what_was_found_holds_for_an_hour_and_a_problem_for_five_minutes() {
        let (known, start) = (DnsEndpoints::default(), Instant::now());
        let (key, wanted) = (("shop".to_owned(), "www".to_owned()), Selection::default());
        let after = |minutes| start + Duration::from_mins(minutes);
        let written = Standing::Written { left_out: Vec::new(), taken: None };
        known.found(&key, "a", &wanted, &written, start);
        assert_eq!(known.of(&key, "a", &wanted, after(59)), Some(written.clone()));
        assert_eq!(known.of(&key, "a", &wanted, after(60)), None);
        assert_eq!(known.of(&key, "b", &wanted, start), None, "another order of that name");
        assert_eq!(known.last(&key, "a"), Some(written));
        let failed = Standing::Failed(Problem::new(Reason::RightMissing, "no right"));
        known.found(&key, "a", &wanted, &failed, start);
        assert_eq!(known.of(&key, "a", &wanted, after(4)), Some(failed));
        assert_eq!(known.of(&key, "a", &wanted, after(5)), None);
        known.absent(true, start);
        assert_eq!([59, 60].map(|minutes| known.is_absent(after(minutes))), [true, false]);
        known.absent(false, start);
        assert!(!known.is_absent(start));
        known.forget(&key);
        assert_eq!(known.last(&key, "a"), None);
    }
}
