//! The HTTP server in front of the cloud.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    response::Response,
    routing::any,
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    connection::{Cut, CuttableListener},
    exchange::{self, Reply},
    request::{Content, Request},
    service::Service,
    world::Cloud,
};

/// A running server. It stops taking connections when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// The server runs until this end of the channel is gone.
    _running: oneshot::Sender<()>,
}

impl Server {
    /// Serves the cloud on a free port of the loopback address.
    pub(crate) async fn start<S: Service>(cloud: Arc<Cloud<S>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = match S::PATH {
            Some(path) => Router::new().route(path, any(handle)),
            None => Router::new().fallback(handle),
        };
        let router = router.with_state(cloud);
        let (running, stopped) = oneshot::channel();
        let make_service = router.into_make_service_with_connect_info::<Cut>();
        let server = axum::serve(CuttableListener(listener), make_service).with_graceful_shutdown(async {
            // An error says that the other end was dropped, which is how it stops.
            let _ = stopped.await;
        });
        tokio::spawn(server.into_future());
        Ok(Self { url, _running: running })
    }
}

async fn handle<S: Service>(
    State(cloud): State<Arc<Cloud<S>>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let request = read(request, S::MAX_BODY).await;
    // In a task of its own: a caller that hangs up does not undo what the cloud began to do.
    let exchange = tokio::spawn(exchange::exchange(Arc::clone(&cloud), request)).await;
    let Ok(reply) = exchange else {
        cut.cut();
        return Response::default();
    };
    send(&cloud, &cut, reply).await
}

async fn read(request: axum::extract::Request, max_body: usize) -> Request {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, max_body).await;
    Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        too_large: body.is_err(),
        body: body.unwrap_or_else(|_| Bytes::new()),
    }
}

async fn send<S: Service>(cloud: &Cloud<S>, cut: &Cut, reply: Reply) -> Response {
    // While the reply is held back a caller may hang up; then this future ends here, and nothing is delivered.
    tokio::time::sleep(reply.delay).await;
    let mut world = cloud.world();
    let now = world.now();
    let Some(content) = reply.content else {
        cut.cut();
        return Response::default();
    };
    if let Some(entry) = world.ledger.get_mut(reply.entry) {
        entry.delivered = reply.truthful;
    }
    respond(content, now)
}

fn respond(content: Content, now: Timestamp) -> Response {
    let mut response = Response::new(Body::from(content.body));
    *response.status_mut() = StatusCode::from_u16(content.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content.media_type));
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        headers.insert(header::DATE, date);
    }
    if let Some((name, id)) = content.request_id
        && let Ok(id) = HeaderValue::from_str(&id)
    {
        headers.insert(name, id);
    }
    response
}
