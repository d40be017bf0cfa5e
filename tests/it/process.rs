//! The operator as a separate program, with its output kept: the log, by default at the most verbose level, and the
//! metrics.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::cluster::claims_of;
use crate::siege::process::free_address;

/// How long a story waits for anything.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often it polls.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running program. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    directory: PathBuf,
    http: SocketAddr,
}

impl Process {
    /// Starts it against an API server and a cloud at these addresses, in one namespace.
    pub(crate) fn start(api: &str, cloud: &str, namespace: &str) -> Self {
        let flags = ["--leader-elect=false", "--call-timeout", "1s", "--log-level", "trace"];
        Self::start_with(api, cloud, namespace, &flags)
    }

    /// The same, with these flags.
    pub(crate) fn start_with(api: &str, cloud: &str, namespace: &str, flags: &[&str]) -> Self {
        Self::start_in(&[], api, cloud, namespace, flags)
    }

    /// The same, with these variables of the environment. No proxy of the machine is used.
    pub(crate) fn start_in(
        variables: &[(&str, &str)],
        api: &str,
        cloud: &str,
        namespace: &str,
        flags: &[&str],
    ) -> Self {
        let directory = std::env::temp_dir().join(format!("certorder-{namespace}"));
        std::fs::create_dir_all(&directory).unwrap();
        let kubeconfig = directory.join("kubeconfig");
        std::fs::write(&kubeconfig, config(api).to_string()).unwrap();
        let log = File::create(directory.join("log")).unwrap();
        let http = free_address();
        let always = [
            "run",
            "--watch-namespace",
            namespace,
            "--claims-namespace",
            &claims_of(namespace),
            "--tencent-endpoint",
            cloud,
            "--poll-interval",
            "100ms",
            "--tencent-rate-limit",
            "1000",
            "--http-address",
            &http.to_string(),
        ];
        let child = program(variables)
            .args(always)
            .args(flags)
            .env("KUBECONFIG", kubeconfig)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Self { child, directory, http }
    }

    /// The address of its probes.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Its resident memory, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it has had so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// What `/readyz` answers; `None` before it serves anything.
    pub(crate) async fn readyz(&self) -> Option<u16> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let reply = client.get(format!("http://{}/readyz", self.http)).send().await;
        reply.ok().map(|reply| reply.status().as_u16())
    }

    /// Waits until it is ready.
    pub(crate) async fn until_ready(&mut self) {
        self.until("ready", async |process| process.readyz().await == Some(200)).await;
    }

    /// Waits until its log has this text.
    pub(crate) async fn until_logged(&mut self, text: &str) {
        self.until(text, async |process| process.log().contains(text)).await;
    }

    async fn until(&mut self, what: &str, wanted: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !wanted(self).await {
            assert_eq!(self.child.try_wait().unwrap(), None, "it has ended: {}", self.log());
            assert!(begun.elapsed() < TIMEOUT, "not {what}: {}", self.log());
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Fails if it has ended.
    pub(crate) fn assert_running(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "it has ended: {}", self.log());
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let command = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits until it has exited, and returns its status and the time that it took.
    pub(crate) async fn end(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < TIMEOUT, "it does not end: {}", self.log());
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Its whole output.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory.join("log")).unwrap()).into_owned()
    }

    /// Its metrics.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.http);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// The program, with these variables of the environment and none of the machine's proxies.
pub(crate) fn program(variables: &[(&str, &str)]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_certorder"));
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        program.env_remove(name).env_remove(name.to_lowercase());
    }
    program.envs(variables.iter().copied());
    program
}

/// A kubeconfig, as JSON, which is YAML too.
pub(crate) fn config(api: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "story",
        "clusters": [{"name": "story", "cluster": {"server": api}}],
        "users": [{"name": "story", "user": {"token": "of-the-story"}}],
        "contexts": [{"name": "story", "context": {"cluster": "story", "user": "story"}}],
    })
}
