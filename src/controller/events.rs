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
        let series = recent.entry(note.to_owned()).or_insert_with(|| {
            let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
            Recent { used: now, recorder }
        });
        series.used = now;
        series.recorder.clone()
    }
}
