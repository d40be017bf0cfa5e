//! The rate limit of one cloud: evenly spaced permits for each account and action. The tenants of one account take turns.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::Account;

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

type Key = (Account, &'static str);

/// The permits of one account and action.
#[derive(Debug)]
struct Bucket {
    next: Next,
    /// The lines of the tenants with callers.
    lines: HashMap<String, Line>,
}

/// The earliest time of the next permit. The caller that waits for it holds the lock, which is fair: callers get it in
/// the order in which they came. A caller that gives up drops the lock and takes no permit.
type Next = Arc<Mutex<Instant>>;

/// Held by the one caller of a tenant that waits for a permit. The others of the tenant wait behind it, so tenants take
/// turns, however many callers each has.
type Line = Arc<Mutex<()>>;

impl Limiter {
    /// A limiter for a cloud that allows `per_second` calls for each account and action.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let interval = SECOND.mul_f64(100.0 / SHARE / f64::from(per_second.get()));
        Self { interval, buckets: StdMutex::default() }
    }

    /// Waits until this account may make this call, for this tenant. Dropping the future takes no permit.
    pub async fn acquire(&self, account: Account, tenant: &str, action: &'static str) {
        let (line, next) = self.join((account, action), tenant);
        let _first = line.lock().await;
        let mut next = next.lock().await;
        sleep_until(*next).await;
        // Counts from now and not from the due time, since the timer may be late: else the next permit could follow
        // too soon.
        *next = Instant::now() + self.interval;
    }

    /// How long a further caller of a tenant would wait, with those before it: all of its own, and of each other tenant as
    /// many as have their turn meanwhile.
    #[must_use]
    pub fn delay(&self, account: Account, tenant: &str, action: &'static str) -> Duration {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get(&(account, action)) else { return Duration::ZERO };
        // Each caller that waits has its line, and so has the map.
        let waiting = |line: &Line| Arc::strong_count(line).saturating_sub(1);
        let own = bucket.lines.get(tenant).map_or(0, waiting);
        let others = bucket.lines.iter().filter(|(other, _)| *other != tenant);
        let before = others.map(|(_, line)| waiting(line).min(own.saturating_add(1))).sum::<usize>();
        self.interval.saturating_mul(u32::try_from(before.saturating_add(own)).unwrap_or(u32::MAX))
    }

    fn join(&self, key: Key, tenant: &str) -> (Line, Next) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if !buckets.contains_key(&key) {
            // A new account is rare, so the idle ones are removed here. No caller can hold the lock of a bucket that
            // only the map refers to.
            buckets.retain(|_, bucket| {
                Arc::strong_count(&bucket.next) > 1 || bucket.next.try_lock().is_ok_and(|next| *next > now)
            });
        }
        let new = || Bucket { next: Next::new(Mutex::new(now)), lines: HashMap::new() };
        let bucket = buckets.entry(key).or_insert_with(new);
        bucket.lines.retain(|_, line| Arc::strong_count(line) > 1);
        let line = bucket.lines.entry(tenant.to_owned()).or_default();
        (Arc::clone(line), Arc::clone(&bucket.next))
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

    fn account(id: &str) -> Account {
        Account::new("cloud", &[&id.into()])
    }

    /// When each of these callers, arriving after its delay, gets its permit; sorted.
    async fn permits(limiter: &Limiter, delays: &[u64]) -> Vec<Instant> {
        let mut permits = join_all(delays.iter().map(|delay| async {
            sleep(Duration::from_millis(*delay)).await;
            limiter.acquire(account("AKID"), "shop", "Describe").await;
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
        for (id, action) in [("AKID1", "Describe"), ("AKID1", "Submit"), ("AKID2", "Describe")] {
            limiter.acquire(account(id), "shop", action).await;
        }
        assert_eq!(Instant::now(), start);
    }

    #[tokio::test(start_paused = true)]
    async fn tenants_of_one_account_take_turns_however_many_calls_one_of_them_has() {
        let (limiter, start) = (limiter(1), Instant::now());
        let permits = StdMutex::new(Vec::new());
        let call = async |tenant: &'static str, after: u64| {
            sleep(Duration::from_millis(after)).await;
            limiter.acquire(account("AKID"), tenant, "Describe").await;
            permits.lock().unwrap().push(tenant);
        };
        let of_crowd = join_all((0..300).map(|_| call("crowd", 0)));
        let of_victim = async {
            join_all((1..4).map(|_| call("victim", 1))).await;
            start.elapsed()
        };
        let asked = async {
            sleep(Duration::from_millis(2)).await;
            ["crowd", "victim", "guest"].map(|tenant| {
                limiter.delay(account("AKID"), tenant, "Describe").as_secs_f64()
                    / limiter.interval.as_secs_f64()
            })
        };
        let (_, done, delays) = tokio::join!(of_crowd, of_victim, asked);
        assert!(done < SECOND * 8, "{done:?}");
        let first: Vec<_> = permits.lock().unwrap().iter().take(7).copied().collect();
        assert_eq!(first[..2], ["crowd", "crowd"], "those who came before");
        assert_eq!(first[2..], ["victim", "crowd", "victim", "crowd", "victim"]);
        assert_eq!(
            delays.map(|delay| format!("{delay:.0}")),
            ["302", "7", "2"],
            "what is before a further call of each"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_takes_no_permit() {
        let limiter = limiter(1);
        let start = Instant::now();
        limiter.acquire(account("AKID"), "shop", "Describe").await;
        let hasty = (0..50).map(|_| {
            timeout(Duration::from_millis(10), limiter.acquire(account("AKID"), "shop", "Describe"))
        });
        assert!(join_all(hasty).await.iter().all(Result::is_err));
        limiter.acquire(account("AKID"), "shop", "Describe").await;
        assert!(Instant::now() - start < SECOND * 2, "{:?}", Instant::now() - start);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_accounts_are_forgotten_and_busy_ones_are_not() {
        let limiter = limiter(1);
        for number in 0..1000 {
            limiter.acquire(account(&number.to_string()), "shop", "Describe").await;
        }
        sleep(SECOND * 2).await;
        limiter.acquire(account("busy"), "shop", "Describe").await;
        let waits = limiter.acquire(account("busy"), "shop", "Describe");
        let newcomer = limiter.acquire(account("newcomer"), "shop", "Describe");
        assert!(timeout(SECOND / 2, async { tokio::join!(waits, newcomer) }).await.is_err());
        assert_eq!(limiter.buckets.lock().unwrap().len(), 2);
    }
}
