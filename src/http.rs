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

/// Whether the process is ready: every cache has been filled once, or another replica works.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const STANDING_BY: u8 = 1;
const WORKING: u8 = 2;

impl Readiness {
    /// Says that another replica works, and this one could take its place.
    pub fn stand_by(&self) {
        self.0.store(STANDING_BY, Ordering::Release);
    }

    /// Says that this replica works from now on, and its caches are not filled yet.
    pub fn begin(&self) {
        self.0.store(STARTING, Ordering::Release);
    }

    /// Says that the caches are filled.
    pub fn set(&self) {
        self.0.store(WORKING, Ordering::Release);
    }
}

/// Opens the port. Done before anything else, so that a taken port is an error at the start.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `shutdown` resolves.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    readiness: Readiness,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .with_state(readiness)
        .route("/metrics", get(metrics).with_state(Arc::new(registry)));
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    match readiness.0.load(Ordering::Acquire) {
        WORKING => (StatusCode::OK, "ok"),
        STANDING_BY => (StatusCode::OK, "standing by: another replica holds the lease"),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the lease is not seen or the caches are not filled yet; are the CRDs installed, and the permissions granted?",
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
