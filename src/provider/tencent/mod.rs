//! Tencent Cloud SSL: paid certificates of the international site and of the one for China.
//!
//! - [`provider`]: one paid certificate, with its state in [`certificate`].
//! - [`request`]: an application as a request; [`saved`]: the saved profile that it names; [`product`]: what a product
//!   allows.
//! - [`client`]: one call of an account; [`sign`] and [`credentials`]: its signature and credentials.
//! - `batch`: one call for the reads of many orders.
//! - [`directory`]: the profiles saved in the console.
//! - [`wire`]: answers as JSON; [`observation`]: in the words of an order; [`evidence`]: what shows that a request
//!   arrived; [`errors`]: what a refusal means.
//! - [`writes`]: the calls that change something.
//! - `successors`: which certificates follow others, by `links`.
//! - [`validation`], [`listing`], [`operations`], [`download`]: the reads beside `DescribeCertificate`, one action
//!   each; [`archive`]: what a download is packed in.

pub mod archive;
mod batch;
pub mod certificate;
pub mod client;
pub mod credentials;
pub mod directory;
pub mod download;
pub mod errors;
pub mod evidence;
mod links;
pub mod listing;
pub mod observation;
pub mod operations;
pub mod product;
pub mod provider;
pub mod request;
pub mod saved;
pub mod sign;
mod successors;
#[cfg(test)]
mod tests;
pub mod validation;
pub mod wire;
pub mod writes;

pub use certificate::Tencent;
pub use client::{Client, Service};
pub use writes::CALLS;
