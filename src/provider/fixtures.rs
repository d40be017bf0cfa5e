//! What the tests of all clouds share: applications, and servers that misbehave.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::core::application::{
    Application, Contact, Identification, Key, KeyAlgorithm, Organization, Profile, Saved, ValidationMethod,
};
use crate::core::certificate::Csr;
use crate::core::names::Names;
use crate::core::redact::Filter;

use super::{Error, Payload};

/// A call timeout that no working exchange reaches, however busy the machine is.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);

/// The folders with the test vectors of a cloud's signatures.
pub(crate) fn vectors(cloud: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(cloud);
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// A person's application, with a key that the cloud makes.
pub(crate) fn application() -> Application {
    Application {
        names: Names::parse("www.acme.example", &[]).unwrap(),
        key: Key::Cloud(KeyAlgorithm::Rsa(2048)),
        validation: ValidationMethod::Dns,
        profile: None,
        key_password: None,
    }
}

/// The same for a company.
pub(crate) fn company_application() -> Application {
    Application { profile: Some(profile()), ..application() }
}

pub(crate) fn profile() -> Profile {
    let text = |text: &str| Some(text.to_owned());
    Profile {
        organization: Some(Organization {
            name: text("示例科技有限公司"),
            division: text("Platform"),
            address: text("No. 101, Example Road"),
            city: text("Guangzhou"),
            region: text("Guangdong"),
            country: text("CN"),
            phone_area_code: text("020"),
            phone_number: text("12345678"),
            identification: None,
        }),
        administrator: contact(
            "spec.administrator",
            ["Ning", "Huang", "R&D", "13112341234", "ning@acme.example"],
        ),
        technical_contact: contact(
            "spec.technicalContact",
            ["Wei", "Chen", "Operations", "13112345678", "pki@acme.example"],
        ),
        saved: Saved::No,
    }
}

/// A contact: first name, last name, title, phone, e-mail.
pub(crate) fn contact(
    path: &'static str,
    [first_name, last_name, title, phone, email]: [&str; 5],
) -> Contact {
    Contact {
        first_name: Some(first_name.into()),
        last_name: Some(last_name.into()),
        title: Some(title.into()),
        phone: Some(phone.into()),
        email: Some(email.into()),
        identification: None,
        path,
    }
}

pub(crate) fn document(kind: &str, number: &str) -> Identification {
    Identification { kind: kind.to_owned(), number: number.into() }
}

pub(crate) fn csr() -> Csr {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "www.acme.example");
    let request = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap();
    Csr::parse(&request.pem().unwrap()).unwrap()
}

/// The body that a payload sends.
pub(crate) fn json_of(payload: &Payload) -> Value {
    serde_json::from_slice(payload.body.expose_secret()).unwrap()
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// The cloud's words, as a user would see them.
pub(crate) fn words(error: &Error) -> String {
    Filter::default().clean(&error.refusal().unwrap().message)
}

/// Answers every connection with this, whatever the request is.
pub(crate) async fn always(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 8192]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

/// A request that came to a [`Server`].
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Path and query.
    pub(crate) target: String,
    /// The names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Received {
    fn read(request: &str) -> Option<Self> {
        let (head, body) = request.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let target = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        (body.len() >= length).then(|| Self { target, headers, body: body.to_owned() })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A server that answers as the test says, and keeps what came.
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// `answer` gets each request, and how many came before it.
    pub(crate) async fn start(answer: impl Fn(&Received, usize) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (all, answer, count) = (received.clone(), Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (all, answer, count) = (all.clone(), answer.clone(), count.clone());
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let request = loop {
                        if let Some(request) = Received::read(&String::from_utf8_lossy(&bytes)) {
                            break request;
                        }
                        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                            return;
                        }
                    };
                    let before = count.fetch_add(1, Ordering::SeqCst);
                    all.lock().unwrap().push(request.clone());
                    let _ = stream.write_all(answer(&request, before).as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { url, received }
    }

    /// What came, since this was asked last.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

pub(crate) fn http(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// An address without a listener.
pub(crate) async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
