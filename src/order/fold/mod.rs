//! Computes the next status from the outcome. Pure: it takes the old status, the facts and the outcome, and returns the
//! new status and when to requeue.
//!
//! - [`outcome`]: what can happen, and when to requeue.
//! - `dispatch`: passes an outcome to the part that handles it. `calls`: intents, outcomes of calls, further attempts;
//!   `follow`: what the cloud shows of an order; `renewal`: its current certificate and the successor of that; `published`: the
//!   proofs of control that external-dns publishes; `state`: the status under construction.
//! - [`stages`]: the report for each stage of a certificate, as one table.

mod calls;
pub mod contested;
mod dispatch;
mod follow;
pub mod outcome;
mod published;
mod renewal;
pub mod stages;
mod state;

pub use dispatch::fold;
pub use outcome::{Next, Outcome, Requeue};
