//! Keystores: the key and its chain in one file with a password, as Java and Windows want them.
//!
//! PKCS #12 is written by a library; no well-kept one writes Java's own format, so that is written here. A stored file
//! is never opened, since both formats let their author ask the reader for gigabytes of memory and hours of work:
//! whether it is up to date is told by its [`Keystore::mark`].

pub mod content;
mod file;
mod jks;
mod pkcs12;
#[cfg(test)]
mod tests;

pub use content::{Alias, Format, Keystore, KeystoreError, Password};
