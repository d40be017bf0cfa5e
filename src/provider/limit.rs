//! The pace of the calls to one cloud: evenly spaced turns for each account and action.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The share of a cloud's limit that is used, in percent. The rest absorbs the jitter between here and there.
const SHARE: f64 = 95.0;

/// The limits of most clouds count the calls of one second.
const SECOND: Duration = Duration::from_secs(1);

/// Spaces calls evenly. Two calls of one account and action never come closer than the interval, so that no window
/// of one second, wherever it begins, holds more turns than the cloud allows.
#[derive(Debug)]
pub struct Limiter {
    interval: Duration,
    buckets: StdMutex<HashMap<Key, Bucket>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    account: String,
    action: &'static str,
}

/// An access key id is no secret, but it has no place in a log either.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)
    }
}

/// The earliest time of the next turn. Who waits for it holds the lock, which is handed on first come, first
/// served; who gives up waiting drops the lock and takes no turn.
type Bucket = Arc<Mutex<Instant>>;

impl Limiter {
    /// A limiter for a cloud that allows so many calls a second for each account and action.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let interval = SECOND.mul_f64(100.0 / SHARE / f64::from(per_second.get()));
        Self { interval, buckets: StdMutex::default() }
    }

    /// Waits until this account may make this call. Dropping the future gives the place up; nothing is lost.
    pub async fn turn(&self, account: &str, action: &'static str) {
        let bucket = self.bucket(Key { account: account.to_owned(), action });
        let mut next = bucket.lock().await;
        sleep_until(*next).await;
        // From the moment that the turn is really taken, since a timer may be late: counted from the moment it
        // was due, the next turn could come too close.
        *next = Instant::now() + self.interval;
    }

    fn bucket(&self, key: Key) -> Bucket {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(&key) {
            return bucket.clone();
        }
        // A new account is rare, so this is the time to forget the idle ones. Nobody can hold the lock of a
        // bucket that only the map knows.
        let now = Instant::now();
        buckets.retain(|_, bucket| {
            Arc::strong_count(bucket) > 1 || bucket.try_lock().is_ok_and(|next| *next > now)
        });
        let bucket = Bucket::new(Mutex::new(now));
        buckets.insert(key, bucket.clone());
        bucket
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use proptest::prelude::*;
    use tokio::time::{sleep, timeout};

    use super::*;

    fn limiter(per_second: u32) -> Limiter {
        Limiter::new(NonZeroU32::new(per_second).unwrap())
    }

    /// When each of these callers, arriving after its delay, gets its turn; sorted.
    async fn turns(limiter: &Limiter, delays: &[u64]) -> Vec<Instant> {
        let mut turns = join_all(delays.iter().map(|delay| async {
            sleep(Duration::from_millis(*delay)).await;
            limiter.turn("AKID", "Describe").await;
            Instant::now()
        }))
        .await;
        turns.sort();
        turns
    }

    fn most_in_a_second(turns: &[Instant]) -> usize {
        let in_window =
            |from: &Instant| turns.iter().filter(|at| (*from..*from + SECOND).contains(at)).count();
        turns.iter().map(in_window).max().unwrap_or_default()
    }

    proptest! {
        #[test]
        fn no_second_holds_more_turns_than_allowed(
            per_second in 1..30_u32,
            delays in prop::collection::vec(0..5_000_u64, 1..120),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let turns = runtime.unwrap().block_on(async { turns(&limiter(per_second), &delays).await });
            prop_assert_eq!(turns.len(), delays.len());
            prop_assert!(most_in_a_second(&turns) <= per_second as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_uses_most_of_what_is_allowed() {
        let start = Instant::now();
        let turns = turns(&limiter(10), &[0; 901]).await;
        assert!(turns[900] - start <= SECOND * 100, "{:?}", turns[900] - start);
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_and_actions_do_not_wait_for_each_other() {
        let limiter = limiter(1);
        let start = Instant::now();
        for (account, action) in [("AKID1", "Describe"), ("AKID1", "Submit"), ("AKID2", "Describe")] {
            limiter.turn(account, action).await;
        }
        assert_eq!(Instant::now(), start);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_no_turn() {
        let limiter = limiter(1);
        let start = Instant::now();
        limiter.turn("AKID", "Describe").await;
        let hasty = (0..50).map(|_| timeout(Duration::from_millis(10), limiter.turn("AKID", "Describe")));
        assert!(join_all(hasty).await.iter().all(Result::is_err));
        limiter.turn("AKID", "Describe").await;
        assert!(Instant::now() - start < SECOND * 2, "{:?}", Instant::now() - start);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_accounts_are_forgotten_and_busy_ones_are_not() {
        let limiter = limiter(1);
        for account in 0..1000 {
            limiter.turn(&account.to_string(), "Describe").await;
        }
        sleep(SECOND * 2).await;
        limiter.turn("busy", "Describe").await;
        let waits = limiter.turn("busy", "Describe");
        let newcomer = limiter.turn("newcomer", "Describe");
        assert!(timeout(SECOND / 2, async { tokio::join!(waits, newcomer) }).await.is_err());
        assert_eq!(limiter.buckets.lock().unwrap().len(), 2);
    }
}
