//! The API server: reads, caches, and explained errors.
//!
//! - [`namespace`]: follows references to Secrets and profiles, always within one namespace.
//! - [`request`]: the timeout of one request, and the field manager of writes.
//! - [`secrets`]: Secrets that are referred to, as last read.
//! - [`listed`]: an object of a list or a watch, which this version may be unable to read.
//! - [`slim`]: a client whose answers are reduced to what is read, as they come in.
//! - [`watch`]: watches of whole objects and of the metadata of Secrets; [`cache`]: the cached objects, with an index.
//! - [`watch_health`]: which kinds cannot be watched, for `/readyz`.
//! - [`fields`]: who set which field of an object.
//! - [`trim`]: which fields of cached orders are dropped.
//! - [`error`]: errors of the API server, explained with what to do.

pub mod cache;
pub mod error;
pub mod fields;
pub mod listed;
pub mod namespace;
pub mod request;
pub mod secrets;
pub mod slim;
pub mod trim;
pub mod watch;
pub mod watch_health;

pub use namespace::{Error, Namespace, as_data, text};
pub use request::{FIELD_MANAGER, bounded};
pub use secrets::SecretData;
