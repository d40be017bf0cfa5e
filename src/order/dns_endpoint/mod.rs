//! The proofs of control of an order as a `DNSEndpoint`, from which external-dns makes the DNS records.
//!
//! - [`wanted`]: whether there is to be one now (pure).
//! - [`records`]: which records go into it, in which form, and which stay in the status alone (pure).
//! - [`object`]: the object itself: whose one is, what has to be written, which records others have (pure).
//! - [`keep`]: looks, and writes what has to be written (client required).
//! - [`memory`]: what this process knows, so that a quiet pass makes no request.
//! - [`standing`]: what came of it, for the status.

pub mod keep;
pub mod memory;
pub mod object;
pub mod records;
pub mod standing;
pub mod wanted;
