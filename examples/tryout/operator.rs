//! The operator in this process, with the flags that `certorder run` would have.

use std::time::Duration;

use certorder::process::config::{Cli, Command};
use certorder::process::runtime;
use clap::Parser;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use kube::Client;
use tokio::sync::oneshot;

use crate::trouble::Error;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running operator. It works while [`Operator::ended`] or [`Operator::stop`] is awaited.
pub(crate) struct Operator {
    stop: oneshot::Sender<()>,
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
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) }.boxed().shared();
        Ok(Self { stop, run: runtime::run(*config, client, shutdown).boxed_local() })
    }

    /// Waits until it ends by itself, which it must not.
    pub(crate) async fn ended(&mut self) -> Error {
        match (&mut self.run).await {
            Ok(()) => Error::Operator("nobody asked it to".to_owned()),
            Err(error) => Error::Operator(error.to_string()),
        }
    }

    /// Asks it to end, as SIGTERM does, and waits until it has finished what it had begun.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        if self.stop.send(()).is_err() {
            return Ok(()); // It has ended already, and `ended` told why.
        }
        match tokio::time::timeout(PATIENCE, self.run).await {
            Ok(ended) => ended.map_err(|error| Error::Operator(error.to_string())),
            Err(_) => Err(Error::TooSlow(format!("the operator did not end within {PATIENCE:?}"))),
        }
    }
}
