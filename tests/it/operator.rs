//! The operator as a process that can be killed: a runtime of its own on a thread of its own.

use std::sync::mpsc;
use std::thread::JoinHandle;

use certorder::clock::Clock;
use certorder::config::{Cli, Command, Config};
use certorder::runtime;
use clap::Parser;
use futures::FutureExt;
use kube::Client;
use tokio::sync::oneshot;

/// A running operator.
pub(crate) struct Operator {
    end: Option<oneshot::Sender<End>>,
    thread: Option<JoinHandle<()>>,
}

/// How it ends.
enum End {
    /// As by SIGKILL: nothing that has begun is finished.
    Killed,
    /// As by SIGTERM.
    Stopped,
}

impl Operator {
    /// Starts it against an API server and the clouds at these addresses, in one namespace.
    pub(crate) fn start(api: &str, cloud: &str, huawei: &str, namespace: &str) -> Self {
        Self::start_by(Clock::default(), api, cloud, huawei, namespace)
    }

    /// The same by another clock.
    pub(crate) fn start_by(clock: Clock, api: &str, cloud: &str, huawei: &str, namespace: &str) -> Self {
        let alone = ["--leader-elect=false"];
        Self::start_with(clock, api, [cloud, huawei], namespace, &alone)
    }

    /// The same as one of several replicas.
    pub(crate) fn start_electing(api: &str, clouds: [&str; 2], namespace: &str) -> Self {
        Self::start_with(Clock::default(), api, clouds, namespace, &["--lease-namespace", namespace])
    }

    fn start_with(
        clock: Clock,
        api: &str,
        [cloud, huawei]: [&str; 2],
        namespace: &str,
        election: &[&str],
    ) -> Self {
        let flags = [
            "certorder",
            "run",
            "--watch-namespace",
            namespace,
            "--tencent-endpoint",
            cloud,
            "--poll-interval",
            "100ms",
            "--call-timeout",
            "1s",
            "--tencent-rate-limit",
            "1000",
            "--huawei-endpoint",
            huawei,
            "--huawei-rate-limit",
            "1000",
            "--http-address",
            "127.0.0.1:0",
        ];
        let flags = flags.iter().chain(election);
        let Command::Run(config) = Cli::try_parse_from(flags).unwrap().command else { unreachable!() };
        let (end, ended) = oneshot::channel();
        let (started, running) = mpsc::channel();
        let api = api.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            started.send(()).unwrap();
            if runtime.block_on(run(clock, *config, &api, ended)) {
                runtime.shutdown_background();
            }
        });
        running.recv().unwrap();
        Self { end: Some(end), thread: Some(thread) }
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.end(End::Killed);
    }

    /// Asks it to end and waits until it has. Not on this thread: it may need the proxies to finish its calls.
    pub(crate) async fn stop(mut self) {
        tokio::task::spawn_blocking(move || self.end(End::Stopped)).await.unwrap();
    }

    fn end(&mut self, how: End) {
        if let Some(end) = self.end.take() {
            let _ = end.send(how);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.end(End::Killed);
    }
}

/// Runs the operator until it ends; true if it left something unfinished.
async fn run(clock: Clock, config: Config, api: &str, ended: oneshot::Receiver<End>) -> bool {
    let client = Client::try_from(kube::Config::new(api.parse().unwrap())).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) }.boxed().shared();
    let mut operator = std::pin::pin!(runtime::run_by(clock, config, client, shutdown));
    tokio::select! {
        // What it had begun beside goes with the process.
        outcome = &mut operator => outcome.inspect_err(|error| eprintln!("the operator: {error}")).is_err(),
        end = ended => match end {
            Ok(End::Stopped) => {
                drop(stop);
                operator.await.unwrap();
                false
            }
            Ok(End::Killed) | Err(_) => true,
        },
    }
}
