//! One running operator.
//!
//! - [`config`]: the command line.
//! - [`runtime`]: puts the process together, and ends it.
//! - [`controllers`]: connects watches, schedules and the two controllers.
//! - [`leader`]: leader election.
//! - [`http`]: probes and metrics; [`probe`]: asks a probe, for the image.

pub mod config;
pub mod controllers;
pub mod http;
pub mod leader;
pub mod probe;
pub mod runtime;
