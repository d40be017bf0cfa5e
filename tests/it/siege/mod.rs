//! The real binary as a process against simulated clouds: kills, faults, stale answers; its call rate and its load at
//! rest. `under_siege` runs short forms of what `cargo run --release --example siege` runs at length.
//!
//! - [`crash`]: kills and faults, one replica or several, one installation or several that want the same certificates; every
//!   order ends as it would without them, and each call takes effect once.
//! - [`churn`]: orders that are created and deleted again leave no claim.
//! - [`pace`]: how much of a cloud's rate limit is used; [`quiet`]: what settled orders cost.
//! - `kill_points` kills at every point of a scenario, `random_kills` at random; `points` are those points, and the
//!   faults.
//! - `scenario` is one order and its course, `actors` are the CA and the user, `crowd` many orders, `check` what must be
//!   true at the end.
//! - `environment` is the cluster and the proxies, `process` the binary, `cloud` the interface of a simulated cloud,
//!   `tencent` and `huawei` implement it.

use std::path::PathBuf;

mod actors;
mod check;
pub(crate) mod churn;
mod claims;
pub(crate) mod cloud;
pub(crate) mod crash;
mod crowd;
mod environment;
mod huawei;
mod kill_points;
pub(crate) mod pace;
mod points;
pub(crate) mod process;
pub(crate) mod quiet;
mod random_kills;
mod report;
mod rng;
mod scenario;
mod tencent;

/// The binary under test, and its cluster.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The binary.
    pub(crate) binary: PathBuf,
    /// A real cluster; by default the in-process one.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `--log-level` of every process.
    pub(crate) log_level: String,
}

/// How a crash test is run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Decides every choice.
    pub(crate) seed: u64,
    /// The least number of kills.
    pub(crate) kills: usize,
    /// How many processes of each installation run at the same time.
    pub(crate) replicas: usize,
    /// How many installations have an order for each certificate, each in a namespace of its own.
    pub(crate) installations: usize,
    /// How many orders exist at the same time.
    pub(crate) crowd: usize,
    /// The share of the points that are tested: one in this many; 0 for none.
    pub(crate) one_in: usize,
}
