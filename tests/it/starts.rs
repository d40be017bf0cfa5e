//! The real program starts while something is missing, reports it, and continues once it is there; and it shuts down
//! gracefully.

use std::net::SocketAddr;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Reply, Rule};
use certorder_sim::tencent::Product;
use http::{HeaderName, HeaderValue, StatusCode};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::cluster;
use crate::fixtures::{self, CERTIFICATE};
use crate::process::Process;
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
