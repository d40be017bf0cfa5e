//! `certorder probe`: checks whether a running operator is ready, for images without a shell and without curl.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::core::text::shown;

/// The longest that each step may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes that are read of a response.
const MAX_RESPONSE: u64 = 16 * 1024;
/// The most bytes of it that are shown.
const LONGEST_SHOWN: usize = 2048;

/// Why the probe failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the URL of a probe.
    #[error("{0:?} is no address of a probe; write http://host:port/readyz")]
    Address(String),
    /// No response.
    #[error("{0}: {1}")]
    Unreachable(String, io::Error),
    /// A response other than 200.
    #[error("{0}: {1}")]
    NotReady(String, String),
}

/// Gets a URL (`http://host:port/path`), and returns the body of a 200.
pub fn probe(url: &str) -> Result<String, Error> {
    let address = || Error::Address(url.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(address)?;
    let (host, path) = rest.split_once('/').ok_or_else(address)?;
    if host.is_empty() || !host.contains(':') || url.contains(char::is_whitespace) {
        return Err(address());
    }
    let answer = ask(host, path).map_err(|error| Error::Unreachable(url.to_owned(), error))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("200") => Ok(shown(body, LONGEST_SHOWN)),
        _ => Err(Error::NotReady(url.to_owned(), shown(&format!("{status} {body}"), LONGEST_SHOWN))),
    }
}

fn ask(host: &str, path: &str) -> io::Result<String> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => return exchange(stream, host, path),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn exchange(mut stream: TcpStream, host: &str, path: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // HTTP 1.0 has no chunks, and the end of the connection ends the response.
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::http::{self, Readiness};

    #[tokio::test]
    async fn a_probe_fails_until_the_operator_is_ready() {
        let port = http::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/readyz", port.local_addr().unwrap());
        let readiness = Readiness::default();
        let registry = prometheus_client::registry::Registry::default();
        let server = tokio::spawn(http::serve(port, registry, readiness.clone()));
        let asked = url.clone();
        let early = tokio::task::spawn_blocking(move || probe(&asked)).await.unwrap().unwrap_err();
        assert!(early.to_string().contains("503"), "{early}");
        readiness.set();
        assert_eq!(tokio::task::spawn_blocking(move || probe(&url)).await.unwrap().unwrap(), "ok");
        server.abort();
    }

    #[test]
    fn what_is_no_address_of_a_probe_is_refused() {
        for url in ["https://a:1/readyz", "http://a/readyz", "http://a:1", "http://:1 2/", "readyz"] {
            assert!(matches!(probe(url), Err(Error::Address(_))), "{url}");
        }
        assert!(matches!(probe("http://127.0.0.1:1/readyz"), Err(Error::Unreachable(..))));
    }
}
