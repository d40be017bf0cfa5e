//! The operator as its own program, with all that it writes kept: the log at the most verbose level, and the metrics.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::json;

/// A running program. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    directory: PathBuf,
    http: u16,
}

impl Process {
    /// Starts it against an API server and a cloud at these addresses, in one namespace.
    pub(crate) fn start(api: &str, cloud: &str, namespace: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("certorder-{namespace}"));
        std::fs::create_dir_all(&directory).unwrap();
        let kubeconfig = directory.join("kubeconfig");
        std::fs::write(&kubeconfig, config(api).to_string()).unwrap();
        let log = File::create(directory.join("log")).unwrap();
        // Nobody else takes a port that was free a moment ago.
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{http}");
        let flags = [
            "run",
            "--leader-elect=false",
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
            "--http-address",
            &address,
            "--log-level",
            "trace",
        ];
        let child = Command::new(env!("CARGO_BIN_EXE_certorder"))
            .args(flags)
            .env("KUBECONFIG", kubeconfig)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Self { child, directory, http }
    }

    /// Everything that it has written.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory.join("log")).unwrap()).into_owned()
    }

    /// What it counts.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.http);
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

/// A kubeconfig, as JSON, which is YAML too.
fn config(api: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "story",
        "clusters": [{"name": "story", "cluster": {"server": api}}],
        "users": [{"name": "story", "user": {}}],
        "contexts": [{"name": "story", "context": {"cluster": "story", "user": "story"}}],
    })
}
