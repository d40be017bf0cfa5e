//! What goes into Secrets.
//!
//! - [`target`]: where an issued certificate goes, and whether it stands there.
//! - [`secret`]: whose a Secret is, and what certorder writes into it.

pub mod secret;
pub mod target;
