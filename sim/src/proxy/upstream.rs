//! The server that stands behind a proxy.

use std::{error::Error, io};

use http::{HeaderMap, HeaderValue, Method, header};

/// Where requests go, and how.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: String,
    client: reqwest::Client,
    authorization: Option<HeaderValue>,
    keeps_host: bool,
}

/// Whom an https upstream must prove to be.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Whoever has a certificate of one of these authorities, in PEM.
    Authorities(String),
    /// Anybody.
    Anybody,
}

/// Headers that are about one connection, and are not passed on.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Upstream {
    /// A plain `http://host:port`.
    pub fn http(base: &str) -> io::Result<Self> {
        Self::new(base, builder())
    }

    /// An `https://host:port`.
    pub fn https(base: &str, trust: &Trust) -> io::Result<Self> {
        let builder = match trust {
            Trust::Anybody => builder().tls_danger_accept_invalid_certs(true),
            Trust::Authorities(pem) => {
                let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes());
                builder().tls_certs_only(authorities.map_err(io::Error::other)?)
            }
        };
        Self::new(base, builder)
    }

    fn new(base: &str, builder: reqwest::ClientBuilder) -> io::Result<Self> {
        let client = builder.build().map_err(io::Error::other)?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            client,
            authorization: None,
            keeps_host: true,
        })
    }

    /// Sends this bearer token in place of the client's credentials.
    pub fn with_token(self, token: &str) -> io::Result<Self> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(io::Error::other)?;
        value.set_sensitive(true);
        Ok(Self { authorization: Some(value), ..self })
    }

    /// Sends the upstream's own name as `Host`. By default it stays as the client wrote it, since signatures cover
    /// it.
    #[must_use]
    pub fn with_own_host(self) -> Self {
        Self { keeps_host: false, ..self }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Option<reqwest::Body>,
    ) -> Result<reqwest::Response, String> {
        let mut headers = end_to_end(headers);
        if !self.keeps_host {
            headers.remove(header::HOST);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let mut request = self.client.request(method, format!("{}{path}", self.base)).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        request.send().await.map_err(|error| chain(&error))
    }
}

fn builder() -> reqwest::ClientBuilder {
    // One request a connection at a time, as the client's own HTTP/1.1; and what upstream says goes through as it is.
    reqwest::Client::builder().http1_only().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// The headers that are passed on.
pub(super) fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

/// An error with its causes, on one line.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
