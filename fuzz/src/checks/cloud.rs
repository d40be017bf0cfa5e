//! A cloud that answers with any bytes, and the operator's own client of it: all that reads an answer is behind that
//! client, and the way through HTTP with it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certorder::core::application::ValidationMethod;
use certorder::core::clock::Clock;
use certorder::core::evidence::Evidence;
use certorder::core::fingerprint::Fingerprint;
use certorder::core::observation::Observation;
use certorder::core::succession::{Candidate, Head, Link};
use certorder::provider::registry::{Clouds, Settings};
use certorder::provider::{Directory, Error, Letter, Payload, Provider, Reissue, Request, RequestKind};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// The statuses that answers come with.
const STATUSES: [u16; 8] = [200, 201, 302, 400, 404, 429, 500, 502];
/// The calls, as `call` knows them.
const CALLS: u8 = 16;
/// The longest id or code that is taken for one.
const LONGEST_ID: usize = 64;
/// The most records or names of an answer that are shown.
const MOST_RECORDS: usize = 128;

/// The bytes of the next answer.
type Next = Arc<Mutex<Vec<u8>>>;

/// The cloud and its client. Both run while an input is checked, on its thread, so that equal inputs take equal ways.
pub(crate) struct Cloud {
    runtime: Runtime,
    next: Next,
    client: Client,
}

/// The operator's clients: of a certificate, and of the account's saved profiles where the cloud has those.
pub(crate) type Client = (Box<dyn Provider>, Option<Box<dyn Directory>>);

impl Cloud {
    /// Starts both; the client is that of a URL.
    pub(crate) fn start(client: fn(&str) -> Client) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let next = Next::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let client = client(&format!("http://{}", listener.local_addr().unwrap()));
        runtime.spawn(serve(listener, next.clone()));
        Self { runtime, next, client }
    }

    /// Makes one call, which gets one answer to each of its requests. The first byte says which call, the second one
    /// with which status, the rest is the body.
    pub(crate) fn check(&self, data: &[u8]) {
        let [call, status, body @ ..] = data else { return };
        let status = usize::from(status.wrapping_sub(b'0')) % STATUSES.len();
        *self.next.lock().unwrap() = response(STATUSES[status], body);
        self.runtime.block_on(self.call(call.wrapping_sub(b'a') % CALLS));
    }

    async fn call(&self, call: u8) {
        let (provider, directory) = &self.client;
        match (call, directory) {
            (0, _) => provider.observe().await.map_or_else(check_error, check_observation),
            (1, _) => {
                let checks = provider.check_validation().await;
                checks.map_or_else(check_error, |checks| assert!(checks.len() <= MOST_RECORDS));
            }
            (2, _) => {
                let deadline = provider.deadline().await.unwrap_or_else(|error| {
                    check_error(error);
                    None
                });
                check_id(deadline.and_then(|deadline| deadline.replaced_by));
            }
            (3, _) => {
                let called = provider.was_called(RequestKind::Submit, Timestamp::UNIX_EPOCH).await;
                called.map_or_else(check_error, drop);
            }
            (4, _) => provider.download().await.map_or_else(check_error, drop),
            (5, Some(saved)) => saved.organizations().await.map_or_else(check_error, drop),
            (6, Some(saved)) => saved.administrators(1).await.map_or_else(check_error, drop),
            (7, Some(saved)) => saved.owner().await.map_or_else(check_error, check_id),
            (15, _) => self.successors().await,
            _ => self.write(call).await,
        }
    }

    async fn successors(&self) {
        let chain = ["J2lX2maH".to_owned()];
        let head = Head { certificate_id: "J2lX2maH", common_name: "www.acme.example", chain: &chain };
        let found = self.client.0.successors(&head, Duration::ZERO).await;
        found.map_or_else(check_error, |found| found.into_iter().for_each(check_candidate));
    }

    async fn write(&self, call: u8) {
        let letter = Letter::parse(&[b"%PDF-".as_slice(), &[0; 1024]].concat()).unwrap();
        let payload = payload();
        let reissue = Reissue { csr: None, method: ValidationMethod::Dns };
        let request = match call {
            8 => Request::Order,
            9 => Request::Resubmit,
            10 => Request::Withdraw,
            11 => Request::Revoke,
            12 => Request::SendLetter(&letter),
            14 => Request::Reissue(&reissue),
            _ => Request::Submit(&payload),
        };
        let begin_by = Instant::now() + Duration::from_mins(1);
        let accepted = self.client.0.write(request, begin_by).await;
        accepted.map_or_else(check_error, |accepted| {
            check_id(accepted.request_id);
            check_id(accepted.order_id);
            check_id(accepted.certificate_id);
        });
    }
}

/// What an observation may not exceed, since it is stored in a status.
pub(crate) fn check_observation(observation: Observation) {
    assert!(observation.records.len() <= MOST_RECORDS);
    for record in &observation.records {
        assert!(record.domain.len() <= 253 && record.type_.len() <= 32);
        assert!(record.name.len() <= 2048 && record.value.len() <= 2048);
    }
    check_id(Some(observation.status));
    check_id(observation.order_id);
    check_id(observation.replaced_by);
}

fn check_candidate(candidate: Candidate) {
    assert!(!candidate.certificate_id.is_empty() && candidate.names.len() <= MOST_RECORDS);
    check_id(Some(candidate.certificate_id));
    assert!(candidate.names.iter().all(|name| name.len() <= 253));
    if let Link::Contradicted(third) = candidate.link {
        check_id(Some(third));
    }
}

/// All clouds at one address, with no limit on the pace.
pub(crate) fn clouds(url: &str) -> Clouds {
    let settings = Settings {
        call_timeout: Duration::from_secs(5),
        tencent_rate_limit: NonZeroU32::MAX,
        tencent_endpoint: url.parse().ok(),
        huawei_rate_limit: NonZeroU32::MAX,
        huawei_endpoint: url.parse().ok(),
        shutdown: tokio_util::sync::CancellationToken::new(),
        clock: Clock::default(),
    };
    Clouds::new(&settings).unwrap()
}

/// The data of a Secret.
pub(crate) fn secret(entries: [(&str, &str); 2]) -> BTreeMap<String, ByteString> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value.into()))).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it ends a chain on a result")]
fn check_error(error: Error) {
    if let Some(refusal) = error.refusal() {
        assert!(refusal.code.len() <= LONGEST_ID, "{}", refusal.code);
        check_id(refusal.request_id.clone());
    }
}

fn check_id(id: Option<String>) {
    let id = id.unwrap_or_default();
    assert!(id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
}

fn payload() -> Payload {
    Payload {
        action: "apply",
        body: b"{}".to_vec().into(),
        fingerprint: Fingerprint::of(b"{}"),
        redacted: Value::Null,
        evidence: Evidence::default(),
        note: None,
    }
}

fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} \r\ncontent-length: {length}\r\nx-request-id: 7fe0c3\r\n\r\n");
    [head.as_bytes(), body].concat()
}

async fn serve(listener: TcpListener, next: Next) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, next.clone()));
    }
}

/// Answers every request on a connection.
async fn answer(mut stream: TcpStream, next: Next) {
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await.is_ok_and(|bytes| bytes > 0) {
        if is_whole(&received) {
            received.clear();
            let answer = next.lock().unwrap().clone();
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// Whether a request has come with its body.
fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
