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

use crate::cluster::watch_health::WatchHealth;
use crate::process::connections;
use crate::process::watching;

/// Whether the process is ready: its caches are filled and watched, or another replica is the leader; and it does not shut
/// down.
#[derive(Clone, Default)]
pub struct Readiness {
    state: Arc<AtomicU8>,
    /// How the watches are. A process that works and sees nothing of what users write is not ready.
    pub watches: WatchHealth,
}

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
        self.state.store(SHUTTING_DOWN, Ordering::Release);
    }

    /// A process that shuts down never becomes ready again.
    fn change(&self, state: u8) {
        let unless_shutting_down = |now| (now != SHUTTING_DOWN).then_some(state);
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_shutting_down);
    }
}

/// Opens the port. This is done first, so that a port in use is an error at the start.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until it is dropped, and does not wait for open connections: a client that keeps one open, or never
/// finishes its request, must not delay the shutdown.
pub async fn serve(listener: TcpListener, registry: Registry, readiness: Readiness) {
    let app = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .with_state(readiness)
        .route("/metrics", get(metrics).with_state(Arc::new(registry)));
    connections::serve(listener, app).await;
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let unavailable = |text: &str| (StatusCode::SERVICE_UNAVAILABLE, text.to_owned());
    match readiness.state.load(Ordering::Acquire) {
        READY => match watching::failing(&readiness.watches) {
            Some(text) => unavailable(&text),
            None => (StatusCode::OK, "ok".to_owned()),
        },
        SHUTTING_DOWN => unavailable("shuts down, and finishes the calls in flight"),
        STANDING_BY => (StatusCode::OK, "standing by: another replica holds the lease".to_owned()),
        _ => unavailable(
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::api::core::v1::Secret;
    use kube::{Api, Client};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_cannot_watch_any_more_is_not_ready_and_says_what_it_does_not_see() {
        let readiness = Readiness::default();
        readiness.set();
        let ready = || async {
            let answer = readyz(State(readiness.clone())).await.into_response();
            let status = answer.status().as_u16();
            let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        };
        assert_eq!(ready().await, (200, "ok".to_owned()));
        let client = Client::new(Router::new().fallback(async || StatusCode::UNAUTHORIZED), "default");
        let secrets: Api<Secret> = Api::all(readiness.watches.client(&client, "Secrets"));
        secrets.list(&kube::api::ListParams::default()).await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert_eq!(ready().await.0, 200);
        tokio::time::sleep(Duration::from_secs(20)).await;
        let (status, text) = ready().await;
        assert_eq!(status, 503);
        assert!(text.starts_with("cannot watch Secrets for 70 s; the log says"), "{text}");
        readiness.stand_by();
        assert_eq!(ready().await.0, 200, "another replica works");
    }
}
