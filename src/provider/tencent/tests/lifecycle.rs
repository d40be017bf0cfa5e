//! The client against the simulated cloud, from the order to its end.

use certorder_sim::tencent::{Finding, Options, Product};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;
use strum::IntoEnumIterator;

use super::client::{CERTIFICATE, ID, KEY, World, clouds, open, payload};
use super::{Application, Key, Names, company_application, csr};
use crate::api::v1alpha1::conditions::Reason;
use crate::core::application::ValidationMethod;
use crate::core::clock::Clock;
use crate::core::observation::{Bundle, Stage};
use crate::core::redact::Filter;
use crate::provider::fixtures::{PATIENT, always, http, soon, words};
use crate::provider::tencent::archive;
use crate::provider::{Accepted, Error, Letter, Reissue, Request, RequestKind};

fn letter() -> Letter {
    let mut file = b"%PDF-1.7".to_vec();
    file.resize(2000, b' ');
    Letter::parse(&file).unwrap()
}

impl World {
    async fn write(&self, kind: RequestKind) -> Result<Accepted, Error> {
        let provider = self.open();
        let (payload, letter) = (payload(provider.as_ref()), letter());
        let reissue = Reissue { csr: None, method: ValidationMethod::Dns };
        let request = match kind {
            RequestKind::Submit => Request::Submit(&payload),
            RequestKind::Order => Request::Order,
            RequestKind::Resubmit => Request::Resubmit,
            RequestKind::Withdraw => Request::Withdraw,
            RequestKind::Revoke => Request::Revoke,
            RequestKind::SendLetter => Request::SendLetter(&letter),
            RequestKind::Reissue => Request::Reissue(&reissue),
        };
        assert_eq!(request.kind(), kind);
        provider.write(request, soon()).await
    }

    /// Submits this application, and makes the simulated CA issue the certificate.
    async fn issued(&self, application: &Application) {
        let provider = self.open();
        let payload = provider.prepare(application, None).unwrap();
        provider.write(Request::Submit(&payload), soon()).await.unwrap();
        self.write(RequestKind::Order).await.unwrap();
        self.cloud.issue(CERTIFICATE).unwrap();
    }

    async fn stage(&self) -> Stage {
        self.open().observe().await.unwrap().stage
    }

    fn called(&self, action: &str) -> usize {
        self.cloud.ledger().iter().filter(|call| call.action == action).count()
    }
}

fn a_second_ago() -> Timestamp {
    Clock::default().now() - SignedDuration::from_secs(1)
}

#[tokio::test]
async fn an_order_goes_through_every_call_and_the_clouds_log_shows_each() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.set(CERTIFICATE, |certificate| certificate.wants_letter = true).unwrap();
    let (provider, since) = (world.open(), a_second_ago());
    let steps = [
        (RequestKind::Submit, Stage::AwaitingInformation),
        (RequestKind::Order, Stage::AwaitingLetter),
        (RequestKind::SendLetter, Stage::Reviewing),
        (RequestKind::Withdraw, Stage::Cancelling),
        (RequestKind::Resubmit, Stage::AwaitingInformation),
        (RequestKind::Revoke, Stage::Revoking),
    ];
    for (kind, after) in steps {
        match kind {
            RequestKind::Resubmit => world.cloud.finish_cancel(CERTIFICATE).unwrap(),
            RequestKind::Revoke => world.cloud.issue(CERTIFICATE).unwrap(),
            _ => {}
        }
        assert!(!provider.was_called(kind, since).await.unwrap(), "{kind:?} before");
        let accepted = world.write(kind).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let call = world.cloud.ledger().into_iter().rfind(|call| call.took_effect).unwrap();
        assert_eq!(
            (Some(call.action.as_str()), accepted.request_id),
            (provider.calls().name(kind), call.request_id)
        );
        assert_eq!(world.stage().await, after, "{kind:?}");
        assert!(provider.was_called(kind, since).await.unwrap(), "{kind:?} after");
    }
    assert_eq!(
        world.cloud.ledger().last().unwrap().body.json()["StartTime"].as_str().map(str::len),
        Some(19)
    );
    let future = Clock::default().now() + SignedDuration::from_secs(5);
    for kind in RequestKind::iter() {
        assert!(!provider.was_called(kind, future).await.unwrap(), "{kind:?}");
        assert!(!world.open_other("other").was_called(kind, since).await.unwrap(), "{kind:?}");
    }
}

#[tokio::test]
async fn the_clouds_log_is_read_to_its_end() {
    let world = World::new(Product::DV_SINGLE).await;
    let since = a_second_ago();
    let person = Application { key: Key::Csr(csr()), ..company_application() };
    let provider = world.open();
    let payload = provider.prepare(&person, None).unwrap();
    provider.write(Request::Submit(&payload), soon()).await.unwrap();
    for _ in 0..1000 {
        world.cloud.issue(CERTIFICATE).unwrap();
    }
    assert!(provider.was_called(RequestKind::Submit, since).await.unwrap());
    assert_eq!(world.called("DescribeCertificateOperateLogs"), 2);
    assert!(!provider.was_called(RequestKind::Order, since).await.unwrap());
}

#[tokio::test]
async fn a_write_that_the_state_forbids_is_refused_and_changes_nothing() {
    let world = World::new(Product::OV_SINGLE).await;
    for kind in [RequestKind::Resubmit, RequestKind::Withdraw, RequestKind::Revoke, RequestKind::SendLetter] {
        let error = world.write(kind).await.unwrap_err();
        assert!(matches!(error, Error::NotNow(_)), "{kind:?}: {error:?}");
        assert_eq!(world.stage().await, Stage::AwaitingInformation, "{kind:?}");
    }
}

#[tokio::test]
async fn an_answer_that_says_no_is_a_refusal() {
    let no = r#"{"Response": {"Result": false, "IsSuccess": false, "RequestId": "r"}}"#;
    let url = always(http("200 OK", "application/json", no)).await;
    let provider = open(&clouds(&url, 10, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let withdrawn = provider.write(Request::Withdraw, soon()).await.unwrap_err();
    assert!(matches!(&withdrawn, Error::NotNow(refusal) if refusal.code == "Result: false"), "{withdrawn:?}");
    let sent = provider.write(Request::SendLetter(&letter()), soon()).await.unwrap_err();
    assert!(matches!(&sent, Error::Rejected { reason: Reason::InvalidRequest, .. }), "{sent:?}");
    for error in [withdrawn, sent] {
        assert_eq!(error.refusal().unwrap().request_id.as_deref(), Some("r"));
    }
}

#[tokio::test]
async fn a_rejected_order_says_why_and_takes_another_application() {
    let world = World::new(Product::OV_SINGLE).await;
    for kind in [RequestKind::Submit, RequestKind::Order] {
        world.write(kind).await.unwrap();
    }
    world.cloud.reject(CERTIFICATE, "The domain validation timed out.").unwrap();
    let rejected = world.open().observe().await.unwrap();
    let message = Filter::default().clean(&rejected.message.unwrap());
    assert_eq!((rejected.stage, message.as_str()), (Stage::Rejected, "The domain validation timed out."));
    for (kind, stage) in [
        (RequestKind::Resubmit, Stage::AwaitingInformation),
        (RequestKind::Submit, Stage::AwaitingInformation),
        (RequestKind::Order, Stage::Reviewing),
    ] {
        world.write(kind).await.unwrap();
        assert_eq!(world.stage().await, stage, "{kind:?}");
    }
}

#[tokio::test]
async fn a_check_says_for_each_name_what_is_missing() {
    let world = World::new(Product::OV_MULTI).await;
    let names = Names::parse("www.acme.example", &["api.acme.example".to_owned()]).unwrap();
    let provider = world.open();
    let payload = provider.prepare(&Application { names, ..company_application() }, None).unwrap();
    provider.write(Request::Submit(&payload), soon()).await.unwrap();
    assert!(matches!(provider.check_validation().await, Err(Error::NotNow(_))));
    world.write(RequestKind::Order).await.unwrap();

    let other = Finding::Other("v=spf1".to_owned());
    world.cloud.set_finding(CERTIFICATE, "www.acme.example", other, false).unwrap();
    world.cloud.set_finding(CERTIFICATE, "api.acme.example", Finding::Proof, true).unwrap();
    let checks = provider.check_validation().await.unwrap();
    let shown: Vec<_> =
        checks.iter().map(|check| (check.domain.as_str(), check.local, check.ca, check.passed)).collect();
    let expected = [
        ("www.acme.example", "the TXT record has another value", "not found yet", false),
        ("api.acme.example", "found", "found", true),
    ];
    assert_eq!(shown, expected);
    assert!(checks[0].detail.is_some() && checks[1].detail.is_none());
}

#[tokio::test]
async fn the_deadline_is_that_of_this_certificate() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    assert_eq!(provider.deadline().await.unwrap().unwrap().at, None);
    for kind in [RequestKind::Submit, RequestKind::Order] {
        world.write(kind).await.unwrap();
    }
    let deadline = world
        .cloud
        .set(CERTIFICATE, |certificate| {
            certificate.validation_message = Some("Add the record.".to_owned());
            certificate.successors.hosting_renew = Some("K3mY3nbI".to_owned());
            certificate.validation_deadline.unwrap()
        })
        .unwrap();
    let reported = provider.deadline().await.unwrap().unwrap();
    assert_eq!(reported.at.map(Timestamp::as_second), Some(deadline.as_second()));
    assert_eq!(Filter::default().clean(&reported.message.unwrap()), "Add the record.");
    assert_eq!(reported.replaced_by.as_deref(), Some("K3mY3nbI"));
    assert_eq!(world.open_other("nobody").deadline().await.unwrap(), None);
}

fn certificates(bundle: &Bundle) -> usize {
    archive::certificates(&bundle.certificate_pem).unwrap().len()
}

#[tokio::test]
async fn a_certificate_comes_with_its_chain_and_with_the_key_that_the_cloud_made() {
    let world = World::new(Product::OV_SINGLE).await;
    world.issued(&company_application()).await;
    let bundle = world.open().download().await.unwrap();
    let key = bundle.private_key_pem.as_ref().unwrap().expose_secret();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!((certificates(&bundle), world.called("DownloadCertificate")), (2, 0));
    assert!(!format!("{bundle:?}").contains("BEGIN PRIVATE"));
}

#[tokio::test]
async fn a_chain_that_the_detail_lacks_is_taken_from_the_archive() {
    let options = Options { detail_lacks_chain: true, ..Options::default() };
    let world = World::with(options, Product::OV_SINGLE).await;
    let own_key = Application { key: Key::Csr(csr()), ..company_application() };
    world.issued(&own_key).await;
    let bundle = world.open().download().await.unwrap();
    let issued = world.cloud.certificate(CERTIFICATE).unwrap().issued.unwrap();
    assert_eq!((certificates(&bundle), bundle.private_key_pem.is_none()), (2, true));
    assert_eq!(
        bundle.certificate_pem.replace(['\r', '\n'], ""),
        format!("{}{}", issued.leaf, issued.authorities.concat()).replace(['\r', '\n'], "")
    );
}

#[tokio::test]
async fn nothing_is_downloaded_before_it_is_issued() {
    let world = World::new(Product::OV_SINGLE).await;
    for kind in [RequestKind::Submit, RequestKind::Order] {
        world.write(kind).await.unwrap();
    }
    assert!(matches!(world.open().download().await, Err(Error::NotNow(_))));
}

#[tokio::test]
async fn an_archive_that_cannot_be_read_is_a_fault_of_the_cloud() {
    let broken = r#"{"Response": {"Content": "UEsDBA==", "RequestId": "r"}}"#;
    let url = always(http("200 OK", "application/json", broken)).await;
    let provider = open(&clouds(&url, 10, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)]);
    let error = provider.download().await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable(refusal) if refusal.request_id.as_deref() == Some("r")),
        "{error:?}"
    );
    assert!(words(&error).contains("cannot be unpacked"), "{}", words(&error));
}
