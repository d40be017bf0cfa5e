//! What both controllers share.
//!
//! - [`context`]: the API server, the clouds, the time, and what else every pass needs.
//! - [`latency`]: how long the API server takes to answer.
//! - [`queue`]: which order of an account is reconciled next.
//! - [`schedule`]: when each object is due again.
//! - [`failure`]: a failed call to a cloud as a condition, and when it is retried.
//! - [`telemetry`]: an outcome as a log line, an Event and a metric; [`events`]: how Events are published;
//!   [`write_rates`]: objects that are written too often.

pub mod context;
pub mod events;
pub mod failure;
pub mod latency;
pub mod queue;
pub mod schedule;
pub mod telemetry;
pub mod watch_metrics;
pub mod write_rates;
