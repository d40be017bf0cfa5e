//! One HTTP exchange: bounded in time and size, never redirected, never repeated.
//!
//! Repeating a call may cost money, so only the controller decides about it.

use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode, Url, redirect, retry};
use tokio_util::sync::CancellationToken;

/// The largest answer that is read, in bytes. Real ones are below 64 KiB.
pub const LARGEST_ANSWER: usize = 1024 * 1024;

/// The largest page of a list that is read, in bytes: a thousand certificates, each with many names.
pub const LARGEST_PAGE: usize = 16 * LARGEST_ANSWER;

/// How long an idle connection is kept. Shorter than servers keep theirs: a request on a connection that the server
/// just closed gets no answer, and its outcome is unknown.
const IDLE: Duration = Duration::from_secs(10);

/// The address of a cloud: scheme, host and port, without a path.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is not an [`Endpoint`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("{} is not a URL; write https://host or https://host:port", shown(.0))]
    NotAUrl(String),
    /// Requests carry credentials, so plain HTTP is allowed for this machine only.
    #[error("{0}: use https; http is allowed for a loopback address only (localhost, 127.0.0.1, [::1])")]
    NotHttps(String),
    /// More than scheme, host and port.
    #[error("an endpoint is https://host or https://host:port, without a path, a query or a user name")]
    NotBare,
}

/// A text that is not the expected URL, for a message. One with an `@` may hold a password.
fn shown(text: &str) -> String {
    if text.contains('@') { "a text with a user name".to_owned() } else { format!("{text:?}") }
}

impl Endpoint {
    /// The endpoint at the standard port of a host, over https.
    pub fn https(host: &str) -> Result<Self, EndpointError> {
        format!("https://{host}").parse()
    }

    /// The address as a URL with the path `/`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The header `Host` of a request to this endpoint.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl(text.to_owned()))?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().ok_or_else(|| EndpointError::NotAUrl(text.to_owned()))?;
        match url.scheme() {
            // A user name or a query could be a credential, so this error does not repeat the text.
            _ if !bare => Err(EndpointError::NotBare),
            "https" => Ok(Self(url)),
            "http" if is_loopback(host) => Ok(Self(url)),
            _ => Err(EndpointError::NotHttps(text.to_owned())),
        }
    }
}

/// Whether a host is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.host())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no usable answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// No connection was made: the request never left this process.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request may have arrived and taken effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer began and was larger than this many bytes.
    #[error("the answer with HTTP status {0} is larger than {1} bytes")]
    TooLarge(StatusCode, usize),
}

/// The HTTP client that all clouds share.
#[derive(Clone, Debug)]
pub struct Transport {
    /// By way of the proxies that the environment names.
    client: Client,
    /// For this machine, which no proxy reaches.
    direct: Client,
    /// Once it is cancelled, no write begins.
    pub shutdown: CancellationToken,
}

impl Transport {
    /// A client whose exchanges end within `timeout`, including the answer's body.
    pub fn new(timeout: Duration, shutdown: CancellationToken) -> Result<Self, reqwest::Error> {
        let client = || {
            Client::builder()
                .user_agent(concat!("certorder/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                // One request at a time on a connection: if it breaks, it is clear which request is affected.
                .http1_only()
                // Shorter than the whole timeout, so that an unreachable host is distinguished from a slow one: without a
                // connection, the request certainly had no effect.
                .connect_timeout(timeout / 2)
                .timeout(timeout)
                .pool_idle_timeout(IDLE)
        };
        Ok(Self { client: client().build()?, direct: client().no_proxy().build()?, shutdown })
    }

    /// Sends one request and reads the answer of at most this many bytes, whatever its status.
    pub async fn exchange(&self, request: Request, largest: usize) -> Result<Answer, Failure> {
        let is_local = request.url().host_str().is_some_and(is_loopback);
        let client = if is_local { &self.direct } else { &self.client };
        let response = client.execute(request).await.map_err(failure)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response, largest).await?;
        Ok(Answer { status, headers, body })
    }
}

/// Reads a body and counts its bytes: the length that the server states is not trusted.
async fn read(mut response: Response, largest: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > largest {
            return Err(Failure::TooLarge(response.status(), largest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: reqwest::Error) -> Failure {
    let unsent = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    if unsent { Failure::NotSent(format!("it cannot be reached: {text}")) } else { Failure::NoAnswer(text) }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Serves one connection: reads the request, then runs the test's answer.
    async fn serve<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> Endpoint
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            answer(stream).await;
        });
        format!("http://{address}").parse().unwrap()
    }

    async fn serve_text(text: &'static str) -> Endpoint {
        serve(move |mut stream| async move { stream.write_all(text.as_bytes()).await.unwrap() }).await
    }

    async fn exchange(endpoint: &Endpoint) -> Result<Answer, Failure> {
        exchange_within(Duration::from_secs(20), endpoint).await
    }

    async fn exchange_within(timeout: Duration, endpoint: &Endpoint) -> Result<Answer, Failure> {
        let transport = Transport::new(timeout, CancellationToken::new()).unwrap();
        transport.exchange(Request::new(Method::POST, endpoint.url().clone()), LARGEST_ANSWER).await
    }

    #[tokio::test]
    async fn an_answer_is_given_whatever_its_status() {
        let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nhi";
        let answer = exchange(&serve_text(redirect).await).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::FOUND, &b"hi"[..]));
        assert_eq!(answer.headers["location"], "http://127.0.0.1:1/");
    }

    #[tokio::test]
    async fn a_request_that_found_no_connection_was_not_sent() {
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let no_tls = serve_text("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        for endpoint in [closed, no_tls.to_string().replace("http://", "https://")] {
            let failure = exchange(&endpoint.parse().unwrap()).await.unwrap_err();
            assert!(matches!(failure, Failure::NotSent(_)), "{endpoint}: {failure}");
            assert!(!failure.to_string().contains("127.0.0.1"), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_breaks_leaves_the_outcome_open() {
        let endpoints = [
            serve_text("").await,
            serve_text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await,
            serve_text("nonsense\r\n\r\n").await,
        ];
        for endpoint in endpoints {
            let failure = exchange(&endpoint).await.unwrap_err();
            assert!(matches!(failure, Failure::NoAnswer(_)), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up() {
        let silent = serve(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        });
        let failure = exchange_within(Duration::from_millis(300), &silent.await).await.unwrap_err();
        assert!(matches!(failure, Failure::NoAnswer(_)), "{failure:?}");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let endless = serve(|mut stream| async move {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let mut sent = stream.write_all(head.as_bytes()).await;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            while sent.is_ok() {
                sent = stream.write_all(chunk.as_bytes()).await;
            }
        });
        assert_eq!(exchange(&endless.await).await, Err(Failure::TooLarge(StatusCode::OK, LARGEST_ANSWER)));
    }

    #[test]
    fn endpoints_are_bare_and_encrypted_unless_local() {
        let good = [
            ("https://ssl.intl.tencentcloudapi.com", "ssl.intl.tencentcloudapi.com"),
            ("https://Proxy.example:8443/", "proxy.example:8443"),
            ("https://proxy.example:443", "proxy.example"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost", "localhost"),
            ("http://[::1]:8080", "[::1]:8080"),
        ];
        for (text, host) in good {
            assert_eq!(text.parse::<Endpoint>().unwrap().host(), host, "{text}");
        }
        let bad = [
            ("ssl.tencentcloudapi.com", "is not a URL"),
            ("http://ssl.tencentcloudapi.com", "use https"),
            ("http://127.0.0.1.example", "use https"),
            ("ftp://localhost", "use https"),
            ("https://proxy.example/path", "without a path"),
            ("https://proxy.example/?a=b", "without a path"),
            ("https://user:password@proxy.example", "without a path"),
            ("user:password@proxy.example", "is not a URL"),
            ("http://user:password@[proxy", "is not a URL"),
        ];
        for (text, message) in bad {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(message) && !error.contains("password"), "{text}: {error}");
        }
    }
}
