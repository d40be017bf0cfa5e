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
/// The call timeout of most stories: they wait for calls that get no reply.
pub(crate) const CALL_TIMEOUT: &str = "1s";

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
        let alone = ["--leader-elect=false", "--call-timeout", CALL_TIMEOUT];
        Self::start_with(clock, api, [cloud, huawei], [namespace, &claims_of(namespace)], &alone)
    }

    /// The same with the claims in a namespace that other installations share.
    pub(crate) fn start_claiming(api: &str, clouds: [&str; 2], namespaces: [&str; 2], timeout: &str) -> Self {
        let flags = ["--leader-elect=false", "--call-timeout", timeout];
        Self::start_with(Clock::default(), api, clouds, namespaces, &flags)
    }

    /// The same as one of several replicas.
    pub(crate) fn start_electing(api: &str, clouds: [&str; 2], namespace: &str) -> Self {
        let namespaces = [namespace, &claims_of(namespace)];
        let flags = ["--lease-namespace", namespace, "--call-timeout", CALL_TIMEOUT];
        Self::start_with(Clock::default(), api, clouds, namespaces, &flags)
    }

    /// The same for more namespaces, where a cloud allows this many calls a second.
    pub(crate) fn start_at(
        per_second: u32,
        api: &str,
        clouds: [&str; 2],
        namespaces: [&str; 2],
        others: &[String],
    ) -> Self {
        let more = others.iter().flat_map(|namespace| ["--watch-namespace", namespace.as_str()]);
        let flags: Vec<&str> =
            ["--leader-elect=false", "--call-timeout", CALL_TIMEOUT].into_iter().chain(more).collect();
        Self::start_paced(Clock::default(), per_second, api, clouds, namespaces, &flags)
    }

    fn start_with(clock: Clock, api: &str, clouds: [&str; 2], namespaces: [&str; 2], more: &[&str]) -> Self {
        Self::start_paced(clock, 1000, api, clouds, namespaces, more)
    }

    fn start_paced(
        clock: Clock,
        per_second: u32,
        api: &str,
        [cloud, huawei]: [&str; 2],
        [namespace, claims]: [&str; 2],
        more: &[&str],
    ) -> Self {
        let rate = per_second.to_string();
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
            "--tencent-rate-limit",
            &rate,
            "--huawei-endpoint",
            huawei,
            "--huawei-rate-limit",
            &rate,
            "--http-address",
            "127.0.0.1:0",
            "--secret-template-prefix",
            fixtures::ALLOWED_PREFIX,
        ];
        let flags = flags.iter().chain(more);
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
