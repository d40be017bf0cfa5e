//! The profiles saved in the console, over real HTTP.

use std::collections::BTreeMap;

use certorder_sim::tencent::{Company, Fault, Manager, ManagerLevel, Product};
use jiff::SignedDuration;
use k8s_openapi::ByteString;
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::{ID, KEY, World, clouds};
use crate::api::v1alpha1::conditions::Reason;
use crate::core::application::{Application, Saved};
use crate::core::product::Level;
use crate::provider::directory::ReviewState;
use crate::provider::fixtures::{PATIENT, always, company_application, http, soon};
use crate::provider::registry::Clouds;
use crate::provider::{Directory, Error, Request};

fn directory(clouds: &Clouds) -> Box<dyn Directory> {
    let secret = [("secretId", ID), ("secretKey", KEY)];
    let secret: BTreeMap<_, _> =
        secret.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec()))).into();
    let saved = serde_json::from_value(json!({"credentialsRef": {"name": "tencent-credentials"}})).unwrap();
    clouds.directory("shop", &saved, &secret).unwrap()
}

fn company(id: u64) -> Company {
    Company { id, name: format!("Company {id}"), city: "Guangzhou".to_owned(), ..Company::default() }
}

fn manager(id: u64) -> Manager {
    let ov = ManagerLevel { level: "ov".to_owned(), status: "completed".to_owned(), domains: Vec::new() };
    Manager {
        id,
        company_id: 134,
        status: "ok".to_owned(),
        mail: format!("{id}@acme.example"),
        verify_time: Some("2099-01-01 08:00:00".to_owned()),
        levels: vec![ov],
        ..Manager::default()
    }
}

/// How often an action was called.
fn calls(world: &World, action: &str) -> usize {
    world.cloud.ledger().iter().filter(|call| call.action == action).count()
}

#[tokio::test]
async fn every_page_is_read() {
    let world = World::new(Product::OV_SINGLE).await;
    let directory = directory(&clouds(&world.cloud.url(), 1000, PATIENT));
    assert!(directory.organizations().await.unwrap().is_empty());
    for id in 1..=250 {
        world.cloud.save_company(&world.account, company(id));
        world.cloud.save_manager(&world.account, manager(id));
    }
    let companies = directory.organizations().await.unwrap();
    assert_eq!((companies.len(), companies.last().unwrap().name.as_str()), (250, "Company 250"));
    assert_eq!(calls(&world, "DescribeCompanies"), 1 + 3);
    assert_eq!(directory.administrators(134).await.unwrap().len(), 250);
    assert_eq!(calls(&world, "DescribeManagers"), 3);
    assert!(directory.administrators(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_manager_comes_with_its_review() {
    let world = World::new(Product::OV_SINGLE).await;
    let directory = directory(&clouds(&world.cloud.url(), 1000, PATIENT));
    world.cloud.save_company(&world.account, company(134));
    world.cloud.save_manager(&world.account, manager(2345));
    let found = directory.administrators(134).await.unwrap().remove(0);
    assert_eq!((found.id, found.email.as_ref().unwrap().expose()), (2345, "2345@acme.example"));
    assert_eq!((found.review.state, found.review.word.as_str()), (ReviewState::Approved, "ok"));
    assert_eq!(found.review.ends, Some("2100-02-03T00:00:00Z".parse().unwrap()), "398 days later");
    assert_eq!((found.review.levels[0].level, found.review.levels[0].passed), (Level::Ov, true));
    assert!(world.cloud.submit_for_review(&world.account, 2345, SignedDuration::from_hours(8), true));
    let found = directory.administrators(134).await.unwrap().remove(0);
    assert_eq!((found.review.state, found.review.word.as_str()), (ReviewState::InReview, "audit"));
}

#[tokio::test]
async fn a_failed_reading_is_no_list() {
    let world = World::new(Product::OV_SINGLE).await;
    let directory = directory(&clouds(&world.cloud.url(), 1000, PATIENT));
    let fault = |fault: Fault| world.cloud.fault(fault.action("DescribeCompanies"));
    fault(Fault::error("UnauthorizedOperation", "no"));
    let denied = directory.organizations().await.unwrap_err();
    assert!(matches!(denied, Error::Rejected { reason: Reason::PermissionDenied, .. }), "{denied:?}");
    fault(Fault::throttled());
    assert!(matches!(directory.organizations().await, Err(Error::Throttled { .. })));
    fault(Fault::request_lost());
    assert!(matches!(directory.organizations().await, Err(Error::Unknown(None))));
    for id in 1..=150 {
        world.cloud.save_company(&world.account, company(id));
    }
    world.cloud.fault(Fault::html(502).action("DescribeCompanies").after(1));
    assert!(directory.organizations().await.is_err(), "half of a list is none");
    assert_eq!(directory.organizations().await.unwrap().len(), 150);
}

#[tokio::test]
async fn a_list_without_a_count_ends_with_its_last_page() {
    let body = r#"{"Response": {"Companies": null, "TotalCount": null, "RequestId": "r"}}"#;
    let url = always(http("200 OK", "application/json", body)).await;
    assert!(directory(&clouds(&url, 1000, PATIENT)).organizations().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_strict_cloud_takes_the_ids_alone_and_shows_a_part_of_them() {
    let world = World::new(Product::OV_SINGLE).await;
    world.cloud.save_company(&world.account, company(134));
    world.cloud.save_manager(&world.account, manager(2345));
    let both = Saved::Everything { organization: 134, administrator: 2345, reviewed: vec![Level::Ov] };
    let company = Saved::Organization { id: 134, without_people: String::new() };
    for saved in [company, both] {
        let mut application: Application = company_application();
        application.profile.as_mut().unwrap().saved = saved;
        let provider = world.open();
        let product = provider.observe().await.unwrap().product;
        assert_eq!(product.level, Some(Level::Ov));
        let payload = provider.prepare(&application, Some(&product)).unwrap();
        let before = provider.observe().await.unwrap().stored;
        provider.write(Request::Submit(&payload), soon()).await.unwrap();
        let stored = provider.observe().await.unwrap().stored;
        assert!(stored.resembles(&payload.evidence) && !stored.shows(&payload.evidence));
        assert!(before.is_empty() || before.resembles(&payload.evidence));
        assert!(!String::from_utf8_lossy(payload.body.expose_secret()).contains("OrgOrganization"));
    }
    let ordered = world.open().write(Request::Order, soon()).await;
    assert!(ordered.is_ok(), "{ordered:?}");
}

#[tokio::test]
async fn accounts_are_distinguished_by_their_keys() {
    let world = World::new(Product::OV_SINGLE).await;
    let clouds = clouds(&world.cloud.url(), 1000, PATIENT);
    let account = directory(&clouds).account();
    assert_eq!(world.open().account(), Some(account));
    let other = super::client::open(&clouds, &json!({}), &[("secretId", "AKIDOTHER"), ("secretKey", KEY)]);
    assert_ne!(other.account(), Some(account));
    assert_eq!(format!("{account:?}"), "***");
    // Two keys of one account are recognised by its number.
    let owner = directory(&clouds).owner().await.unwrap();
    assert!(owner.is_some() && owner == world.open().observe().await.unwrap().owner);
}
