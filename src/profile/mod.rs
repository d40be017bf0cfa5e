//! The controller of OrganizationProfiles: the steps of a pass, one file each. [`mod@reconcile`] runs them:
//!
//! 1. [`resolve`] reads from the cluster what the profile refers to (client required);
//! 2. [`observe`] reads what the account has saved (client required) through [`lookups`], a cache that all profiles of
//!    an account share, and finds the profile in it by [`matching`] (pure);
//! 3. [`mod@fold`] computes the next status (pure), with [`approval`] and the texts of [`messages`];
//! 4. [`status`] stores it by compare-and-swap (client required).
//!
//! [`reuse`] decides what an order takes from a profile, [`references`] which profiles a changed Secret requeues.

pub mod approval;
pub mod controller;
pub mod fold;
pub mod lookups;
pub mod matching;
pub mod messages;
pub mod observe;
pub mod reconcile;
pub mod references;
pub mod resolve;
pub mod reuse;
pub mod status;
#[cfg(test)]
mod tests;

pub use controller::Controller;
pub use reconcile::reconcile;
