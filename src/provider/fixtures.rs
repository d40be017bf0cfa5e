//! What the tests of all clouds share: applications, and servers that misbehave.

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

pub(crate) fn http(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// An address without a listener.
pub(crate) async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
