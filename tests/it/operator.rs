//! The operator as a process that can be killed: a runtime of its own on a thread of its own.

use std::thread::JoinHandle;
use std::time::Duration;

use certorder::core::clock::Clock;
use certorder::process::config::{Cli, Command, Config};
use certorder::process::runtime::{self, Error};
use clap::Parser;
use kube::Client;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cluster::claims_of;
use crate::fixtures;

/// How long a story waits for an operator to shut down.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running operator.
pub(crate) struct Operator {
    /// Cancelled to shut it down, as by SIGTERM.
    shutdown: CancellationToken,
    /// Cancelled to kill it, as by SIGKILL: nothing that has begun is finished.
    killed: CancellationToken,
    outcome: oneshot::Receiver<Result<(), Error>>,
    thread: Option<JoinHandle<()>>,
}

impl Operator {
    /// Starts it with this clock against an API server and the clouds at these addresses, in one namespace.
    pub(crate) fn start_by(clock: Clock, api: &str, cloud: &str, huawei: &str, namespace: &str) -> Self {
        let alone = ["--leader-elect=false"];
        Self::start_with(clock, api, [cloud, huawei], [namespace, &claims_of(namespace)], &alone)
    }

    /// The same with the claims in a namespace that other installations share.
    pub(crate) fn start_claiming(api: &str, clouds: [&str; 2], namespace: &str, claims: &str) -> Self {
        Self::start_with(Clock::default(), api, clouds, [namespace, claims], &["--leader-elect=false"])
    }

    /// The same as one of several replicas.
    pub(crate) fn start_electing(api: &str, clouds: [&str; 2], namespace: &str) -> Self {
        let namespaces = [namespace, &claims_of(namespace)];
        Self::start_with(Clock::default(), api, clouds, namespaces, &["--lease-namespace", namespace])
    }

    fn start_with(
        clock: Clock,
        api: &str,
        [cloud, huawei]: [&str; 2],
        [namespace, claims]: [&str; 2],
        election: &[&str],
    ) -> Self {
        let flags = [
            "certorder",
            "run",
            "--watch-namespace",
            namespace,
            "--claims-namespace",
            claims,
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
            "--secret-template-prefix",
            fixtures::ALLOWED_PREFIX,
        ];
        let flags = flags.iter().chain(election);
        let Command::Run(config) = Cli::try_parse_from(flags).unwrap().command else { unreachable!() };
        let (shutdown, killed) = (CancellationToken::new(), CancellationToken::new());
        let asked = (shutdown.clone(), killed.clone());
        let (ended, outcome) = oneshot::channel();
        let api = api.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            if let Some(outcome) = runtime.block_on(run(clock, *config, &api, asked)) {
                let _ = ended.send(outcome);
            }
            // Its other tasks end with the process.
            runtime.shutdown_background();
        });
        Self { shutdown, killed, outcome, thread: Some(thread) }
    }

    /// Kills it and waits until it has stopped.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Shuts it down and waits until it has stopped.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.end().await.unwrap();
    }

    /// Waits until it has stopped, and returns the result. It does not join the thread, since that would block the
    /// simulators; and a story that times out kills it.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        let outcome = timeout(TIMEOUT, &mut self.outcome).await;
        outcome.expect("the operator does not end").expect("the operator has ended in a panic")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.killed.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs the operator until it stops; `None` if it was killed.
async fn run(
    clock: Clock,
    config: Config,
    api: &str,
    (shutdown, killed): (CancellationToken, CancellationToken),
) -> Option<Result<(), Error>> {
    let client = Client::try_from(kube::Config::new(api.parse().unwrap())).unwrap();
    tokio::select! {
        outcome = runtime::run_by(clock, config, client, shutdown) => {
            Some(outcome.inspect_err(|error| eprintln!("the operator: {error}")))
        }
        () = killed.cancelled() => None,
    }
}
