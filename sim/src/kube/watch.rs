//! Watches: a stream of JSON lines, one for each change.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::object::Object;
use super::read::selects;
use super::registry::Target;
use super::selector::Selector;
use super::server::Server;
use super::state::State;
use super::status::Failure;
use super::store::Change;
use super::view::Form;

const BOOKMARK_INTERVAL: Duration = Duration::from_mins(1);
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// What a client wants to watch.
#[derive(Debug)]
pub(crate) struct WatchRequest {
    pub(crate) target: Target,
    pub(crate) selector: Selector,
    pub(crate) form: Form,
    pub(crate) start: Start,
    pub(crate) bookmarks: bool,
    pub(crate) timeout: Option<Duration>,
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With what exists, as ADDED events; `announce` ends them with a bookmark that says so.
    Existing { announce: bool },
    /// After that version.
    After(u64),
}

struct Watcher {
    server: Arc<Server>,
    request: WatchRequest,
    /// The version up to which everything was sent.
    position: u64,
    updates: Receiver<u64>,
    stopped: Receiver<()>,
    deadline: Instant,
    next_bookmark: Instant,
    pending: VecDeque<Bytes>,
    table_has_header: bool,
    done: bool,
}

/// Answers a watch.
pub(crate) fn watch(server: &Arc<Server>, request: WatchRequest) -> Result<Response, Failure> {
    let mut watcher = Watcher::new(server, request)?;
    watcher.catch_up();
    let stream = stream::unfold(watcher, |mut watcher| async move {
        let line = watcher.next().await?;
        Some((Ok::<_, std::convert::Infallible>(line), watcher))
    });
    let response = Response::builder().header(CONTENT_TYPE, "application/json");
    response.body(Body::from_stream(stream)).map_err(Failure::internal)
}

impl Watcher {
    fn new(server: &Arc<Server>, request: WatchRequest) -> Result<Self, Failure> {
        let state = server.lock();
        let position = match request.start {
            Start::After(version) => {
                state.check_version(version)?;
                version
            }
            Start::Existing { .. } => state.store.version(),
        };
        let now = Instant::now();
        let mut watcher = Self {
            server: Arc::clone(server),
            position,
            updates: state.store.subscribe(),
            stopped: server.stopped(),
            deadline: now + request.timeout.unwrap_or(DEFAULT_TIMEOUT),
            next_bookmark: now + BOOKMARK_INTERVAL,
            pending: VecDeque::new(),
            table_has_header: false,
            done: false,
            request,
        };
        if let Start::Existing { announce } = watcher.request.start {
            watcher.send_existing(&state);
            if announce {
                watcher.bookmark(Some(json!({ "k8s.io/initial-events-end": "true" })));
            }
        }
        Ok(watcher)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.done {
                return None;
            }
            tokio::select! {
                _ = self.stopped.changed() => return None,
                update = self.updates.changed() => match update {
                    Ok(()) => self.catch_up(),
                    Err(_) => return None,
                },
                () = sleep_until(self.deadline) => self.end(),
                () = sleep_until(self.next_bookmark) => {
                    self.next_bookmark += BOOKMARK_INTERVAL;
                    self.bookmark(None);
                }
            }
        }
    }

    /// A last bookmark lets the client resume without reading anything twice.
    fn end(&mut self) {
        self.bookmark(None);
        self.done = true;
    }

    fn send_existing(&mut self, state: &State) {
        let WatchRequest { target, selector, .. } = &self.request;
        let resource = Arc::clone(&target.resource);
        let all = state.store.list(&resource.collection, &target.namespace, None);
        let existing: Vec<_> = all.filter(|object| selects(&resource, selector, object)).cloned().collect();
        for object in existing {
            self.send("ADDED", &object);
        }
    }

    /// Queues all changes since the position.
    fn catch_up(&mut self) {
        let server = Arc::clone(&self.server);
        let state = server.lock();
        let events: Vec<_> = match state.store.since(self.position) {
            Ok(changes) => changes.filter_map(|change| self.event(change)).collect(),
            Err(oldest) => {
                let status = Failure::expired(self.position, oldest).status();
                self.queue("ERROR", &status);
                self.done = true;
                return;
            }
        };
        self.position = state.store.version();
        let resource = &self.request.target.resource;
        let kind_exists = state.registry.find(&resource.group, &resource.version, &resource.plural).is_some();
        drop(state);
        for (kind, object) in events {
            self.send(kind, &object);
        }
        self.done = !kind_exists;
    }

    /// How a change looks through the selector: an object that begins to match is ADDED, one that ceases to
    /// match is DELETED, with its last matching state under the version of the change.
    fn event(&self, change: &Change) -> Option<(&'static str, Arc<Value>)> {
        let WatchRequest { target, selector, .. } = &self.request;
        if change.collection != target.resource.collection {
            return None;
        }
        let visible = |object: &&Arc<Value>| {
            (target.namespace.is_empty() || object.namespace() == target.namespace)
                && selects(&target.resource, selector, object)
        };
        let before = change.before.as_ref().filter(visible);
        let after = change.after.as_ref().filter(visible);
        match (before, after) {
            (None, Some(after)) => Some(("ADDED", Arc::clone(after))),
            (Some(_), Some(after)) => Some(("MODIFIED", Arc::clone(after))),
            (Some(before), None) => {
                let mut last = Value::clone(before);
                last.set_meta("resourceVersion", change.version.to_string());
                Some(("DELETED", Arc::new(last)))
            }
            (None, None) => None,
        }
    }

    fn send(&mut self, kind: &str, object: &Arc<Value>) {
        let shown = self.request.form.object(&self.request.target.resource, object);
        if !matches!(self.request.form, Form::Table(_)) {
            return self.queue(kind, &shown);
        }
        let mut table = Value::clone(&shown);
        if self.table_has_header {
            table.set("columnDefinitions", Some(json!([])));
        }
        self.table_has_header = true;
        self.queue(kind, &table);
    }

    fn bookmark(&mut self, annotations: Option<Value>) {
        if !self.request.bookmarks {
            return;
        }
        let resource = &self.request.target.resource;
        let mut metadata = json!({ "resourceVersion": self.position.to_string() });
        metadata.set("annotations", annotations);
        let object = match self.request.form {
            Form::Whole => {
                json!({ "kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata })
            }
            Form::Metadata => {
                json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
            }
            Form::Table(_) => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "columnDefinitions": [], "rows": [],
            }),
        };
        self.queue("BOOKMARK", &object);
    }

    fn queue(&mut self, kind: &str, object: &Value) {
        let line = json!({ "type": kind, "object": object });
        self.pending.push_back(Bytes::from(format!("{line}\n")));
    }
}
