//! Which order has a certificate, and whether an order may start.
//!
//! - [`lease`]: a claim as a Lease: its name and what it says (pure); [`claims`]: holds and takes over claims; [`release`]: puts
//!   them in place at the start, and gives them up; [`memory`]: what this process knows of them.
//! - [`payload_key`]: the key of the payload hashes, which stands beside the claims.
//! - [`rivals`]: which of several cached orders for one certificate has it (pure).
//! - [`budget`]: how many orders of one namespace may run at the same time (pure).
//! - [`live`]: asks both, of the cache before each step and of the API server where that is not enough.
//! - [`locks`]: one pass at a time for each certificate.

pub mod budget;
pub mod claims;
pub mod lease;
pub mod live;
pub mod locks;
pub mod memory;
pub mod payload_key;
pub mod release;
pub mod rivals;
