//! Short forms of what `cargo run --release --example siege` does at length.

use std::time::Duration;

use tokio::sync::RwLock;

use crate::cluster;
use crate::siege::pace::Beside;
use crate::siege::{Settings, Target, churn, crash, pace, quiet};

/// What measures a pace holds this alone, so that the others here take no processor from it.
static MACHINE: RwLock<()> = RwLock::const_new(());

fn target() -> Target {
    Target {
        binary: env!("CARGO_BIN_EXE_certorder").into(),
        kubeconfig: cluster::kubeconfig(),
        log_level: "info".to_owned(),
    }
}

async fn run_crash_test(settings: Settings) {
    let _shared = MACHINE.read().await;
    let (lines, wrongs) = crash::run(&target(), &settings).await;
    println!("{lines}");
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_binary_submits_once_despite_kills_and_faults() {
    run_crash_test(Settings { seed: 6, kills: 40, replicas: 1, installations: 1, crowd: 12, one_in: 20 })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_at_once_submit_once_despite_kills_and_faults() {
    run_crash_test(Settings { seed: 7, kills: 30, replicas: 2, installations: 1, crowd: 12, one_in: 0 })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_installations_that_want_the_same_certificates_submit_once_despite_kills_and_faults() {
    run_crash_test(Settings { seed: 8, kills: 30, replicas: 1, installations: 2, crowd: 12, one_in: 0 })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_created_and_deleted_leave_no_claim() {
    let _shared = MACHINE.read().await;
    let figures = churn::measure(&target(), churn::Plan { cycles: 60, at_once: 12 }).await;
    println!("{figures}");
    assert_eq!(figures.wrongs(), Vec::<String>::new());
}

/// Half of the cloud's limit, since a busy machine may delay a call until the next one is due; and at least two fifths of
/// that are used, by unoptimised code on such a machine. The siege itself asks for 90 % of the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_called_no_faster_than_it_may_be_and_another_does_not_slow_it() {
    let _alone = MACHINE.write().await;
    let flags = ["--tencent-rate-limit", "5", "--concurrency", "2"];
    for figures in pace::measure(&target(), Beside::Another, 10, &flags, Duration::from_mins(1)).await {
        println!("{figures}");
        assert_eq!(figures.wrongs(0.2), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_writes_nothing_and_calls_no_more_than_the_plan() {
    let _shared = MACHINE.read().await;
    let plan = quiet::Plan { settled: 10, waiting: 4, pause: Duration::ZERO, window: Duration::from_secs(2) };
    for figures in quiet::measure(&target(), &[plan]).await {
        println!("{figures}");
        assert_eq!(figures.wrongs(), Vec::<String>::new());
    }
}
