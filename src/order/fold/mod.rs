//! What happened becomes the next status. Pure: the old status, the facts and the outcome in, the new status and when to
//! requeue out.
//!
//! - [`outcome`]: what can happen, and what follows.
//! - `dispatch`: from an outcome to the part that knows it. `calls`: intents, outcomes of calls, another attempt; `follow`:
//!   what the cloud says of an order; `state`: the status in the making.
//! - [`stages`]: what each stage of a certificate means, as one table.

mod calls;
pub mod contested;
mod dispatch;
mod follow;
pub mod outcome;
pub mod stages;
mod state;

pub use dispatch::fold;
pub use outcome::{Next, Outcome, Requeue};
