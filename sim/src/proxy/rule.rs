//! Which requests a fault is for, and what it does to them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::body::Filling;
use super::seen::Seen;

/// One fault: which requests it is for, and what happens to them.
///
/// Without further conditions it is for the first request that comes, and then spent.
#[derive(Clone)]
pub struct Rule {
    action: Action,
    /// Of the matching requests, which one; `None` for all.
    nth: Option<usize>,
    method: Option<Method>,
    is_write: bool,
    path: Option<Arc<PathCondition>>,
    header: Option<(HeaderName, HeaderValue)>,
    matched: usize,
    tally: Option<Arc<AtomicUsize>>,
}

type PathCondition = dyn Fn(&str) -> bool + Send + Sync;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is never forwarded and never answered: the client is about to be killed before the request arrives.
    HoldBefore,
    /// It is forwarded, the reply is swallowed, and the client never gets one: the client is about to be killed, or
    /// the network lost the reply.
    HoldAfter,
    /// It is held, and all the same forwarded so much later, even if its client is gone by then: a call that outlives
    /// its process.
    HoldLate(Duration),
    /// It is answered without being forwarded.
    Status(Reply),
    /// It is forwarded, and once upstream replied, the client gets this instead.
    StatusAfter(Reply),
    /// The reply's body ends after this many bytes, with the connection.
    CutBody(usize),
    /// It is forwarded so much later.
    Delay(Duration),
    /// Each of these texts in the reply's body is replaced on its way.
    Replace(Vec<(&'static str, Filling)>),
    /// All replies that are still open are cut off (watches, above all); then it is forwarded.
    DropConnections,
}

/// An answer that the proxy makes up.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: HeaderValue,
    pub(super) body: Bytes,
}

impl Reply {
    /// An answer of plain text, as a load balancer gives it.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        Self { status, content_type, body: Bytes::from(text.into()) }
    }

    /// An answer of JSON, as an API gives it.
    #[must_use]
    pub fn json(status: StatusCode, value: &Value) -> Self {
        let content_type = HeaderValue::from_static("application/json");
        Self { status, content_type, body: Bytes::from(value.to_string()) }
    }
}

impl Rule {
    /// A fault for the first request.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let (method, path, header, tally) = (None, None, None, None);
        Self { action, nth: Some(1), method, is_write: false, path, header, matched: 0, tally }
    }

    /// Of the requests that match, only the `n`-th; the first is 1.
    #[must_use]
    pub fn nth(self, n: usize) -> Self {
        Self { nth: Some(n), ..self }
    }

    /// Every request that matches.
    #[must_use]
    pub fn always(self) -> Self {
        Self { nth: None, ..self }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only requests that may change something: with another method than GET and HEAD.
    #[must_use]
    pub fn write(self) -> Self {
        Self { is_write: true, ..self }
    }

    /// Only requests whose path, with its query, contains `part`.
    #[must_use]
    pub fn path(self, part: impl Into<String>) -> Self {
        let part = part.into();
        self.path_where(move |path| path.contains(&part))
    }

    /// Only requests whose path, with its query, satisfies `condition`.
    #[must_use]
    pub fn path_where(self, condition: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { path: Some(Arc::new(condition)), ..self }
    }

    /// Only requests with this header, `X-TC-Action` say, of exactly this value.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// Counts there how often this fault strikes.
    #[must_use]
    pub fn tally(self, count: &Arc<AtomicUsize>) -> Self {
        Self { tally: Some(Arc::clone(count)), ..self }
    }

    /// Counts `request` if it matches, and says what to do if it is the one.
    pub(super) fn fire(&mut self, request: &Seen) -> Option<Action> {
        if !self.matches(request) {
            return None;
        }
        self.matched += 1;
        self.nth.is_none_or(|nth| nth == self.matched).then(|| self.action.clone())
    }

    /// Counts that the fault strikes: of several that fire for one request only the first does.
    pub(super) fn strike(&self) {
        if let Some(count) = &self.tally {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn matches(&self, request: &Seen) -> bool {
        self.method.as_ref().is_none_or(|method| request.method == *method)
            && !(self.is_write && request.method.is_safe())
            && self.path.as_ref().is_none_or(|condition| condition(&request.path))
            && self.header.as_ref().is_none_or(|(name, value)| request.headers.get(name) == Some(value))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("action", &self.action)
            .field("nth", &self.nth)
            .field("method", &self.method)
            .field("is_write", &self.is_write)
            .field("header", &self.header)
            .field("matched", &self.matched)
            .finish_non_exhaustive()
    }
}
