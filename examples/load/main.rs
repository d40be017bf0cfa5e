//! What orders cost: time, requests to the API server, calls to the cloud, processor time and memory, measured on the operator
//! as a process of its own against a simulated cloud without a limit. The keys are made at the cloud.
//!
//! ```console
//! $ cargo build --release && cargo run --release --example load -- --orders 1000 --accounts 10
//! ```
//!
//! With `--kubeconfig` it uses a real cluster **that nobody else uses**: the CRDs are removed and installed anew for each
//! binary. With `--baseline` another binary runs in turn with the first, and the ratios are printed; with `--peer` another
//! operator that handles the same objects (see `examples/load/peer`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that meets the unexpected ends"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

mod api;
mod figures;
mod machine;
mod operator;
mod phases;
mod watched;
mod world;

use figures::Figures;
use operator::Program;

/// What orders cost.
#[derive(Parser)]
pub(crate) struct Cli {
    /// How many orders.
    #[arg(long, default_value_t = 1000)]
    orders: usize,
    /// How many cloud accounts they are of, each in a namespace of its own.
    #[arg(long, default_value_t = 10)]
    accounts: usize,
    /// How long each answer of the cloud takes, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    cloud_latency: u64,
    /// How long each answer of the API server takes beyond its own time, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    api_latency: u64,
    /// How many orders are created in a second; as many as it goes by default.
    #[arg(long)]
    rate: Option<u32>,
    /// Seconds of each quiet window. Orders that wait are polled ten times as often as by default, so that 60 seconds are as
    /// ten minutes.
    #[arg(long, default_value_t = 60)]
    quiet: u64,
    /// A cluster that nobody else uses, in place of a simulated API server.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The operator; by default the one of the same build.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// An older operator, which runs in turn with it.
    #[arg(long, value_name = "BINARY")]
    baseline: Option<PathBuf>,
    /// How often each of them runs.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// A command that runs another operator. It gets `KUBECONFIG`, `TENCENT_ENDPOINT` and `READY_FILE`, which it creates.
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// Ends when every order is with the CA: nothing is issued, and nothing restarts.
    #[arg(long)]
    only_submit: bool,
    /// Also writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Cli {
    fn programs(&self) -> Vec<Program> {
        let own = self.binary.clone().unwrap_or_else(beside);
        let mut programs: Vec<_> = self.baseline.iter().cloned().map(Program::baseline).collect();
        programs.push(Program::new(own.clone()));
        programs.extend(self.peer.iter().map(|command| Program::peer(command, own.clone())));
        programs
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.quiet)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    assert!(cli.orders > 0 && cli.accounts > 0, "there is nothing to measure");
    let mut all: Vec<Figures> = Vec::new();
    for round in 1..=cli.rounds {
        for program in cli.programs() {
            eprintln!("{} (round {round})", program.name);
            all.push(phases::run(&cli, &program).await);
        }
    }
    println!("{}", figures::table(&cli, &all));
    if let Some(path) = &cli.json {
        std::fs::write(path, serde_json::to_string_pretty(&all).unwrap()).unwrap();
    }
    let wrongs: Vec<_> = all.iter().flat_map(|figures| &figures.wrongs).collect();
    for wrong in &wrongs {
        println!("WRONG: {wrong}");
    }
    if wrongs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The binary of the same build, in the parent directory of the examples.
fn beside() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    let binary = example.parent().unwrap().with_file_name("certorder");
    assert!(
        binary.exists(),
        "{} does not exist: run cargo build first, or name one by --binary",
        binary.display()
    );
    binary
}
