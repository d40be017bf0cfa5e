//! Events of orders and profiles. kube's `Recorder` counts what comes again within minutes as one series, whatever it
//! says, and a series keeps its first note: a person would publish the validation record of an attempt that is over. Here
//! a series is one note again and again; another note is another Event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::time::Instant;

use crate::cluster::bounded;

/// As long as a `Recorder` knows a series.
const MEMORY: Duration = Duration::from_mins(6);
/// The most series that are known. What comes again after so many others is another Event: each series keeps its Event in
/// memory, and a thousand orders may be submitted within minutes.
const MOST: usize = 256;

/// Publishes Events. Cloning shares what is known of the last minutes.
#[derive(Clone)]
pub struct Events {
    client: Client,
    reporter: Reporter,
    recent: Arc<Mutex<HashMap<String, Recent>>>,
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
        Self { client, reporter, recent: Arc::default() }
    }

    /// Publishes an Event of an object.
    ///
    /// # Errors
    /// If the API server does not take it.
    pub async fn publish(&self, event: &Event, object: &ObjectReference) -> Result<(), kube::Error> {
        let note = event.note.as_deref().unwrap_or_default();
        let recorder = self.recorder(note, Instant::now());
        bounded(recorder.publish(event, object)).await
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

#[cfg(test)]
mod tests {
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
}
