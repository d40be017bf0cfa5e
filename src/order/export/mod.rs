//! What goes into Secrets.
//!
//! - [`target`]: the Secrets that an issued certificate goes to, and whether they are up to date.
//! - [`secret`]: who owns a Secret, and what certorder writes into it.

pub mod secret;
pub mod target;
