//! Which order has a certificate, and whether an order may start.
//!
//! - [`rivals`]: which of several orders for one certificate has it (pure).
//! - [`budget`]: how many orders of one namespace may run at the same time (pure).
//! - [`live`]: checks both, against the cache before each step and against the API server before a call.
//! - [`locks`]: one pass at a time for each certificate.
//! - [`intent_ages`]: how long this process has observed an open intent.

pub mod budget;
pub mod intent_ages;
pub mod live;
pub mod locks;
pub mod rivals;
