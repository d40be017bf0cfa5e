//! The clouds: one trait, one error, one folder for each cloud.
//!
//! - [`interface`]: the trait; [`write`]: the calls that change something; [`error`]: what a failed call allows next.
//! - [`registry`]: the only place that knows all clouds.
//! - [`transport`]: one HTTP exchange, bounded in time and size, never repeated.
//! - [`limit`]: the rate limit of each account and action; [`call`]: one rate-limited, signed call; [`error_class`]: the class
//!   of an error code.
//! - [`credentials`], [`hmac`], [`body`], [`profile`], [`product`], [`lenient`], [`time`], [`letter`]: what the clouds have
//!   in common: entries of Secrets, signatures, parameters of a request, what it needs of a profile, limits of products,
//!   fields and times of answers, signed letters.
//! - [`shared_read`]: one read for many orders, kept for a while; [`paging`]: a list that changes while it is read.
//! - [`directory`]: the organisations and people that are saved in an account.
//! - [`tencent`]: Tencent Cloud SSL; [`huawei`]: Huawei Cloud SCM.

pub mod body;
pub mod call;
pub mod credentials;
pub mod directory;
pub mod error;
pub mod error_class;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod hmac;
pub mod huawei;
pub mod interface;
pub mod lenient;
pub mod letter;
pub mod limit;
pub mod paging;
pub mod product;
pub mod profile;
pub mod registry;
pub mod shared_read;
pub mod tencent;
pub mod time;
pub mod transport;
pub mod write;

pub use directory::{Account, Directory};
pub use error::{Error, Refusal};
pub use interface::Provider;
pub use letter::{Letter, LetterError};
pub use write::{Accepted, Calls, Payload, Reissue, Request, RequestKind};
