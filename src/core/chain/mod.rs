//! Issued certificates: puts a bundle in order and says what the leaf is good for.

mod bundle;
mod error;
mod path;
#[cfg(test)]
mod tests;

pub use bundle::{Chain, certificates};
pub use error::ChainError;
