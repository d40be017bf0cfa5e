//! Keystores: the key and its chain in one file with a password, as Java and Windows want them.
//!
//! The same content makes the same file: every salt is derived from it. A stored file is never opened, since both
//! formats let their author ask the reader for gigabytes of memory and hours of work: whether it is up to date is told
//! by its [`Keystore::mark`].

pub mod content;
mod file;
mod jks;
mod pkcs12;
#[cfg(test)]
mod tests;

pub use content::{Alias, Format, Keystore, KeystoreError, Password};
