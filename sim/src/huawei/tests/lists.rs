//! `list`: pages, filters and order.

use serde_json::{Value, json};

use super::client::{Setup, company_application, personal_application, setup, with};
use crate::huawei::{Product, Status};

fn id(number: usize) -> String {
    format!("scs{number:013}")
}

async fn ids(setup: &Setup, query: &str) -> Vec<usize> {
    let reply = setup.client.call("GET", query, "").await;
    assert_eq!(reply.code(), "ok", "{query}");
    let listed = reply.body["certificates"].as_array().unwrap();
    listed.iter().map(|one| one["id"].as_str().unwrap().trim_start_matches("scs").parse().unwrap()).collect()
}

async fn stocked() -> Setup {
    let setup = setup().await;
    for number in 0..12 {
        setup.cloud.buy(&setup.account, &id(number), Product::DV_SINGLE);
    }
    let other = setup.cloud.account("HWOTHER", "other");
    setup.cloud.buy(&other, &id(99), Product::DV_SINGLE);
    setup
}

#[tokio::test]
async fn certificates_are_listed_newest_first_in_pages() {
    let setup = stocked().await;
    let all = setup.client.call("GET", "", "").await.body;
    assert_eq!((&all["total_count"], all["certificates"].as_array().unwrap().len()), (&json!(12), 10));
    assert_eq!(ids(&setup, "?limit=20").await, (0..12).rev().collect::<Vec<_>>());
    assert_eq!(ids(&setup, "?limit=10&offset=10").await, [1, 0]);
    assert_eq!(ids(&setup, "?limit=50&sort_dir=ASC").await, (0..12).collect::<Vec<_>>());
    for refused in [
        "?limit=2",
        "?limit=100",
        "?offset=-1",
        "?offset=x",
        "?sort_dir=asc",
        "?sort_key=name",
        "?status=LOST",
        "?deploy_support=1",
        "?enterprise_project_id=default",
        "?expired_days_since=7",
        "?page=1",
        "?limit=10&limit=10",
    ] {
        assert_eq!(setup.client.call("GET", refused, "").await.code(), "SCM.0005", "{refused}");
    }
    assert_eq!(setup.client.call("GET", "?content=%FF", "").await.code(), "APIGW.0105");
}

#[tokio::test]
async fn certificates_are_found_by_status_and_content() {
    let setup = stocked().await;
    for (number, domain) in [(3, "www.acme.example"), (5, "api.acme.example")] {
        let application = with(&personal_application(), &json!({ "domain": domain })).to_string();
        let path = format!("/{}/apply", id(number));
        assert_eq!(setup.client.call("POST", &path, &application).await.code(), "ok");
    }
    setup.cloud.issue(&id(3)).unwrap();
    setup.cloud.set(&id(4), |certificate| certificate.status = Status::EXPIRED).unwrap();
    assert_eq!(ids(&setup, "?status=ISSUED").await, [3]);
    assert_eq!(ids(&setup, "?status=EXPIRED").await, [4]);
    assert_eq!(ids(&setup, "?limit=50&status=ALL").await.len(), 12);
    assert_eq!(ids(&setup, "?status=CANCLEREVOKING").await, [] as [usize; 0]);
    assert_eq!(ids(&setup, "?content=acme").await.len(), 2);
    assert_eq!(ids(&setup, "?content=api.acme.example&owned_by_self=true").await, [5]);
    assert_eq!(ids(&setup, "?deploy_support=true").await, [3]);
    assert_eq!(ids(&setup, "?enterprise_project_id=0&limit=50").await.len(), 12);
    let project = "?enterprise_project_id=0123abcd-0000-1111-2222-0123456789ab";
    assert_eq!(ids(&setup, project).await, [] as [usize; 0]);
    assert_eq!(ids(&setup, "?sort_dir=ASC&sort_key=certExpiredTime").await[0], 3);
    assert_eq!(ids(&setup, "?sort_dir=ASC&sort_key=certStatus").await[..3], [5, 4, 3]);
}

#[tokio::test]
async fn an_item_has_its_own_fields() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    let listed = |reply: &Value| reply["certificates"][0].clone();
    let pending = listed(&setup.client.call("GET", "", "").await.body);
    assert_eq!((&pending["expire_time"], &pending["deploy_support"]), (&json!(""), &json!(false)));
    assert_eq!(pending["domain_id"], setup.account.domain_id);
    assert_eq!(
        (&pending["status"], &pending["domain"]),
        (&json!("CHECKING_DOMAIN"), &json!("www.acme.example"))
    );
    for absent in ["application_info", "authentification", "order_id"] {
        assert_eq!(pending.get(absent), None, "{absent}");
    }
    setup.cloud.issue(super::client::ID).unwrap();
    let issued = listed(&setup.client.call("GET", "", "").await.body);
    assert_eq!(issued["deploy_support"], true);
    assert!(issued["expire_time"].as_str().unwrap().ends_with(".0"));
}
