//! The operator as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::machine::Process;

/// How long a process may take to become ready.
const TIMEOUT: Duration = Duration::from_mins(2);

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The binary whose CRDs it uses.
    pub(crate) crds: PathBuf,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Certorder(PathBuf),
    Peer(String),
}

impl Program {
    pub(crate) fn new(binary: PathBuf) -> Self {
        Self { name: "new", crds: binary.clone(), how: How::Certorder(binary) }
    }

    pub(crate) fn baseline(binary: PathBuf) -> Self {
        Self { name: "baseline", crds: binary.clone(), how: How::Certorder(binary) }
    }

    pub(crate) fn peer(command: &str, crds: PathBuf) -> Self {
        Self { name: "peer", crds, how: How::Peer(command.to_owned()) }
    }

    pub(crate) fn is_peer(&self) -> bool {
        matches!(self.how, How::Peer(_))
    }

    /// Starts it, and waits until it is ready. Its log goes to a file in the directory.
    pub(crate) async fn start(&self, directory: &Path, kubeconfig: &Path, cloud: &str) -> Running {
        let log = directory.join(format!("{}.log", self.name));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let started = Instant::now();
        match &self.how {
            How::Certorder(binary) => {
                let address = free_address();
                let mut command = Command::new(binary);
                command.env_clear().env("KUBECONFIG", kubeconfig);
                command.args(["run", "--leader-elect=false", "--tencent-rate-limit", "1000"]);
                command.args([
                    "--poll-interval",
                    "3s",
                    "--tencent-endpoint",
                    cloud,
                    "--http-address",
                    &address,
                ]);
                let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
                let running = Running { child, ready: Duration::ZERO };
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let url = format!("http://{address}/readyz");
                let probe =
                    async || client.get(&url).send().await.is_ok_and(|reply| reply.status().is_success());
                running.wait(started, probe).await
            }
            How::Peer(line) => {
                let ready = directory.join("ready");
                drop(std::fs::remove_file(&ready));
                let mut command = Command::new("sh");
                command.args(["-c", &format!("exec {line}")]).env("KUBECONFIG", kubeconfig);
                command.env("TENCENT_ENDPOINT", cloud).env("READY_FILE", &ready);
                let output = log.try_clone().unwrap();
                let child = command.stdin(Stdio::null()).stdout(output).stderr(log).spawn().unwrap();
                let running = Running { child, ready: Duration::ZERO };
                running.wait(started, async || ready.exists()).await
            }
        }
    }
}

/// A running operator. It is killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// How long it took to become ready.
    pub(crate) ready: Duration,
}

impl Running {
    async fn wait(mut self, started: Instant, is_ready: impl AsyncFn() -> bool) -> Self {
        while !is_ready().await {
            assert!(started.elapsed() < TIMEOUT, "it is not ready after {TIMEOUT:?}: see its log");
            self.is_alive();
            sleep(Duration::from_millis(5)).await;
        }
        self.ready = started.elapsed();
        self
    }

    /// Ends the measurement if the operator has exited by itself.
    pub(crate) fn is_alive(&mut self) {
        let exited = self.child.try_wait().unwrap();
        assert!(exited.is_none(), "it exited by itself ({exited:?}): see its log");
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill()); // It may have exited by itself.
        drop(self.child.wait());
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}
