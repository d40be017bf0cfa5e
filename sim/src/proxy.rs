//! A reverse proxy with faults: it can stand before the API server of this crate, before a real one, and before a
//! simulated cloud.
//!
//! It speaks HTTP/1.1 without TLS on a loopback port. Bodies stream both ways, so watches flow. Nothing is retried
//! and nothing is changed, save by a [`Rule`].
//!
//! - `upstream`: the server behind it.
//! - `seen`: the requests that came.
//! - `rule`: which request suffers what.
//! - `body`: replies under way.

mod body;
mod rule;
mod seen;
#[cfg(test)]
mod tests;
mod upstream;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody as _, to_bytes},
    extract::{Request, State},
    response::Response,
    serve::ListenerExt,
};
use futures::StreamExt;
use http::{StatusCode, header};
use tokio::{net::TcpListener, sync::watch};

pub use body::Filling;
use body::{OpenBody, closed, replaced};
pub use rule::{Action, Reply, Rule};
pub use seen::Seen;
pub use upstream::{Trust, Upstream};

/// Headers that are not recorded.
const CREDENTIALS: [&str; 5] = ["authorization", "cookie", "x-auth-token", "x-security-token", "x-tc-token"];

/// A running proxy; it stops, and cuts off what is still open, when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped with the proxy, which ends the server.
    _running: watch::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    record: Mutex<Record>,
    /// How often a request was held.
    kills: watch::Sender<usize>,
    /// Counts up when open replies must end.
    cut: watch::Sender<usize>,
    /// Closed when the proxy is gone.
    running: watch::Receiver<()>,
}

#[derive(Debug, Default)]
struct Record {
    rules: Vec<Rule>,
    seen: Vec<Seen>,
}

impl Proxy {
    /// Starts a proxy without faults on a free port of 127.0.0.1.
    pub async fn start(upstream: Upstream) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (running, mut stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            upstream,
            record: Mutex::default(),
            kills: watch::channel(0).0,
            cut: watch::channel(0).0,
            running: stopped.clone(),
        });
        let app = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let until_dropped = async move { closed(&mut stopped).await };
        // A small event must not wait for the one after it.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, app).with_graceful_shutdown(until_dropped);
        tokio::spawn(async move { server.await });
        Ok(Self { address, shared, _running: running })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a fault. Of several rules that fire for one request, the one that was added first decides; the others
    /// count the request all the same.
    pub fn fault(&self, rule: Rule) {
        self.shared.record().rules.push(rule);
    }

    /// Removes all faults and forgets that any fired. Requests that are held stay held.
    pub fn clear(&self) {
        self.shared.record().rules.clear();
        self.shared.kills.send_replace(0);
    }

    /// Cuts off all replies that are still open.
    pub fn drop_connections(&self) {
        self.shared.cut_open_replies();
    }

    /// All requests so far, in the order of their arrival.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.record().seen.clone()
    }

    /// Waits until a request is held ([`Action::HoldBefore`], [`Action::HoldAfter`], [`Action::HoldLate`]): now the
    /// client can be killed.
    pub async fn killed(&self) {
        // An error would mean that the proxy is gone, but it is borrowed.
        let _ = self.shared.kills.subscribe().wait_for(|held| *held > 0).await;
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        // A panic elsewhere leaves the record whole: it is only ever appended to.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and finds what is to happen to it.
    fn note(&self, request: &Request) -> (Seen, Option<Action>) {
        let mut headers = request.headers().clone();
        for name in CREDENTIALS {
            headers.remove(name);
        }
        let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        let mut record = self.record();
        let number = record.seen.len() + 1;
        let seen = Seen { number, method: request.method().clone(), path, headers };
        record.seen.push(seen.clone());
        let mut first = None;
        for rule in &mut record.rules {
            let fired = rule.fire(&seen);
            if first.is_none() && fired.is_some() {
                rule.strike();
                first = fired;
            }
        }
        (seen, first)
    }

    fn cut_open_replies(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    /// Never answers; ends with the connection or the proxy.
    async fn hold(&self) -> Response {
        self.kills.send_modify(|count| *count += 1);
        closed(&mut self.running.clone()).await;
        made_up(Reply::text(StatusCode::SERVICE_UNAVAILABLE, "the proxy has stopped"))
    }

    async fn forward(&self, seen: &Seen, request: Request) -> Result<reqwest::Response, Response> {
        let headers = request.headers().clone();
        let body = request.into_body();
        let body = (!body.is_end_stream()).then(|| reqwest::Body::wrap_stream(body.into_data_stream()));
        let sent = self.upstream.send(seen.method.clone(), &seen.path, &headers, body).await;
        sent.map_err(|error| {
            made_up(Reply::text(StatusCode::BAD_GATEWAY, format!("the upstream did not answer: {error}")))
        })
    }

    /// The upstream's reply, up to `limit` bytes of it, with these texts in it replaced.
    fn pass_on(
        &self,
        reply: reqwest::Response,
        limit: Option<usize>,
        replace: Vec<(&'static str, Filling)>,
    ) -> Response {
        let (status, mut headers) = (reply.status(), upstream::end_to_end(reply.headers()));
        if !replace.is_empty() {
            headers.remove(header::CONTENT_LENGTH);
        }
        let body = OpenBody {
            upstream: reply.bytes_stream().boxed(),
            left: limit.unwrap_or(usize::MAX),
            cut: self.cut.subscribe(),
            running: self.running.clone(),
        };
        let body = body.into_stream().boxed();
        let body = if replace.is_empty() { body } else { replaced(body, replace) };
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match answer(&shared, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Response> {
    let (seen, action) = shared.note(&request);
    let (mut limit, mut replace) = (None, Vec::new());
    match action {
        Some(Action::HoldBefore) => return Ok(shared.hold().await),
        Some(Action::HoldAfter) => {
            // Whether upstream answered makes no difference to a client that will never know.
            let _ = shared.forward(&seen, request).await;
            return Ok(shared.hold().await);
        }
        Some(Action::HoldLate(time)) => {
            forward_later(Arc::clone(shared), seen, request, time).await;
            return Ok(shared.hold().await);
        }
        Some(Action::Status(reply)) => return Ok(made_up(reply)),
        Some(Action::StatusAfter(reply)) => {
            shared.forward(&seen, request).await?;
            return Ok(made_up(reply));
        }
        Some(Action::CutBody(bytes)) => limit = Some(bytes),
        Some(Action::Replace(texts)) => replace = texts,
        Some(Action::Delay(time)) => tokio::time::sleep(time).await,
        Some(Action::DropConnections) => shared.cut_open_replies(),
        None => {}
    }
    let reply = shared.forward(&seen, request).await?;
    Ok(shared.pass_on(reply, limit, replace))
}

/// In a task of its own, since the one that serves a client ends with its connection.
async fn forward_later(shared: Arc<Shared>, seen: Seen, request: Request, time: Duration) {
    let (head, body) = request.into_parts();
    // A body that breaks off is passed on as far as it came, as by any other network.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        let _ = shared.forward(&seen, Request::from_parts(head, Body::from(body))).await;
    });
}

fn made_up(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().insert(header::CONTENT_TYPE, reply.content_type);
    response
}
