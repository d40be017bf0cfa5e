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

/// Whether the process is ready: every cache has been filled once, or another replica works; and it is not about to end.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const STANDING_BY: u8 = 1;
const WORKING: u8 = 2;
const ENDING: u8 = 3;

impl Readiness {
    /// Says that another replica works, and this one could take its place.
    pub fn stand_by(&self) {
        self.say(STANDING_BY);
    }

    /// Says that this replica works from now on, and its caches are not filled yet.
    pub fn begin(&self) {
        self.say(STARTING);
    }

    /// Says that the caches are filled.
    pub fn set(&self) {
        self.say(WORKING);
    }

    /// Says that the process was asked to end.
    pub fn end(&self) {
        self.0.store(ENDING, Ordering::Release);
    }

    /// Whoever ends does not become ready any more.
    fn say(&self, state: u8) {
        let unless_ending = |now| (now != ENDING).then_some(state);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_ending);
    }
}

/// Opens the port. Done before anything else, so that a taken port is an error at the start.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until it is dropped. Nobody waits for connections that are still open: a client that keeps one, or never
/// finishes its request, must not hold up the end of the process.
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
        WORKING => (StatusCode::OK, "ok"),
        ENDING => (StatusCode::SERVICE_UNAVAILABLE, "ends, and finishes the calls in flight"),
        STANDING_BY => (StatusCode::OK, "standing by: another replica holds the lease"),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the lease is not seen or the caches are not filled yet; the log says what is missing: the API server, a \
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
