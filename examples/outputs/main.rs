//! What certorder hands over, as files: orders of every kind of key and keystore are issued by the simulated clouds,
//! and the entries of their Secrets are written below a directory, with `outputs.json`, which says what is what.
//!
//! ```console
//! $ cargo run --example outputs -- DIRECTORY --own CSRS
//! ```
//!
//! `tests/consumers` loads these files into servers and tools.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it shares the helpers of the integration tests"
)]

use std::path::PathBuf;

use clap::Parser;

#[path = "../../tests/it/clouds.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "a part of it is for the integration tests")]
mod clouds;
#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod cluster;
#[path = "../../tests/it/deploy.rs"]
#[allow(dead_code, unused_imports, reason = "a part of it is for the integration tests")]
mod deploy;
mod files;
#[path = "../../tests/it/fixtures.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod fixtures;
#[path = "../../tests/it/operator.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod operator;
mod orders;
#[path = "../../tests/it/rules.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod rules;
mod story;
#[path = "../../tests/it/world.rs"]
#[allow(dead_code, reason = "a part of it is for the integration tests")]
mod world;

/// Writes the Secrets of issued orders as files.
#[derive(Parser)]
struct Cli {
    /// Where to: a subdirectory for each order, the roots of the clouds' CAs, and `outputs.json`.
    directory: PathBuf,
    /// CSRs of the user's own: `NAME.csr` for the common name `NAME.acme.example`, and `NAME.key` where the Secret
    /// shall have the key.
    #[arg(long)]
    own: Option<PathBuf>,
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    let mut orders = orders::made();
    if let Some(own) = &cli.own {
        orders.extend(orders::own(own));
    }
    let world = story::issue(&orders).await;
    files::write(&world, &orders, &cli.directory).await;
}
