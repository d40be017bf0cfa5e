//! Tells of watches that fail: in the log, and by an Event of the operator's own Pod. What cannot be watched says nothing of
//! itself, and no object of a user is at fault.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::cluster::watch_health::WatchHealth;
use crate::controller::telemetry::Telemetry;

/// How often the watches are looked at.
const INTERVAL: Duration = Duration::from_secs(30);

/// For so long a watch fails before an Event tells of it.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often it is told again.
const AGAIN: Duration = Duration::from_hours(1);

/// What cannot be watched; `None` if everything can.
#[must_use]
pub fn failing(watches: &WatchHealth) -> Option<String> {
    said(watches.failing().into_iter())
}

fn said(failing: impl Iterator<Item = (String, Duration)>) -> Option<String> {
    let all: Vec<_> = failing.map(|(name, time)| format!("{name} for {} s", time.as_secs())).collect();
    (!all.is_empty()).then(|| {
        format!(
            "cannot watch {}; the log says what is missing: the API server, a valid token, the CRDs, or permissions",
            all.join(", ")
        )
    })
}

/// Tells of watches that fail for minutes, until it is dropped. Without the Pod's name there is the log alone.
pub async fn tell(watches: &WatchHealth, telemetry: &Telemetry, pod: Option<ObjectReference>) {
    let mut told: Option<Instant> = None;
    loop {
        sleep(INTERVAL).await;
        let failing = watches.failing().into_iter().filter(|(_, time)| *time >= PATIENCE);
        let Some(text) = said(failing) else {
            told = None;
            continue;
        };
        if told.is_some_and(|at| at.elapsed() < AGAIN) {
            continue;
        }
        told = Some(Instant::now());
        warn!("{text}");
        if let Some(pod) = &pod {
            telemetry.watch_failing(pod, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::http::StatusCode;
    use axum::{Json, Router};
    use k8s_openapi::api::core::v1::Secret;
    use kube::api::ListParams;
    use kube::{Api, Client};
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use serde_json::Value;

    use super::*;
    use crate::controller::telemetry::Metrics;
    use crate::controller::watch_metrics::WatchMetrics;

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_fails_for_minutes_is_told_by_an_event_of_the_own_pod_and_a_metric() {
        let published: Arc<Mutex<Vec<Value>>> = Arc::default();
        let into = Arc::clone(&published);
        let publish = async move |Json(event): Json<Value>| {
            into.lock().unwrap().push(event.clone());
            Json(event)
        };
        let server = Router::new()
            .route("/apis/events.k8s.io/v1/namespaces/certorder/events", axum::routing::post(publish))
            .fallback(async || StatusCode::FORBIDDEN);
        let client = Client::new(server, "default");
        let (watches, mut registry) = (WatchHealth::default(), Registry::default());
        let metrics = WatchMetrics::register(&mut registry, &watches);
        metrics.count(|| vec![("CertificateOrder", 2)]);
        let telemetry = Telemetry::new(client.clone(), "process", Metrics::default());
        let pod = ObjectReference {
            kind: Some("Pod".to_owned()),
            name: Some("certorder-0".to_owned()),
            namespace: Some("certorder".to_owned()),
            ..ObjectReference::default()
        };
        let told = watches.clone();
        tokio::spawn(async move { tell(&told, &telemetry, Some(pod)).await });
        let secrets: Api<Secret> = Api::all(watches.client(&client, "Secrets in namespace shop"));
        secrets.list(&ListParams::default()).await.unwrap_err();
        let after = async |minutes| {
            sleep(Duration::from_mins(minutes)).await;
            published.lock().unwrap().len()
        };
        assert_eq!((after(2).await, after(2).await, after(50).await, after(20).await), (0, 1, 1, 2));
        let event = published.lock().unwrap()[0].clone();
        assert_eq!(
            (&event["reason"], &event["regarding"]["name"]),
            (&"WatchFailing".into(), &"certorder-0".into())
        );
        let note = event["note"].as_str().unwrap();
        assert!(note.starts_with("cannot watch Secrets in namespace shop for "), "{note}");
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains("certorder_watch_failing_seconds{kind=\"Secrets\"} 44"), "{text}");
        assert!(text.contains("certorder_unreadable_objects{kind=\"CertificateOrder\"} 2"), "{text}");
    }
}
