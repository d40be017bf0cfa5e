//! Whether the process was asked to end. Whoever is about to begin something that has an effect asks first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set once and for all. Cloning shares it.
#[derive(Clone, Default, Debug)]
pub struct Ending(Arc<AtomicBool>);

impl Ending {
    /// The process is asked to end, or has lost its Lease.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
