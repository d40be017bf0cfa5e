//! What goes into Secrets.
//!
//! - [`target`]: where an issued certificate goes, and whether it stands there.
//! - [`slot`]: one Secret to write, and what keeps it from being written.
//! - [`stores`]: the keystores beside a certificate.
//! - [`secret`]: whose a Secret is, and what certorder writes into it; [`template`]: its labels and annotations.
//! - [`places`]: which of two orders may write a Secret.
//! - [`write`]: the writing itself.
//! - [`kept`]: what was written last, for repairs without the cloud.
//! - [`check`]: what of all this can be known before anything is paid.

pub mod check;
pub mod kept;
pub mod places;
pub mod secret;
pub mod slot;
pub mod stores;
pub mod target;
pub mod template;
pub mod write;
