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
//! - [`api`]: what users write, and the rules that the API server enforces.
//! - [`core`]: words and rules without IO.
//! - [`order`]: the steps above for a `CertificateOrder`, one file each; begin with [`order::plan`].
//! - [`profile`]: the same for an `OrganizationProfile`.
//! - [`provider`]: the seam to the clouds, and one folder for each.
//! - [`cluster`]: follows references to Secrets and profiles.
//! - [`watch`], [`cache`], [`controllers`]: what watches show is kept, and makes orders and profiles due.
//! - [`config`], [`runtime`], [`leader`], [`http`], [`probe`], [`telemetry`], [`advice`], [`clock`], [`ending`]: the process around
//!   it.

pub mod advice;
pub mod api;
pub mod cache;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod controllers;
pub mod core;
pub mod ending;
pub mod http;
pub mod leader;
pub mod order;
pub mod probe;
pub mod profile;
pub mod provider;
pub mod runtime;
pub mod telemetry;
pub mod watch;
