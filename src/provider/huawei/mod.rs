//! Huawei Cloud SSL Certificate Manager (SCM, part of CCM), API version 3.
//!
//! - [`provider`]: one paid certificate; [`client`]: one call.
//! - [`request`]: an application as the request of `apply`; [`person`]: the people in it; [`product`]: what a product
//!   allows and demands.
//! - [`wire`]: answers as JSON; [`observation`]: in the words of an order; [`evidence`]: what shows that a request
//!   arrived; [`errors`]: what a refusal means.
//! - [`writes`]: the calls that change something; [`listing`]: whether a certificate is deleted.
//! - `successors`: which certificates may follow others, by their `specification`.
//! - [`sign`] and [`credentials`]: signatures and credentials; [`region`]: the addresses.
//!
//! One call, `apply`, takes the application and sends the order. A certificate that waits for an application (`PAID`)
//! was never applied for, or its application was withdrawn. What `show` still holds of an application, and the order's
//! own record, distinguish the two.

pub mod client;
pub mod credentials;
pub mod errors;
pub mod evidence;
pub mod listing;
pub mod observation;
pub mod person;
pub mod product;
pub mod provider;
pub mod region;
pub mod request;
pub mod sign;
mod specification;
mod successors;
#[cfg(test)]
mod tests;
pub mod wire;
pub mod writes;

pub use client::{Huawei, Service};
pub use writes::CALLS;
