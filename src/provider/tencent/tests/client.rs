//! The client against the simulated cloud, and against servers that misbehave.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use certorder_sim::tencent::{Account, Fault, Options, Product, Status, TencentCloud};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Application, Key, Names, application, company_application, csr, document, order};
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{Provider as Block, TencentSite};
use crate::core::application::{KeyAlgorithm, ValidationMethod};
use crate::core::clock::Clock;
use crate::core::observation::Stage;
use crate::provider::credentials::Unread;
use crate::provider::fixtures::{PATIENT, always, closed, http, soon, words};
use crate::provider::registry::{Clouds, Settings};
use crate::provider::tencent::credentials::Credentials;
use crate::provider::tencent::{Service, Tencent};
use crate::provider::transport::{Endpoint, Transport};
use crate::provider::{Error, Payload, Provider, Request, RequestKind};

pub(super) const ID: &str = "AKIDEXAMPLE0123456789";
pub(super) const KEY: &str = "SecretKeyExample0123456789ABCDEF";

/// The certificate of a [`World`].
pub(super) const CERTIFICATE: &str = "J2lX2maH";

const SUBMIT: &str = "CertificateInfoSubmit";
const DESCRIBE: &str = "DescribeCertificate";

/// A cloud with one account and one bought certificate, and a client of it.
pub(super) struct World {
    pub(super) cloud: TencentCloud,
    pub(super) account: Account,
    clouds: Clouds,
}

impl World {
    pub(super) async fn new(product: Product) -> Self {
        Self::with(Options::default(), product).await
    }

    pub(super) async fn with(options: Options, product: Product) -> Self {
        let cloud = TencentCloud::start(Options { calls_per_second: None, ..options }).await.unwrap();
        let account = cloud.account(ID, KEY);
        cloud.buy(&account, CERTIFICATE, product);
        let clouds = clouds(&cloud.url(), 1000, PATIENT);
        Self { cloud, account, clouds }
    }

    pub(super) fn open(&self) -> Box<dyn Provider> {
        self.open_other(CERTIFICATE)
    }

    /// A client of another certificate.
    pub(super) fn open_other(&self, id: &str) -> Box<dyn Provider> {
        open(&self.clouds, &json!({ "certificateId": id }), &[("secretId", ID), ("secretKey", KEY)])
    }

    async fn submit(&self) -> Result<String, Error> {
        let provider = self.open();
        let accepted = provider.write(Request::Submit(&payload(provider.as_ref())), soon()).await?;
        Ok(accepted.request_id.unwrap())
    }

    async fn observe_fails(&self) -> Error {
        self.open().observe().await.unwrap_err()
    }
}

pub(super) fn clouds(url: &str, per_second: u32, call_timeout: Duration) -> Clouds {
    let settings = Settings {
        call_timeout,
        tencent_rate_limit: NonZeroU32::new(per_second).unwrap(),
        tencent_endpoint: Some(url.parse().unwrap()),
        ..Settings::default()
    };
    Clouds::new(&settings).unwrap()
}

pub(super) fn open(clouds: &Clouds, fields: &Value, secret: &[(&str, &str)]) -> Box<dyn Provider> {
    let secret = secret.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
    let block = Block { tencent_cloud: Some(order(fields)), huawei_cloud: None };
    clouds.open("shop", &block, &secret.collect::<BTreeMap<_, _>>()).unwrap()
}

pub(super) fn payload(provider: &dyn Provider) -> Payload {
    provider.prepare(&company_application(), None).unwrap()
}

#[tokio::test]
async fn an_application_is_handed_in_recognised_and_ordered() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let before = provider.observe().await.unwrap();
    assert_eq!((before.stage, before.status.as_str()), (Stage::AwaitingInformation, "5"));
    assert!(before.stored.is_empty() && before.names.is_empty());
    assert_eq!((before.product.domain_validated, before.product.names), (Some(false), Some(1)));

    let payload = payload(provider.as_ref());
    assert!(!before.stored.shows(&payload.evidence));
    let accepted = provider.write(Request::Submit(&payload), soon()).await.unwrap();
    assert_eq!(accepted.request_id, world.cloud.ledger().last().unwrap().request_id);

    let stored = provider.observe().await.unwrap();
    assert_eq!(stored.stage, Stage::AwaitingInformation);
    assert!(stored.stored.shows(&payload.evidence));

    let ordered = provider.write(Request::Order, soon()).await.unwrap();
    let running = provider.observe().await.unwrap();
    assert!(ordered.order_id.is_some() && ordered.order_id == running.order_id);
    assert_eq!(
        (running.stage, running.names.as_slice()),
        (Stage::Reviewing, &["www.acme.example".to_owned()][..])
    );
}

#[tokio::test]
async fn a_strict_cloud_takes_every_kind_of_application() {
    let world = World::new(Product::DV_SINGLE).await;
    let person = json!({"contactEmail": "me@acme.example", "autoRenew": true, "useCrossSignRoot": false});
    let multi = Names::parse("www.acme.example", &["api.acme.example".to_owned(), "acme.example".to_owned()])
        .unwrap();
    let mut documents = company_application();
    let profile = documents.profile.as_mut().unwrap();
    profile.organization.as_mut().unwrap().identification = Some(document("TYDMZ", "11532000000024820"));
    profile.administrator.identification = Some(document("SFZ", "110000000000001242"));
    profile.technical_contact.identification = Some(document("HZ", "EF1234567"));
    documents.key_password = Some("correct horse".into());
    let own_key = Application { key: Key::Csr(csr()), ..company_application() };
    let ecdsa = Application {
        key: Key::Cloud(KeyAlgorithm::Ecdsa(256)),
        validation: ValidationMethod::File,
        ..application()
    };
    let cases = [
        ("P1", Product::DV_SINGLE, person.clone(), application()),
        ("P2", Product::DV_SINGLE, person, ecdsa),
        ("C1", Product::OV_SINGLE, json!({}), own_key),
        ("C2", Product::EV_SINGLE, json!({}), documents),
        ("C3", Product::OV_MULTI, json!({}), Application { names: multi, ..company_application() }),
    ];
    for (id, product, mut fields, application) in cases {
        world.cloud.buy(&world.account, id, product);
        fields["certificateId"] = json!(id);
        let provider = open(&world.clouds, &fields, &[("secretId", ID), ("secretKey", KEY)]);
        let product = provider.observe().await.unwrap().product;
        let payload = provider.prepare(&application, Some(&product)).unwrap();
        provider
            .write(Request::Submit(&payload), soon())
            .await
            .unwrap_or_else(|error| panic!("{id}: {error} {}", words(&error)));
        assert!(provider.observe().await.unwrap().stored.shows(&payload.evidence), "{id}");
    }
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
        (Fault::error("InternalError", "internal error"), Some("InternalError"), false),
        (Fault::error("InternalError", "internal error").acting(true), Some("InternalError"), true),
    ];
    for (fault, code, landed) in outcomes {
        let world = World::new(Product::OV_SINGLE).await;
        let case = format!("{fault:?}");
        world.cloud.fault(fault.action(SUBMIT));
        let error = world.submit().await.unwrap_err();
        assert!(error.outcome_is_unknown(), "{case}: {error:?}");
        assert_eq!(error.refusal().map(|refusal| refusal.code.as_str()), code, "{case}");

        let provider = world.open();
        let stored = provider.observe().await.unwrap().stored;
        assert_eq!(stored.shows(&payload(provider.as_ref()).evidence), landed, "{case}");
        assert_eq!(world.cloud.ledger().iter().filter(|call| call.action == SUBMIT).count(), 1, "{case}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_no_answer() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.fault(Fault::reply_late(PATIENT).action(SUBMIT));
    let hasty = clouds(&world.cloud.url(), 10, Duration::from_millis(300));
    let provider = open(&hasty, &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = provider.write(Request::Submit(&payload(provider.as_ref())), soon()).await.unwrap_err();
    // On a busy machine the deadline may pass while the client still connects.
    assert!(matches!(error, Error::Unknown(None) | Error::NotSent(_)), "{error:?}");
    assert!(error.outcome_is_unknown() || world.cloud.ledger().is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_read_that_fails_is_no_answer_or_a_fault_of_the_cloud() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.fault(Fault::html(503).action(DESCRIBE));
    assert!(matches!(world.observe_fails().await, Error::Unavailable(refusal) if refusal.code == "HTTP 503"));
    world.cloud.fault(Fault::error("InternalError", "").action(DESCRIBE));
    assert!(
        matches!(world.observe_fails().await, Error::Unavailable(refusal) if refusal.code == "InternalError")
    );
    world.cloud.fault(Fault::request_lost().action(DESCRIBE));
    assert_eq!(world.observe_fails().await, Error::Unknown(None));
    assert!(world.open().observe().await.is_ok());
}

#[tokio::test]
async fn a_refusal_says_what_to_do_next_in_the_clouds_words() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.set_identity_verified(&world.account, false);
    let error = world.submit().await.unwrap_err();
    assert!(matches!(&error, Error::Rejected { reason: Reason::AccountNotVerified, .. }), "{error:?}");
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.request_id, world.cloud.ledger().last().unwrap().request_id);
    assert!(refusal.hint.unwrap().contains("identity verification"));
    world.cloud.set_identity_verified(&world.account, true);

    world.cloud.set("J2lX2maH", |certificate| certificate.status = Status::UNDER_REVIEW).unwrap();
    let error = world.submit().await.unwrap_err();
    assert!(matches!(error, Error::NotNow(_)), "{error:?}");

    world.cloud.fault(Fault::throttled());
    assert!(matches!(world.observe_fails().await, Error::Throttled { after: None, .. }));

    let unknown =
        open(&world.clouds, &json!({"certificateId": "nobody"}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = unknown.observe().await.unwrap_err();
    assert!(matches!(error, Error::Rejected { reason: Reason::CertificateNotFound, .. }), "{error:?}");
}

#[tokio::test]
async fn wrong_credentials_are_refused_before_anything_happens() {
    let world = World::new(Product::OV_SINGLE).await;
    let expires = Clock::default().now() + SignedDuration::from_hours(1);
    world.cloud.add_temporary_credential(&world.account, "AKIDTEMP", "temporary", "token==/+", expires);
    let cases: [(&[(&str, &str)], bool); 5] = [
        (&[("secretId", "AKIDUNKNOWN"), ("secretKey", KEY)], false),
        (&[("secretId", ID), ("secretKey", "another")], false),
        (&[("secretId", "AKIDTEMP"), ("secretKey", "temporary")], false),
        (&[("secretId", "AKIDTEMP"), ("secretKey", "temporary"), ("token", "other")], false),
        (&[("secretId", "AKIDTEMP"), ("secretKey", "temporary"), ("token", "token==/+")], true),
    ];
    for (secret, accepted) in cases {
        match open(&world.clouds, &json!({}), secret).observe().await {
            Ok(_) => assert!(accepted, "{secret:?}"),
            Err(Error::CredentialsRefused(_)) => assert!(!accepted, "{secret:?}"),
            Err(error) => panic!("{secret:?}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_clock_is_reported_with_the_difference() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.set_clock_ahead(SignedDuration::from_mins(10));
    let error = world.observe_fails().await;
    assert!(matches!(error, Error::ClockSkew(_)), "{error:?}");
    let text = words(&error);
    assert!(text.contains("this machine's clock is 6") && text.ends_with(" s behind the cloud's)"), "{text}");
    world.cloud.set_clock_ahead(SignedDuration::ZERO);
    assert!(world.open().observe().await.is_ok());
}

#[tokio::test]
async fn where_the_words_do_not_tell_the_clouds_time_its_header_does() {
    let body = json!({"Response": {
        "Error": {"Code": "AuthFailure.SignatureExpire", "Message": "Signature expired."}, "RequestId": "r",
    }});
    let json = "application/json\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT";
    let url = always(http("200 OK", json, &body.to_string())).await;
    let error = open(&clouds(&url, 10, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = error.observe().await.unwrap_err();
    assert!(matches!(error, Error::ClockSkew(_)), "{error:?}");
    let text = words(&error);
    assert!(
        text.starts_with("Signature expired. (this machine's clock is ")
            && text.ends_with(" s ahead of the cloud's)"),
        "{text}"
    );
}

#[tokio::test]
async fn a_refusal_of_credentials_names_the_entries_that_were_not_read() {
    let world = World::new(Product::OV_SINGLE).await;
    let misnamed = [("secretId", ID), ("secretKey", KEY), ("TENCENTCLOUD_SESSION_TOKEN", "token")];
    assert!(open(&world.clouds, &json!({}), &misnamed).observe().await.is_ok(), "what works is left alone");
    let wrong = [("secretId", ID), ("secretKey", "old"), ("TENCENTCLOUD_SESSION_TOKEN", "token")];
    let error = open(&world.clouds, &json!({}), &wrong).observe().await.unwrap_err();
    let note = "Of the same Secret entry TENCENTCLOUD_SESSION_TOKEN is not read: name it token.";
    assert_eq!(error.refusal().unwrap().note.as_deref(), Some(note));
}

#[tokio::test]
async fn a_write_that_waits_for_the_rate_limit_is_not_sent_once_the_process_shuts_down() {
    let world = World::new(Product::DV_SINGLE).await;
    let shutdown = CancellationToken::new();
    let settings = Settings {
        tencent_rate_limit: NonZeroU32::new(2).unwrap(),
        tencent_endpoint: Some(world.cloud.url().parse().unwrap()),
        shutdown: shutdown.clone(),
        ..Settings::default()
    };
    let clouds = Clouds::new(&settings).unwrap();
    let provider =
        open(&clouds, &json!({ "certificateId": CERTIFICATE }), &[("secretId", ID), ("secretKey", KEY)]);
    let payload = payload(provider.as_ref());
    provider.write(Request::Submit(&payload), soon()).await.unwrap();
    let waits = provider.write(Request::Submit(&payload), soon());
    let (refused, ()) = tokio::join!(waits, async { shutdown.cancel() });
    assert!(matches!(refused, Err(Error::NotSent(_))), "{refused:?}");
    provider.observe().await.unwrap();
    assert_eq!(world.cloud.ledger().iter().filter(|call| call.action == SUBMIT).count(), 1);
}

#[tokio::test]
async fn a_write_whose_time_is_over_is_not_sent() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let payload = payload(provider.as_ref());
    let late = provider.write(Request::Submit(&payload), Instant::now()).await.unwrap_err();
    assert!(matches!(late, Error::NotSent(_)), "{late:?}");

    // The first call takes the permit; the second would have to wait for a second.
    let slow =
        open(&clouds(&world.cloud.url(), 1, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    slow.write(Request::Submit(&payload), soon()).await.unwrap();
    let queued =
        slow.write(Request::Submit(&payload), Instant::now() + Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(queued, Error::NotSent(_)), "{queued:?}");
    assert_eq!(world.cloud.ledger().len(), 1);
}

#[tokio::test]
async fn a_cloud_that_is_not_there_was_not_called() {
    let provider =
        open(&clouds(&closed().await, 10, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = provider.write(Request::Submit(&payload(provider.as_ref())), soon()).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn orders_of_one_account_share_its_pace() {
    let cloud =
        TencentCloud::start(Options { calls_per_second: Some(100), ..Options::default() }).await.unwrap();
    let account = cloud.account(ID, KEY);
    cloud.buy(&account, "J2lX2maH", Product::DV_SINGLE);
    let clouds = clouds(&cloud.url(), 100, PATIENT);
    let reads = (0..120).map(|_| {
        let provider = open(&clouds, &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
        async move { provider.observe().await }
    });
    assert!(join_all(reads).await.iter().all(Result::is_ok));
    let pace = cloud.pace(&account, DESCRIBE);
    assert_eq!((pace.calls, pace.rejected), (120, 0));
    assert!(pace.highest_in_one_second <= 100, "{pace:?}");
}

#[tokio::test]
async fn a_log_of_calls_without_an_end_says_nothing() {
    let body =
        r#"{"Response": {"TotalCount": null, "OperateLogs": [{"CertId": "other"}], "RequestId": "r"}}"#;
    let url = always(http("200 OK", "application/json", body)).await;
    let provider = open(&clouds(&url, 100_000, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = provider.was_called(RequestKind::Submit, Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_is_read_whatever_its_content_type_and_status() {
    let refused = r#"{"Response": {"Error": {"Code": "FailedOperation.CertificateNotFound", "Message": "no"}, "RequestId": "r"}}"#;
    for (status, content_type) in
        [("200 OK", "text/html"), ("200 OK", "application/json; charset=utf-8"), ("403 No", "")]
    {
        let url = always(http(status, content_type, refused)).await;
        let provider = open(&clouds(&url, 10, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
        let error = provider.observe().await.unwrap_err();
        assert!(
            matches!(error, Error::Rejected { reason: Reason::CertificateNotFound, .. }),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_clouds_proves_nothing() {
    let answers = [
        http("200 OK", "application/json", "{}"),
        http("200 OK", "application/json", r#"{"Response": {}}"#),
        http("302 Found", "text/html", ""),
        http("200 OK", "application/json", &"[".repeat(200_000)),
        http("200 OK", "application/json", &format!(r#"{{"Response": "{}"}}"#, "x".repeat(2_000_000))),
    ];
    for answer in answers {
        let head: String = answer.chars().take(120).collect();
        let provider = open(
            &clouds(&always(answer).await, 10, PATIENT),
            &json!({}),
            &[("secretId", ID), ("secretKey", KEY)],
        );
        let error = provider.write(Request::Submit(&payload(provider.as_ref())), soon()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unknown(Some(refusal)) if refusal.code.starts_with("HTTP ")),
            "{head}: {error:?}"
        );
    }
}

#[test]
fn each_site_has_its_host_and_an_endpoint_replaces_both() {
    let transport = Transport::new(Duration::from_secs(1), CancellationToken::new()).unwrap();
    let limit = NonZeroU32::new(10).unwrap();
    let sites = [TencentSite::International, TencentSite::China];
    let hosts = |endpoint: Option<&Endpoint>| {
        let service = Service::new(transport.clone(), limit, endpoint, Clock::default()).unwrap();
        sites.map(|site| service.endpoint(site).to_string())
    };
    assert_eq!(hosts(None), ["https://ssl.intl.tencentcloudapi.com", "https://ssl.tencentcloudapi.com"]);
    let endpoint = "http://127.0.0.1:8443".parse().unwrap();
    assert_eq!(hosts(Some(&endpoint)), ["http://127.0.0.1:8443"; 2]);
}

#[test]
fn a_request_has_the_headers_of_the_vendor_and_shows_no_secret() {
    let transport = Transport::new(Duration::from_secs(1), CancellationToken::new()).unwrap();
    let service = Service::new(transport, NonZeroU32::new(10).unwrap(), None, Clock::default()).unwrap();
    let credentials = Credentials {
        secret_id: ID.into(),
        secret_key: KEY.into(),
        token: Some(SecretString::from("token==/+")),
        unread: Unread::default(),
    };
    let tencent = Tencent::new(service.into(), credentials, "shop", order(&json!({})));
    let request = tencent.client.request(DESCRIBE, b"{}", "2023-11-14T22:13:20Z".parse().unwrap()).unwrap();

    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!(request.url().as_str(), "https://ssl.intl.tencentcloudapi.com/");
    assert_eq!(
        (header("host"), header("content-type")),
        (Some("ssl.intl.tencentcloudapi.com"), Some("application/json"))
    );
    assert_eq!((header("x-tc-action"), header("x-tc-version")), (Some(DESCRIBE), Some("2019-12-05")));
    assert_eq!((header("x-tc-timestamp"), header("x-tc-language")), (Some("1700000000"), Some("en-US")));
    assert_eq!((header("x-tc-token"), header("x-tc-region")), (Some("token==/+"), None));
    let shown = format!("{request:?} {tencent:?}");
    assert!(!shown.contains("token==") && !shown.contains(ID) && !shown.contains("Signature"), "{shown}");
}
