//! What all requests share: the state behind its lock, and the sign that the server stops.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::Receiver;

use super::state::State;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Server {
    state: Mutex<State>,
    stopped: Receiver<()>,
}

impl Server {
    pub(crate) fn new(state: State, stopped: Receiver<()>) -> Self {
        Self { state: Mutex::new(state), stopped }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receiver that wakes, with an error, when the server stops.
    pub(crate) fn stopped(&self) -> Receiver<()> {
        self.stopped.clone()
    }
}
