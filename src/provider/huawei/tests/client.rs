//! The client against the simulated cloud, and against servers that misbehave.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use certorder_sim::huawei::{Account, Fault, HuaweiCloud, Options, Product, Status};
use futures::future::join_all;
use jiff::SignedDuration;
use k8s_openapi::ByteString;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{CERTIFICATE, company_application, order};
use crate::api::v1alpha1::Provider as Block;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::clock::Clock;
use crate::core::observation::Stage;
use crate::core::redact::Filter;
use crate::provider::fixtures::{PATIENT, always, closed, http, soon, words};
use crate::provider::huawei::client::{Huawei, Message, Service};
use crate::provider::huawei::credentials::Credentials;
use crate::provider::huawei::region::Template;
use crate::provider::registry::{Clouds, Settings};
use crate::provider::transport::Transport;
use crate::provider::{Error, Payload, Provider, Request};

pub(super) const AK: &str = "HWAKEXAMPLE000000001";
pub(super) const SK: &str = "hwSecretKeyExample0123456789";
pub(super) const KEYS: [(&str, &str); 2] = [("accessKey", AK), ("secretKey", SK)];

/// A cloud with one account and one bought certificate, and a client of it.
pub(super) struct World {
    pub(super) cloud: HuaweiCloud,
    pub(super) account: Account,
    clouds: Clouds,
}

impl World {
    pub(super) async fn new(product: Product) -> Self {
        Self::with(Options::default(), product).await
    }

    pub(super) async fn with(options: Options, product: Product) -> Self {
        let cloud = HuaweiCloud::start(Options { calls_per_second: None, ..options }).await.unwrap();
        let account = cloud.account(AK, SK);
        cloud.buy(&account, CERTIFICATE, product);
        let clouds = clouds(&cloud.url(), 1000, PATIENT);
        Self { cloud, account, clouds }
    }

    pub(super) fn open(&self) -> Box<dyn Provider> {
        self.open_with(&json!({}), &KEYS)
    }

    pub(super) fn open_with(&self, fields: &Value, secret: &[(&str, &str)]) -> Box<dyn Provider> {
        open(&self.clouds, fields, secret)
    }

    pub(super) async fn submit(&self) -> Result<Option<String>, Error> {
        let provider = self.open();
        let accepted = provider.write(Request::Submit(&payload(provider.as_ref())), soon()).await?;
        Ok(accepted.request_id)
    }

    async fn observe_fails(&self) -> Error {
        self.open().observe().await.unwrap_err()
    }

    pub(super) fn called(&self, action: &str) -> usize {
        self.cloud.ledger().iter().filter(|call| call.action == action).count()
    }
}

pub(super) fn clouds(url: &str, per_second: u32, call_timeout: Duration) -> Clouds {
    let settings = Settings {
        call_timeout,
        huawei_rate_limit: NonZeroU32::new(per_second).unwrap(),
        huawei_endpoint: Some(url.parse().unwrap()),
        ..Settings::default()
    };
    Clouds::new(&settings).unwrap()
}

pub(super) fn open(clouds: &Clouds, fields: &Value, secret: &[(&str, &str)]) -> Box<dyn Provider> {
    let secret = secret.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
    let block = Block { tencent_cloud: None, huawei_cloud: Some(order(fields)) };
    clouds.open("shop", &block, &secret.collect::<BTreeMap<_, _>>()).unwrap()
}

pub(super) fn payload(provider: &dyn Provider) -> Payload {
    provider.prepare(&company_application(), None).unwrap()
}

/// A client of a server that answers everything like this.
async fn facing(answer: String) -> Box<dyn Provider> {
    open(&clouds(&always(answer).await, 1000, PATIENT), &json!({}), &KEYS)
}

#[tokio::test]
async fn an_application_is_handed_in_and_recognised() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let before = provider.observe().await.unwrap();
    assert_eq!((before.stage, before.status.as_str()), (Stage::AwaitingInformation, "PAID"));
    assert!(!before.has_traces());
    assert_eq!((before.product.domain_validated, before.product.names), (Some(false), Some(1)));
    assert_eq!(before.product.name.as_deref(), Some("GLOBALSIGN OV_SSL_CERT"));

    let payload = payload(provider.as_ref());
    let accepted = provider.write(Request::Submit(&payload), soon()).await.unwrap();
    let call = world.cloud.ledger().into_iter().rfind(|call| call.action == "apply").unwrap();
    assert!(accepted.request_id.is_some() && accepted.request_id == call.request_id);

    let running = provider.observe().await.unwrap();
    assert_eq!(
        (running.stage, running.names.as_slice()),
        (Stage::Validating, &["www.acme.example".to_owned()][..])
    );
    assert!(running.stored.shows(&payload.evidence));
    assert_eq!(running.records.len(), 1);
}

#[tokio::test]
async fn a_lost_reply_leaves_the_outcome_open_until_it_is_read() {
    let outcomes = [
        (Fault::reply_lost(), None, true),
        (Fault::request_lost(), None, false),
        (Fault::garbage(), Some("HTTP 200"), true),
        (Fault::truncated(), Some("HTTP 200"), true),
        (Fault::html(502), Some("HTTP 502"), false),
        (Fault::html(504).acting(true), Some("HTTP 504"), true),
        (Fault::error_with_status(500, "SCM.0091", "controller"), Some("SCM.0091"), false),
        (Fault::error_with_status(500, "SCM.0092", "apply failed").acting(true), Some("SCM.0092"), true),
        (Fault::error_with_status(200, "SCM.0999", "new").acting(true), Some("SCM.0999"), true),
    ];
    for (fault, code, landed) in outcomes {
        let world = World::new(Product::OV_SINGLE).await;
        let case = format!("{fault:?}");
        world.cloud.fault(fault.action("apply"));
        let error = world.submit().await.unwrap_err();
        assert!(error.outcome_is_unknown(), "{case}: {error:?}");
        assert_eq!(error.refusal().map(|refusal| refusal.code.as_str()), code, "{case}");
        let provider = world.open();
        let stored = provider.observe().await.unwrap().stored;
        assert_eq!(stored.shows(&payload(provider.as_ref()).evidence), landed, "{case}");
        assert_eq!(world.called("apply"), 1, "{case}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_next_in_the_clouds_words() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.fault(Fault::error("SCM.0005", "Parameter error.").action("apply"));
    let error = world.submit().await.unwrap_err();
    assert!(matches!(&error, Error::Rejected { reason: Reason::InvalidRequest, .. }), "{error:?}");
    let refusal = error.refusal().unwrap();
    assert!(
        refusal.request_id.is_some() && refusal.request_id == world.cloud.ledger().last().unwrap().request_id
    );
    assert_eq!(words(&error), "Parameter error.");

    world.cloud.set(CERTIFICATE, |certificate| certificate.status = Status::CHECKING_ORG).unwrap();
    assert!(matches!(world.submit().await.unwrap_err(), Error::NotNow(_)));

    world.cloud.fault(Fault::throttled());
    assert!(matches!(world.observe_fails().await, Error::Throttled { after: Some(_), .. }));
    world.cloud.fault(Fault::html(429));
    assert!(matches!(world.observe_fails().await, Error::Throttled { .. }));
    world.cloud.fault(Fault::html(503));
    assert!(matches!(world.observe_fails().await, Error::Unavailable(_)));
}

#[tokio::test]
async fn an_unknown_certificate_is_distinguished_from_a_wrong_address() {
    for status in [400, 404] {
        let options = Options { unknown_certificate_status: status, ..Options::default() };
        let world = World::with(options, Product::OV_SINGLE).await;
        let unknown = world.open_with(&json!({"certificateId": "scs1590053250000"}), &KEYS);
        let error = unknown.observe().await.unwrap_err();
        assert!(
            matches!(error, Error::Rejected { reason: Reason::CertificateNotFound, .. }),
            "{status}: {error:?}"
        );
        assert_eq!(world.called("list"), 0, "the code says enough");
    }
    // A 404 without a code of SCM: the list is read.
    let world = World::new(Product::OV_SINGLE).await;
    for number in 0..120 {
        world.cloud.buy(&world.account, &format!("scs1590053{number:06}"), Product::DV_SINGLE);
    }
    world.cloud.fault(Fault::html(404).action("show").times(2));
    assert!(matches!(world.observe_fails().await, Error::Unavailable(refusal) if refusal.code == "HTTP 404"));
    assert!(world.called("list") >= 1);
    let unknown = world.open_with(&json!({"certificateId": "scs1590059999999"}), &KEYS);
    let error = unknown.observe().await.unwrap_err();
    assert!(matches!(error, Error::Rejected { reason: Reason::CertificateNotFound, .. }), "{error:?}");
    // The list does not answer either.
    world.cloud.fault(Fault::html(404).times(2));
    assert!(matches!(world.observe_fails().await, Error::Unavailable(refusal) if refusal.code == "HTTP 404"));
}

#[tokio::test]
async fn every_kind_of_credentials_is_accepted_and_others_are_refused() {
    let world = World::new(Product::OV_SINGLE).await;
    let expires = Clock::default().now() + SignedDuration::from_hours(1);
    world.cloud.add_temporary_credential(&world.account, "HWTEMPORARY", "temporary", "token==/+", expires);
    world.cloud.add_auth_token(&world.account, "MIIFtoken", expires);
    let account = world.account.domain_id.as_str();
    let keys =
        |access: &'static str, secret: &'static str| vec![("accessKey", access), ("secretKey", secret)];
    let with = |mut secret: Vec<(&'static str, &'static str)>, more| {
        secret.push(more);
        secret
    };
    let cases = [
        (keys(AK, SK), true),
        (keys("HWUNKNOWN", SK), false),
        (keys(AK, "another"), false),
        (keys("HWTEMPORARY", "temporary"), false),
        (with(keys("HWTEMPORARY", "temporary"), ("securityToken", "other")), false),
        (with(keys("HWTEMPORARY", "temporary"), ("securityToken", "token==/+")), true),
        (vec![("authToken", "MIIFtoken")], true),
        (vec![("authToken", "MIIFother")], false),
    ];
    for (secret, accepted) in cases {
        match world.open_with(&json!({}), &secret).observe().await {
            Ok(_) => assert!(accepted, "{secret:?}"),
            Err(Error::CredentialsRefused(_)) => assert!(!accepted, "{secret:?}"),
            Err(error) => panic!("{secret:?}: {error:?}"),
        }
    }
    let [one, two] = KEYS;
    assert!(world.open_with(&json!({}), &[one, two, ("domainId", account)]).observe().await.is_ok());
    let other = world.open_with(&json!({}), &[one, two, ("domainId", "other")]).observe().await.unwrap_err();
    assert!(matches!(other, Error::Rejected { reason: Reason::PermissionDenied, .. }), "{other:?}");
}

#[tokio::test]
async fn the_gateways_echo_of_request_and_key_is_blanked() {
    let world = World::new(Product::OV_SINGLE).await;
    let secrets = [
        ("accessKey", AK),
        ("secretKey", "another"),
        ("securityToken", "TOKENecho"),
        ("domainId", "DOMAINecho"),
    ];
    let provider = world.open_with(&json!({}), &secrets);
    let shown = |error: &Error| Filter::new(provider.sensitive()).clean(&error.refusal().unwrap().message);
    let mismatch = provider.observe().await.unwrap_err();
    let text = shown(&mismatch);
    assert!(
        text.contains("verify aksk signature fail") && !text.contains("POST|") && !text.contains("GET|"),
        "{text}"
    );

    let unknown = world.open_with(&json!({}), &[("accessKey", "HWUNKNOWNKEY"), ("secretKey", SK)]);
    let error = unknown.observe().await.unwrap_err();
    let text = Filter::new(unknown.sensitive()).clean(&error.refusal().unwrap().message);
    assert!(text.contains("ak *** not exist"), "{text}");

    // Also where a gateway repeats more than this one does.
    let echo = format!(
        "fail, ak {AK}, x-security-token:TOKENecho, x-domain-id:DOMAINecho, canonicalRequest:GET|/|{AK}|TOKENecho|"
    );
    let body = json!({"error_code": "APIGW.0301", "error_msg": echo, "request_id": "r"}).to_string();
    let url = always(http("401 Unauthorized", "application/json", &body)).await;
    let error = open(&clouds(&url, 10, PATIENT), &json!({}), &secrets).observe().await.unwrap_err();
    let text = shown(&error);
    assert_eq!(text, "fail, ak ***, x-security-token:***, x-domain-id:***, canonicalRequest:***");
    assert_eq!(error.refusal().unwrap().request_id.as_deref(), Some("r"));
}

#[tokio::test]
async fn a_wrong_clock_is_reported_with_the_difference() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.set_clock_ahead(SignedDuration::from_mins(20));
    let error = world.observe_fails().await;
    assert!(matches!(error, Error::ClockSkew(_)), "{error:?}");
    let text = words(&error);
    assert!(text.contains("this machine's clock is 1") && text.ends_with(" s behind the cloud's)"), "{text}");
}

#[tokio::test]
async fn a_date_far_from_ours_tells_a_wrong_clock_from_a_wrong_key_and_a_token_has_no_date() {
    let body =
        json!({"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail", "request_id": "r"});
    let json = "application/json\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT";
    let url = always(http("401 Unauthorized", json, &body.to_string())).await;
    let clouds = clouds(&url, 10, PATIENT);
    let error = open(&clouds, &json!({}), &KEYS).observe().await.unwrap_err();
    assert!(matches!(error, Error::ClockSkew(_)), "{error:?}");
    assert!(words(&error).ends_with(" s ahead of the cloud's)"), "{error:?}");
    let error = open(&clouds, &json!({}), &[("authToken", "MIIF")]).observe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRefused(_)), "{error:?}");
}

#[tokio::test]
async fn a_refusal_of_credentials_names_the_entries_that_were_not_read() {
    let world = World::new(Product::OV_SINGLE).await;
    let wrong = [("accessKey", AK), ("secretKey", "old"), ("HW_SECURITY_TOKEN", "token")];
    let error = world.open_with(&json!({}), &wrong).observe().await.unwrap_err();
    let note = "Of the same Secret entry HW_SECURITY_TOKEN is not read: name it securityToken.";
    assert_eq!(error.refusal().unwrap().note.as_deref(), Some(note));
}

#[tokio::test]
async fn a_write_whose_time_is_over_is_not_sent() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let payload = payload(provider.as_ref());
    let late = provider.write(Request::Submit(&payload), Instant::now()).await.unwrap_err();
    assert!(matches!(late, Error::NotSent(_)), "{late:?}");
    let slow = open(&clouds(&world.cloud.url(), 1, PATIENT), &json!({}), &KEYS);
    slow.write(Request::Submit(&payload), soon()).await.unwrap();
    let queued = slow.write(Request::Submit(&payload), Instant::now() + Duration::from_millis(50)).await;
    assert!(matches!(queued.unwrap_err(), Error::NotSent(_)));
    assert_eq!(world.called("apply"), 1);
    let unreachable = open(&clouds(&closed().await, 10, PATIENT), &json!({}), &KEYS);
    assert!(matches!(unreachable.write(Request::Withdraw, soon()).await.unwrap_err(), Error::NotSent(_)));
}

#[tokio::test]
async fn orders_of_one_account_share_its_pace() {
    let cloud =
        HuaweiCloud::start(Options { calls_per_second: Some(50), ..Options::default() }).await.unwrap();
    let account = cloud.account(AK, SK);
    cloud.buy(&account, CERTIFICATE, Product::DV_SINGLE);
    let clouds = clouds(&cloud.url(), 50, PATIENT);
    let reads = (0..60).map(|_| {
        let provider = open(&clouds, &json!({}), &KEYS);
        async move { provider.observe().await }
    });
    assert!(join_all(reads).await.iter().all(Result::is_ok));
    let pace = cloud.pace(&account, "show");
    assert_eq!((pace.calls, pace.rejected), (60, 0));
}

#[tokio::test]
async fn an_answer_that_is_not_the_clouds_proves_nothing() {
    let answers = [
        http("200 OK", "application/json", "{}"),
        http("200 OK", "application/json", r#"{"request_info": "pending"}"#),
        http("302 Found", "text/html", ""),
        http("403 Forbidden", "text/html", "no"),
        http("200 OK", "application/json", &"[".repeat(200_000)),
        http("200 OK", "application/json", &format!(r#"{{"request_info": "{}"}}"#, "x".repeat(2_000_000))),
    ];
    for answer in answers {
        let head: String = answer.chars().take(120).collect();
        let provider = facing(answer).await;
        for request in [Request::Submit(&payload(provider.as_ref())), Request::Withdraw] {
            let error = provider.write(request, soon()).await.unwrap_err();
            let is_unknown =
                matches!(&error, Error::Unknown(Some(refusal)) if refusal.code.starts_with("HTTP "));
            assert!(is_unknown, "{head}: {error:?}");
        }
        assert!(matches!(provider.observe().await.unwrap_err(), Error::Unavailable(_)), "{head}");
        assert!(matches!(provider.download().await.unwrap_err(), Error::Unavailable(_)), "{head}");
    }
}

#[test]
fn a_request_has_the_headers_of_the_vendor_and_shows_no_secret() {
    let transport = Transport::new(Duration::from_secs(1), CancellationToken::new()).unwrap();
    let service = Service::new(transport, NonZeroU32::new(5).unwrap(), Template::default(), Clock::default());
    let endpoint = service.endpoint(&"ap-southeast-1".parse().unwrap()).unwrap();
    let service = std::sync::Arc::new(service);
    let request = |secret: &[(&str, &str)]| {
        let data =
            secret.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let credentials = Credentials::from_secret(&data.collect()).unwrap();
        let huawei = Huawei::new(service.clone(), credentials, "shop", order(&json!({})), endpoint.clone());
        let message = Message {
            method: reqwest::Method::POST,
            path: huawei.path(Some("cancel-cert")),
            query: String::new(),
            body: b"",
        };
        let request = huawei.request(&message, "2023-11-14T22:13:20Z".parse().unwrap()).unwrap();
        let shown = format!("{request:?} {huawei:?}");
        assert!(
            secret.iter().all(|(_, value)| !shown.contains(value)) && !shown.contains("Signature"),
            "{shown}"
        );
        request
    };
    let header = |request: &reqwest::Request, name: &str| {
        request.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let [one, two] = KEYS;
    let signed = request(&[one, two, ("securityToken", "token==/+"), ("domainId", "domain-0123")]);
    let path = format!("/v3/scm/certificates/{CERTIFICATE}/cancel-cert");
    assert_eq!(signed.url().as_str(), format!("https://scm.ap-southeast-1.myhuaweicloud.com{path}"));
    assert_eq!(header(&signed, "x-sdk-date").as_deref(), Some("20231114T221320Z"));
    assert_eq!(header(&signed, "x-security-token").as_deref(), Some("token==/+"));
    assert_eq!(header(&signed, "x-domain-id").as_deref(), Some("domain-0123"));
    let authorization = header(&signed, "authorization").unwrap();
    let names = "content-type;host;x-domain-id;x-sdk-date;x-security-token";
    assert!(authorization.contains(&format!("SignedHeaders={names}, ")), "{authorization}");

    let by_token = request(&[("authToken", "MIIFtoken")]);
    assert_eq!(header(&by_token, "x-auth-token").as_deref(), Some("MIIFtoken"));
    assert_eq!((header(&by_token, "authorization"), header(&by_token, "x-sdk-date")), (None, None));
}

#[test]
fn every_part_of_the_credentials_is_sensitive() {
    let clouds = clouds("http://127.0.0.1:1", 1, PATIENT);
    let secrets = [("accessKey", "HWAK1"), ("secretKey", "s1"), ("securityToken", "t1"), ("domainId", "d1")];
    let mut values: Vec<String> = open(&clouds, &json!({}), &secrets)
        .sensitive()
        .iter()
        .map(|value| value.expose_secret().to_owned())
        .collect();
    values.sort();
    assert_eq!(values, ["HWAK1", "d1", "s1", "t1"]);
}
