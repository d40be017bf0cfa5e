//! The rate limit of one cloud: evenly spaced permits for each account and action.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The share of a cloud's limit that is used, in percent. The rest absorbs the jitter of the network.
const SHARE: f64 = 95.0;

/// The limits of most clouds count the calls of one second.
const SECOND: Duration = Duration::from_secs(1);

/// Spaces calls evenly. Two calls of one account and action are at least the interval apart, so that no window of one
/// second, wherever it begins, has more permits than the cloud allows.
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

/// An access key id is not secret, but it does not belong in a log.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)
    }
}

/// The earliest time of the next permit. The caller that waits for it holds the lock, which is fair: callers get it in
/// the order in which they came. A caller that gives up drops the lock and takes no permit.
type Bucket = Arc<Mutex<Instant>>;

impl Limiter {
    /// A limiter for a cloud that allows `per_second` calls for each account and action.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let interval = SECOND.mul_f64(100.0 / SHARE / f64::from(per_second.get()));
        Self { interval, buckets: StdMutex::default() }
    }

    /// Waits until this account may make this call. Dropping the future takes no permit.
    pub async fn acquire(&self, account: &str, action: &'static str) {
        let bucket = self.bucket(Key { account: account.to_owned(), action });
        let mut next = bucket.lock().await;
        sleep_until(*next).await;
        // Counts from now and not from the due time, since the timer may be late: else the next permit could follow
        // too soon.
        *next = Instant::now() + self.interval;
    }

    /// How long a further caller would wait, with those before it.
    #[must_use]
    pub fn delay(&self, account: &str, action: &'static str) -> Duration {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&Key { account: account.to_owned(), action });
        // Each caller that waits has the bucket, and so has the map.
        let before = bucket.map_or(0, |bucket| Arc::strong_count(bucket).saturating_sub(1));
        self.interval.saturating_mul(u32::try_from(before).unwrap_or(u32::MAX))
    }

    fn bucket(&self, key: Key) -> Bucket {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(&key) {
            return bucket.clone();
        }
        // A new account is rare, so the idle ones are removed here. No caller can hold the lock of a bucket that
        // only the map refers to.
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

    /// When each of these callers, arriving after its delay, gets its permit; sorted.
    async fn permits(limiter: &Limiter, delays: &[u64]) -> Vec<Instant> {
        let mut permits = join_all(delays.iter().map(|delay| async {
            sleep(Duration::from_millis(*delay)).await;
            limiter.acquire("AKID", "Describe").await;
            Instant::now()
        }))
        .await;
        permits.sort();
        permits
    }

    fn most_in_a_second(permits: &[Instant]) -> usize {
        let in_window =
            |from: &Instant| permits.iter().filter(|at| (*from..*from + SECOND).contains(at)).count();
        permits.iter().map(in_window).max().unwrap_or_default()
    }

    proptest! {
        #[test]
        fn no_second_has_more_permits_than_allowed(
            per_second in 1..30_u32,
            delays in prop::collection::vec(0..5_000_u64, 1..120),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let permits = runtime.unwrap().block_on(async { permits(&limiter(per_second), &delays).await });
            prop_assert_eq!(permits.len(), delays.len());
            prop_assert!(most_in_a_second(&permits) <= per_second as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_uses_most_of_what_is_allowed() {
        let start = Instant::now();
        let permits = permits(&limiter(10), &[0; 901]).await;
        assert!(permits[900] - start <= SECOND * 100, "{:?}", permits[900] - start);
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_and_actions_do_not_wait_for_each_other() {
        let limiter = limiter(1);
        let start = Instant::now();
        for (account, action) in [("AKID1", "Describe"), ("AKID1", "Submit"), ("AKID2", "Describe")] {
            limiter.acquire(account, action).await;
        }
        assert_eq!(Instant::now(), start);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_takes_no_permit() {
        let limiter = limiter(1);
        let start = Instant::now();
        limiter.acquire("AKID", "Describe").await;
        let hasty = (0..50).map(|_| timeout(Duration::from_millis(10), limiter.acquire("AKID", "Describe")));
        assert!(join_all(hasty).await.iter().all(Result::is_err));
        limiter.acquire("AKID", "Describe").await;
        assert!(Instant::now() - start < SECOND * 2, "{:?}", Instant::now() - start);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_accounts_are_forgotten_and_busy_ones_are_not() {
        let limiter = limiter(1);
        for account in 0..1000 {
            limiter.acquire(&account.to_string(), "Describe").await;
        }
        sleep(SECOND * 2).await;
        limiter.acquire("busy", "Describe").await;
        let waits = limiter.acquire("busy", "Describe");
        let newcomer = limiter.acquire("newcomer", "Describe");
        assert!(timeout(SECOND / 2, async { tokio::join!(waits, newcomer) }).await.is_err());
        assert_eq!(limiter.buckets.lock().unwrap().len(), 2);
    }
}
