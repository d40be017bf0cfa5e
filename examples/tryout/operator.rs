//! The operator in this process, with the flags that `certorder run` would have.

use std::time::Duration;

use certorder::process::config::{Cli, Command};
use certorder::process::runtime;
use clap::Parser;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// How long it may take to shut down.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A running operator. It works while [`Operator::stopped`] or [`Operator::stop`] is awaited.
pub(crate) struct Operator {
    shutdown: CancellationToken,
    run: LocalBoxFuture<'static, Result<(), runtime::Error>>,
}

impl Operator {
    /// Starts it for one namespace, against the clouds at these addresses.
    pub(crate) fn start(
        client: Client,
        [tencent, huawei]: [&str; 2],
        namespace: &str,
    ) -> Result<Self, Error> {
        let flags = [
            "certorder",
            "run",
            "--watch-namespace",
            namespace,
            "--lease-namespace",
            namespace,
            // Its Leases are removed with it.
            "--claims-namespace",
            namespace,
            "--tencent-endpoint",
            tencent,
            "--huawei-endpoint",
            huawei,
            "--poll-interval",
            "500ms",
            "--call-timeout",
            "5s",
            "--http-address",
            "127.0.0.1:0",
        ];
        let config = match Cli::try_parse_from(flags).map_err(|error| Error::Operator(error.to_string()))? {
            Cli { command: Command::Run(config) } => config,
            other => return Err(Error::Operator(format!("{other:?}"))),
        };
        let shutdown = CancellationToken::new();
        let run = runtime::run(*config, client, shutdown.clone()).boxed_local();
        Ok(Self { shutdown, run })
    }

    /// Waits until it stops by itself, which is an error.
    pub(crate) async fn stopped(&mut self) -> Error {
        let outcome = (&mut self.run).await;
        // A future must not be polled again after it has finished.
        self.run = std::future::ready(Ok(())).boxed_local();
        match outcome {
            Ok(()) => Error::Operator("without a signal".to_owned()),
            Err(error) => Error::Operator(error.to_string()),
        }
    }

    /// Shuts it down, as SIGTERM does, and waits until it has finished the calls in progress.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.shutdown.cancel();
        match tokio::time::timeout(TIMEOUT, self.run).await {
            Ok(outcome) => outcome.map_err(|error| Error::Operator(error.to_string())),
            Err(_) => Err(Error::TooSlow(format!("the operator did not shut down within {TIMEOUT:?}"))),
        }
    }
}
