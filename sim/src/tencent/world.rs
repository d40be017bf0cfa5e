//! Everything behind the socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Options, ca::Authority, faults::Faults, ledger::Call, rate::Limiter, state::State};
use crate::clock;

/// The cloud: what was chosen at its start, and what changes.
pub(super) struct Cloud {
    pub(super) options: Options,
    pub(super) authority: Authority,
    world: Mutex<World>,
}

/// The part that changes. One lock, so that the ledger's order is the order of effects.
#[derive(Default)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) ledger: Vec<Call>,
    pub(super) faults: Faults,
    pub(super) limiter: Limiter,
    /// How far the cloud's clock is ahead of the machine's.
    pub(super) clock_ahead: SignedDuration,
}

impl World {
    /// The cloud's own time.
    pub(super) fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.clock_ahead).unwrap_or(Timestamp::MAX)
    }
}

impl Cloud {
    pub(super) fn new(options: Options, authority: Authority) -> Self {
        Self { options, authority, world: Mutex::default() }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
