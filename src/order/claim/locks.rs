//! One pass at a time for each paid certificate, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Hands out turns by certificate. kube already keeps two passes over one object apart; this keeps apart two
/// objects for the same certificate, an object that was deleted and applied again among them.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the turn of this certificate; it lasts until the guard is dropped.
    pub async fn take(&self, certificate: String) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(certificate).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_certificate_is_worked_by_one_pass_and_others_do_not_wait() {
        let turns = Turns::default();
        let first = turns.take("a".to_owned()).await;
        let _other = turns.take("b".to_owned()).await;
        let mut second = Box::pin(turns.take("a".to_owned()));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        drop(turns.take("c".to_owned()).await);
        assert_eq!(turns.0.lock().unwrap().len(), 2, "finished turns are forgotten");
    }
}
