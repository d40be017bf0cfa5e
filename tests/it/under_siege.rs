//! Short forms of what `cargo run --release --example siege` does at length.

use std::time::Duration;

use crate::cluster;
use crate::siege::pace::Beside;
use crate::siege::{Place, Settings, crash, pace, quiet};

fn place() -> Place {
    Place {
        binary: env!("CARGO_BIN_EXE_certorder").into(),
        kubeconfig: cluster::kubeconfig(),
        log_level: "info".to_owned(),
    }
}

async fn withstand(settings: Settings) {
    let (lines, wrongs) = crash::run(&place(), &settings).await;
    println!("{lines}");
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_binary_that_is_killed_and_lied_to_submits_once() {
    withstand(Settings { seed: 6, kills: 40, replicas: 1, crowd: 12, one_in: 20 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_at_once_that_are_killed_and_lied_to_submit_once() {
    withstand(Settings { seed: 7, kills: 30, replicas: 2, crowd: 12, one_in: 0 }).await;
}

/// Half of what this cloud takes, since a busy machine may hold a call back until the next one is due; and at least two
/// thirds of that: what follows an order is not read before the others were submitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_called_no_faster_than_it_may_be_and_another_does_not_slow_it() {
    let flags = ["--tencent-rate-limit", "5", "--concurrency", "2"];
    for figures in pace::measure(&place(), Beside::Another, 10, &flags, Duration::from_mins(1)).await {
        println!("{figures}");
        assert_eq!(figures.wrongs(0.33), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_writes_nothing_and_calls_no_more_than_the_plan() {
    let plan = quiet::Plan { settled: 10, waiting: 4, pause: Duration::ZERO, window: Duration::from_secs(2) };
    for figures in quiet::measure(&place(), &[plan]).await {
        println!("{figures}");
        assert_eq!(figures.wrongs(), Vec::<String>::new());
    }
}
