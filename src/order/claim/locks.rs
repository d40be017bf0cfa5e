//! One pass at a time for each paid certificate in a namespace, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// One lock for each namespace and certificate. kube never runs two passes over one object at the same time. The lock does
/// the same for two objects of a namespace with the same certificate, such as an object that was deleted and created again.
///
/// Whoever holds it waits for a cloud. So it is never shared by two namespaces: between those the claim decides, which
/// nobody has to wait for.
#[derive(Default)]
pub struct CertificateLocks(Mutex<HashMap<Certificate, Arc<tokio::sync::Mutex<()>>>>);

/// A namespace, and a certificate that an order there names.
type Certificate = (String, String);

impl CertificateLocks {
    /// Waits for the lock of this certificate in this namespace; it is held until the guard is dropped.
    pub async fn lock(&self, namespace: String, certificate: String) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry((namespace, certificate)).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_pass_at_a_time_holds_the_lock_of_a_certificate_and_no_other_namespace_waits() {
        let locks = CertificateLocks::default();
        let lock = |namespace: &str, id: &str| locks.lock(namespace.to_owned(), id.to_owned());
        let first = lock("shop", "a").await;
        let _others = (lock("shop", "b").await, lock("bank", "a").await);
        let mut second = Box::pin(lock("shop", "a"));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        drop(lock("shop", "c").await);
        assert_eq!(locks.0.lock().unwrap().len(), 3, "locks that no pass holds are removed");
    }
}
