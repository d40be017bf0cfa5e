//! Who works next: a bounded number of passes for each account, by purpose.
//!
//! An account is taken to be what `spec.credentialsRef` names, so an account that hangs or is throttled holds up its
//! own orders alone. Those that wait outside hold nothing but their place in the line.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::api::v1alpha1::CertificateOrder;

/// Who has waited for so long goes first, whatever for.
const TOO_LONG: Duration = Duration::from_mins(10);

/// What a pass is for, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Nothing was handed in yet.
    FirstSubmission,
    /// A call was made, and its outcome is not known.
    Settling,
    /// The application is in, and the order is not sent.
    Order,
    /// To see how far the CA is, and everything else.
    Poll,
}

impl Purpose {
    /// What the next pass over an order is for.
    #[must_use]
    pub fn of(order: &CertificateOrder) -> Self {
        let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
        match submission {
            _ if order.metadata.deletion_timestamp.is_some() => Self::Poll,
            Some(ours) if ours.intent.is_some() => Self::Settling,
            Some(ours) if ours.submitted_at.is_some() && ours.ordered_at.is_none() => Self::Order,
            Some(ours) if ours.submitted_at.is_some() => Self::Poll,
            _ => Self::FirstSubmission,
        }
    }
}

/// An account, by namespace and Secret.
type Account = (String, String);

/// The lines before the accounts.
#[derive(Debug)]
pub struct Gate {
    capacity: usize,
    lines: Arc<Lines>,
}

#[derive(Default, Debug)]
struct Line {
    inside: usize,
    counter: u64,
    waiting: BTreeMap<(Purpose, u64), oneshot::Sender<()>>,
    /// The same, the eldest first.
    by_age: BTreeMap<u64, (Purpose, Instant)>,
}

type Lines = Mutex<HashMap<Account, Line>>;

/// Leave to work. It ends when it is dropped.
pub struct Leave {
    account: Account,
    lines: Arc<Lines>,
}

/// A place in a line, given up when it is dropped before its turn was taken.
struct Place<'a> {
    account: &'a Account,
    lines: &'a Lines,
    ticket: (Purpose, u64),
    taken: bool,
}

impl Gate {
    /// A gate for so many at a time, of each account.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, lines: Arc::default() }
    }

    /// Waits until an order may be worked.
    pub async fn enter(&self, order: &CertificateOrder) -> Leave {
        let account = (order.namespace().unwrap_or_default(), order.spec.credentials_ref.name.clone());
        self.enter_for(account, Purpose::of(order)).await
    }

    async fn enter_for(&self, account: Account, purpose: Purpose) -> Leave {
        if let Some((ticket, turn)) = self.stand_in_line(&account, purpose) {
            let mut place = Place { account: &account, lines: &self.lines, ticket, taken: false };
            // A line never forgets who waits in it, so the call comes.
            let _ = turn.await;
            place.taken = true;
        }
        Leave { account, lines: Arc::clone(&self.lines) }
    }

    /// A place in the line and the call that will come; `None` where there is room already.
    fn stand_in_line(
        &self,
        account: &Account,
        purpose: Purpose,
    ) -> Option<((Purpose, u64), oneshot::Receiver<()>)> {
        let mut lines = lock(&self.lines);
        let line = lines.entry(account.clone()).or_default();
        if line.inside < self.capacity && line.waiting.is_empty() {
            line.inside += 1;
            return None;
        }
        line.counter += 1;
        let ticket = (purpose, line.counter);
        let (call, turn) = oneshot::channel();
        line.waiting.insert(ticket, call);
        line.by_age.insert(ticket.1, (purpose, Instant::now()));
        Some((ticket, turn))
    }

    /// How long the one who waits longest has waited.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        let lines = lock(&self.lines);
        let eldest = lines.values().filter_map(|line| line.by_age.values().next());
        eldest.map(|(_, since)| since.elapsed()).max().unwrap_or_default()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.lines).values().map(|line| line.waiting.len()).sum()
    }
}

impl Line {
    /// Calls the next one in; false where nobody waits.
    fn call_next(&mut self, now: Instant) -> bool {
        loop {
            let eldest = self.by_age.first_key_value();
            let eldest = eldest.filter(|(_, (_, since))| now.duration_since(*since) >= TOO_LONG);
            let eldest = eldest.map(|(number, (purpose, _))| (*purpose, *number));
            let Some(next) = eldest.or_else(|| self.waiting.keys().next().copied()) else { return false };
            self.by_age.remove(&next.1);
            // Who has just given up cannot be called.
            if self.waiting.remove(&next).is_some_and(|call| call.send(()).is_ok()) {
                return true;
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let was_waiting = lock(self.lines).get_mut(self.account).is_some_and(|line| {
            line.by_age.remove(&self.ticket.1);
            line.waiting.remove(&self.ticket).is_some()
        });
        // Called in the same moment: the next one takes it.
        if !was_waiting {
            give_back(self.lines, self.account);
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        give_back(&self.lines, &self.account);
    }
}

/// One has left, and the next one may enter.
fn give_back(lines: &Lines, account: &Account) {
    let mut lines = lock(lines);
    let Some(line) = lines.get_mut(account) else { return };
    if line.call_next(Instant::now()) {
        return;
    }
    line.inside = line.inside.saturating_sub(1);
    if line.inside == 0 {
        lines.remove(account);
    }
}

fn lock(lines: &Lines) -> MutexGuard<'_, HashMap<Account, Line>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    fn account(name: &str) -> Account {
        ("shop".to_owned(), name.to_owned())
    }

    /// Enters, works for a moment, and notes who it was.
    async fn work(gate: &Gate, done: &Mutex<Vec<(Purpose, u64)>>, purpose: Purpose, number: u64) {
        let _leave = gate.enter_for(account("a"), purpose).await;
        sleep(MOMENT).await;
        done.lock().unwrap().push((purpose, number));
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_goes_first_and_among_equals_the_eldest() {
        use Purpose::{FirstSubmission, Order, Poll, Settling};
        let (gate, done) = (Gate::new(1), Mutex::new(Vec::new()));
        let first = gate.enter_for(account("a"), Poll).await;
        let arrivals = [Poll, Order, FirstSubmission, Settling, Poll, FirstSubmission];
        let all = join_all((1..).zip(arrivals).map(|(number, purpose)| work(&gate, &done, purpose, number)));
        let (_, ()) = tokio::join!(all, async {
            sleep(MOMENT).await;
            drop(first);
        });
        let wanted =
            [(FirstSubmission, 3), (FirstSubmission, 6), (Settling, 4), (Order, 2), (Poll, 1), (Poll, 5)];
        assert_eq!(*done.lock().unwrap(), wanted);
        assert!(lock(&gate.lines).is_empty(), "a line that nobody stands in is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_ten_minutes_goes_first_whatever_for() {
        let (gate, done) = (Gate::new(1), Mutex::new(Vec::new()));
        let first = gate.enter_for(account("a"), Purpose::Poll).await;
        let late = async {
            sleep(TOO_LONG).await;
            tokio::join!(work(&gate, &done, Purpose::FirstSubmission, 2), async {
                sleep(MOMENT).await;
                assert_eq!((gate.longest_wait(), gate.waiting()), (TOO_LONG + MOMENT, 2));
                drop(first);
            });
        };
        tokio::join!(work(&gate, &done, Purpose::Poll, 1), late);
        assert_eq!(*done.lock().unwrap(), [(Purpose::Poll, 1), (Purpose::FirstSubmission, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_hangs_holds_up_its_own_orders_alone() {
        let gate = Gate::new(2);
        let _hangs = (
            gate.enter_for(account("a"), Purpose::Poll).await,
            gate.enter_for(account("a"), Purpose::Poll).await,
        );
        assert!(timeout(MOMENT, gate.enter_for(account("a"), Purpose::FirstSubmission)).await.is_err());
        assert!(timeout(MOMENT, gate.enter_for(account("b"), Purpose::Poll)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_keeps_nobody_out() {
        let gate = Gate::new(1);
        let first = gate.enter_for(account("a"), Purpose::Poll).await;
        for _ in 0..10 {
            assert!(timeout(MOMENT, gate.enter_for(account("a"), Purpose::Order)).await.is_err());
        }
        assert_eq!(gate.waiting(), 0);
        // Called, and gone before it noticed.
        let mut called = Box::pin(gate.enter_for(account("a"), Purpose::Order));
        assert!(futures::poll!(&mut called).is_pending());
        drop(first);
        drop(called);
        assert!(timeout(MOMENT, gate.enter_for(account("a"), Purpose::Poll)).await.is_ok());
        assert!(lock(&gate.lines).is_empty());
    }
}
