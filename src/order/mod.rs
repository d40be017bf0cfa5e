//! The controller of CertificateOrders: the steps of a pass, one file or folder each.
//!
//! [`mod@reconcile`] runs them:
//!
//! 1. [`resolve`] reads from the cluster what the order refers to (client required);
//! 2. [`observe`] reads the cloud (client required);
//! 3. [`mod@plan`] decides the one next step from these [`facts`] (pure), and [`finalize`] that of a deletion;
//! 4. [`execute`] carries it out: at most one write to the cloud (client required);
//! 5. [`fold`] computes the next status from the outcome (pure);
//! 6. [`status`] stores it by compare-and-swap (client required).
//!
//! Beside them: [`renewal`], how an order keeps its certificate valid; [`claim`], which order has a certificate; [`ages`],
//! how long what a status records was observed here; [`export`], what goes into Secrets; [`own_key`], the key that certorder
//! generates; [`dns_endpoint`], the proofs of control for external-dns; [`references`], which orders a changed object requeues;
//! [`mod@purpose`], what a pass is for;
//! [`repair`], what is done to the Secrets between two reads of the cloud; [`validation`], the results of the CA's checks; [`finalizer`]; and [`controller`], the state of all this.

pub mod ages;
pub mod claim;
pub mod controller;
pub mod dns_endpoint;
pub mod execute;
pub mod export;
pub mod facts;
pub mod finalize;
pub mod finalizer;
pub mod fold;
pub mod observe;
pub mod own_key;
pub mod plan;
pub mod purpose;
pub mod reconcile;
pub mod references;
pub mod renewal;
pub mod repair;
pub mod resolve;
pub mod status;
#[cfg(test)]
mod tests;
pub mod validation;

pub use controller::Controller;
pub use reconcile::reconcile;
