//! The queue of each account: a bounded number of permits, handed out by purpose and then by age.
//!
//! An account is taken to be the Secret that `spec.credentialsRef` names. So an account that hangs or is throttled
//! delays its own orders alone. A pass that waits for a permit holds nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::cluster::cache::Key;

/// Whoever has waited for this long gets the next permit, whatever its purpose.
const STARVED_AFTER: Duration = Duration::from_mins(10);

/// What a pass is for, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Nothing was submitted yet.
    FirstSubmission,
    /// A call was made, and its outcome is not known.
    Settling,
    /// The application was accepted, and the order is not sent.
    Order,
    /// To see how far the CA is, and everything else.
    Poll,
}

/// Hands out permits to work, a bounded number for each account.
#[derive(Debug)]
pub struct AccountQueue {
    permits: usize,
    accounts: Arc<Accounts>,
}

/// The accounts that have work, each by its Secret of credentials.
type Accounts = Mutex<HashMap<Key, Account>>;

#[derive(Default, Debug)]
struct Account {
    /// Permits that are handed out.
    in_use: usize,
    counter: u64,
    waiting: BTreeMap<Ticket, oneshot::Sender<()>>,
    /// The same, the oldest first.
    by_age: BTreeMap<u64, (Purpose, Instant)>,
}

/// The order in which permits are handed out: by purpose, then by age.
type Ticket = (Purpose, u64);

/// Permission to work for an account. It is returned when it is dropped.
pub struct Permit {
    account: Key,
    accounts: Arc<Accounts>,
}

/// Somebody who waits for a permit, and gives up when dropped before it was taken.
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
            // The sender stays in the account until it is used, so the answer comes.
            let _ = granted.await;
            waiter.taken = true;
        }
        Permit { account, accounts: Arc::clone(&self.accounts) }
    }

    /// A ticket, and what tells that its permit is granted; `None` where a permit is free.
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

    /// How long the oldest waiter has waited.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        let accounts = lock(&self.accounts);
        let oldest = accounts.values().filter_map(|account| account.by_age.values().next());
        oldest.map(|(_, since)| since.elapsed()).max().unwrap_or_default()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.accounts).values().map(|account| account.waiting.len()).sum()
    }
}

impl Account {
    /// Grants a permit to the next waiter; false where nobody waits.
    fn grant_next(&mut self, now: Instant) -> bool {
        loop {
            let oldest = self.by_age.first_key_value();
            let starved = oldest.filter(|(_, (_, since))| now.duration_since(*since) >= STARVED_AFTER);
            let starved = starved.map(|(number, (purpose, _))| (*purpose, *number));
            let Some(next) = starved.or_else(|| self.waiting.keys().next().copied()) else { return false };
            self.by_age.remove(&next.1);
            // A waiter that has just given up takes none.
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
        // Its permit was granted in the same moment: the next waiter takes it.
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

/// Returns a permit, and grants it to the next waiter.
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

    const MOMENT: Duration = Duration::from_millis(10);

    fn account(name: &str) -> Key {
        ("shop".to_owned(), name.to_owned())
    }

    /// Takes a permit, works for a moment, and notes who it was.
    async fn work(queue: &AccountQueue, done: &Mutex<Vec<(Purpose, u64)>>, purpose: Purpose, number: u64) {
        let _permit = queue.acquire(account("a"), purpose).await;
        sleep(MOMENT).await;
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
            sleep(MOMENT).await;
            drop(first);
        });
        let wanted =
            [(FirstSubmission, 3), (FirstSubmission, 6), (Settling, 4), (Order, 2), (Poll, 1), (Poll, 5)];
        assert_eq!(*done.lock().unwrap(), wanted);
        assert!(lock(&queue.accounts).is_empty(), "an account without work is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_ten_minutes_goes_first_whatever_for() {
        let (queue, done) = (AccountQueue::new(1), Mutex::new(Vec::new()));
        let first = queue.acquire(account("a"), Purpose::Poll).await;
        let late = async {
            sleep(STARVED_AFTER).await;
            tokio::join!(work(&queue, &done, Purpose::FirstSubmission, 2), async {
                sleep(MOMENT).await;
                assert_eq!((queue.longest_wait(), queue.waiting()), (STARVED_AFTER + MOMENT, 2));
                drop(first);
            });
        };
        tokio::join!(work(&queue, &done, Purpose::Poll, 1), late);
        assert_eq!(*done.lock().unwrap(), [(Purpose::Poll, 1), (Purpose::FirstSubmission, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_hangs_delays_its_own_orders_alone() {
        let queue = AccountQueue::new(2);
        let _hangs = (
            queue.acquire(account("a"), Purpose::Poll).await,
            queue.acquire(account("a"), Purpose::Poll).await,
        );
        assert!(timeout(MOMENT, queue.acquire(account("a"), Purpose::FirstSubmission)).await.is_err());
        assert!(timeout(MOMENT, queue.acquire(account("b"), Purpose::Poll)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_keeps_nobody_out() {
        let queue = AccountQueue::new(1);
        let first = queue.acquire(account("a"), Purpose::Poll).await;
        for _ in 0..10 {
            assert!(timeout(MOMENT, queue.acquire(account("a"), Purpose::Order)).await.is_err());
        }
        assert_eq!(queue.waiting(), 0);
        // Granted, and gone before it noticed.
        let mut granted = Box::pin(queue.acquire(account("a"), Purpose::Order));
        assert!(futures::poll!(&mut granted).is_pending());
        drop(first);
        drop(granted);
        assert!(timeout(MOMENT, queue.acquire(account("a"), Purpose::Poll)).await.is_ok());
        assert!(lock(&queue.accounts).is_empty());
    }
}
