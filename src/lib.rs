//! certorder: paid SSL certificate orders at Tencent Cloud SSL and Huawei Cloud SCM as Kubernetes resources.
//!
//! One promise stands above all others: one paid certificate is submitted once, whatever crashes, times out or is
//! edited meanwhile, and the status tells the truth.
//!
//! Data flows one way:
//!
//! ```text
//!  watch event ─▶ resolve ─▶ observe ─▶ plan ─▶ execute ─▶ fold ─▶ write status ─▶ requeue
//!                 cluster    cloud      pure    at most    pure    compare-and-
//!                 reads      reads              ONE write          swap
//! ```
//!
//! Each room imports only those below it:
//!
//! - [`process`]: one running operator: command line, leader election, probes, wiring.
//! - [`order`]: the controller of a `CertificateOrder`, one file or folder for each step; begin with [`order::plan`].
//! - [`profile`]: the controller of an `OrganizationProfile`, with the same steps.
//! - [`controller`]: what both share: the queue, the schedule, failures, telemetry.
//! - [`cluster`]: the API server: references, watches, caches. [`provider`]: the clouds, one folder for each.
//! - [`core`]: words and rules without IO.
//! - [`api`]: what users write, and the rules that the API server enforces.

pub mod api;
pub mod cluster;
pub mod controller;
pub mod core;
pub mod order;
pub mod process;
pub mod profile;
pub mod provider;
