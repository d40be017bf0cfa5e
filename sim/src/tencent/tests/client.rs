//! A minimal client: signs as the documentation says, sends what it is told, and hides nothing.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) use crate::cloud::testing::with;
use crate::{
    clock,
    tencent::{Account, Options, Product, TencentCloud},
};

pub(super) const ID: &str = "AKIDEXAMPLE0123456789abcdefghijklmno";
pub(super) const KEY: &str = "SecretKeyExample0123456789ABCDEF";

/// A cloud with one account and a client that holds its key.
pub(super) struct Setup {
    pub(super) cloud: TencentCloud,
    pub(super) account: Account,
    pub(super) client: Client,
}

pub(super) async fn setup() -> Setup {
    setup_with(Options { calls_per_second: None, ..Options::default() }).await
}

pub(super) async fn setup_with(options: Options) -> Setup {
    let cloud = TencentCloud::start(options).await.unwrap();
    let account = cloud.account(ID, KEY);
    let client = Client::new(&cloud.url());
    Setup { cloud, account, client }
}

impl Setup {
    pub(super) fn buy(&self, certificate_id: &str, product: Product) {
        self.cloud.buy(&self.account, certificate_id, product);
    }
}

/// What one request looks like; tests break a part of it.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    pub(super) secret_id: String,
    pub(super) secret_key: String,
    pub(super) token: Option<String>,
    pub(super) version: &'static str,
    pub(super) content_type: &'static str,
    pub(super) signed_headers: &'static str,
    pub(super) timestamp: Option<Timestamp>,
    /// The date in the credential scope, where it shall differ from the timestamp's.
    pub(super) scope_date: Option<&'static str>,
    pub(super) service: &'static str,
}

impl Client {
    pub(super) fn new(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            secret_id: ID.to_owned(),
            secret_key: KEY.to_owned(),
            token: None,
            version: "2019-12-05",
            content_type: "application/json",
            signed_headers: "content-type;host",
            timestamp: None,
            scope_date: None,
            service: "ssl",
        }
    }

    /// Sends a call; the answer is `Response` without its envelope.
    pub(super) async fn call(&self, action: &str, body: &Value) -> Value {
        self.send(action, &body.to_string()).await.unwrap()
    }

    /// The code of the refusal; `ok` for success.
    pub(super) async fn code(&self, action: &str, body: &Value) -> String {
        let response = self.call(action, body).await;
        response.pointer("/Error/Code").and_then(Value::as_str).unwrap_or("ok").to_owned()
    }

    pub(super) async fn send(&self, action: &str, body: &str) -> Result<Value, reqwest::Error> {
        let response = self.request(action, body).send().await?;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        let mut envelope: Value = response.json().await?;
        let response = envelope["Response"].take();
        let request_id = response["RequestId"].as_str().unwrap();
        uuid::Uuid::parse_str(request_id).unwrap();
        Ok(response)
    }

    pub(super) fn request(&self, action: &str, body: &str) -> reqwest::RequestBuilder {
        let timestamp = self.timestamp.unwrap_or_else(clock::now);
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", self.content_type)
            .header("x-tc-action", action)
            .header("x-tc-version", self.version)
            .header("x-tc-timestamp", timestamp.as_second())
            .header("authorization", self.authorization(timestamp, body));
        if let Some(token) = &self.token {
            request = request.header("x-tc-token", token);
        }
        request.body(body.to_owned())
    }

    fn authorization(&self, timestamp: Timestamp, body: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        let Self { content_type, signed_headers, service, .. } = self;
        let date = timestamp.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string();
        let date = self.scope_date.map_or(date, str::to_owned);
        let value = |name| if name == "host" { host } else { content_type };
        let headers = signed_headers.split(';').map(|name| [name, ":", value(name), "\n"].concat());
        let headers: String = headers.collect();
        let canonical = format!("POST\n/\n\n{headers}\n{signed_headers}\n{}", sha256(body));
        let scope = format!("{date}/{service}/tc3_request");
        let to_sign = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", timestamp.as_second(), sha256(&canonical));
        let key = hmac(format!("TC3{}", self.secret_key).as_bytes(), &date);
        let key = hmac(&hmac(&key, service), "tc3_request");
        let signature = hex::encode(hmac(&key, &to_sign));
        format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
            self.secret_id
        )
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A whole, legal application of a company for `www.acme.example`, all data inline, key made by the cloud.
pub(super) fn company_application(certificate_id: &str) -> Value {
    json!({
        "CertId": certificate_id,
        "GenCsrType": "online",
        "CertCommonName": "www.acme.example",
        "CompanyType": 2,
        "CompanyId": "0",
        "ManagerId": "0",
        "CsrEncryptAlgo": "RSA",
        "CsrKeyParameter": "2048",
        "VerifyType": "DNS",
        "OrgOrganization": "Acme Trading Co., Ltd.",
        "OrgDivision": "Platform",
        "OrgAddress": "No. 101, Example Road",
        "OrgCountry": "CN",
        "OrgCity": "广州",
        "OrgRegion": "Guangdong",
        "OrgPhoneArea": "020",
        "OrgPhoneNumber": "12345678",
        "AdminFirstName": "Ning",
        "AdminLastName": "Huang",
        "AdminPhone": "13112341234",
        "AdminEmail": "pki@acme.example",
        "AdminTitle": "R&D",
        "TechFirstName": "Mei",
        "TechLastName": "Lin",
        "TechPhone": "13112341235",
        "TechEmail": "ops@acme.example",
        "TechTitle": "Operations",
    })
}

/// A whole, legal application of a person for a DV certificate.
pub(super) fn personal_application(certificate_id: &str) -> Value {
    json!({
        "CertId": certificate_id,
        "GenCsrType": "online",
        "CertCommonName": "www.acme.example",
        "CompanyType": 1,
        "CompanyId": "0",
        "ContactEmail": "pki@acme.example",
        "CsrEncryptAlgo": "ECC",
        "CsrKeyParameter": "prime256v1",
        "VerifyType": "DNS",
    })
}
