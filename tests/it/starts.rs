//! The real program starts while something is missing, reports it, and continues once it is there; and it shuts down
//! gracefully.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Reply, Rule};
use certorder_sim::tencent::Product;
use http::{HeaderName, HeaderValue, StatusCode};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::cluster;
use crate::fixtures::{self, CERTIFICATE};
use crate::process::{self, Process};
use crate::world::World;

/// The longest shutdown with nothing to wait for.
const AT_ONCE: Duration = Duration::from_secs(5);
/// The longest time for one call to the cloud.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

async fn world() -> World {
    let world = World::in_one_namespace().await;
    // In process, the Lease is not in the namespace that the roles of deploy/ name.
    world.allow_anything();
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world
}

/// The program with the flags of an installation, and the Lease in the namespace of the story.
fn start(world: &World, api: &str) -> Process {
    let flags = ["--lease-namespace", &world.namespace, "--call-timeout", "3s"];
    Process::start_with(api, &world.net.url(), &world.namespace, &flags)
}

/// It logs what is missing, with this text and only a few times, and is not ready.
async fn it_waits(process: &mut Process, says: &str) {
    process.until_logged(says).await;
    assert_eq!(process.readyz().await, Some(503));
    let log = process.log();
    assert!(!log.contains("Status {"), "for people: {log}");
    assert!(!log.contains("kube_client"), "logged once: {log}");
}

/// The same process continues.
async fn it_works(world: &World, process: &mut Process) {
    process.until_ready().await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    process.terminate();
    it_shuts_down(world, process, AT_ONCE).await;
}

/// It shuts down in time, and another replica may take over at once.
async fn it_shuts_down(world: &World, process: &mut Process, within: Duration) {
    let (status, after) = process.end().await;
    assert!(status.success(), "{status}: {}", process.log());
    assert!(after < within, "after {after:?}: {}", process.log());
    if let Some(lease) = world.api_of::<Lease>().get_opt("certorder").await.unwrap() {
        assert_eq!(lease.spec.unwrap().holder_identity.as_deref(), Some(""), "given back");
    }
}

#[tokio::test]
async fn the_crds_may_be_installed_after_the_operator() {
    if cluster::is_real() {
        return; // Other stories need them.
    }
    let world = world().await;
    cluster::remove_crds(&world.client()).await;
    let mut process = start(&world, &world.api.url());
    it_waits(&mut process, "are the CRDs installed?").await;
    cluster::install_crds(&world.client()).await;
    it_works(&world, &mut process).await;
}

#[tokio::test]
async fn the_api_server_may_come_up_after_the_operator() {
    let world = world().await;
    let door = Door::closed();
    let mut process = start(&world, &door.url());
    it_waits(&mut process, "the API server cannot be reached").await;
    door.open_to(&world.api.url());
    it_works(&world, &mut process).await;
}

#[tokio::test]
async fn a_refused_token_is_reported_and_used_once_it_is_accepted() {
    let world = world().await;
    world.api.fault(Rule::new(Action::Status(unauthorized())).always());
    let mut process = start(&world, &world.api.url());
    it_waits(&mut process, "the API server refuses the token").await;
    world.api.clear();
    it_works(&world, &mut process).await;
}

#[tokio::test]
async fn an_operator_that_never_became_ready_shuts_down_when_it_is_asked() {
    let world = world().await;
    // It may only hold the Lease.
    world.api.fault(Rule::new(Action::Status(unauthorized())).path("/apis/certorder.dev/").always());
    let mut process = start(&world, &world.api.url());
    it_waits(&mut process, "the API server refuses the token").await;
    process.terminate();
    it_shuts_down(&world, &mut process, AT_ONCE).await;
    assert!(!process.log().contains("a controller failed"), "a shutdown is no failure: {}", process.log());
}

#[tokio::test]
async fn an_open_connection_to_the_probes_does_not_delay_the_shutdown() {
    let world = world().await;
    let mut process = start(&world, &world.api.url());
    process.until_ready().await;
    let mut kept = TcpStream::connect(process.http()).await.unwrap();
    kept.write_all(b"GET /livez HTTP/1.1\r\nHost: probe\r\n\r\n").await.unwrap();
    assert_ne!(kept.read(&mut [0; 1024]).await.unwrap(), 0, "answered, and not closed by the client");
    let mut unfinished = TcpStream::connect(process.http()).await.unwrap();
    unfinished.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    process.terminate();
    it_shuts_down(&world, &mut process, AT_ONCE).await;
}

#[tokio::test]
async fn unfinished_requests_end_neither_the_process_nor_its_probes() {
    let world = world().await;
    let mut process = start(&world, &world.api.url());
    process.until_ready().await;
    let before = process.memory();
    let address = process.http();
    let long = format!("GET /livez HTTP/1.1\r\nX-Long: {}", "x".repeat(256 * 1024));
    let (mut open, mut most) = (Vec::new(), before);
    for number in 0..400 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // It is closed on the way, or takes no more.
        let _ = timeout(Duration::from_millis(20), stream.write_all(long.as_bytes())).await;
        open.push(stream);
        if number % 50 == 0 {
            let begin = Instant::now();
            assert_eq!(process.readyz().await, Some(200));
            assert!(begin.elapsed() < AT_ONCE, "after {:?}", begin.elapsed());
            most = most.max(process.memory());
        }
    }
    most = most.max(process.memory());
    assert!(most < before + 32 * 1024, "from {before} to {most} KiB");
    it_works(&world, &mut process).await;
}

#[tokio::test]
async fn a_proxy_leads_to_the_api_server_and_not_to_this_machine_and_its_password_is_in_no_output() {
    let world = world().await;
    let proxy = Connect::start(&world.api.url()).await;
    let server = "http://kubernetes.story.invalid:6443";
    let flags = ["--lease-namespace", &world.namespace, "--call-timeout", "3s", "--log-level", "trace"];
    let variables = [("HTTP_PROXY", proxy.url.as_str())];
    let mut process = Process::start_in(&variables, server, &world.net.url(), &world.namespace, &flags);
    process.until_ready().await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    process.terminate();
    it_shuts_down(&world, &mut process, AT_ONCE).await;
    let seen = proxy.seen();
    assert!(!seen.is_empty());
    for head in seen {
        assert!(
            head.starts_with("CONNECT kubernetes.story.invalid:6443 "),
            "the cloud is on this machine: {head}"
        );
        assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    }
    for secret in [PASSWORD, PASSWORD_IN_A_HEADER] {
        assert!(!process.log().contains(secret), "{}", process.log());
    }
}

#[tokio::test]
async fn https_proxy_and_no_proxy_count_for_the_server_of_a_kubeconfig() {
    let world = world().await;
    let server = "https://kubernetes.story.invalid:6443";
    for (no_proxy, is_asked) in [("story.invalid", false), ("127.0.0.1", true)] {
        let proxy = Connect::start(&world.api.url()).await;
        let variables = [("HTTPS_PROXY", proxy.url.as_str()), ("NO_PROXY", no_proxy)];
        let flags = ["--lease-namespace", &world.namespace];
        let mut process = Process::start_in(&variables, server, &world.net.url(), &world.namespace, &flags);
        // Behind the proxy is a server without TLS.
        it_waits(&mut process, "the API server cannot be reached").await;
        let seen = proxy.seen();
        let asked = seen.iter().any(|head| head.starts_with("CONNECT kubernetes.story.invalid:6443 "));
        assert_eq!(asked, is_asked, "NO_PROXY={no_proxy}: {seen:?}");
        assert!(!process.log().contains(PASSWORD), "{}", process.log());
        process.terminate();
        it_shuts_down(&world, &mut process, AT_ONCE).await;
    }
}

#[test]
fn no_refusal_repeats_the_password_of_a_url() {
    let url = format!("https://user:{PASSWORD}@proxy.example");
    let bare = format!("user:{PASSWORD}@proxy.example");
    let cases: [&[&str]; 6] = [
        &["run", "--tencent-endpoint", &url],
        &["run", "--tencent-endpoint", &bare],
        &["run", "--huawei-endpoint", &url],
        &["run", "--http-address", &bare],
        &["run", &url],
        &["probe", &format!("http://user:{PASSWORD}@proxy.invalid:1/readyz")],
    ];
    for arguments in cases {
        refused(process::program(&[]).args(arguments));
    }
    let directory = std::env::temp_dir().join(format!("certorder-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&directory).unwrap();
    let kubeconfig = directory.join("kubeconfig");
    std::fs::write(&kubeconfig, process::config("https://kubernetes.story.invalid").to_string()).unwrap();
    let proxy = format!("socks5://user:{PASSWORD}@proxy.example");
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("KUBECONFIG", kubeconfig.to_str().unwrap())];
    let text = refused(process::program(&variables).arg("run"));
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(text.contains("write http://host:port"), "{text}");
}

/// What a command says that fails, without the password.
fn refused(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(!output.status.success() && !text.is_empty(), "{command:?}");
    assert!(!text.contains(PASSWORD), "{text}");
    text
}

#[tokio::test]
async fn a_call_in_flight_is_finished_and_recorded_before_the_shutdown() {
    let world = world().await;
    world.net.fault(submission(Action::Delay(CALL_TIMEOUT / 2)));
    let mut process = start(&world, &world.api.url());
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_called("CertificateInfoSubmit").await;
    process.terminate();
    it_shuts_down(&world, &mut process, CALL_TIMEOUT).await;

    let submission = world.status("www").await.submission.unwrap();
    assert!(submission.intent.is_none(), "the outcome is known: {submission:?}");
    let status = world.status("www").await;
    assert!(status.request_id.is_some(), "{status:?}");
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
    assert_eq!(world.called("CertificateOrderSubmit"), 0, "nothing else is begun");
}

#[tokio::test]
async fn a_call_that_is_never_answered_delays_the_shutdown_for_its_timeout_only() {
    let world = world().await;
    world.net.fault(submission(Action::HoldAfter));
    let mut process = start(&world, &world.api.url());
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.net.killed().await;
    process.terminate();
    it_shuts_down(&world, &mut process, CALL_TIMEOUT + AT_ONCE).await;
    let status = world.status("www").await;
    assert!(status.submission.unwrap().intent.is_some(), "left to be settled: {:?}", status.conditions);

    // The next process reads the outcome from the cloud.
    let _next = start(&world, &world.api.url());
    world.until_is("www", "Submitted", "True", "Adopted").await;
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
}

/// A fault for the application.
fn submission(action: Action) -> Rule {
    let header = HeaderName::from_static("x-tc-action");
    Rule::new(action).header(header, HeaderValue::from_static("CertificateInfoSubmit"))
}

/// The answer of an API server to an expired token.
fn unauthorized() -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "Unauthorized", "reason": "Unauthorized", "code": 401,
    });
    Reply::json(StatusCode::UNAUTHORIZED, &status)
}

/// A reserved address without a listener.
struct Door {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Door {
    fn closed() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forwards to this server from now on.
    fn open_to(self, url: &str) {
        let (listener, server) =
            (self.socket.listen(64).unwrap(), url.strip_prefix("http://").unwrap().to_owned());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
    }
}

const PASSWORD: &str = "word-of-the-proxy";
/// `user:word-of-the-proxy`.
const PASSWORD_IN_A_HEADER: &str = "dXNlcjp3b3JkLW9mLXRoZS1wcm94eQ==";

/// An HTTP proxy that leads everybody to one server, whatever they ask for.
struct Connect {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Connect {
    async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:{PASSWORD}@{}", listener.local_addr().unwrap());
        let (seen, server) = (Arc::default(), server.strip_prefix("http://").unwrap().to_owned());
        let heads = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(tunnel(client, server.clone(), Arc::clone(&heads)));
            }
        });
        Self { url, seen }
    }

    /// The heads of all requests.
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn tunnel(
    mut client: TcpStream,
    server: String,
    heads: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<(u64, u64)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    heads.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let mut server = TcpStream::connect(server).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await
}
