//! How long this process has observed each open intent, by its own monotonic clock.
//!
//! The time in an intent is from the clock of the process that stored it, and the clocks of two machines may differ by
//! more than a call takes. So absent evidence counts only after this process has observed the intent for that long too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::v1alpha1::{CertificateOrder, Intent};
use crate::cluster::cache::Key;

/// The open intents, and since when each is observed.
#[derive(Default)]
pub struct IntentAges(Mutex<HashMap<Key, (Intent, Instant)>>);

impl IntentAges {
    /// How long the open intent of an order has been observed; zero without an intent.
    pub fn age(&self, key: &Key, order: &CertificateOrder) -> Duration {
        let intent = order.status.as_ref().and_then(|status| status.submission.as_ref()?.intent.as_ref());
        let mut observed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (intent, observed.get(key)) {
            (Some(intent), Some((known, since))) if known == intent => since.elapsed(),
            (Some(intent), _) => {
                observed.insert(key.clone(), (intent.clone(), Instant::now()));
                Duration::ZERO
            }
            (None, _) => {
                observed.remove(key);
                Duration::ZERO
            }
        }
    }

    /// Removes an order that was deleted.
    pub fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
