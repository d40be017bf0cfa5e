//! The connections to the probes and metrics, each bounded in size and time, and bounded in number: whoever can reach the
//! port can end neither the process nor the probes of others.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// The most connections. One more takes the place of the oldest, so a probe is answered even if all others stay open.
const MOST: usize = 64;
/// The most of one address. One more takes the place of the oldest of the same address.
const MOST_OF_ONE: usize = 16;
/// The longest until the head of a request is there.
const HEAD: Duration = Duration::from_secs(5);
/// The longest that a connection takes, with its one answer.
const WHOLE: Duration = Duration::from_secs(20);
/// The most bytes of a head, and of what is read at once.
const HEAD_BYTES: usize = 8 * 1024;
/// The most headers.
const HEADERS: usize = 32;
/// How long nothing is accepted after an error that concerns the port, such as no free file descriptor.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves an app until it is dropped, which closes all connections.
pub async fn serve(listener: TcpListener, app: Router) {
    let mut open = Open::default();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => open.add(peer, stream, app.clone()),
            // The next connection may do better.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// The open connections, the oldest first.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    all: VecDeque<(IpAddr, AbortHandle)>,
}

impl Open {
    fn add(&mut self, peer: SocketAddr, stream: TcpStream, app: Router) {
        while self.tasks.try_join_next().is_some() {}
        self.all.retain(|(_, connection)| !connection.is_finished());
        let address = peer.ip().to_canonical();
        let of_this = self.all.iter().filter(|(other, _)| *other == address).count();
        let oldest = if of_this >= MOST_OF_ONE {
            self.all.iter().position(|(other, _)| *other == address)
        } else {
            (self.all.len() >= MOST).then_some(0)
        };
        if let Some((_, connection)) = oldest.and_then(|oldest| self.all.remove(oldest)) {
            connection.abort();
        }
        self.all.push_back((address, self.tasks.spawn(connection(stream, app))));
    }
}

/// Answers one request. What comes after its head is not read.
async fn connection(stream: TcpStream, app: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    // Whoever asks wrongly learns it from the answer, if there is one.
    let _ = timeout(WHOLE, served).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;
    use tokio::time::Instant;

    use super::*;

    /// An answer that is larger than what the sockets hold for a client that does not read.
    const LARGE: usize = 32 * 1024 * 1024;

    async fn server() -> (SocketAddr, JoinSet<()>) {
        let app = Router::new()
            .route("/livez", get(|| async { "ok" }))
            .route("/large", get(|| async { "x".repeat(LARGE) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        running.spawn(serve(listener, app));
        (address, running)
    }

    /// A connection from this address of the machine, of which the request so far is this.
    async fn begin(server: SocketAddr, from: &str, head: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(server).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// What it answers until it closes.
    async fn answer(mut stream: TcpStream) -> String {
        let mut text = Vec::new();
        // A connection that is closed with a request unread is reset.
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn probe(server: SocketAddr, from: &str) -> String {
        answer(begin(server, from, "GET /livez HTTP/1.1\r\nHost: probe\r\n\r\n").await).await
    }

    async fn is_closed(stream: &mut TcpStream) -> bool {
        timeout(Duration::from_millis(300), stream.read(&mut [0; 1024])).await.is_ok()
    }

    #[tokio::test]
    async fn a_probe_is_answered_at_once_however_many_requests_stay_unfinished() {
        let (server, _running) = server().await;
        let mut unfinished = Vec::new();
        for number in 0..300 {
            // Of one neighbour, and then of many.
            let from = if number < 100 { "127.0.0.9".to_owned() } else { format!("127.0.1.{number}") };
            let from = if number < 256 { from } else { format!("127.0.2.{}", number - 200) };
            unfinished.push(begin(server, &from, "GET /livez HTTP/1.1\r\nHost:").await);
            if number % 50 == 0 {
                let begin = Instant::now();
                assert!(probe(server, "127.0.0.1").await.ends_with("ok"));
                assert!(begin.elapsed() < HEAD, "{:?}", begin.elapsed());
            }
        }
        let mut open = 0;
        for stream in &mut unfinished {
            open += usize::from(!is_closed(stream).await);
        }
        assert!(open <= MOST, "{open}");
        assert!(probe(server, "127.0.0.1").await.ends_with("ok"));
    }

    #[tokio::test]
    async fn connections_of_one_address_take_the_place_of_each_other_only() {
        let (server, _running) = server().await;
        let half = "GET /livez HTTP/1.1\r\nHost:";
        let mut other = begin(server, "127.0.0.8", half).await;
        let mut crowd = Vec::new();
        for _ in 0..2 * MOST_OF_ONE {
            crowd.push(begin(server, "127.0.0.9", half).await);
        }
        assert!(!is_closed(&mut other).await);
        other.write_all(b" probe\r\n\r\n").await.unwrap();
        assert!(answer(other).await.ends_with("ok"));
        let mut last = crowd.pop().unwrap();
        assert!(is_closed(crowd.first_mut().unwrap()).await && !is_closed(&mut last).await);
    }

    #[tokio::test]
    async fn a_head_has_a_most_of_bytes_of_headers_and_of_time() {
        let (server, _running) = server().await;
        let head = |more: String| format!("GET /livez HTTP/1.1\r\nHost: probe\r\n{more}\r\n");
        let long = head(format!("X-Long: {}\r\n", "x".repeat(64 * 1024)));
        let many = head((0..40).map(|number| ["X-", &number.to_string(), ": x\r\n"].concat()).collect());
        for head in [long, many] {
            let answer = answer(begin(server, "127.0.0.1", &head).await).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        }
        let begun = Instant::now();
        let mut slow = begin(server, "127.0.0.1", "G").await;
        while begun.elapsed() < HEAD * 4 {
            sleep(Duration::from_millis(200)).await;
            if slow.write_all(b"E").await.is_err() {
                break;
            }
        }
        assert!(begun.elapsed() < HEAD * 4, "closed, a byte a time as well");
    }

    #[tokio::test]
    async fn one_request_is_answered_and_its_body_is_not_read() {
        let (server, _running) = server().await;
        let twice = "GET /livez HTTP/1.1\r\nHost: probe\r\n\r\n".repeat(2);
        let text = answer(begin(server, "127.0.0.1", &twice).await).await;
        assert_eq!(text.matches("HTTP/1.1 200").count(), 1, "{text}");
        assert!(text.contains("connection: close"), "{text}");
        let begun = Instant::now();
        let post = "POST /livez HTTP/1.1\r\nHost: probe\r\nContent-Length: 1000000000\r\n\r\n";
        let text = answer(begin(server, "127.0.0.1", post).await).await;
        assert!(text.starts_with("HTTP/1.1 405") && begun.elapsed() < HEAD, "{text}");
    }

    #[tokio::test]
    async fn who_reads_no_answer_is_let_go() {
        let (server, _running) = server().await;
        let mut reader = begin(server, "127.0.0.1", "GET /large HTTP/1.1\r\nHost: probe\r\n\r\n").await;
        sleep(WHOLE + Duration::from_secs(1)).await;
        let mut text = Vec::new();
        let _ = timeout(Duration::from_secs(10), reader.read_to_end(&mut text)).await.unwrap();
        assert!(text.len() < LARGE, "{}", text.len());
    }
}
