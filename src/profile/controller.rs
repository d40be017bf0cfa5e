//! The state of the controller of OrganizationProfiles.

use std::sync::Arc;

use crate::controller::context::Context;
use crate::controller::schedule::Schedule;
use crate::profile::lookups::Lookups;

/// The controller of OrganizationProfiles.
pub struct Controller {
    /// The state that it shares with the controller of orders.
    pub context: Arc<Context>,
    /// When each profile is due.
    pub schedule: Schedule,
    /// What the accounts have saved at their clouds.
    pub lookups: Arc<Lookups>,
}
