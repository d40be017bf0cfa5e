//! Reads of many orders that share one call: while the call waits for the rate limit, further orders join it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The most certificates of one call. The page allows 1,000 rows and gives no limit for ids, so this is inferred.
pub(super) const MOST: usize = 100;

/// Identifies credentials: only orders with the same credentials share a call.
pub(super) type Key = [u8; 32];

/// A waiting read: the certificate, and the channel for its answer.
type Read<T> = (String, oneshot::Sender<T>);

/// The waiting reads, by credentials.
pub(super) struct Batches<T>(Mutex<HashMap<Key, Vec<Read<T>>>>);

impl<T> Default for Batches<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Batches<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accounts", self.lock().len())
    }
}

impl<T> Batches<T> {
    /// Joins the waiting reads. The first caller gets a [`Batch`], and must make the call for all of them.
    pub(super) fn join(&self, key: Key, id: &str) -> (oneshot::Receiver<T>, Option<Batch<'_, T>>) {
        let (answer, answered) = oneshot::channel();
        let mut accounts = self.lock();
        let is_first = !accounts.contains_key(&key);
        accounts.entry(key).or_default().push((id.to_owned(), answer));
        (answered, is_first.then(|| Batch { batches: self, key, reads: None }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<Read<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reads of one call. When it is dropped, the channels of unanswered reads are closed.
pub(super) struct Batch<'a, T> {
    batches: &'a Batches<T>,
    key: Key,
    /// The reads of the call, once it is allowed; until then they wait in `batches`.
    reads: Option<Vec<Read<T>>>,
}

impl<T> Batch<'_, T> {
    /// Takes the reads that have joined, once the call is allowed, and returns their ids. Later ones begin another batch; if
    /// more have joined than fit, the last ones get no answer.
    pub(super) fn take(&mut self) -> Vec<&str> {
        let mut reads = self.batches.lock().remove(&self.key).unwrap_or_default();
        reads.truncate(MOST);
        self.reads.insert(reads).iter().map(|(id, _)| id.as_str()).collect()
    }

    /// Answers each read that was taken.
    pub(super) fn answer(mut self, mut answer: impl FnMut(&str) -> T) {
        // An empty list stays, so that what has joined the next call since is left alone.
        for (id, to) in self.reads.as_mut().map(std::mem::take).into_iter().flatten() {
            // A caller that has given up needs no answer.
            let _ = to.send(answer(&id));
        }
    }
}

impl<T> Drop for Batch<'_, T> {
    fn drop(&mut self) {
        // Otherwise later reads would wait for a call that is never made.
        if self.reads.is_none() {
            self.batches.lock().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = [1; 32];
    const B: Key = [2; 32];

    #[tokio::test]
    async fn reads_that_join_before_the_call_share_it_and_others_do_not() {
        let batches = Batches::<usize>::default();
        let (first, batch) = batches.join(A, "a");
        let (second, none) = batches.join(A, "bb");
        assert!(none.is_none(), "the first one makes the call");
        assert!(batches.join(B, "a").1.is_some(), "other credentials, another call");
        let mut batch = batch.unwrap();
        assert_eq!(batch.take(), ["a", "bb"]);
        let (third, next) = batches.join(A, "ccc");
        assert!(next.is_some(), "the call is already in progress");
        batch.answer(str::len);
        assert_eq!((first.await, second.await), (Ok(1), Ok(2)));
        let mut next = next.unwrap();
        assert_eq!(next.take(), ["ccc"], "an answer leaves the next call alone");
        next.answer(str::len);
        assert_eq!(third.await, Ok(3));
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_no_read_waiting() {
        let batches = Batches::<usize>::default();
        let (first, batch) = batches.join(A, "a");
        let (second, _) = batches.join(A, "b");
        drop(batch);
        assert!(first.await.is_err() && second.await.is_err());
        let (third, batch) = batches.join(A, "c");
        let mut batch = batch.unwrap();
        batch.take();
        drop(batch);
        assert!(third.await.is_err(), "nor one whose call failed");
        assert!(batches.join(A, "d").1.is_some());
    }

    #[tokio::test]
    async fn more_reads_than_fit_are_not_answered() {
        let batches = Batches::<usize>::default();
        let joined: Vec<_> = (0..=MOST).map(|number| batches.join(A, &number.to_string())).collect();
        let (mut answers, mut batch) = (Vec::new(), None);
        for (answer, first) in joined {
            answers.push(answer);
            batch = batch.or(first);
        }
        let mut batch = batch.unwrap();
        assert_eq!(batch.take().len(), MOST);
        batch.answer(str::len);
        assert!(answers.pop().unwrap().await.is_err());
        assert!(answers.pop().unwrap().await.is_ok());
    }
}
