//! Probes and metrics: `/livez`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

/// Whether the process is ready: its caches are filled, or another replica is the leader; and it does not shut down.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const STANDING_BY: u8 = 1;
const READY: u8 = 2;
const SHUTTING_DOWN: u8 = 3;

impl Readiness {
    /// Another replica is the leader, and this one can replace it.
    pub fn stand_by(&self) {
        self.change(STANDING_BY);
    }

    /// This replica is the leader from now on, and its caches are not filled yet.
    pub fn start(&self) {
        self.change(STARTING);
    }

    /// The caches are filled.
    pub fn set(&self) {
        self.change(READY);
    }

    /// The process shuts down.
    pub fn shut_down(&self) {
        self.0.store(SHUTTING_DOWN, Ordering::Release);
    }

    /// A process that shuts down never becomes ready again.
    fn change(&self, state: u8) {
        let unless_shutting_down = |now| (now != SHUTTING_DOWN).then_some(state);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_shutting_down);
    }
}

/// Opens the port. This is done first, so that a port in use is an error at the start.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until it is dropped, and does not wait for open connections: a client that keeps one open, or never
/// finishes its request, must not delay the shutdown.
pub async fn serve(listener: TcpListener, registry: Registry, readiness: Readiness) -> std::io::Result<()> {
    let app = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .with_state(readiness)
        .route("/metrics", get(metrics).with_state(Arc::new(registry)));
    axum::serve(listener, app).await
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    match readiness.0.load(Ordering::Acquire) {
        READY => (StatusCode::OK, "ok"),
        SHUTTING_DOWN => (StatusCode::SERVICE_UNAVAILABLE, "shuts down, and finishes the calls in flight"),
        STANDING_BY => (StatusCode::OK, "standing by: another replica holds the lease"),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the lease is not read or the caches are not filled yet; the log shows what is missing: the API server, a \
             valid token, the CRDs, or permissions",
        ),
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
