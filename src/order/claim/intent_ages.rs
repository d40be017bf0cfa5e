//! How long this process has seen each open intent, by its own monotonic clock.
//!
//! The time of day in an intent is that of the process that stored it, and two machines' clocks may differ by more
//! than a call takes. So the absence of evidence counts only after the intent was also seen for that long here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::v1alpha1::{CertificateOrder, Intent};
use crate::cluster::cache::Key;

/// The open intents, and since when each is seen.
#[derive(Default)]
pub struct IntentAges(Mutex<HashMap<Key, (Intent, Instant)>>);

impl IntentAges {
    /// How long the order's open intent has been seen; nothing where it has none.
    pub fn age(&self, key: &Key, order: &CertificateOrder) -> Duration {
        let intent = order.status.as_ref().and_then(|status| status.submission.as_ref()?.intent.as_ref());
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (intent, seen.get(key)) {
            (Some(intent), Some((known, since))) if known == intent => since.elapsed(),
            (Some(intent), _) => {
                seen.insert(key.clone(), (intent.clone(), Instant::now()));
                Duration::ZERO
            }
            (None, _) => {
                seen.remove(key);
                Duration::ZERO
            }
        }
    }

    /// Forgets an order that is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
