//! What this process knows of claims: which it holds, since when a holder is seen to be gone, and which are to be given up.
//! By its own monotonic clock; lost with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::cache::Key;
use crate::order::claim::lease::Holder;

/// The memory of one process.
#[derive(Default)]
pub struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The claims that orders of this process hold.
    held: HashMap<Key, Held>,
    /// Whose holder is gone, by the name of the Lease.
    vacant: HashMap<String, Vacant>,
    /// Whose holder was deleted, by the name of the Lease.
    to_give_up: HashMap<String, Due>,
}

struct Held {
    /// The name of the Lease.
    lease: String,
    /// The UID of the order.
    uid: String,
    /// Before the Lease was last asked for, or written, for this order.
    read_at: Instant,
}

struct Vacant {
    /// The UID of the order that is gone. No other order ever has it.
    uid: String,
    /// When that was first read from the API server.
    since: Instant,
}

struct Due {
    holder: Holder,
    at: Instant,
}

impl Memory {
    /// When the Lease was last read to be this order's.
    pub fn read_at(&self, order: &Holder, lease: &str) -> Option<Instant> {
        let known = self.lock();
        let held = known.held.get(&order.key)?;
        (held.uid == order.uid && held.lease == lease).then_some(held.read_at)
    }

    /// An order holds a claim, as was asked at this time. Answers whether there is another to be given up.
    pub fn held(&self, order: &Holder, lease: &str, read_at: Instant) -> bool {
        let mut known = self.lock();
        known.vacant.remove(lease);
        if let Some(due) = known.to_give_up.remove(lease) {
            known.forget(&due.holder, lease);
        }
        let (uid, name) = (order.uid.clone(), lease.to_owned());
        let before = known.held.insert(order.key.clone(), Held { lease: name, uid, read_at });
        // An order of before, of the same name and another certificate, was deleted without being missed.
        let Some(before) = before.filter(|before| before.lease != lease) else { return false };
        let holder = Holder { key: order.key.clone(), uid: before.uid };
        known.to_give_up.insert(before.lease, Due { holder, at: Instant::now() });
        true
    }

    /// An order is gone from the cache. Answers whether it held a claim.
    pub fn deleted(&self, key: &Key) -> bool {
        let mut known = self.lock();
        let Some(Held { lease, uid, .. }) = known.held.get(key) else { return false };
        let (lease, holder) = (lease.clone(), Holder { key: key.clone(), uid: uid.clone() });
        known.to_give_up.insert(lease, Due { holder, at: Instant::now() });
        true
    }

    /// The holder of a claim was just read to be gone. Starts or continues the wait, and returns what is left of it.
    pub fn vacant_for(&self, lease: &str, holder: &Holder, wait: Duration) -> Duration {
        let mut known = self.lock();
        let now = || Vacant { uid: holder.uid.clone(), since: Instant::now() };
        let vacant = known.vacant.entry(lease.to_owned()).or_insert_with(now);
        if vacant.uid != holder.uid {
            *vacant = now();
        }
        wait.saturating_sub(vacant.since.elapsed())
    }

    /// Whether the holder of a claim, whoever that was, was read to be gone.
    pub fn waits_for(&self, lease: &str) -> bool {
        self.lock().vacant.contains_key(lease)
    }

    /// The holder of a claim was just read to exist.
    pub fn not_vacant(&self, lease: &str) {
        self.lock().vacant.remove(lease);
    }

    /// A claim whose order is gone is read again at this time.
    pub fn give_up_at(&self, lease: &str, holder: Holder, at: Instant) {
        self.lock().to_give_up.insert(lease.to_owned(), Due { holder, at });
    }

    /// The claims to look at by now, each with the order that is gone.
    pub fn take_due(&self) -> Vec<(String, Holder)> {
        let now = Instant::now();
        let due = |_: &String, due: &mut Due| due.at <= now;
        self.lock().to_give_up.extract_if(due).map(|(lease, due)| (lease, due.holder)).collect()
    }

    /// When the next claim is to be looked at.
    pub fn next_due(&self) -> Option<Instant> {
        self.lock().to_give_up.values().map(|due| due.at).min()
    }

    /// A claim was given up, or is another order's.
    pub fn forget(&self, lease: &str, holder: &Holder) {
        let mut known = self.lock();
        known.vacant.remove(lease);
        known.forget(holder, lease);
    }

    /// Forgets the waits for Leases that are there no more.
    pub fn keep_vacant(&self, is_there: impl Fn(&str) -> bool) {
        self.lock().vacant.retain(|lease, _| is_there(lease));
    }

    /// How many claims are held, waited for, and to be given up.
    #[cfg(test)]
    pub fn sizes(&self) -> [usize; 3] {
        let known = self.lock();
        [known.held.len(), known.vacant.len(), known.to_give_up.len()]
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn forget(&mut self, order: &Holder, lease: &str) {
        let is_its = |held: &Held| held.uid == order.uid && held.lease == lease;
        if self.held.get(&order.key).is_some_and(is_its) {
            self.held.remove(&order.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str, uid: &str) -> Holder {
        Holder { key: ("shop".to_owned(), name.to_owned()), uid: uid.to_owned() }
    }

    const WAIT: Duration = Duration::from_secs(80);

    #[tokio::test(start_paused = true)]
    async fn the_wait_counts_from_when_the_holder_was_last_seen_to_be_gone_and_not_to_exist() {
        let (memory, gone) = (Memory::default(), order("www", "1"));
        let pass = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
        assert!(!memory.waits_for("a"));
        assert_eq!(memory.vacant_for("a", &gone, WAIT), WAIT);
        assert!(memory.waits_for("a") && !memory.waits_for("b"));
        pass(50).await;
        assert_eq!(memory.vacant_for("a", &gone, WAIT).as_secs(), 30);
        assert_eq!(memory.vacant_for("b", &gone, WAIT), WAIT, "each Lease by itself");
        // A cache that lagged had it wrong.
        memory.not_vacant("a");
        pass(50).await;
        assert_eq!(memory.vacant_for("a", &gone, WAIT), WAIT);
        pass(79).await;
        assert_eq!(memory.vacant_for("a", &order("www", "2"), WAIT), WAIT, "another holder, another wait");
        pass(81).await;
        assert_eq!(memory.vacant_for("a", &order("www", "2"), WAIT), Duration::ZERO);
        memory.keep_vacant(|lease| lease == "b");
        assert_eq!(memory.sizes(), [0, 1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_is_one_objects_and_what_it_leaves_behind_is_given_up() {
        let (memory, now) = (Memory::default(), Instant::now());
        let (first, again) = (order("www", "1"), order("www", "2"));
        assert!(!memory.held(&first, "a", now));
        assert_eq!(memory.read_at(&first, "a"), Some(now));
        assert_eq!((memory.read_at(&again, "a"), memory.read_at(&first, "b")), (None, None));
        // Deleted and created again for another certificate before anybody missed it.
        assert!(memory.held(&again, "b", now));
        assert_eq!(memory.take_due(), [("a".to_owned(), first.clone())]);
        assert!(memory.take_due().is_empty());

        assert!(memory.deleted(&again.key));
        assert_eq!(memory.next_due(), Some(now));
        // Taken over by another order before it was given up: nothing is left of the first.
        let taker = order("shop", "3");
        assert!(!memory.held(&taker, "b", now));
        assert!(memory.take_due().is_empty());
        assert_eq!(memory.sizes(), [1, 0, 0]);
        memory.forget("b", &again);
        assert_eq!(memory.read_at(&taker, "b"), Some(now), "that of another order stays");
        memory.forget("b", &taker);
        assert_eq!(memory.sizes(), [0, 0, 0]);
        assert!(!memory.deleted(&taker.key), "an order without a claim leaves none");
    }
}
