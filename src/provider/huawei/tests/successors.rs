//! The certificates that may follow others, read over HTTP.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::CERTIFICATE;
use super::client::{KEYS, clouds, open};
use crate::core::observation::Stage;
use crate::core::succession::{Candidate, Head, Link, Way};
use crate::provider::fixtures::{PATIENT, Received, Server, http};
use crate::provider::{Error, Provider};

const HOUR: Duration = Duration::from_hours(1);

/// A row of the list; `show` has its purchase besides.
fn row(id: &str, name: &str) -> Value {
    json!({
        "id": id, "status": "ISSUED", "brand": "GLOBALSIGN", "type": "OV_SSL_CERT", "domain_type": "SINGLE_DOMAIN",
        "domain": name, "sans": "", "expire_time": "2026-07-19 23:59:59.0",
    })
}

fn bought(mut row: Value, purchase: &str) -> Value {
    row["order_id"] = json!(purchase);
    row
}

/// An id as the cloud makes them.
fn id(number: usize) -> String {
    format!("scs15900532587{number:03}")
}

/// A cloud with these certificates, the last changed first.
async fn cloud(rows: Vec<Value>) -> Server {
    Server::start(move |request, _| answer(request, &rows)).await
}

fn answer(request: &Received, rows: &[Value]) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if let Some(id) = path.strip_prefix("/v3/scm/certificates/") {
        let shown = rows.iter().find(|row| row["id"] == json!(id));
        return match shown {
            Some(row) if row["order_id"] == json!("not for you") => refused("403 Forbidden", "SCM.0003"),
            Some(row) => ok(row),
            None => refused("400 Bad Request", "SCM.0020"),
        };
    }
    let asked = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1)
    };
    assert_eq!((asked("limit"), asked("owned_by_self")), (Some("50"), Some("true")), "{query}");
    let offset: usize = asked("offset").unwrap().parse().unwrap();
    if offset > 100 {
        return refused("400 Bad Request", "SCM.0005");
    }
    let is_found =
        |row: &&Value| asked("content").is_none_or(|part| row["domain"].as_str().unwrap().contains(part));
    let found: Vec<_> = rows.iter().filter(is_found).collect();
    let page: Vec<_> = found.iter().skip(offset).take(50).collect();
    ok(&json!({"total_count": found.len(), "certificates": page}))
}

fn ok(body: &Value) -> String {
    http("200 OK", "application/json", &body.to_string())
}

fn refused(status: &str, code: &str) -> String {
    http(status, "application/json", &json!({"error_code": code, "error_msg": "m"}).to_string())
}

async fn successors_of(provider: &dyn Provider, id: &str, name: &str) -> Result<Vec<Candidate>, Error> {
    let chain = [id.to_owned()];
    let head = Head { certificate_id: id, common_name: name, chain: &chain };
    provider.successors(&head, HOUR).await
}

fn certificate(server: &Server) -> Box<dyn Provider> {
    open(&clouds(&server.url, 1000, PATIENT), &json!({}), &KEYS)
}

async fn successors(server: &Server) -> Vec<String> {
    let found = successors_of(certificate(server).as_ref(), CERTIFICATE, "www.acme.example").await.unwrap();
    found.into_iter().map(|candidate| candidate.certificate_id).collect()
}

fn targets(server: &Server) -> Vec<String> {
    let prefix = "/v3/scm/certificates";
    server.take().into_iter().map(|call| call.target.strip_prefix(prefix).unwrap().to_owned()).collect()
}

fn others(count: usize) -> Vec<Value> {
    (100..100 + count).map(|number| row(&id(number), &format!("w{number}.other.example"))).collect()
}

#[tokio::test]
async fn an_account_within_reach_is_read_once_for_all_its_orders() {
    let next = json!({
        "id": id(900), "status": "CHECKING_DOMAIN", "brand": "GLOBALSIGN", "type": "OV_SSL_CERT",
        "domain_type": "SINGLE_DOMAIN", "domain": "WWW.acme.example", "sans": "api.acme.example;", "expire_time": "",
    });
    let mut rows = vec![next];
    rows.extend(others(148));
    rows.push(row(CERTIFICATE, "www.acme.example"));
    let server = cloud(rows).await;
    let provider = certificate(&server);
    let readers = (0..20).map(|_| successors_of(provider.as_ref(), CERTIFICATE, "www.acme.example"));
    let expected = Candidate {
        certificate_id: id(900),
        way: Way::SameSpecification,
        link: Link::None,
        stage: Stage::Validating,
        names: vec!["WWW.acme.example".to_owned(), "api.acme.example".to_owned()],
        not_after: None,
    };
    for found in join_all(readers).await {
        assert_eq!(found.unwrap(), std::slice::from_ref(&expected));
    }
    let pages = [0, 50, 100].map(|offset| format!("?limit=50&offset={offset}&owned_by_self=true"));
    assert_eq!(targets(&server), pages);
}

#[tokio::test]
async fn a_larger_account_is_searched_once_for_each_registered_domain() {
    let mut rows = others(200);
    for name in ["www.acme.example", "*.shop.acme.example", "www.beta.example"] {
        for _ in 0..2 {
            rows.push(row(&id(500 + rows.len()), name));
        }
    }
    let server = cloud(rows.clone()).await;
    let provider = certificate(&server);
    let search = |name: &str| format!("?content={name}&limit=50&offset=0&owned_by_self=true");
    let mut first =
        vec![0, 50, 100].into_iter().map(|offset| format!("?limit=50&offset={offset}&owned_by_self=true"));
    let first: Vec<_> = first.by_ref().chain([search("acme.example")]).collect();
    for (number, name, calls) in [
        (200, "www.acme.example", first),
        (202, "*.shop.acme.example", vec![]),
        (204, "www.beta.example", vec![search("beta.example")]),
    ] {
        let (head, next) = (rows[number]["id"].as_str().unwrap(), rows[number + 1]["id"].as_str().unwrap());
        let found = successors_of(provider.as_ref(), head, name).await.unwrap();
        assert_eq!(found.iter().map(|found| found.certificate_id.as_str()).collect::<Vec<_>>(), [next]);
        assert_eq!(targets(&server), calls, "{name}");
    }
}

#[tokio::test]
async fn a_head_beyond_reach_is_read_by_itself() {
    // Neither the list nor the search has it: its name at the cloud is another one than that of the order.
    let mut rows = vec![row(&id(900), "www.renamed.example"), row(&id(901), "www.acme.example")];
    rows.extend(others(160));
    rows.push(row(CERTIFICATE, "www.renamed.example"));
    let server = cloud(rows).await;
    assert_eq!(successors(&server).await, [id(900)]);
    assert_eq!(targets(&server).last().unwrap(), &format!("/{CERTIFICATE}"));

    let server = cloud(others(160)).await;
    let error =
        successors_of(certificate(&server).as_ref(), CERTIFICATE, "www.acme.example").await.unwrap_err();
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn of_several_the_one_of_the_same_purchase_follows() {
    let head = || bought(row(CERTIFICATE, "www.acme.example"), "CS1");
    let next = |number: usize, purchase: &str| bought(row(&id(number), "www.acme.example"), purchase);
    let cases = [
        (vec![next(901, "CS1"), next(902, "CS2"), next(903, "CS3")], vec![901], 4),
        (vec![next(901, "not for you"), next(902, "CS1")], vec![902], 3),
        (vec![next(901, "CS1"), next(902, "CS1"), next(903, "CS3")], vec![902, 901, 903], 4),
        (vec![next(901, "CS2"), next(902, "CS3")], vec![902, 901], 3),
        (vec![next(901, "CS2"), next(902, "")], vec![902, 901], 3),
        (vec![next(901, "CS2")], vec![901], 0),
        ((901..907).map(|number| next(number, "CS2")).collect(), (901..907).rev().collect(), 0),
    ];
    for (number, (rows, expected, shown)) in cases.into_iter().enumerate() {
        let server = cloud(rows.into_iter().chain([head()]).collect()).await;
        let provider = certificate(&server);
        // A refusal is no answer that is kept.
        for shown in [shown, usize::from(number == 1)] {
            let found = successors_of(provider.as_ref(), CERTIFICATE, "www.acme.example").await.unwrap();
            let found: Vec<_> = found.into_iter().map(|found| found.certificate_id).collect();
            assert_eq!(found, expected.iter().map(|number| id(*number)).collect::<Vec<_>>());
            let calls = targets(&server);
            assert_eq!(calls.iter().filter(|call| call.starts_with('/')).count(), shown, "{calls:?}");
        }
    }
}

#[tokio::test]
async fn a_purchase_that_is_not_told_chooses_none() {
    let rows = [CERTIFICATE.to_owned(), id(901), id(902)].map(|id| row(&id, "www.acme.example"));
    assert_eq!(successors(&cloud(rows.to_vec()).await).await, [id(902), id(901)]);
}

#[tokio::test]
async fn a_failed_read_is_an_error_for_all_who_wait_and_not_kept() {
    let rows = [CERTIFICATE.to_owned(), id(901)].map(|id| row(&id, "www.acme.example"));
    let server = Server::start(move |request, before| match before {
        0 => refused("500 Internal Server Error", "SCM.0091"),
        _ => answer(request, &rows),
    })
    .await;
    let provider = certificate(&server);
    let readers = (0..20).map(|_| successors_of(provider.as_ref(), CERTIFICATE, "www.acme.example"));
    for found in join_all(readers).await {
        assert!(matches!(found, Err(Error::Unavailable(_))), "{found:?}");
    }
    assert_eq!(server.take().len(), 1);
    assert_eq!(successors_of(provider.as_ref(), CERTIFICATE, "www.acme.example").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_another_specification_or_has_run_out_does_not_follow() {
    let changes = [
        (json!({}), true),
        (json!({"brand": "GEOTRUST"}), false),
        (json!({"type": "OV_SSL_CERT_PRO"}), false),
        (json!({"domain_type": "WILDCARD"}), false),
        (json!({"brand": ""}), false),
        (json!({"domain": "api.acme.example", "sans": "www.acme.example"}), false),
        (json!({"domain": ""}), false),
        (json!({"status": "PAID", "expire_time": ""}), true),
        (json!({"status": "PAID", "domain": "", "expire_time": ""}), true),
        (json!({"status": "CHECKING", "domain": "", "expire_time": ""}), false),
        (json!({"status": "UNPASSED", "expire_time": ""}), true),
        (json!({"status": "CHECKING_ORG", "expire_time": null}), true),
        (json!({"status": "EXPIRED"}), false),
        (json!({"status": "REVOKED"}), false),
        (json!({"status": "REVOKING"}), false),
        (json!({"status": "UPLOAD"}), false),
        (json!({"expire_time": "2026-07-19 23:59:58.0"}), false),
        (json!({"expire_time": "2027-01-01 00:00:00.0"}), true),
        (json!({"id": "scs/../x"}), false),
    ];
    for (change, follows) in changes {
        let mut next = row(&id(901), "www.acme.example");
        next.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let server = cloud(vec![next, row(CERTIFICATE, "www.acme.example")]).await;
        assert_eq!(successors(&server).await.len(), usize::from(follows), "{change}");
    }
}

#[tokio::test]
async fn what_the_order_had_before_does_not_follow() {
    let rows = [CERTIFICATE.to_owned(), id(901), id(902)].map(|id| row(&id, "www.acme.example"));
    let server = cloud(rows.to_vec()).await;
    let chain = [id(901), CERTIFICATE.to_owned()];
    let head = Head { certificate_id: CERTIFICATE, common_name: "www.acme.example", chain: &chain };
    let found = certificate(&server).successors(&head, HOUR).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].certificate_id, id(902));
}

#[tokio::test]
async fn a_sibling_is_another_certificate_of_the_same_account() {
    let server = cloud(vec![row(CERTIFICATE, "www.acme.example"), row(&id(901), "www.acme.example")]).await;
    let provider = certificate(&server);
    let sibling = provider.sibling(&id(901));
    assert_eq!(server.take().len(), 0, "no call");
    for provider in [&provider, &sibling] {
        assert_eq!(provider.observe().await.unwrap().stage, Stage::Issued);
    }
    assert_eq!(targets(&server), [format!("/{CERTIFICATE}"), format!("/{}", id(901))]);
}
