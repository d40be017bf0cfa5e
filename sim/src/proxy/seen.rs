//! A request as the proxy remembers it.

use http::{HeaderMap, Method};

/// A request that reached the proxy.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How many requests came up to and with this one.
    pub number: usize,
    /// Its method.
    pub method: Method,
    /// Its path with the query.
    pub path: String,
    /// Its headers, without credentials.
    pub headers: HeaderMap,
}

impl Seen {
    /// A header's text; `None` when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
