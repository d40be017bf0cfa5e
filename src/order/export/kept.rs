//! What was written last, kept for a while so that a repair asks nothing of the cloud, and how often each order's Secrets
//! were repaired. In memory only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::cache::Key;
use crate::core::observation::Bundle;

/// The most certificates that are kept; the oldest goes first. One has a few KiB, and its key if the cloud made it.
const MOST: usize = 64;

/// For how long one is kept after it was last needed.
const KEPT: Duration = Duration::from_hours(1);

/// How often what is too old is wiped.
const SWEEP: Duration = Duration::from_mins(1);

/// So many repairs are made at once: people edit and delete, too.
const AT_ONCE: u32 = 3;

/// The longest pause before a repair.
const LONGEST: Duration = Duration::from_mins(10);

/// After so long without a repair, beyond its pause, nobody contests the Secrets any more.
const CALM: Duration = Duration::from_mins(5);

/// The certificates that were handed over last. A key among them is wiped when it is dropped.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<Key, (Instant, Arc<Bundle>)>>);

impl Kept {
    /// Keeps what the cloud handed over for an order.
    pub fn keep(&self, key: &Key, bundle: Arc<Bundle>, now: Instant) {
        let mut kept = self.lock();
        kept.insert(key.clone(), (now, bundle));
        if kept.len() > MOST {
            let oldest = kept.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.map(|oldest| kept.remove(&oldest));
        }
    }

    /// What was handed over for an order, if it is still kept. It stays for another while.
    #[must_use]
    pub fn get(&self, key: &Key, now: Instant) -> Option<Arc<Bundle>> {
        let mut kept = self.lock();
        let (at, bundle) = kept.get_mut(key).filter(|(at, _)| now.duration_since(*at) < KEPT)?;
        *at = now;
        Some(Arc::clone(bundle))
    }

    /// Forgets an order.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Wipes what is too old, for as long as it is polled.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.lock().retain(|_, (at, _)| at.elapsed() < KEPT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (Instant, Arc<Bundle>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often the Secrets of each order were repaired lately.
#[derive(Default)]
pub struct Repairs(Mutex<HashMap<Key, Series>>);

/// Repairs of one order without a long time between them.
struct Series {
    /// Of the order: what was edited is written, not repaired.
    generation: i64,
    count: u32,
    last: Instant,
}

impl Series {
    /// The pause before the next repair.
    fn pause(&self) -> Duration {
        match self.count.checked_sub(AT_ONCE) {
            None => Duration::ZERO,
            Some(more) => Duration::from_secs(1).saturating_mul(2u32.saturating_pow(more)).min(LONGEST),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.last) >= self.pause().saturating_add(CALM)
    }
}

impl Repairs {
    /// How long the next repair of this order has to wait.
    #[must_use]
    pub fn wait(&self, key: &Key, generation: i64, now: Instant) -> Duration {
        let all = self.lock();
        let series = all.get(key).filter(|series| series.generation == generation && !series.is_over(now));
        series.map_or(Duration::ZERO, |series| series.pause().saturating_sub(now.duration_since(series.last)))
    }

    /// Counts a repair.
    pub fn count(&self, key: &Key, generation: i64, now: Instant) {
        let mut all = self.lock();
        all.retain(|_, series| !series.is_over(now));
        let series = all.entry(key.clone()).or_insert(Series { generation, count: 0, last: now });
        if series.generation != generation {
            *series = Series { generation, count: 0, last: now };
        }
        series.count = series.count.saturating_add(1);
        series.last = now;
    }

    /// Until when the Secrets of an order count as contested: they were repaired more often than people edit.
    #[must_use]
    pub fn contested_until(&self, key: &Key, generation: i64, now: Instant) -> Option<Instant> {
        let all = self.lock();
        let series = all.get(key).filter(|series| series.generation == generation && !series.is_over(now))?;
        (series.count > AT_ONCE).then(|| series.last + series.pause() + CALM)
    }

    /// Forgets an order.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: usize) -> Key {
        ("shop".to_owned(), name.to_string())
    }

    #[test]
    fn repairs_pause_longer_and_longer_and_begin_anew_after_a_calm_while() {
        let (repairs, start) = (Repairs::default(), Instant::now());
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..16 {
            let wait = repairs.wait(&key(0), 1, now);
            pauses.push(wait.as_secs());
            now += wait;
            repairs.count(&key(0), 1, now);
        }
        assert_eq!(pauses, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
        assert_eq!(repairs.wait(&key(0), 1, now), LONGEST);
        assert!(repairs.contested_until(&key(0), 1, now).is_some());
        assert_eq!(repairs.wait(&key(0), 2, now), Duration::ZERO, "the order was edited");
        now += LONGEST + CALM;
        assert_eq!(repairs.wait(&key(0), 1, now), Duration::ZERO);
        assert_eq!(repairs.contested_until(&key(0), 1, now), None);
    }

    #[test]
    fn a_few_edits_by_hand_are_no_contest() {
        let (repairs, now) = (Repairs::default(), Instant::now());
        for _ in 0..AT_ONCE {
            repairs.count(&key(0), 1, now);
            assert_eq!(repairs.contested_until(&key(0), 1, now), None);
        }
    }

    #[test]
    fn few_certificates_are_kept_and_not_for_long() {
        let (kept, start) = (Kept::default(), Instant::now());
        let bundle = Arc::new(Bundle { certificate_pem: String::new(), private_key_pem: None });
        for name in 0..=MOST {
            kept.keep(&key(name), Arc::clone(&bundle), start + Duration::from_secs(name as u64));
        }
        let now = start + Duration::from_mins(30);
        assert!(kept.get(&key(0), now).is_none(), "the oldest went");
        assert!(kept.get(&key(1), now).is_some());
        let later = now + Duration::from_mins(45);
        assert!(kept.get(&key(1), later).is_some(), "it was needed meanwhile");
        assert!(kept.get(&key(2), later).is_none());
    }
}
