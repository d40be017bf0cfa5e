//! Long runs of the operator against simulated clouds: kills, faults, two replicas and two installations (`crash`), orders
//! that come and go (`churn`), its use of a rate limit (`pace`), and its cost while orders are settled (`quiet`).
//!
//! ```console
//! $ cargo build --release && cargo run --release --example siege -- crash --kills 1000 --seed 1
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it shares the helpers of the integration tests"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod cluster;
#[path = "../../tests/it/deploy.rs"]
#[allow(dead_code, unused_imports, reason = "a part of it is for the integration tests")]
mod deploy;
#[path = "../../tests/it/fixtures.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod fixtures;
#[path = "../../tests/it/siege/mod.rs"]
mod siege;

use siege::{Settings, Target, churn, crash, pace, quiet};

/// Long runs of the operator against simulated clouds.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    what: What,
}

#[derive(Args)]
struct Common {
    /// The binary; by default the one of the same build.
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// A real cluster, instead of the in-process one.
    #[arg(long, global = true)]
    kubeconfig: Option<PathBuf>,
    /// `--log-level` of every process.
    #[arg(long, global = true, default_value = "info")]
    log_level: String,
}

#[derive(Subcommand)]
enum What {
    /// Kills and faults: every order ends as it would without them, and each call takes effect once.
    Crash {
        /// The least number of kills.
        #[arg(long, default_value_t = 1000)]
        kills: usize,
        /// Decides every choice.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many processes run at the same time, without leader election.
        #[arg(long, default_value_t = 1)]
        replicas: usize,
        /// How many installations, each for a namespace of its own, want the same certificates.
        #[arg(long, default_value_t = 1)]
        installations: usize,
        /// How many orders exist at the same time.
        #[arg(long, default_value_t = 24)]
        crowd: usize,
        /// Before the random kills, kill at one in this many points of an order's lifecycle; 0 for none.
        #[arg(long, default_value_t = 1)]
        one_in: usize,
    },
    /// Orders that are created and deleted again: no claim is left, and the operator does not grow.
    Churn {
        /// How many orders.
        #[arg(long, default_value_t = 20_000)]
        cycles: usize,
        /// How many exist at the same time.
        #[arg(long, default_value_t = 32)]
        at_once: usize,
    },
    /// How much of a cloud's rate limit is used while first submissions wait.
    Pace {
        /// How many orders wait for each account.
        #[arg(long, default_value_t = 300)]
        orders: usize,
        /// More flags for the operator.
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// What settled orders cost: writes, calls, memory.
    Quiet {
        /// How many settled orders; several numbers are measured one after the other, growing.
        #[arg(long, value_delimiter = ',', default_value = "1000,3000,10000")]
        orders: Vec<usize>,
        /// How many others wait for the CA.
        #[arg(long, default_value_t = 50)]
        waiting: usize,
        /// Seconds between the last change and the restart.
        #[arg(long, default_value_t = 310)]
        pause: u64,
        /// Seconds of each of the two windows after the restart.
        #[arg(long, default_value_t = 60)]
        window: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { common, what } = Cli::parse();
    let binary = common.binary.clone().unwrap_or_else(beside);
    assert!(
        binary.exists(),
        "{} does not exist: run cargo build first, or name one by --binary",
        binary.display()
    );
    let target = Target { binary, kubeconfig: common.kubeconfig, log_level: common.log_level };
    let wrongs = match what {
        What::Crash { kills, seed, replicas, installations, crowd, one_in } => {
            let settings = Settings { seed, kills, replicas, installations, crowd, one_in };
            let (lines, wrongs) = crash::run(&target, &settings).await;
            println!("{lines}");
            wrongs
        }
        What::Churn { cycles, at_once } => {
            let figures = churn::measure(&target, churn::Plan { cycles, at_once }).await;
            println!("{figures}");
            figures.wrongs()
        }
        What::Pace { orders, flags } => measure_pace(&target, orders, &flags).await,
        What::Quiet { orders, waiting, pause, window } => {
            let (pause, window) = (Duration::from_secs(pause), Duration::from_secs(window));
            let plans =
                orders.iter().map(|settled| quiet::Plan { settled: *settled, waiting, pause, window });
            measure_quiet(&target, &plans.collect::<Vec<_>>()).await
        }
    };
    for wrong in &wrongs {
        println!("WRONG: {wrong}");
    }
    if wrongs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure_pace(target: &Target, orders: usize, flags: &[String]) -> Vec<String> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let timeout = Duration::from_secs(u64::try_from(orders).unwrap());
    let mut wrongs = Vec::new();
    for case in pace::CASES {
        for figures in pace::measure(target, case, orders, &flags, timeout).await {
            println!("{figures}");
            if figures.is_served() {
                wrongs.extend(figures.wrongs(0.9));
            }
        }
    }
    wrongs
}

async fn measure_quiet(target: &Target, plans: &[quiet::Plan]) -> Vec<String> {
    let mut wrongs = Vec::new();
    for figures in quiet::measure(target, plans).await {
        println!("{figures}");
        wrongs.extend(figures.wrongs());
    }
    wrongs
}

/// The binary of the same build, in the parent directory of the examples.
fn beside() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().with_file_name("certorder")
}
