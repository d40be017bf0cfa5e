//! The operator as one process.
//!
//! - [`config`]: the command line.
//! - [`runtime`]: starts the process, and shuts it down.
//! - [`controllers`]: connects watches, schedules and the two controllers.
//! - [`leader`]: leader election.
//! - [`http`]: probes and metrics, over bounded [`connections`]; [`probe`]: the client of a probe, for the image.
//! - [`proxy`]: what leads to the API server.

pub mod config;
pub mod connections;
pub mod controllers;
pub mod http;
pub mod leader;
pub mod probe;
pub mod proxy;
pub mod runtime;
pub mod watching;
