//! Decides the one next step from the facts. Pure: no client, no clock, no randomness. Only [`Step::Write`] leads to a
//! call that writes, and only after its intent is stored.
//!
//! Read from the top:
//!
//! 1. [`decide`]: what holds an order back, then an open intent ([`settling`]), then what the cloud reports;
//! 2. [`by_stage`]: one rule for each stage of the certificate:
//! 3. [`application`] before the order, [`running`] while the CA processes it, [`after_end`] after a rejection or
//!    withdrawal, [`adoption`] if the status records less than the cloud shows.
//!
//! [`evidence`] judges what the cloud shows of a call, [`algorithms`] whether anything can serve the certificate.

pub mod adoption;
pub mod after_end;
pub mod algorithms;
pub mod application;
pub mod by_stage;
pub mod decide;
pub mod evidence;
pub mod running;
pub mod settling;
pub mod step;

pub use decide::plan;
pub(super) use settling::settle;
pub use settling::unsettled;
pub use step::Step;
pub(super) use step::once;
