//! The certificates that follow others, read over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::client::{ID, KEY, clouds, open};
use crate::core::observation::Stage;
use crate::core::succession::{Candidate, Head, Link, Way};
use crate::provider::fixtures::{PATIENT, Received, Server, http};
use crate::provider::registry::Clouds;
use crate::provider::{Error, Provider};

const HOUR: Duration = Duration::from_hours(1);

/// The rows of an account, and what happens to them after each page.
struct Account {
    rows: Vec<Value>,
    after: Vec<fn(&mut Vec<Value>)>,
}

impl Account {
    /// As many certificates, each with a successor of its own from the other end: `c0` by the last one, and so on.
    fn paired(count: usize) -> Self {
        let row = |number: usize| {
            let pair = count - 1 - number;
            let link = if number < pair { "ReplacedFor" } else { "ReplacedBy" };
            json!({
                "CertificateId": format!("c{number}"), "Status": 1, "Domain": "www.acme.example",
                "SubjectAltName": ["www.acme.example"], "CertEndTime": "2026-07-19 23:59:59",
                "CertificateExtra": {link: format!("c{pair}")},
                "ServiceId": null, "HasRenewOrder": "",
            })
        };
        Self { rows: (0..count).map(row).collect(), after: Vec::new() }
    }

    fn page(&mut self, request: &Received) -> String {
        let asked = request.json();
        let number = |field: &str| usize::try_from(asked[field].as_u64().unwrap()).unwrap();
        let page: Vec<_> = self.rows.iter().skip(number("Offset")).take(number("Limit").min(1000)).collect();
        let answer = answer(&json!({"TotalCount": self.rows.len(), "Certificates": page}));
        if !self.after.is_empty() {
            self.after.remove(0)(&mut self.rows);
        }
        answer
    }

    async fn serve(self) -> Server {
        let account = Arc::new(Mutex::new(self));
        Server::start(move |request, _| account.lock().unwrap().page(request)).await
    }
}

fn answer(fields: &Value) -> String {
    let mut response = fields.clone();
    response["RequestId"] = json!("54c73858");
    http("200 OK", "application/json", &json!({ "Response": response }).to_string())
}

fn certificate(clouds: &Clouds, id: &str) -> Box<dyn Provider> {
    open(clouds, &json!({ "certificateId": id }), &[("secretId", ID), ("secretKey", KEY)])
}

async fn successors(provider: &dyn Provider, id: &str, max_age: Duration) -> Result<Vec<Candidate>, Error> {
    let chain = [id.to_owned()];
    let head = Head { certificate_id: id, common_name: "www.acme.example", chain: &chain };
    provider.successors(&head, max_age).await
}

fn ids(found: &[Candidate]) -> Vec<&str> {
    found.iter().map(|candidate| candidate.certificate_id.as_str()).collect()
}

#[tokio::test]
async fn one_reading_of_an_account_serves_all_its_orders() {
    let mut account = Account::paired(2346);
    for row in &mut account.rows {
        row["ProductZhName"] = json!("x".repeat(1200));
    }
    let server = account.serve().await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    let orders: Vec<_> = (0..60).map(|number| format!("c{number}")).collect();
    let all = join_all(
        orders
            .iter()
            .map(|id| async { successors(certificate(&clouds, id).as_ref(), id, HOUR).await.unwrap() }),
    );
    for (number, found) in all.await.into_iter().enumerate() {
        assert_eq!(ids(&found), [format!("c{}", 2345 - number)], "c{number}");
        assert_eq!((found[0].way, &found[0].link), (Way::Reissue, &Link::Both));
        assert_eq!((found[0].stage, found[0].names.len()), (Stage::Issued, 1));
    }
    let calls = server.take();
    let bodies: Vec<_> = calls.iter().map(|call| call.body.as_str()).collect();
    let expected = [0, 1000, 2000].map(|offset| format!(r#"{{"Offset":{offset},"Limit":1000}}"#));
    assert_eq!(bodies, expected, "a page of more than a megabyte, and nothing but offset and limit");
    assert!(calls.iter().all(|call| call.headers["x-tc-action"] == "DescribeCertificates"));

    let provider = certificate(&clouds, "c7");
    assert_eq!(successors(provider.as_ref(), "c7", HOUR).await.unwrap().len(), 1);
    assert_eq!(server.take().len(), 0, "it is kept");
    successors(provider.as_ref(), "c7", Duration::ZERO).await.unwrap();
    assert_eq!(server.take().len(), 3, "unless it is too old");
}

#[tokio::test]
async fn other_credentials_and_the_other_site_read_for_themselves() {
    let server = Account::paired(2).serve().await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    let keys = [("secretId", ID), ("secretKey", KEY)];
    let china = json!({"site": "China"});
    let token = [keys[0], keys[1], ("token", "t==")];
    for (fields, secret) in [(&json!({}), &keys[..]), (&json!({}), &token[..]), (&china, &keys[..])] {
        let provider = open(&clouds, fields, secret);
        successors(provider.as_ref(), "c0", HOUR).await.unwrap();
        assert_eq!(server.take().len(), 1);
        successors(provider.as_ref(), "c1", HOUR).await.unwrap();
        assert_eq!(server.take().len(), 0);
    }
}

#[tokio::test]
async fn a_certificate_that_moves_between_pages_is_found() {
    // Once the first page is read, a certificate of it is deleted, so that c1000 is on none; or c2000 moves to the front.
    let changes: [fn(&mut Vec<Value>); 2] = [
        |rows| drop(rows.remove(3)),
        |rows| {
            let row = rows.remove(2000);
            rows.insert(0, row);
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let server = Account { after: vec![change], ..Account::paired(2501) }.serve().await;
        let clouds = clouds(&server.url, 1000, PATIENT);
        for (id, next) in [("c500", "c2000"), ("c1000", "c1500"), ("c1001", "c1499")] {
            let found = successors(certificate(&clouds, id).as_ref(), id, HOUR).await.unwrap();
            assert_eq!((ids(&found), &found[0].link), (vec![next], &Link::Both), "{number}: {id}");
        }
        assert_eq!(server.take().len(), 6, "{number}: read again, once");
    }
}

#[tokio::test]
async fn a_deleted_certificate_is_no_successor_once_the_list_is_read_again() {
    let delete: fn(&mut Vec<Value>) = |rows| drop(rows.pop());
    let server = Account { after: vec![delete], ..Account::paired(2) }.serve().await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    let provider = certificate(&clouds, "c0");
    let before = successors(provider.as_ref(), "c0", HOUR).await.unwrap();
    assert_eq!((before[0].stage, &before[0].link), (Stage::Issued, &Link::Both));
    let after = successors(provider.as_ref(), "c0", Duration::ZERO).await.unwrap();
    assert_eq!(ids(&after), ["c1"], "the one before still names it");
    assert_eq!((after[0].stage, &after[0].link), (Stage::Unrecognised, &Link::Forward));
}

#[tokio::test]
async fn a_failed_reading_is_shared_and_not_kept() {
    let account = Mutex::new(Account::paired(2));
    let server = Server::start(move |request, before| match before {
        0 => answer(&json!({"Error": {"Code": "InternalError", "Message": "m"}})),
        1 => http("502 Bad Gateway", "text/html", "<html>"),
        _ => account.lock().unwrap().page(request),
    })
    .await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    for code in ["InternalError", "HTTP 502"] {
        let readers = (0..20).map(|_| async {
            successors(certificate(&clouds, "c0").as_ref(), "c0", HOUR).await.unwrap_err()
        });
        for error in join_all(readers).await {
            assert!(matches!(&error, Error::Unavailable(refusal) if refusal.code == code), "{error:?}");
        }
        assert_eq!(server.take().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_shows_nothing() {
    let server =
        Server::start(|_, _| answer(&json!({"TotalCount": 5000, "Certificates": [{"CertificateId": "c0"}]})))
            .await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    let error = successors(certificate(&clouds, "c0").as_ref(), "c0", HOUR).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(server.take().len() < 10);
}

#[tokio::test]
async fn a_sibling_is_another_certificate_of_the_same_account() {
    let server = Server::start(|_, _| answer(&json!({"Status": 5}))).await;
    let clouds = clouds(&server.url, 1000, PATIENT);
    let provider = certificate(&clouds, "c0");
    let sibling = provider.sibling("c1");
    assert_eq!(server.take().len(), 0, "no call");
    for provider in [&provider, &sibling] {
        assert_eq!(provider.observe().await.unwrap().stage, Stage::AwaitingInformation);
    }
    let calls = server.take();
    assert_eq!(calls[0].json(), json!({"CertificateId": "c0"}));
    assert_eq!(calls[1].json(), json!({"CertificateId": "c1"}));
    let credential = |call: &Received| {
        call.headers["authorization"]
            .split("Credential=")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(credential(&calls[1]), ID);
    assert_eq!(provider.account(), sibling.account());
}
