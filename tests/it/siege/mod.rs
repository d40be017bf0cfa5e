//! Under siege: the real binary, as a process, in the simulated world, killed and lied to; and how fast and how quiet
//! it is. The stories run short forms of what `cargo run --release --example siege` runs at length.
//!
//! - [`crash`]: kills and faults, one replica or several; every order ends as it would have without them, and each
//!   call lands once.
//! - [`pace`]: how much of a cloud's limit is used; [`quiet`]: what a settled crowd costs.
//! - `walk` kills at every point of a life, `storm` at random; `points` are those points, and the faults.
//! - `life` is what an order goes through, `player` the CA and the user, `crowd` many orders, `verdict` what must hold.
//! - `camp` is where it happens, `process` the binary, `cloud` a cloud as all of this sees it, `tencent` and
//!   `huawei` the two that there are.

use std::path::PathBuf;

mod actors;
mod check;
mod cloud;
pub(crate) mod crash;
mod crowd;
mod environment;
mod huawei;
mod kill_points;
pub(crate) mod pace;
mod points;
mod process;
pub(crate) mod quiet;
mod random_kills;
mod report;
mod rng;
mod scenario;
mod tencent;

/// What is besieged, and where.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The binary.
    pub(crate) binary: PathBuf,
    /// A real cluster; else the one in process.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `--log-level` of every process.
    pub(crate) log_level: String,
}

/// How a crash test is run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Decides every choice.
    pub(crate) seed: u64,
    /// How often the operator is killed, at least.
    pub(crate) kills: usize,
    /// How many processes work at the same time.
    pub(crate) replicas: usize,
    /// How many orders live at the same time.
    pub(crate) crowd: usize,
    /// Of the points of a life, the share that is walked through: one of so many; 0 for none.
    pub(crate) one_in: usize,
}
