//! Which kinds can be watched at the moment. What a watch asks the API server is looked at for that, and not its events: one
//! that was started again yields none where nothing happens. An answer counts once it has come in and could be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body as Watched, BodyDataStream, Bytes};
use futures::StreamExt;
use futures::stream::unfold;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;
use tower::service_fn;

/// For so long a watch may fail before anybody is told: API servers are restarted and replaced.
const GRACE: Duration = Duration::from_mins(1);

/// Since when each watch has asked the API server without success. Cloning shares it.
#[derive(Clone, Default, Debug)]
pub struct WatchHealth(Arc<Mutex<BTreeMap<String, Trying>>>);

/// A watch that has asked, and has had no answer that could be read.
#[derive(Debug)]
struct Trying {
    since: Instant,
    /// How many watches have begun to be answered: where nothing happens, nothing comes.
    open: usize,
}

impl WatchHealth {
    /// A client for one watch, whose requests tell how it is. `name` says what is watched, for people.
    #[must_use]
    pub fn client(&self, client: &Client, name: &str) -> Client {
        let (health, inner, name) = (self.clone(), client.clone(), name.to_owned());
        let ask = service_fn(move |request: Request<Body>| {
            let (health, inner, name) = (health.clone(), inner.clone(), name.clone());
            async move {
                let is_watch = request.uri().query().unwrap_or_default().contains("watch=true");
                health.trying(&name, |_| ());
                let answer = inner.send(request).await?;
                Ok::<Response<Watched>, kube::Error>(if answer.status().is_success() {
                    answer.map(|body| Incoming::new(health, name, is_watch, body).into_body())
                } else {
                    answer.map(Watched::new)
                })
            }
        });
        Client::new(ask, client.default_namespace())
    }

    /// What could not be watched for longer than a while, each with since when.
    #[must_use]
    pub fn failing(&self) -> Vec<(String, Duration)> {
        let all = self.lock();
        let all = all.iter().filter(|(_, trying)| trying.open == 0);
        let all = all.map(|(name, trying)| (name.clone(), trying.since.elapsed()));
        all.filter(|(_, time)| *time > GRACE).collect()
    }

    /// Notes that a watch has had no answer yet, since now unless that is known.
    fn trying(&self, name: &str, note: impl FnOnce(&mut Trying)) {
        let mut all = self.lock();
        note(all.entry(name.to_owned()).or_insert_with(|| Trying { since: Instant::now(), open: 0 }));
    }

    fn works(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Trying>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that comes in.
struct Incoming {
    health: WatchHealth,
    name: String,
    is_watch: bool,
    /// Whether it counts as one that may still turn out well.
    is_open: bool,
    body: BodyDataStream,
}

impl Incoming {
    fn new(health: WatchHealth, name: String, is_watch: bool, body: Body) -> Self {
        if is_watch {
            health.trying(&name, |trying| trying.open += 1);
        }
        Self { health, name, is_watch, is_open: is_watch, body: Watched::new(body).into_data_stream() }
    }

    fn into_body(self) -> Watched {
        Watched::from_stream(unfold(self, |mut incoming| async move {
            let chunk = incoming.next().await?;
            Some((chunk, incoming))
        }))
    }

    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        let chunk = self.body.next().await;
        match &chunk {
            Some(Err(_)) => self.close(),
            // The end of a list, or an event, or a watch that has ended where nothing happened.
            None => self.works(),
            Some(Ok(_)) if self.is_watch => self.works(),
            Some(Ok(_)) => {}
        }
        chunk
    }

    fn works(&mut self) {
        self.is_open = false;
        self.health.works(&self.name);
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.health.trying(&self.name, |trying| trying.open = trying.open.saturating_sub(1));
        } else {
            self.health.trying(&self.name, |_| ());
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.is_open {
            self.close();
        }
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
    use crate::cluster::{slim, watch};

    /// What the API server of these tests does.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Mood {
        Refuses,
        Lists,
        Works,
        Hangs,
        /// Answers lists and watches with something else.
        Babbles,
        /// Watches alone.
        BabblesOfEvents,
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
                    (Mood::Babbles, _) | (Mood::BabblesOfEvents, true) => "<html>\n".into_response(),
                    (Mood::Refuses, _) | (Mood::Lists, true) => StatusCode::FORBIDDEN.into_response(),
                    // Nothing happens for a minute, and the API server ends the watch then.
                    (Mood::Works, true) => axum::body::Body::from_stream(futures::stream::once(async {
                        sleep(Duration::from_mins(1)).await;
                        Ok::<_, std::io::Error>("")
                    }))
                    .into_response(),
                    (Mood::Works | Mood::Lists | Mood::BabblesOfEvents, false) => axum::Json(json!({
                        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                        "metadata": {"resourceVersion": "7"}, "items": [],
                    }))
                    .into_response(),
                }
            };
            let client = slim::client(&Client::new(Router::new().fallback(answer), "default"));
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
        for mood in [Mood::Refuses, Mood::Lists, Mood::Babbles, Mood::BabblesOfEvents] {
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
