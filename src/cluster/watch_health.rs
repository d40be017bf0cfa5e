//! Which kinds can be watched at the moment. What a watch asks the API server is looked at for that, and not its events: one
//! that was started again yields none where nothing happens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;
use tower::service_fn;

/// For so long a watch may fail before anybody is told: API servers are restarted and replaced.
const GRACE: Duration = Duration::from_mins(1);

/// Since when each watch has asked the API server without success. Cloning shares it.
#[derive(Clone, Default, Debug)]
pub struct WatchHealth(Arc<Mutex<BTreeMap<String, Instant>>>);

impl WatchHealth {
    /// A client for one watch, whose requests tell how it is. `name` says what is watched, for people.
    #[must_use]
    pub fn client(&self, client: &Client, name: &str) -> Client {
        let (health, inner, name) = (self.clone(), client.clone(), name.to_owned());
        let ask = service_fn(move |request: Request<Body>| {
            let (health, inner, name) = (health.clone(), inner.clone(), name.clone());
            async move {
                health.asks(name.clone());
                let answer = inner.send(request).await?;
                if answer.status().is_success() {
                    health.works(&name);
                }
                Ok::<Response<Body>, kube::Error>(answer)
            }
        });
        Client::new(ask, client.default_namespace())
    }

    /// What could not be watched for longer than a while, each with since when.
    #[must_use]
    pub fn failing(&self) -> Vec<(String, Duration)> {
        let all = self.lock();
        let all = all.iter().map(|(name, since)| (name.clone(), since.elapsed()));
        all.filter(|(_, time)| *time > GRACE).collect()
    }

    fn asks(&self, name: String) {
        self.lock().entry(name).or_insert_with(Instant::now);
    }

    fn works(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use futures::StreamExt;
    use kube::Api;
    use serde_json::json;
    use tokio::time::sleep;

    use super::*;
    use crate::cluster::watch;

    /// What the API server of these tests does.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Mood {
        Refuses,
        Lists,
        Works,
        Hangs,
    }

    struct Scene {
        health: WatchHealth,
        mood: Arc<Mutex<Mood>>,
    }

    impl Scene {
        /// Watches Secrets of an API server in this mood.
        fn new(mood: Mood) -> Self {
            let (health, mood) = (WatchHealth::default(), Arc::new(Mutex::new(mood)));
            let served = Arc::clone(&mood);
            let answer = async move |uri: http::Uri| {
                let mood = *served.lock().unwrap();
                let is_watch = uri.query().unwrap_or_default().contains("watch=true");
                match (mood, is_watch) {
                    (Mood::Hangs, _) => std::future::pending().await,
                    (Mood::Refuses, _) | (Mood::Lists, true) => StatusCode::FORBIDDEN.into_response(),
                    // Nothing happens for a minute, and the API server ends the watch then.
                    (Mood::Works, true) => axum::body::Body::from_stream(futures::stream::once(async {
                        sleep(Duration::from_mins(1)).await;
                        Ok::<_, std::io::Error>("")
                    }))
                    .into_response(),
                    (Mood::Works | Mood::Lists, false) => axum::Json(json!({
                        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                        "metadata": {"resourceVersion": "7"}, "items": [],
                    }))
                    .into_response(),
                }
            };
            let client = Client::new(Router::new().fallback(answer), "default");
            let api = Api::all(health.client(&client, "Secrets"));
            tokio::spawn(watch::secrets(api).for_each(async |_| ()));
            Self { health, mood }
        }

        /// What is failing once this time has passed in this mood.
        async fn after(&self, mood: Mood, seconds: u64) -> Vec<String> {
            *self.mood.lock().unwrap() = mood;
            sleep(Duration::from_secs(seconds)).await;
            self.health.failing().into_iter().map(|(name, _)| name).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_watched_for_a_minute_is_told_until_it_can() {
        let nothing: [&str; 0] = [];
        let scene = Scene::new(Mood::Works);
        assert_eq!(scene.after(Mood::Works, 600).await, nothing, "a quiet watch is a good one");
        for mood in [Mood::Refuses, Mood::Lists] {
            // The watch that runs is ended within a minute.
            assert_eq!(scene.after(mood, 59).await, nothing);
            assert_eq!(scene.after(mood, 200).await, ["Secrets"]);
            assert_eq!(scene.after(Mood::Works, 60).await, nothing, "the longest pause is over");
            assert_eq!(scene.after(Mood::Works, 600).await, nothing);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_listed_and_not_watched_and_what_hangs_is_told_too() {
        let scene = Scene::new(Mood::Lists);
        assert_eq!(scene.after(Mood::Lists, 120).await, ["Secrets"]);
        assert_eq!(scene.after(Mood::Works, 60).await, [""; 0]);
        assert_eq!(scene.after(Mood::Hangs, 180).await, ["Secrets"]);
    }
}
