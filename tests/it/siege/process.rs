//! The real binary as a process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Target;

/// How often readiness is probed.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long a process may take to become ready.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// The binary, and the directory of its processes' logs.
pub(crate) struct Binary {
    path: PathBuf,
    log_level: String,
    help: String,
    scratch: Scratch,
    started: AtomicUsize,
}

impl Binary {
    pub(crate) fn new(target: &Target) -> Self {
        let path = &target.binary;
        let help = text(Command::new(path).args(["run", "--help"]).output());
        let log_level = target.log_level.clone();
        Self { path: path.clone(), log_level, help, scratch: Scratch::new(), started: AtomicUsize::new(0) }
    }

    /// Whether `certorder run` has this flag.
    pub(crate) fn knows(&self, flag: &str) -> bool {
        self.help.contains(flag)
    }

    /// The directory of the logs, which is kept from now on.
    pub(crate) fn keep_logs(&self) -> &Path {
        self.scratch.keep.store(true, Ordering::Relaxed);
        &self.scratch.directory
    }

    /// Starts a process against the API server at this address.
    pub(crate) fn start(&self, api: &str, flags: &[String]) -> Process {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let kubeconfig = self.scratch.directory.join(format!("{number}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig_of(api)).unwrap();
        let log = File::create(self.scratch.directory.join(format!("{number:05}.log"))).unwrap();
        let probes = free_address().to_string();
        let mut command = Command::new(&self.path);
        // Without the environment of this shell: it may set a cluster or a flag.
        command.env_clear().env("KUBECONFIG", &kubeconfig);
        command.args(["run", "--http-address", &probes, "--log-level", &self.log_level]).args(flags);
        if self.knows("--leader-elect") {
            command.arg("--leader-elect=false");
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Process { child, probes, started: Instant::now(), kubeconfig }
    }
}

/// A running operator. It is killed when dropped.
pub(crate) struct Process {
    child: Child,
    probes: String,
    started: Instant,
    kubeconfig: PathBuf,
}

impl Process {
    /// Kills it (SIGKILL) and waits until it has exited.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Waits until it is ready, and returns the time since its start.
    pub(crate) async fn ready(&self) -> Duration {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/readyz", self.probes);
        while self.started.elapsed() < TIMEOUT {
            if client.get(&url).send().await.is_ok_and(|reply| reply.status().is_success()) {
                return self.started.elapsed();
            }
            sleep(POLL_INTERVAL).await;
        }
        panic!("the operator is not ready after {TIMEOUT:?}");
    }

    /// Its resident memory and the peak of it, in KiB.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// The status with which it has exited by itself, which it never should.
    pub(crate) fn has_exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It may have exited by itself.
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.kubeconfig);
    }
}

/// A directory that is removed at the end, unless something went wrong.
struct Scratch {
    directory: PathBuf,
    keep: AtomicBool,
}

impl Scratch {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("certorder-siege-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&directory).unwrap();
        Self { directory, keep: AtomicBool::new(false) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() && !*self.keep.get_mut() {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

fn text(output: std::io::Result<Output>) -> String {
    String::from_utf8(output.unwrap().stdout).unwrap()
}

fn kubeconfig_of(api: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: siege, \
         clusters: [{{name: siege, cluster: {{server: '{api}'}}}}], users: [{{name: siege, user: {{}}}}], \
         contexts: [{{name: siege, context: {{cluster: siege, user: siege, namespace: default}}}}]}}"
    )
}

/// A free address for probes. Its port is below those that a system gives to outgoing connections, of which one may
/// otherwise take it before the operator does.
pub(crate) fn free_address() -> SocketAddr {
    const PORTS: std::ops::Range<u32> = 16_384..32_768;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Beginning elsewhere in each process, since several may run at once.
    let offset = std::process::id().wrapping_mul(97);
    let mut all = PORTS.map(|_| {
        let number = offset.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        u16::try_from(PORTS.start + number).unwrap()
    });
    let free = all.find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    free.local_addr().unwrap()
}
