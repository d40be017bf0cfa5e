//! A minimal client: signs as the documentation says, sends what it is told, and hides nothing.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) use crate::cloud::testing::with;
use crate::{
    clock,
    huawei::{Account, HuaweiCloud, Options, Product, Status},
};

pub(super) const KEY: &str = "HWAKEXAMPLE000000001";
pub(super) const SECRET: &str = "hwSecretKeyExample0123456789ABCDEFabcdef";
pub(super) const ID: &str = "scs1590053258704";

/// A cloud with one account and a client that holds its key.
pub(super) struct Setup {
    pub(super) cloud: HuaweiCloud,
    pub(super) account: Account,
    pub(super) client: Client,
}

pub(super) async fn setup() -> Setup {
    setup_with(Options::default()).await
}

/// The limit has tests of its own.
pub(super) async fn setup_with(options: Options) -> Setup {
    setup_limited(Options { calls_per_second: None, ..options }).await
}

pub(super) async fn setup_limited(options: Options) -> Setup {
    let cloud = HuaweiCloud::start(options).await.unwrap();
    let account = cloud.account(KEY, SECRET);
    let client = Client::new(&cloud.url());
    Setup { cloud, account, client }
}

impl Setup {
    pub(super) fn buy(&self, product: Product) {
        self.cloud.buy(&self.account, ID, product);
    }

    pub(super) async fn applied(&self, product: Product, application: &Value) {
        self.buy(product);
        assert_eq!(self.client.apply(application).await, "ok");
    }

    pub(super) fn status(&self) -> Status {
        self.cloud.certificate(ID).unwrap().status
    }

    pub(super) fn force(&self, status: Status) {
        self.cloud.set(ID, |certificate| certificate.status = status).unwrap();
    }
}

/// What one request looks like; tests break a part of it.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) url: String,
    pub(super) access_key: String,
    pub(super) secret_key: String,
    /// Signed headers beside `host` and `x-sdk-date`.
    pub(super) signed: Vec<(&'static str, String)>,
    pub(super) unsigned: Vec<(&'static str, String)>,
    /// The list of signed headers, where it shall not be the right one.
    pub(super) signed_names: Option<&'static str>,
    pub(super) date: Option<String>,
    pub(super) payload: Option<&'static str>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) request_id: String,
    pub(super) body: Value,
}

impl Reply {
    /// The code of the refusal; `ok` for success.
    pub(super) fn code(&self) -> &str {
        self.body["error_code"].as_str().unwrap_or("ok")
    }

    pub(super) fn message(&self) -> &str {
        self.body["error_msg"].as_str().unwrap_or_default()
    }
}

impl Client {
    pub(super) fn new(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            access_key: KEY.to_owned(),
            secret_key: SECRET.to_owned(),
            signed: vec![("content-type", "application/json".to_owned())],
            unsigned: Vec::new(),
            signed_names: None,
            date: None,
            payload: None,
        }
    }

    pub(super) async fn show(&self) -> Reply {
        self.call("GET", &format!("/{ID}"), "").await
    }

    /// The code of an application for the one certificate.
    pub(super) async fn apply(&self, application: &Value) -> String {
        self.post("apply", &application.to_string()).await.code().to_owned()
    }

    pub(super) async fn post(&self, action: &str, body: &str) -> Reply {
        self.call("POST", &format!("/{ID}/{action}"), body).await
    }

    /// Sends a call to a path below `/v3/scm/certificates`, with its query.
    pub(super) async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        let response = self.request(method, path, body).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(request_id.len(), 32);
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        Reply { status, request_id, body }
    }

    pub(super) fn request(&self, method: &str, path: &str, body: &str) -> reqwest::RequestBuilder {
        let now = clock::now().to_zoned(TimeZone::UTC);
        let date = self.date.clone().unwrap_or_else(|| now.strftime("%Y%m%dT%H%M%SZ").to_string());
        let path = format!("/v3/scm/certificates{path}");
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.parse().unwrap(), url).header("x-sdk-date", &date);
        for (name, value) in self.signed.iter().chain(&self.unsigned) {
            request = request.header(*name, value);
        }
        let authorization = self.authorization(method, &path, &date, body);
        request.header("authorization", authorization).body(body.to_owned())
    }

    /// Takes the path's query as it is: these tests send it sorted and encoded.
    fn authorization(&self, method: &str, path: &str, date: &str, body: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let host = self.url.strip_prefix("http://").unwrap();
        let mut headers: Vec<(&str, &str)> =
            self.signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend([("host", host), ("x-sdk-date", date)]);
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = self.signed_names.map_or(names.join(";"), str::to_owned);
        let headers: String =
            headers.iter().map(|(name, value)| [name, ":", value.trim(), "\n"].concat()).collect();
        let payload = self.payload.map_or_else(|| sha256(body), str::to_owned);
        let canonical = format!("{method}\n{path}/\n{query}\n{headers}\n{names}\n{payload}");
        let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256(&canonical));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret_key.as_bytes()).unwrap();
        mac.update(to_sign.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        format!("SDK-HMAC-SHA256 Access={}, SignedHeaders={names}, Signature={signature}", self.access_key)
    }
}

pub(super) fn sdk_date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A whole, legal application of a company for `www.acme.example`, key made by the cloud.
pub(super) fn company_application() -> Value {
    json!({
        "domain": "www.acme.example",
        "company_name": "Acme Trading Co., Ltd.",
        "company_unit": "Platform",
        "company_province": "Guangdong",
        "company_city": "广州",
        "country": "CN",
        "applicant_name": "Ning.Huang",
        "applicant_phone": "13112341234",
        "applicant_email": "pki@acme.example",
        "contact_name": "Mei Lin",
        "contact_phone": "13112341235",
        "contact_email": "ops@acme.example",
        "auto_dns_auth": false,
        "agree_privacy_protection": true,
        "domain_method": "DNS",
        "key_algorithm": "EC_P256",
    })
}

/// A whole, legal application for a DV certificate.
pub(super) fn personal_application() -> Value {
    json!({
        "domain": "www.acme.example",
        "applicant_name": "黄宁",
        "applicant_phone": "13112341234",
        "applicant_email": "pki@acme.example",
        "agree_privacy_protection": true,
        "domain_method": "DNS",
        "key_algorithm": "EC_P256",
    })
}
