//! Events of orders and profiles. kube's `Recorder` counts what comes again within minutes as one series, whatever it
//! says, and a series keeps its first note: a person would publish the validation record of an attempt that is over. Here
//! a series is one note again and again; another note is another Event.
//!
//! A pass does not wait for its Events: they are told beside it, a few at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::cluster::bounded;
use crate::cluster::error::{explain, is_namespace_terminating};

/// As long as a `Recorder` knows a series.
const MEMORY: Duration = Duration::from_mins(6);
/// The most series that are known. What comes again after so many others is another Event: each series keeps its Event in
/// memory, and a thousand orders may be submitted within minutes.
const MOST: usize = 256;
/// How many requests for Events are made at the same time.
const AT_ONCE: usize = 4;
/// The most passes whose Events wait. With an API server that is slower than that, the Events of others are lost: what they
/// say stands in the statuses and in the log.
const MOST_WAITING: usize = 2048;

/// Publishes Events. Cloning shares what is known of the last minutes.
#[derive(Clone)]
pub struct Events {
    client: Client,
    reporter: Reporter,
    recent: Arc<Mutex<HashMap<String, Recent>>>,
    waiting: TaskTracker,
    turns: Arc<Semaphore>,
}

/// The series of one note.
struct Recent {
    used: Instant,
    recorder: Recorder,
}

impl Events {
    /// Publishes through `client`, as `reporter`.
    #[must_use]
    pub fn new(client: Client, reporter: Reporter) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { client, reporter, recent: Arc::default(), waiting: TaskTracker::new(), turns }
    }

    /// Publishes the Events of an object, one after the other, and returns at once. One that the API server does not take is
    /// lost.
    pub fn publish(&self, events: Vec<Event>, object: ObjectReference) {
        if events.is_empty() {
            return;
        }
        if self.waiting.len() >= MOST_WAITING {
            warn!("the API server is too slow for Events: some are left out");
            return;
        }
        let this = self.clone();
        self.waiting.spawn(async move {
            // It is never closed.
            let _turn = this.turns.acquire().await;
            for event in events {
                let note = event.note.as_deref().unwrap_or_default();
                let recorder = this.recorder(note, Instant::now());
                if let Err(error) = bounded(recorder.publish(&event, &object)).await {
                    not_published(&error);
                }
            }
        });
    }

    /// Waits until what was published so far has been told, or is lost.
    pub async fn told(&self) {
        self.waiting.close();
        self.waiting.wait().await;
        self.waiting.reopen();
    }

    fn recorder(&self, note: &str, now: Instant) -> Recorder {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, series| now.duration_since(series.used) < MEMORY);
        if recent.len() >= MOST && !recent.contains_key(note) {
            let oldest = recent.iter().min_by_key(|(_, series)| series.used).map(|(note, _)| note.clone());
            oldest.and_then(|oldest| recent.remove(&oldest));
        }
        let series = recent.entry(note.to_owned()).or_insert_with(|| {
            let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
            Recent { used: now, recorder }
        });
        series.used = now;
        series.recorder.clone()
    }
}

/// An Event is lost. A namespace that is being deleted accepts none, which is not worth a warning.
fn not_published(error: &kube::Error) {
    let text = explain(error);
    if is_namespace_terminating(error) {
        debug!(error = %text, "the namespace is being deleted, and accepts no Event");
    } else {
        warn!(error = %text, "cannot publish an Event");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    #[tokio::test]
    async fn so_many_series_are_known_and_the_one_used_longest_ago_is_forgotten_first() {
        let nobody = tower::service_fn(async |_: Request<Body>| {
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        });
        let events = Events::new(Client::new(nobody, "shop"), "certorder".into());
        let start = Instant::now();
        let note = |number: usize| format!("note {number}");
        for number in 0..3 * MOST {
            events.recorder(&note(number), start + Duration::from_millis(number as u64));
            events.recorder("again and again", start + Duration::from_millis(number as u64));
        }
        let known = |name: &str| events.recent.lock().unwrap().contains_key(name);
        assert_eq!(events.recent.lock().unwrap().len(), MOST);
        assert!(known("again and again") && known(&note(3 * MOST - 1)) && !known(&note(0)));
        events.recorder("later", start + MEMORY + Duration::from_secs(10));
        assert_eq!(events.recent.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_a_slow_api_server_has_not_taken_yet_holds_nobody_up_and_is_told_in_turn() {
        let (arrived, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let held = Arc::new(Semaphore::new(0));
        let answers = Arc::clone(&held);
        let slow = tower::service_fn(move |_: Request<Body>| {
            let (arrived, answers) = (arrived.clone(), Arc::clone(&answers));
            async move {
                arrived.send(()).unwrap();
                answers.acquire().await.unwrap().forget();
                Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
            }
        });
        let events = Events::new(Client::new(slow, "shop"), "certorder".into());
        let event = |number: usize| Event {
            type_: kube::runtime::events::EventType::Normal,
            reason: "Submitted".to_owned(),
            note: Some(format!("note {number}")),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        for number in 0..3 * AT_ONCE {
            events.publish(vec![event(number)], ObjectReference::default());
        }
        for _ in 0..AT_ONCE {
            requests.recv().await.unwrap();
        }
        assert!(requests.try_recv().is_err(), "so many at the same time");
        held.add_permits(3 * AT_ONCE);
        events.told().await;
        assert_eq!(requests.len(), 2 * AT_ONCE);
    }

    /// What is logged meanwhile.
    fn logged(what: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);
        impl Write for Log {
            fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(text)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let log = Log::default();
        let into = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || into.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, what);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_that_a_namespace_refuses_while_it_is_deleted_is_no_warning() {
        // As an API server 1.36 says it.
        let body = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"events.events.k8s.io
            \"e1\" is forbidden: unable to create new content in namespace t1 because it is being terminated","reason":
            "Forbidden","details":{"name":"e1","group":"events.k8s.io","kind":"events","causes":[{"reason":
            "NamespaceTerminating","message":"namespace t1 is being terminated","field":"metadata.namespace"}]},
            "code":403}"#;
        let error = |body: &str| kube::Error::Api(serde_json::from_str(&body.replace('\n', " ")).unwrap());
        let log = logged(|| not_published(&error(body)));
        assert!(
            log.contains("DEBUG") && log.contains("is being terminated") && !log.contains("WARN"),
            "{log}"
        );
        let denied = body.replace("NamespaceTerminating", "FieldValueInvalid");
        let log = logged(|| not_published(&error(&denied)));
        assert!(log.contains("WARN"), "{log}");
    }
}
