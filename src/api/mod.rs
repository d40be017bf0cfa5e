//! The Kubernetes API of certorder. Nothing here imports another room.

pub mod crds;
pub mod personal;
pub mod v1alpha1;

pub use crds::{crds, crds_yaml, write_crds};
pub use personal::Personal;
