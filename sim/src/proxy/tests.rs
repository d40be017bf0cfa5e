//! Over real connections on loopback.

use std::{future::Future, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use super::*;

/// What the upstream of these tests has received.
type Received = mpsc::UnboundedSender<(String, String)>;

/// An upstream and a proxy before it; the receiver yields the host and the body of each request to `/echo`.
async fn world() -> (Proxy, mpsc::UnboundedReceiver<(String, String)>) {
    let (sender, received) = mpsc::unbounded_channel();
    let app = Router::new().route("/echo", post(echo)).route("/watch", get(endless)).with_state(sender);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (Proxy::start(Upstream::http(&url).unwrap()).await.unwrap(), received)
}

async fn echo(State(received): State<Received>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let host = headers.get("host").unwrap().to_str().unwrap().to_owned();
    received.send((host, body.clone())).unwrap();
    (StatusCode::CREATED, [("x-upstream", "yes")], body)
}

/// One event, and then silence.
async fn endless() -> Body {
    let event = stream::once(async { Ok::<_, io::Error>("event\n") });
    Body::from_stream(event.chain(stream::pending()))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn post_to(
    proxy: &Proxy,
    body: &'static str,
) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
    client().post(format!("{}/echo?a=b", proxy.url())).body(body).send()
}

async fn soon<T>(wait: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), wait).await.expect("within ten seconds")
}

#[tokio::test]
async fn requests_and_replies_pass_unchanged() {
    let (proxy, mut received) = world().await;
    let request = client().post(format!("{}/echo?a=b", proxy.url())).header("host", "ssl.example:8443");
    let request = request.header("authorization", "secret").header("x-tc-action", "Describe").body("hello");
    let reply = request.send().await.unwrap();
    assert_eq!(
        (reply.status(), &reply.headers()["x-upstream"]),
        (StatusCode::CREATED, &HeaderValue::from_static("yes"))
    );
    assert_eq!(reply.text().await.unwrap(), "hello");
    assert_eq!(received.recv().await.unwrap(), ("ssl.example:8443".to_owned(), "hello".to_owned()));
    let seen = proxy.seen();
    assert_eq!((seen.len(), seen[0].number, seen[0].path.as_str()), (1, 1, "/echo?a=b"));
    assert_eq!((seen[0].header("x-tc-action"), seen[0].header("authorization")), (Some("Describe"), None));
}

#[tokio::test]
async fn a_request_that_is_held_late_arrives_although_its_client_is_gone() {
    let (proxy, mut received) = world().await;
    let strikes = Arc::default();
    proxy.fault(Rule::new(Action::HoldLate(Duration::from_millis(100))).tally(&strikes));
    let client = tokio::spawn(post_to(&proxy, "late"));
    soon(proxy.killed()).await;
    client.abort();
    assert_eq!(soon(received.recv()).await.unwrap().1, "late");
    assert_eq!(strikes.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_upstream_can_get_its_own_name_and_a_token() {
    let upstream = Router::new().fallback(|headers: HeaderMap| async move {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Json(json!([text("host"), text("authorization")]))
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, upstream).await });
    let upstream =
        Upstream::http(&format!("http://{address}")).unwrap().with_own_host().with_token("t").unwrap();
    assert!(!format!("{upstream:?}").contains("Bearer t"));
    let proxy = Proxy::start(upstream).await.unwrap();
    let reply = client().get(proxy.url()).bearer_auth("mine").send().await.unwrap();
    assert_eq!(reply.text().await.unwrap(), json!([address.to_string(), "Bearer t"]).to_string());
}

#[tokio::test]
async fn a_request_held_before_never_arrives() {
    let (proxy, mut received) = world().await;
    proxy.fault(Rule::new(Action::HoldBefore));
    let url = proxy.url();
    let held = tokio::spawn(async move { client().post(format!("{url}/echo")).send().await });
    soon(proxy.killed()).await;
    held.abort();
    assert!(received.try_recv().is_err());
    assert_eq!(post_to(&proxy, "next").await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_request_held_after_has_arrived_and_is_never_answered() {
    let (proxy, mut received) = world().await;
    proxy.fault(Rule::new(Action::HoldAfter).path("/echo"));
    let url = proxy.url();
    let held = tokio::spawn(async move { client().post(format!("{url}/echo")).body("once").send().await });
    soon(proxy.killed()).await;
    assert_eq!(received.try_recv().unwrap().1, "once");
    assert!(!held.is_finished());
    proxy.clear();
    assert!(timeout(Duration::ZERO, proxy.killed()).await.is_err(), "a cleared proxy has killed nobody");
    held.abort();
}

#[tokio::test]
async fn an_error_can_replace_the_request_or_only_its_reply() {
    let (proxy, mut received) = world().await;
    let conflict = json!({"kind": "Status", "code": 409});
    proxy.fault(Rule::new(Action::Status(Reply::json(StatusCode::CONFLICT, &conflict))));
    proxy.fault(Rule::new(Action::StatusAfter(Reply::text(StatusCode::BAD_GATEWAY, "lost"))).nth(2));
    let first = post_to(&proxy, "a").await.unwrap();
    assert_eq!(
        (first.status(), first.headers()["content-type"].to_str().unwrap()),
        (StatusCode::CONFLICT, "application/json")
    );
    assert_eq!(first.text().await.unwrap(), conflict.to_string());
    assert!(received.try_recv().is_err());
    let second = post_to(&proxy, "b").await.unwrap();
    assert_eq!((second.status(), second.text().await.unwrap().as_str()), (StatusCode::BAD_GATEWAY, "lost"));
    assert_eq!(received.try_recv().unwrap().1, "b");
    assert_eq!(post_to(&proxy, "c").await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_rule_is_for_the_requests_it_names() {
    let (proxy, _received) = world().await;
    let teapot = || Action::Status(Reply::text(StatusCode::IM_A_TEAPOT, ""));
    let action = (HeaderName::from_static("x-tc-action"), HeaderValue::from_static("Submit"));
    let rule = Rule::new(teapot()).method(Method::POST).path("a=b").header(action.0, action.1).always();
    proxy.fault(rule);
    let send = |method: Method, path: &'static str, action: &'static str| {
        let request =
            client().request(method, format!("{}{path}", proxy.url())).header("x-tc-action", action);
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(send(Method::POST, "/echo?a=b", "Submit").await, StatusCode::IM_A_TEAPOT);
    assert_eq!(send(Method::POST, "/echo?a=b", "Submit").await, StatusCode::IM_A_TEAPOT);
    assert_eq!(send(Method::POST, "/echo?a=b", "Describe").await, StatusCode::CREATED);
    assert_eq!(send(Method::POST, "/echo", "Submit").await, StatusCode::CREATED);
    assert_eq!(send(Method::PUT, "/echo?a=b", "Submit").await, StatusCode::METHOD_NOT_ALLOWED);
    proxy.clear();
    assert_eq!(send(Method::POST, "/echo?a=b", "Submit").await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_reply_can_break_off_in_the_middle() {
    let (proxy, _received) = world().await;
    proxy.fault(Rule::new(Action::CutBody(3)).path_where(|path| path.starts_with("/echo")));
    let mut reply = post_to(&proxy, "abcdef").await.unwrap();
    assert_eq!(reply.chunk().await.unwrap().unwrap(), "abc");
    assert!(soon(reply.chunk()).await.is_err());
}

#[tokio::test]
async fn a_watch_flows_until_the_connections_drop() {
    let (proxy, _received) = world().await;
    let open = || async {
        let mut watch = client().get(format!("{}/watch", proxy.url())).send().await.unwrap();
        assert_eq!(soon(watch.chunk()).await.unwrap().unwrap(), "event\n");
        watch
    };
    let mut first = open().await;
    proxy.drop_connections();
    assert!(soon(first.chunk()).await.is_err());
    let mut second = open().await;
    proxy.fault(Rule::new(Action::DropConnections).path("/echo"));
    assert_eq!(post_to(&proxy, "x").await.unwrap().status(), StatusCode::CREATED);
    assert!(soon(second.chunk()).await.is_err());
}

#[tokio::test]
async fn a_delayed_request_arrives_later() {
    let (proxy, mut received) = world().await;
    let delay = Duration::from_millis(20);
    proxy.fault(Rule::new(Action::Delay(delay)));
    let start = tokio::time::Instant::now();
    post_to(&proxy, "late").await.unwrap();
    assert!(start.elapsed() >= delay);
    assert_eq!(received.recv().await.unwrap().1, "late");
}

#[tokio::test]
async fn an_upstream_that_is_gone_is_a_bad_gateway() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let proxy = Proxy::start(Upstream::http(&url).unwrap()).await.unwrap();
    assert_eq!(post_to(&proxy, "x").await.unwrap().status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_dropped_proxy_closes_watches_and_its_port() {
    let (proxy, _received) = world().await;
    let url = proxy.url();
    let mut watch = client().get(format!("{url}/watch")).send().await.unwrap();
    assert_eq!(soon(watch.chunk()).await.unwrap().unwrap(), "event\n");
    drop(proxy);
    assert!(soon(watch.chunk()).await.is_err());
    let refused = async { while client().get(&url).send().await.is_ok() {} };
    soon(refused).await;
}

#[tokio::test]
async fn a_text_is_replaced_wherever_it_stands() {
    let (proxy, _received) = world().await;
    proxy.fault(
        Rule::new(Action::Replace(vec![("LARGE", Filling::Bytes(200_000)), ("SMALL", Filling::Text("xyz"))]))
            .always(),
    );
    let reply = post_to(&proxy, "a LARGE b SMALL LAR LARGE").await.unwrap().text().await.unwrap();
    let large = "x".repeat(200_000);
    assert!(reply == format!("a {large} b xyz LAR {large}"), "{} bytes", reply.len());
    // In pieces of one byte, by which no text comes at once.
    let pieces = "a LARGE b".bytes().map(|byte| Ok(axum::body::Bytes::copy_from_slice(&[byte])));
    let flow = replaced(stream::iter(pieces.collect::<Vec<_>>()).boxed(), vec![("LARGE", Filling::Bytes(2))]);
    let parts: Vec<_> = flow.map(Result::unwrap).collect().await;
    assert_eq!(parts.concat(), b"a xx b");
    // An event passes before the next one comes.
    let event = stream::once(async { Ok(axum::body::Bytes::from_static(b"event\n")) });
    let mut flow = replaced(event.chain(stream::pending()).boxed(), vec![("LARGE", Filling::Bytes(2))]);
    assert_eq!(soon(flow.next()).await.unwrap().unwrap().as_ref(), b"event\n");
}
