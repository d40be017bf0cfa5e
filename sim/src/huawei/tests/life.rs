//! What happens to an application after it is filed: validation, review, issue, withdrawal, revocation, expiry.

use std::time::Duration;

use jiff::SignedDuration;
use rcgen::KeyPair;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::client::{ID, Setup, company_application, personal_application, setup, setup_with, with};
use crate::huawei::{IssueError, MoveError, Options, Product, Status};

impl Setup {
    fn walk(&self) -> Vec<&'static str> {
        (0..4).map(|_| self.cloud.advance(ID).unwrap().0).collect()
    }
}

#[tokio::test]
async fn an_application_moves_on_step_by_step() {
    let setup = setup().await;
    assert!(matches!(setup.cloud.issue(ID), Err(IssueError::Unknown(_))));
    setup.buy(Product::OV_SINGLE);
    assert!(matches!(setup.cloud.issue(ID), Err(IssueError::NothingSubmitted(_))));
    assert_eq!((setup.cloud.advance(ID).unwrap(), setup.cloud.running()), (Status::PAID, Vec::new()));
    assert_eq!(setup.client.apply(&company_application()).await, "ok");
    assert_eq!(setup.cloud.running(), [ID]);
    assert_eq!(setup.walk(), ["CHECKING_ORG", "ISSUING", "ISSUED", "ISSUED"]);
    setup.applied(Product::DV_SINGLE, &personal_application()).await;
    assert_eq!(setup.walk(), ["ISSUING", "ISSUED", "ISSUED", "ISSUED"]);
    assert!(setup.cloud.running().is_empty());
}

#[tokio::test]
async fn an_application_may_begin_in_checking() {
    let setup = setup_with(Options { applied_status: Status::CHECKING, ..Options::default() }).await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    let shown = setup.client.show().await.body;
    assert_eq!(shown["status"], "CHECKING");
    assert_eq!(shown["authentification"].as_array().unwrap().len(), 1);
    assert_eq!(setup.walk(), ["CHECKING_ORG", "ISSUING", "ISSUED", "ISSUED"]);
}

#[tokio::test]
async fn every_domain_has_its_record_until_the_proof_is_seen() {
    let setup = setup().await;
    setup.buy(Product::OV_MULTI_WILDCARD);
    assert_eq!(setup.client.show().await.body["authentification"], json!([]));
    let names = json!({ "sans": "*.acme.example" });
    assert_eq!(setup.client.apply(&with(&company_application(), &names)).await, "ok");
    let records = setup.client.show().await.body["authentification"].take();
    assert_eq!(records[0]["record_name"], "_dnsauth.www.acme.example");
    assert_eq!(
        (&records[0]["record_type"], &records[0]["domain"]),
        (&json!("TXT"), &json!("www.acme.example"))
    );
    assert_eq!(records[1]["record_name"], "_dnsauth.acme.example");
    assert_ne!(records[0]["record_value"], records[1]["record_value"]);

    setup.cloud.validate_domain(ID, "www.acme.example").unwrap();
    let left = setup.client.show().await.body;
    assert_eq!(
        (&left["status"], &left["authentification"]),
        (&json!("CHECKING_DOMAIN"), &json!([records[1]]))
    );
    let twice = setup.cloud.validate_domain(ID, "www.acme.example").unwrap_err();
    assert!(matches!(twice, MoveError::NoSuchName(..)));
    setup.cloud.validate_domain(ID, "*.acme.example").unwrap();
    let done = setup.client.show().await.body;
    assert_eq!((&done["status"], &done["authentification"]), (&json!("CHECKING_ORG"), &json!([])));
    assert!(matches!(setup.cloud.pass_validation(ID), Err(MoveError::WrongStatus(..))));
    setup.cloud.pass_organization(ID).unwrap();
    assert_eq!(setup.status(), Status::ISSUING);
}

#[tokio::test]
async fn mail_needs_no_record() {
    let setup = setup().await;
    let mail = with(&company_application(), &json!({ "domain_method": "EMAIL" }));
    setup.applied(Product::OV_SINGLE, &mail).await;
    let shown = setup.client.show().await.body;
    assert_eq!((&shown["validation_method"], &shown["authentification"]), (&json!("EMAIL"), &json!([])));
    setup.cloud.pass_validation(ID).unwrap();
    assert_eq!(setup.status(), Status::CHECKING_ORG);
}

#[tokio::test]
async fn the_key_is_exported_only_where_the_cloud_made_it() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    let early = setup.client.post("export", "").await;
    assert_eq!((early.status, early.code()), (400, "SCM.0010"));
    setup.cloud.issue(ID).unwrap();
    let exported = setup.client.post("export", "").await.body;
    let text = |name: &str| exported[name].as_str().unwrap().to_owned();
    assert_eq!(pem::parse_many(text("entire_certificate")).unwrap().len(), 2);
    assert_eq!(text("entire_certificate"), text("certificate") + &text("certificate_chain"));
    assert_eq!((text("enc_certificate"), text("enc_private_key")), (String::new(), String::new()));
    let key = KeyPair::from_pem(&text("private_key")).unwrap();
    let leaf = pem::parse(text("certificate")).unwrap();
    let (_, leaf) = X509Certificate::from_der(leaf.contents()).unwrap();
    assert_eq!(leaf.public_key().subject_public_key.data, key.public_key_raw());
    let organization = leaf.subject().iter_organization().next().unwrap().as_str().unwrap();
    assert_eq!(organization, "Acme Trading Co., Ltd.");

    let key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "www.acme.example");
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    setup.applied(Product::OV_SINGLE, &with(&company_application(), &json!({ "csr": csr }))).await;
    setup.cloud.issue(ID).unwrap();
    let exported = setup.client.post("export", "{}").await.body;
    assert_eq!(exported["private_key"], "");
    let leaf = pem::parse(exported["certificate"].as_str().unwrap()).unwrap();
    let (_, leaf) = X509Certificate::from_der(leaf.contents()).unwrap();
    assert_eq!(leaf.public_key().subject_public_key.data, key.public_key_raw());
    assert_eq!(setup.client.post("export", "{\"a\":1}").await.code(), "SCM.0005");
}

#[tokio::test]
async fn a_withdrawal_ends_when_the_authority_confirms_it_and_may_leave_traces() {
    for keeps in [true, false] {
        let setup = setup_with(Options { withdrawal_keeps_application: keeps, ..Options::default() }).await;
        setup.applied(Product::OV_SINGLE, &company_application()).await;
        assert!(matches!(setup.cloud.finish_cancel(ID), Err(MoveError::WrongStatus(..))));
        let reply = setup.client.post("cancel-cert", "").await;
        assert_eq!((reply.status, reply.body), (200, json!({ "cert_id": ID, "message": "success" })));
        assert_eq!(setup.client.show().await.body["status"], "CANCELCHECKING");
        assert_eq!(setup.client.post("cancel-cert", "").await.code(), "SCM.0010");
        assert_eq!(setup.cloud.running(), [ID]);
        setup.cloud.finish_cancel(ID).unwrap();
        let shown = setup.client.show().await.body;
        assert_eq!((&shown["status"], &shown["authentification"]), (&json!("PAID"), &json!([])));
        assert_eq!(shown["domain"] == "www.acme.example", keeps);
        assert_eq!(shown["application_info"].is_object(), keeps);
        assert_eq!(setup.client.apply(&company_application()).await, "ok");
    }
}

#[tokio::test]
async fn a_withdrawal_may_end_by_itself() {
    let options = Options { withdrawal_takes: Some(Duration::from_hours(1)), ..Options::default() };
    let setup = setup_with(options).await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    assert_eq!(setup.client.post("cancel-cert", "").await.code(), "ok");
    assert_eq!(setup.status(), Status::CANCELCHECKING);
    setup.cloud.set_clock_ahead(SignedDuration::from_hours(1));
    assert_eq!(setup.status(), Status::PAID);
}

#[tokio::test]
async fn an_authority_may_be_faster_than_a_withdrawal() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    assert_eq!(setup.client.post("cancel-cert", "").await.code(), "ok");
    setup.cloud.issue(ID).unwrap();
    assert_eq!(setup.client.show().await.body["status"], "ISSUED");
}

#[tokio::test]
async fn only_what_waits_can_be_withdrawn() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    let ends = |status| match status {
        Status::CHECKING | Status::CHECKING_DOMAIN | Status::CHECKING_ORG => Some(Status::CANCELCHECKING),
        Status::SUPPLEMENTCHECKING => Some(Status::CANCELSUPPLEMENTING),
        _ => None,
    };
    for status in Status::DOCUMENTED {
        setup.force(status);
        let code = if ends(status).is_some() { "ok" } else { "SCM.0010" };
        assert_eq!(setup.client.post("cancel-cert", "").await.code(), code, "{status}");
        assert_eq!(setup.status(), ends(status).unwrap_or(status));
    }
}

#[tokio::test]
async fn an_issued_certificate_is_revoked_supplemented_or_expires() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    assert!(matches!(setup.cloud.revoke(ID, "key lost"), Err(MoveError::WrongStatus(..))));
    setup.cloud.issue(ID).unwrap();
    setup.cloud.supplement(ID).unwrap();
    assert_eq!(setup.client.post("cancel-cert", "").await.code(), "ok");
    setup.cloud.finish_cancel(ID).unwrap();
    setup.cloud.revoke(ID, "key lost").unwrap();
    setup.cloud.cancel_revocation(ID).unwrap();
    assert_eq!(setup.client.show().await.body["status"], "CANCLEREVOKING");
    assert_eq!(setup.cloud.advance(ID).unwrap(), Status::ISSUED);
    setup.cloud.revoke(ID, "key lost").unwrap();
    setup.cloud.finish_revocation(ID).unwrap();
    let revoked = setup.client.show().await.body;
    assert_eq!((&revoked["status"], &revoked["revoke_reason"]), (&json!("REVOKED"), &json!("key lost")));
    assert_eq!(setup.client.post("export", "").await.code(), "SCM.0010");

    setup.force(Status::ISSUED);
    setup.cloud.expire(ID).unwrap();
    let error = setup.cloud.expire(ID).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("certificate {ID} has the status EXPIRED, from which this does not happen")
    );
}

#[tokio::test]
async fn show_tells_all_but_the_department_and_the_csr() {
    let setup = setup().await;
    setup.buy(Product::OV_MULTI);
    let paid = setup.client.show().await.body;
    for name in
        ["domain", "sans", "validation_method", "issue_time", "not_before", "not_after", "fingerprint"]
    {
        assert_eq!(paid[name], "", "{name}");
    }
    assert_eq!((&paid["status"], &paid["application_info"]), (&json!("PAID"), &Value::Null));
    assert_eq!((&paid["type"], &paid["brand"]), (&json!("OV_SSL_CERT"), &json!("GLOBALSIGN")));
    assert_eq!(
        (&paid["domain_type"], &paid["multi_domain_type"]),
        (&json!("MULTI_DOMAIN"), &json!("primary_single"))
    );
    assert_eq!((&paid["domain_count"], &paid["wildcard_count"]), (&json!(5), &json!(0)));

    let application = with(&company_application(), &json!({ "sans": "a.example;b.example" }));
    assert_eq!(setup.client.apply(&application).await, "ok");
    setup.cloud.issue(ID).unwrap();
    let issued = setup.client.show().await.body;
    assert_eq!(
        (&issued["domain"], &issued["sans"]),
        (&json!("www.acme.example"), &json!("a.example;b.example"))
    );
    let not_after = issued["not_after"].as_str().unwrap();
    assert!(not_after.len() == "2021-05-27 16:46:25.0".len() && not_after.ends_with(".0"), "{not_after}");
    assert_eq!(issued["fingerprint"].as_str().unwrap().len(), 40);
    let info = &issued["application_info"];
    assert_eq!(info.as_object().unwrap().len(), 10);
    assert_eq!(info["applicant_name"], "Ning.Huang");
    assert_eq!((info.get("company_unit"), info.get("csr")), (None, None));
}

#[tokio::test]
async fn texts_without_a_value_may_be_null() {
    let setup = setup_with(Options { empty_is_null: true, ..Options::default() }).await;
    setup.applied(Product::DV_SINGLE, &personal_application()).await;
    let shown = setup.client.show().await.body;
    assert_eq!(
        (&shown["not_after"], &shown["application_info"]["company_name"]),
        (&Value::Null, &Value::Null)
    );
    let listed = setup.client.call("GET", "", "").await.body;
    assert_eq!(listed["certificates"][0]["expire_time"], Value::Null);
}
