//! The operator under siege: kills, faults and two replicas (`crash`).
//!
//! ```console
//! $ cargo build --release && cargo run --release --example siege -- crash --kills 1000 --seed 1
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it shares the helpers of the stories"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "a part of it is for the stories")]
mod cluster;
#[path = "../../tests/it/fixtures.rs"]
#[allow(dead_code, reason = "a part of it is for the stories")]
mod fixtures;
#[path = "../../tests/it/siege/mod.rs"]
mod siege;

use siege::{Settings, crash};

/// The operator under siege.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    what: What,
}

#[derive(Args)]
struct Common {
    /// The binary; the one of the same build unless said otherwise.
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// A real cluster, in place of the one in process.
    #[arg(long, global = true)]
    kubeconfig: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Kills and faults: every order ends as it would have without them, and each call lands once.
    Crash {
        /// How often the operator is killed, at least.
        #[arg(long, default_value_t = 1000)]
        kills: usize,
        /// Decides every choice.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many processes work at the same time, without leader election.
        #[arg(long, default_value_t = 1)]
        replicas: usize,
        /// How many orders live at the same time.
        #[arg(long, default_value_t = 24)]
        crowd: usize,
        /// Walk through one of so many points of an order's life before the storm; 0 for none.
        #[arg(long, default_value_t = 1)]
        one_in: usize,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { common, what } = Cli::parse();
    let binary = common.binary.unwrap_or_else(beside);
    assert!(
        binary.exists(),
        "{} does not exist: run cargo build first, or name one by --binary",
        binary.display()
    );
    let (lines, wrongs) = match what {
        What::Crash { kills, seed, replicas, crowd, one_in } => {
            let kubeconfig = common.kubeconfig;
            crash::run(&Settings { binary, kubeconfig, seed, kills, replicas, crowd, one_in }).await
        }
    };
    println!("{lines}");
    for wrong in &wrongs {
        println!("WRONG: {wrong}");
    }
    if wrongs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The binary of the same build: examples stand in a directory beside it.
fn beside() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().with_file_name("certorder")
}
