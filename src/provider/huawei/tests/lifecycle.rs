//! The client against the simulated cloud, from the order to its end.

use certorder_sim::huawei::{Options, Product, Status};
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::{KEYS, World, payload};
use super::{CERTIFICATE, company_application};
use crate::core::application::{Application, Key, KeyAlgorithm, ValidationMethod};
use crate::core::names::Names;
use crate::core::observation::Stage;
use crate::provider::fixtures::{csr, soon, words};
use crate::provider::{Error, Letter, Request, RequestKind};

async fn stage(world: &World) -> Stage {
    world.open().observe().await.unwrap().stage
}

#[tokio::test]
async fn a_strict_cloud_takes_every_kind_of_application() {
    let world = World::new(Product::DV_SINGLE).await;
    let mut person = company_application();
    person.profile.as_mut().unwrap().organization = None;
    let several =
        Names::parse("www.acme.example", &["api.acme.example".to_owned(), "acme.example".to_owned()])
            .unwrap();
    let with = |key| Application { key: Key::Cloud(key), ..company_application() };
    let by_mail = Application { validation: ValidationMethod::Email, ..company_application() };
    let own_key = Application { key: Key::Csr(csr()), ..company_application() };
    let wildcard =
        Application { names: Names::parse("*.acme.example", &[]).unwrap(), ..company_application() };
    let hash = json!({"caHashAlgorithm": "SHA-256", "autoDnsAuth": true});
    let nothing = json!({});
    let cases = [
        (Product::DV_SINGLE, &nothing, person),
        (Product::DV_SINGLE, &nothing, with(KeyAlgorithm::Ecdsa(384))),
        (Product::DV_WILDCARD, &nothing, wildcard),
        (Product::OV_SINGLE, &nothing, own_key),
        (Product::OV_SINGLE, &nothing, by_mail),
        (Product::OV_GEOTRUST, &hash, with(KeyAlgorithm::Rsa(3072))),
        (Product::EV_SINGLE, &nothing, with(KeyAlgorithm::Rsa(4096))),
        (Product::OV_MULTI, &nothing, Application { names: several, ..company_application() }),
    ];
    for (number, (product, fields, application)) in (0..).zip(cases) {
        let id = format!("scs159005325{number:04}");
        world.cloud.buy(&world.account, &id, product);
        let mut fields = fields.clone();
        fields["certificateId"] = json!(id);
        let provider = world.open_with(&fields, &KEYS);
        let product = provider.observe().await.unwrap().product;
        let payload = provider.prepare(&application, Some(&product)).unwrap();
        provider
            .write(Request::Submit(&payload), soon())
            .await
            .unwrap_or_else(|error| panic!("{number}: {error} {}", words(&error)));
        assert!(provider.observe().await.unwrap().stored.shows(&payload.evidence), "{number}");
    }
}

#[tokio::test]
async fn every_word_of_the_cloud_is_followed() {
    let world = World::new(Product::OV_SINGLE).await;
    world.submit().await.unwrap();
    for status in Status::DOCUMENTED {
        world.cloud.set(CERTIFICATE, |certificate| certificate.status = status).unwrap();
        assert_ne!(stage(&world).await, Stage::Unrecognised, "{status}");
    }
    world.cloud.set(CERTIFICATE, |certificate| certificate.status = Status("REISSUING")).unwrap();
    let seen = world.open().observe().await.unwrap();
    assert_eq!((seen.stage, seen.status.as_str()), (Stage::Unrecognised, "REISSUING"));
}

#[tokio::test]
async fn an_application_is_withdrawn_and_leaves_its_traces_or_not() {
    for withdrawal_keeps_application in [true, false] {
        let options = Options { withdrawal_keeps_application, ..Options::default() };
        let world = World::with(options, Product::OV_SINGLE).await;
        assert!(matches!(world.open().write(Request::Withdraw, soon()).await, Err(Error::NotNow(_))));
        world.submit().await.unwrap();
        let accepted = world.open().write(Request::Withdraw, soon()).await.unwrap();
        assert!(accepted.request_id.is_some() && accepted.order_id.is_none());
        assert_eq!(stage(&world).await, Stage::Cancelling);
        world.cloud.finish_cancel(CERTIFICATE).unwrap();
        let waiting = world.open().observe().await.unwrap();
        assert_eq!(
            (waiting.stage, waiting.has_traces()),
            (Stage::AwaitingInformation, withdrawal_keeps_application)
        );
        world.submit().await.unwrap();
        assert_eq!(stage(&world).await, Stage::Validating);
    }
}

#[tokio::test]
async fn a_refused_application_is_handed_in_again_or_not() {
    for takes_application_after_refusal in [true, false] {
        let options = Options { takes_application_after_refusal, ..Options::default() };
        let world = World::with(options, Product::OV_SINGLE).await;
        world.submit().await.unwrap();
        world.cloud.reject(CERTIFICATE, "the domain is on a list").unwrap();
        let seen = world.open().observe().await.unwrap();
        assert_eq!((seen.stage, seen.has_traces()), (Stage::Rejected, true));
        match world.submit().await {
            Ok(_) => assert!(takes_application_after_refusal),
            Err(error) => assert!(matches!(error, Error::NotNow(_)) && !takes_application_after_refusal),
        }
    }
}

#[tokio::test]
async fn a_certificate_comes_with_its_chain_and_with_the_key_that_the_cloud_made() {
    let world = World::new(Product::OV_SINGLE).await;
    assert!(matches!(world.open().download().await, Err(Error::NotNow(_))));
    world.submit().await.unwrap();
    world.cloud.issue(CERTIFICATE).unwrap();
    let provider = world.open();
    let seen = provider.observe().await.unwrap();
    assert!(seen.stage == Stage::Issued && seen.not_before < seen.not_after && seen.not_before.is_some());
    let bundle = provider.download().await.unwrap();
    assert_eq!(bundle.certificate_pem.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(bundle.private_key_pem.as_ref().unwrap().expose_secret().contains("PRIVATE KEY-----"));
    assert!(!format!("{bundle:?}").contains("BEGIN PRIVATE"));
}

#[tokio::test]
async fn a_certificate_for_an_own_key_comes_without_one() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let own_key = Application { key: Key::Csr(csr()), ..company_application() };
    let payload = provider.prepare(&own_key, None).unwrap();
    provider.write(Request::Submit(&payload), soon()).await.unwrap();
    world.cloud.issue(CERTIFICATE).unwrap();
    let bundle = provider.download().await.unwrap();
    assert!(bundle.private_key_pem.is_none() && bundle.certificate_pem.contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn what_the_cloud_does_not_have_is_not_called() {
    let world = World::new(Product::OV_SINGLE).await;
    let provider = world.open();
    let letter = Letter::parse(&[&b"%PDF-1.7"[..], &[b' '; 2000]].concat()).unwrap();
    for request in [Request::Order, Request::Resubmit, Request::Revoke, Request::SendLetter(&letter)] {
        assert_eq!(provider.calls().name(request.kind()), None);
        assert!(matches!(provider.write(request, soon()).await, Err(Error::NotSent(_))));
    }
    assert_eq!(provider.check_validation().await.unwrap(), []);
    assert_eq!(provider.deadline().await.unwrap(), None);
    assert!(!provider.was_called(RequestKind::Submit, jiff::Timestamp::UNIX_EPOCH).await.unwrap());
    assert!(world.cloud.ledger().is_empty());
    assert_eq!(provider.calls().name(payload_kind()), Some("apply"));
    assert_eq!(payload(provider.as_ref()).action, "apply");
}

fn payload_kind() -> RequestKind {
    RequestKind::Submit
}

#[test]
fn a_leaf_that_is_called_entire_takes_the_rest_of_its_chain_along() {
    let block = |content: &str| crate::core::pem::encode("CERTIFICATE", content.as_bytes());
    let (leaf, ca) = (block("leaf"), block("ca"));
    let exported = |entire: Option<&String>, certificate: &String, chain: Option<&String>| {
        super::super::provider::bundle(super::super::wire::Exported {
            entire_certificate: entire.cloned(),
            certificate: Some(certificate.clone()),
            certificate_chain: chain.cloned(),
            private_key: None,
        })
        .certificate_pem
    };
    let whole = leaf.clone() + &ca;
    assert_eq!(exported(Some(&whole), &leaf, Some(&ca)), whole);
    for entire in [None, Some(&leaf), Some(&leaf.repeat(2))] {
        let pem = exported(entire, &leaf, Some(&ca));
        assert!(pem.contains(&leaf) && pem.contains(&ca), "{pem}");
    }
    assert_eq!(exported(None, &leaf, None), leaf);
    let cut = whole.trim_end_matches("CERTIFICATE-----\n").to_owned();
    assert_eq!(exported(Some(&cut), &leaf, Some(&ca)), cut, "refused where it is read");
}
