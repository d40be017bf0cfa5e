//! Everything behind the socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{
    ca::Authority,
    faults::Faults,
    ledger::Call,
    moves::{MoveError, UnknownCertificate},
    rate::Limiter,
    service::Service,
};
use crate::clock;

/// The cloud: what was chosen at its start, and what changes.
pub(crate) struct Cloud<S: Service> {
    pub(crate) options: S::Options,
    pub(crate) authority: Authority,
    world: Mutex<World<S>>,
}

/// The part that changes. One lock, so that the ledger's order is the order of effects.
pub(crate) struct World<S: Service> {
    pub(crate) state: S::State,
    pub(crate) ledger: Vec<Call<S::Account>>,
    pub(crate) faults: Faults<S::Refusal>,
    pub(crate) limiter: Limiter<S::Account>,
    /// How far the cloud's clock is ahead of the machine's.
    pub(crate) clock_ahead: SignedDuration,
}

impl<S: Service> World<S> {
    /// The cloud's own time.
    pub(crate) fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.clock_ahead).unwrap_or(Timestamp::MAX)
    }
}

impl<S: Service> Cloud<S> {
    pub(crate) fn new(options: S::Options, authority: Authority) -> Self {
        let world = World {
            state: S::State::default(),
            ledger: Vec::new(),
            faults: Faults::default(),
            limiter: Limiter::default(),
            clock_ahead: SignedDuration::ZERO,
        };
        Self { options, authority, world: Mutex::new(world) }
    }

    /// The world as it is by now.
    pub(crate) fn world(&self) -> MutexGuard<'_, World<S>> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = world.now();
        S::settle(&mut world.state, &self.options, now);
        world
    }

    /// Changes a certificate. The cloud stands still meanwhile.
    pub(crate) fn set<R>(
        &self,
        certificate_id: &str,
        change: impl FnOnce(&mut S::Certificate) -> R,
    ) -> Result<R, UnknownCertificate> {
        let mut world = self.world();
        let certificate = S::certificates(&mut world.state).get_mut(certificate_id);
        let result = change(certificate.ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))?);
        S::touched(&mut world.state, &self.options, certificate_id);
        Ok(result)
    }

    /// Changes a certificate if it is in a state for it.
    pub(crate) fn shift<T: Copy>(
        &self,
        certificate_id: &str,
        status: impl FnOnce(&S::Certificate) -> T,
        is_possible_in: impl FnOnce(T) -> bool,
        change: impl FnOnce(&mut S::Certificate, Timestamp),
    ) -> Result<(), MoveError<T>> {
        let now = self.world().now();
        self.set(certificate_id, |certificate| {
            let status = status(certificate);
            if !is_possible_in(status) {
                return Err(MoveError::WrongStatus(certificate_id.to_owned(), status));
            }
            change(certificate, now);
            Ok(())
        })?
    }
}
