//! Who has a certificate, and whether an order may begin.
//!
//! - [`rivals`]: which of several orders for one certificate has it (pure).
//! - [`budget`]: how many orders of one namespace may run at the same time (pure).
//! - [`live`]: asks both, of the cache before each step and of the API server before a call.
//! - [`locks`]: one pass at a time for each certificate.
//! - [`intent_ages`]: how long an open intent has been seen.

pub mod budget;
pub mod intent_ages;
pub mod live;
pub mod locks;
pub mod rivals;
