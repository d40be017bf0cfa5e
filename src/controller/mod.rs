//! What both controllers share and neither owns.
//!
//! - [`context`]: the API server, the clouds, the time, and what else every pass needs.
//! - [`queue`]: which of the orders of one account is worked next.
//! - [`schedule`]: when each object is due again.
//! - [`failure`]: a failed call to a cloud as a condition, and when it is tried again.
//! - [`telemetry`]: an outcome as a log line, an Event and a metric; [`write_rates`]: objects that are written too often.

pub mod context;
pub mod failure;
pub mod queue;
pub mod schedule;
pub mod telemetry;
pub mod write_rates;
