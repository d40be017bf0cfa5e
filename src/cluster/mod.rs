//! The API server: what is read from it, what is kept of it, and what its errors mean.
//!
//! - [`namespace`]: follows references to Secrets and profiles, always within one namespace.
//! - [`request`]: one request, bounded in time, and the field manager of what is written.
//! - [`secrets`]: Secrets that are referred to, as last read.
//! - [`watch`]: watches of whole objects and of the metadata of Secrets; [`cache`]: what they have shown, with an index.
//! - [`fields`]: who set which field of an object.
//! - [`trim`]: what is left out of cached objects.
//! - [`error`]: errors of the API server in words that say what to do.

pub mod cache;
pub mod error;
pub mod fields;
pub mod namespace;
pub mod request;
pub mod secrets;
pub mod trim;
pub mod watch;

pub use namespace::{Error, Namespace, as_data, text};
pub use request::{FIELD_MANAGER, bounded};
pub use secrets::SecretData;
