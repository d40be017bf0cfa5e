//! The queue of each account: a bounded number of permits, granted by purpose and then by age.
//!
//! An account is identified by the Secret that `spec.credentialsRef` names. An account that hangs or is throttled
//! delays only its own orders. A pass that waits for a permit holds no lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::cluster::cache::Key;

/// A waiter that has waited for this long gets the next permit, whatever its purpose.
const STARVED_AFTER: Duration = Duration::from_mins(10);

/// What a pass is for, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Nothing was submitted yet.
    FirstSubmission,
    /// A call was made, and its outcome is unknown.
    Settling,
    /// The application was accepted, and the order is not sent yet.
    Order,
    /// Reads the progress at the CA, and everything else.
    Poll,
}

/// Grants permits, a bounded number for each account.
#[derive(Debug)]
pub struct AccountQueue {
    permits: usize,
    accounts: Arc<Accounts>,
}

/// The accounts with permits in use or waiters, each by its Secret of credentials.
type Accounts = Mutex<HashMap<Key, Account>>;

#[derive(Default, Debug)]
struct Account {
    /// Permits that are granted.
    in_use: usize,
    counter: u64,
    waiting: BTreeMap<Ticket, oneshot::Sender<()>>,
    /// The same waiters, the oldest first.
    by_age: BTreeMap<u64, (Purpose, Instant)>,
}

/// The order in which permits are granted: by purpose, then by age.
type Ticket = (Purpose, u64);

/// Permission to reconcile one order of an account. Dropping it releases it.
pub struct Permit {
    account: Key,
    accounts: Arc<Accounts>,
}

/// A pass that waits for a permit. Dropping the waiter before it took the permit cancels the wait.
struct Waiter<'a> {
    account: &'a Key,
    accounts: &'a Accounts,
    ticket: Ticket,
    taken: bool,
}

impl AccountQueue {
    /// A queue with this many permits for each account.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self { permits, accounts: Arc::default() }
    }

    /// Waits for a permit of this account.
    pub async fn acquire(&self, account: Key, purpose: Purpose) -> Permit {
        if let Some((ticket, granted)) = self.enqueue(&account, purpose) {
            let mut waiter = Waiter { account: &account, accounts: &self.accounts, ticket, taken: false };
            // The account keeps the sender until it grants the permit, so this always resolves.
            let _ = granted.await;
            waiter.taken = true;
        }
        Permit { account, accounts: Arc::clone(&self.accounts) }
    }

    /// A ticket, and the channel that reports the grant; `None` if a permit is free.
    fn enqueue(&self, account: &Key, purpose: Purpose) -> Option<(Ticket, oneshot::Receiver<()>)> {
        let mut accounts = lock(&self.accounts);
        let account = accounts.entry(account.clone()).or_default();
        if account.in_use < self.permits && account.waiting.is_empty() {
            account.in_use += 1;
            return None;
        }
        account.counter += 1;
        let ticket = (purpose, account.counter);
        let (grant, granted) = oneshot::channel();
        account.waiting.insert(ticket, grant);
        account.by_age.insert(ticket.1, (purpose, Instant::now()));
        Some((ticket, granted))
    }

    /// The age of the oldest waiter.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        let accounts = lock(&self.accounts);
        let oldest = accounts.values().filter_map(|account| account.by_age.values().next());
        oldest.map(|(_, since)| since.elapsed()).max().unwrap_or_default()
    }

    /// The number of waiters.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.accounts).values().map(|account| account.waiting.len()).sum()
    }
}

impl Account {
    /// Grants a permit to the next waiter; false if there is none.
    fn grant_next(&mut self, now: Instant) -> bool {
        loop {
            let oldest = self.by_age.first_key_value();
            let starved = oldest.filter(|(_, (_, since))| now.duration_since(*since) >= STARVED_AFTER);
            let starved = starved.map(|(number, (purpose, _))| (*purpose, *number));
            let Some(next) = starved.or_else(|| self.waiting.keys().next().copied()) else { return false };
            self.by_age.remove(&next.1);
            // A cancelled waiter takes no permit.
            if self.waiting.remove(&next).is_some_and(|grant| grant.send(()).is_ok()) {
                return true;
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let was_waiting = lock(self.accounts).get_mut(self.account).is_some_and(|account| {
            account.by_age.remove(&self.ticket.1);
            account.waiting.remove(&self.ticket).is_some()
        });
        // The permit was granted while the waiter was dropped: pass it on to the next one.
        if !was_waiting {
            release(self.accounts, self.account);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        release(&self.accounts, &self.account);
    }
}

/// Releases a permit, and grants it to the next waiter.
fn release(accounts: &Accounts, key: &Key) {
    let mut accounts = lock(accounts);
    let Some(account) = accounts.get_mut(key) else { return };
    if account.grant_next(Instant::now()) {
        return;
    }
    account.in_use = account.in_use.saturating_sub(1);
    if account.in_use == 0 {
        accounts.remove(key);
    }
}

fn lock(accounts: &Accounts) -> MutexGuard<'_, HashMap<Key, Account>> {
    accounts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    const WORK_TIME: Duration = Duration::from_millis(10);

    fn account(name: &str) -> Key {
        ("shop".to_owned(), name.to_owned())
    }

    /// Acquires a permit, holds it for a while, and records its purpose and number.
    async fn work(queue: &AccountQueue, done: &Mutex<Vec<(Purpose, u64)>>, purpose: Purpose, number: u64) {
        let _permit = queue.acquire(account("a"), purpose).await;
        sleep(WORK_TIME).await;
        done.lock().unwrap().push((purpose, number));
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_goes_first_and_among_equals_the_oldest() {
        use Purpose::{FirstSubmission, Order, Poll, Settling};
        let (queue, done) = (AccountQueue::new(1), Mutex::new(Vec::new()));
        let first = queue.acquire(account("a"), Poll).await;
        let arrivals = [Poll, Order, FirstSubmission, Settling, Poll, FirstSubmission];
        let all = join_all((1..).zip(arrivals).map(|(number, purpose)| work(&queue, &done, purpose, number)));
        let (_, ()) = tokio::join!(all, async {
            sleep(WORK_TIME).await;
            drop(first);
        });
        let wanted =
            [(FirstSubmission, 3), (FirstSubmission, 6), (Settling, 4), (Order, 2), (Poll, 1), (Poll, 5)];
        assert_eq!(*done.lock().unwrap(), wanted);
        assert!(lock(&queue.accounts).is_empty(), "an account without work is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_of_ten_minutes_goes_first_whatever_its_purpose() {
        let (queue, done) = (AccountQueue::new(1), Mutex::new(Vec::new()));
        let first = queue.acquire(account("a"), Purpose::Poll).await;
        let late = async {
            sleep(STARVED_AFTER).await;
            tokio::join!(work(&queue, &done, Purpose::FirstSubmission, 2), async {
                sleep(WORK_TIME).await;
                assert_eq!((queue.longest_wait(), queue.waiting()), (STARVED_AFTER + WORK_TIME, 2));
                drop(first);
            });
        };
        tokio::join!(work(&queue, &done, Purpose::Poll, 1), late);
        assert_eq!(*done.lock().unwrap(), [(Purpose::Poll, 1), (Purpose::FirstSubmission, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_hangs_delays_its_own_orders_alone() {
        let queue = AccountQueue::new(2);
        let _held = (
            queue.acquire(account("a"), Purpose::Poll).await,
            queue.acquire(account("a"), Purpose::Poll).await,
        );
        assert!(timeout(WORK_TIME, queue.acquire(account("a"), Purpose::FirstSubmission)).await.is_err());
        assert!(timeout(WORK_TIME, queue.acquire(account("b"), Purpose::Poll)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_waiter_blocks_no_other() {
        let queue = AccountQueue::new(1);
        let first = queue.acquire(account("a"), Purpose::Poll).await;
        for _ in 0..10 {
            assert!(timeout(WORK_TIME, queue.acquire(account("a"), Purpose::Order)).await.is_err());
        }
        assert_eq!(queue.waiting(), 0);
        // Granted, and dropped before it was polled again.
        let mut granted = Box::pin(queue.acquire(account("a"), Purpose::Order));
        assert!(futures::poll!(&mut granted).is_pending());
        drop(first);
        drop(granted);
        assert!(timeout(WORK_TIME, queue.acquire(account("a"), Purpose::Poll)).await.is_ok());
        assert!(lock(&queue.accounts).is_empty());
    }
}
