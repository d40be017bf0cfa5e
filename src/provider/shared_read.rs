//! Reads that many orders share: one of them makes the calls, the others wait for it, and the answer is kept for a while.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Error;

/// Answers by what was read. A key holds what decides who may see the answer: a digest of the whole credentials.
pub struct SharedReads<K, V>(StdMutex<HashMap<K, Arc<Slot<V>>>>);

/// The reads of one key.
struct Slot<V> {
    /// How many reads have failed so far.
    failures: AtomicU64,
    /// Held by the one caller that reads. If it gives up, the next one reads.
    kept: Mutex<Kept<V>>,
}

struct Kept<V> {
    /// The last answer, and when its read began: no later than what it shows.
    answer: Option<(Instant, Arc<V>)>,
    /// The failure of the last read, with its number.
    failure: Option<(u64, Error)>,
    /// The longest that any caller keeps an answer.
    longest: Duration,
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        let kept = Kept { answer: None, failure: None, longest: Duration::ZERO };
        Self { failures: AtomicU64::new(0), kept: Mutex::new(kept) }
    }
}

impl<V> Kept<V> {
    fn is_in_use(&self, now: Instant) -> bool {
        let begun = self.answer.as_ref().map(|(begun, _)| *begun);
        begun.is_some_and(|begun| now.saturating_duration_since(begun) <= self.longest)
    }
}

impl<K, V> Default for SharedReads<K, V> {
    fn default() -> Self {
        Self(StdMutex::default())
    }
}

impl<K, V> fmt::Debug for SharedReads<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers", self.0.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

impl<K: Eq + Hash, V> SharedReads<K, V> {
    /// An answer that was at most `max_age` old when the caller came, or that was read since. A failed read is not kept, but
    /// those who wait for it share it.
    pub async fn get(
        &self,
        key: K,
        max_age: Duration,
        read: impl Future<Output = Result<V, Error>>,
    ) -> Result<Arc<V>, Error> {
        let came = Instant::now();
        let slot = self.slot(key, came);
        let failures = slot.failures.load(Ordering::SeqCst);
        let mut kept = slot.kept.lock().await;
        kept.longest = kept.longest.max(max_age);
        if let Some((begun, answer)) = &kept.answer
            && came.saturating_duration_since(*begun) <= max_age
        {
            return Ok(Arc::clone(answer));
        }
        if let Some((number, error)) = &kept.failure
            && *number > failures
        {
            return Err(error.clone());
        }
        let begun = Instant::now();
        match read.await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                kept.answer = Some((begun, Arc::clone(&answer)));
                Ok(answer)
            }
            Err(error) => {
                let number = slot.failures.fetch_add(1, Ordering::SeqCst) + 1;
                kept.failure = Some((number, error.clone()));
                Err(error)
            }
        }
    }

    fn slot(&self, key: K, now: Instant) -> Arc<Slot<V>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.contains_key(&key) {
            // A new key is rare, so what nobody uses any more is removed here: a token that belongs to a key changes.
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1 || slot.kept.try_lock().is_ok_and(|kept| kept.is_in_use(now))
            });
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Reads that take a second and count themselves; those with these numbers fail.
    #[derive(Default)]
    struct World {
        reads: SharedReads<&'static str, usize>,
        begun: AtomicUsize,
        failing: Vec<usize>,
    }

    impl World {
        async fn get(&self, key: &'static str, max_age: Duration) -> Result<usize, Error> {
            let read = async {
                let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
                sleep(SECOND).await;
                if self.failing.contains(&number) { Err(failed(number)) } else { Ok(number) }
            };
            self.reads.get(key, max_age, read).await.map(|answer| *answer)
        }
    }

    fn failed(number: usize) -> Error {
        Error::NotSent(number.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn one_reads_and_the_others_wait_until_the_answer_is_too_old() {
        let world = World::default();
        let answers = join_all((0..100).map(|_| world.get("a", SECOND * 10))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(1)), "{answers:?}");
        sleep(SECOND * 8).await;
        assert_eq!(world.get("a", SECOND * 10).await, Ok(1));
        sleep(SECOND * 2).await;
        assert_eq!(world.get("a", SECOND * 60).await, Ok(1), "another caller takes an older one");
        assert_eq!(world.get("b", SECOND * 10).await, Ok(2), "another account");
        assert_eq!(world.get("a", SECOND * 10).await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn who_wants_a_fresh_answer_takes_no_read_that_began_before_it_came() {
        let world = World::default();
        let late = async {
            sleep(SECOND / 2).await;
            join_all((0..10).map(|_| world.get("a", Duration::ZERO))).await
        };
        let (first, late) = tokio::join!(world.get("a", Duration::ZERO), late);
        assert_eq!(first, Ok(1));
        assert!(late.iter().all(|answer| *answer == Ok(2)), "one read for all of them: {late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_by_those_who_wait_and_not_kept() {
        let world = World { failing: vec![1], ..World::default() };
        let answers = join_all((0..10).map(|_| world.get("a", SECOND))).await;
        assert!(answers.iter().all(|answer| *answer == Err(failed(1))), "{answers:?}");
        assert_eq!(world.get("a", SECOND).await, Ok(2), "who comes later reads again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_leaves_the_answer_before_it_to_those_who_take_it() {
        let world = World { failing: vec![2], ..World::default() };
        assert_eq!(world.get("a", SECOND).await, Ok(1));
        sleep(SECOND * 2).await;
        assert_eq!(world.get("a", SECOND).await, Err(failed(2)));
        assert_eq!(world.get("a", SECOND * 60).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_read_to_the_next() {
        let world = World::default();
        let hasty = timeout(SECOND / 2, world.get("a", SECOND * 10));
        let (hasty, patient) = tokio::join!(hasty, world.get("a", SECOND * 10));
        assert!(hasty.is_err());
        assert_eq!(patient, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_uses_any_more_are_forgotten() {
        let world = World::default();
        for key in ["a", "b"] {
            world.get(key, SECOND * 10).await.unwrap();
        }
        world.get("b", SECOND * 60).await.unwrap();
        sleep(SECOND * 20).await;
        world.get("c", SECOND).await.unwrap();
        assert_eq!(format!("{:?}", world.reads), "2 answers");
        assert_eq!(world.get("b", SECOND * 60).await, Ok(2));
    }
}
