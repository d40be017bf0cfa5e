//! The world around certorder, simulated in one process: for its tests, and for trying it out without a cluster
//! and without a cloud account. Everything is served over real HTTP on loopback addresses.
//!
//! - [`kube`]: a Kubernetes API server.
//! - [`tencent`]: Tencent Cloud SSL.
//! - [`huawei`]: Huawei Cloud SCM.
//! - [`cloud`]: what the two clouds share.
//! - [`proxy`]: faults between two parties, a kill at the n-th request among them.
//!
//! The simulators are strict, and written from the documentation of what they stand for, not from its client: what
//! the documentation does not say is marked `Inferred:` where it is decided.

mod clock;
pub mod cloud;
pub mod huawei;
pub mod kube;
pub mod proxy;
pub mod tencent;
