//! A request as it arrived, and what goes back.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

/// One HTTP request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path as sent.
    pub(crate) path: String,
    /// The query string as sent, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body was larger than the service takes and is not kept.
    pub(crate) too_large: bool,
}

impl Request {
    pub(crate) fn received(&self) -> Received<'_> {
        Received {
            method: self.method.as_str(),
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The parts of a request that a signature may cover.
#[derive(Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Received<'a> {
    /// The value of a header that came exactly once.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The media type of the body, in lower case and without parameters; empty if none was sent.
    pub(crate) fn media_type(&self) -> String {
        let content_type = self.header("content-type").unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// What an action answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) fields: Map<String, Value>,
    /// Whether something in the cloud changed.
    pub(crate) took_effect: bool,
}

impl Answer {
    /// The answer of an action that changed nothing.
    pub(crate) fn read(fields: Value) -> Self {
        Self::new(fields, false)
    }

    /// The answer of an action that changed something.
    pub(crate) fn wrote(fields: Value) -> Self {
        Self::new(fields, true)
    }

    fn new(fields: Value, took_effect: bool) -> Self {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Self { fields, took_effect }
    }
}

/// An HTTP reply.
pub(crate) struct Content {
    pub(crate) status: u16,
    pub(crate) media_type: &'static str,
    /// The header that names the call, with its value.
    pub(crate) request_id: Option<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Content {
    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, media_type: "application/json", request_id: None, body }
    }

    /// The web page of a proxy.
    pub(crate) fn html(status: u16) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
        );
        Self { status, media_type: "text/html", request_id: None, body: body.into_bytes() }
    }
}
