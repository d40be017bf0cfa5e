//! One pass at a time for each paid certificate, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// One lock for each certificate. kube never runs two passes over one object at the same time. The lock does the same
/// for two objects with the same certificate, such as an object that was deleted and created again.
#[derive(Default)]
pub struct CertificateLocks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl CertificateLocks {
    /// Waits for the lock of this certificate; it is held until the guard is dropped.
    pub async fn lock(&self, certificate: String) -> OwnedMutexGuard<()> {
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
    async fn one_pass_at_a_time_holds_the_lock_of_a_certificate_and_others_do_not_wait() {
        let locks = CertificateLocks::default();
        let first = locks.lock("a".to_owned()).await;
        let _other = locks.lock("b".to_owned()).await;
        let mut second = Box::pin(locks.lock("a".to_owned()));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        drop(locks.lock("c".to_owned()).await);
        assert_eq!(locks.0.lock().unwrap().len(), 2, "locks that no pass holds are removed");
    }
}
