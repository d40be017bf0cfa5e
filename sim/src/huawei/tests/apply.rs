//! `apply`: what it takes and what it refuses.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};

use super::client::{ID, Setup, company_application, personal_application, setup, setup_with, with};
use crate::huawei::{Options, Product, Status};

impl Setup {
    /// Changes of an application that are each refused with a code, and leave the certificate as it was.
    async fn refuses(&self, product: Product, base: &Value, changes: &[(Value, &str)]) {
        self.buy(product);
        for (change, code) in changes {
            let reply = self.client.post("apply", &with(base, change).to_string()).await;
            assert_eq!((reply.status, reply.code()), (400, *code), "{change}: {}", reply.message());
            assert!(!setup_changed(self), "{change}");
        }
    }

    async fn takes(&self, product: Product, base: &Value, changes: &[Value]) {
        for change in changes {
            self.buy(product);
            let reply = self.client.post("apply", &with(base, change).to_string()).await;
            assert_eq!(reply.code(), "ok", "{change}: {}", reply.message());
        }
    }
}

fn setup_changed(setup: &Setup) -> bool {
    let certificate = setup.cloud.certificate(ID).unwrap();
    certificate.submission.is_some() || certificate.status != Status::PAID
}

fn csr(name: Option<&str>) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

#[tokio::test]
async fn a_whole_application_is_answered_with_success() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let reply = setup.client.post("apply", &company_application().to_string()).await;
    assert_eq!((reply.status, reply.body), (200, json!({ "request_info": "success" })));
    assert_eq!(setup.status(), Status::CHECKING_DOMAIN);
    setup.buy(Product::DV_SINGLE);
    assert_eq!(setup.client.apply(&personal_application()).await, "ok");
}

#[tokio::test]
async fn types_and_names_of_fields_are_strict() {
    let setup = setup().await;
    let changes = [
        (json!({ "agree_privacy_protection": "true" }), "SCM.0005"),
        (json!({ "auto_dns_auth": 0 }), "SCM.0005"),
        (json!({ "sans": ["api.acme.example"] }), "SCM.0005"),
        (json!({ "applicant_phone": 131 }), "SCM.0005"),
        (json!({ "companyName": "x" }), "SCM.0005"),
    ];
    setup.refuses(Product::OV_SINGLE, &company_application(), &changes).await;
    for body in ["", "[]", "{", "\"x\"", "{\"domain\":null}"] {
        assert_eq!(setup.client.post("apply", body).await.code(), "SCM.0005", "{body}");
    }
    let query =
        setup.client.call("POST", &format!("/{ID}/apply?a=b"), &company_application().to_string()).await;
    assert_eq!(query.code(), "SCM.0005");
    let mut client = setup.client.clone();
    client.signed = vec![("content-type", "text/plain".to_owned())];
    assert_eq!(client.apply(&company_application()).await, "APIGW.0106");
}

#[tokio::test]
async fn what_is_required_depends_on_the_kind_of_certificate() {
    let setup = setup().await;
    let always = [
        "domain",
        "applicant_name",
        "applicant_phone",
        "applicant_email",
        "agree_privacy_protection",
        "domain_method",
    ];
    for name in always {
        let mut changes = vec![(json!({ name: null }), "SCM.0005")];
        if name != "agree_privacy_protection" {
            changes.push((json!({ name: "" }), "SCM.0005"));
        }
        setup.refuses(Product::DV_SINGLE, &personal_application(), &changes).await;
    }
    let organization = ["company_name", "company_province", "company_city", "country"];
    let changes: Vec<(Value, &str)> = organization.map(|name| (json!({ name: "" }), "SCM.0005")).to_vec();
    for product in [Product::OV_SINGLE, Product::EV_SINGLE] {
        setup.refuses(product, &company_application(), &changes).await;
    }
    let absent: Vec<Value> = organization.map(|name| json!({ name: null })).to_vec();
    setup.takes(Product::DV_SINGLE, &company_application(), &absent).await;
    let unused =
        json!({ "csr": "", "sans": "", "company_unit": "", "contact_name": "", "contact_email": "" });
    setup.takes(Product::OV_SINGLE, &company_application(), &[unused]).await;
}

#[tokio::test]
async fn people_and_organisations_are_checked() {
    let setup = setup().await;
    let long = "长".repeat(64);
    let changes = [
        (json!({ "agree_privacy_protection": false }), "SCM.0005"),
        (json!({ "applicant_name": "Tom" }), "SCM.0005"),
        (json!({ "applicant_name": "黄" }), "SCM.0005"),
        (json!({ "applicant_name": "Ning Huang" }), "SCM.0005"),
        (json!({ "applicant_name": "Ning1" }), "SCM.0005"),
        (json!({ "applicant_name": "长".repeat(34) }), "SCM.0005"),
        (json!({ "applicant_email": "pki.acme.example" }), "SCM.0005"),
        (json!({ "contact_email": "ops@acme" }), "SCM.0005"),
        (json!({ "country": "CHN" }), "SCM.0005"),
        (json!({ "country": "C1" }), "SCM.0005"),
        (json!({ "company_name": long }), "SCM.0005"),
        (json!({ "company_unit": long }), "SCM.0005"),
        (json!({ "company_province": long }), "SCM.0005"),
        (json!({ "company_city": long }), "SCM.0005"),
        (json!({ "contact_name": long }), "SCM.0005"),
    ];
    setup.refuses(Product::OV_SINGLE, &company_application(), &changes).await;
    let taken = [
        json!({ "applicant_name": "黄宁" }),
        json!({ "applicant_name": "A_b-c,d." }),
        json!({ "applicant_name": "长".repeat(33) }),
        json!({ "company_name": "长".repeat(63) }),
        json!({ "country": "cn" }),
        json!({ "contact_name": null, "contact_phone": null, "contact_email": null }),
    ];
    setup.takes(Product::OV_SINGLE, &company_application(), &taken).await;
}

#[tokio::test]
async fn names_fit_the_product() {
    let setup = setup().await;
    let base = company_application();
    let single = [
        (json!({ "domain": "*.acme.example" }), "SCM.0015"),
        (json!({ "domain": "例子.example" }), "SCM.0015"),
        (json!({ "domain": "acme" }), "SCM.0015"),
        (json!({ "domain": format!("{}example", "a.".repeat(130)) }), "SCM.0005"),
        (json!({ "sans": "api.acme.example" }), "SCM.0015"),
        (json!({ "sans": ";" }), "SCM.0015"),
    ];
    setup.refuses(Product::OV_SINGLE, &base, &single).await;
    setup.refuses(Product::OV_WILDCARD, &base, &[(json!({}), "SCM.0015")]).await;
    setup.takes(Product::OV_WILDCARD, &base, &[json!({ "domain": "*.acme.example" })]).await;
    let multi = [
        (json!({ "sans": "a.example;b.example;c.example;d.example;e.example" }), "SCM.0015"),
        (json!({ "sans": "a.example;A.example" }), "SCM.0015"),
        (json!({ "sans": "www.acme.example" }), "SCM.0015"),
        (json!({ "sans": "*.acme.example" }), "SCM.0015"),
        (json!({ "sans": "a.example,b.example" }), "SCM.0015"),
        (json!({ "sans": "a.example;" }), "SCM.0015"),
        (json!({ "sans": "a".repeat(4097) }), "SCM.0005"),
    ];
    setup.refuses(Product::OV_MULTI, &base, &multi).await;
    let few = [json!({}), json!({ "sans": "a.example;b.example;c.example;d.example" })];
    setup.takes(Product::OV_MULTI, &base, &few).await;
    let wildcards = [
        (json!({ "domain": "*.acme.example" }), "SCM.0015"),
        (json!({ "sans": "*.a.example;*.b.example;*.c.example" }), "SCM.0015"),
        (json!({ "sans": "a.example;b.example;c.example" }), "SCM.0015"),
    ];
    setup.refuses(Product::OV_MULTI_WILDCARD, &base, &wildcards).await;
    let both = json!({ "sans": "*.a.example;*.b.example;a.example;b.example" });
    setup.takes(Product::OV_MULTI_WILDCARD, &base, &[both]).await;
}

#[tokio::test]
async fn the_method_of_validation_fits_the_names_and_the_product() {
    let setup = setup().await;
    let methods = [
        (json!({ "domain_method": "FILE" }), "SCM.0005"),
        (json!({ "domain_method": "HTTP" }), "SCM.0005"),
        (json!({ "domain": "192.0.2.1" }), "SCM.0005"),
    ];
    setup.refuses(Product::OV_SINGLE, &company_application(), &methods).await;
    let mail = [(json!({ "domain_method": "EMAIL" }), "SCM.0005")];
    setup.refuses(Product::DV_SINGLE, &personal_application(), &mail).await;
    let taken = [
        json!({ "domain_method": "EMAIL" }),
        json!({ "domain_method": "dns" }),
        json!({ "domain": "192.0.2.1", "domain_method": "FILE" }),
    ];
    setup.takes(Product::OV_SINGLE, &company_application(), &taken).await;
    setup.buy(Product::OV_SINGLE);
    assert_eq!(
        setup.client.apply(&with(&company_application(), &json!({ "domain_method": "dns" }))).await,
        "ok"
    );
    assert_eq!(setup.client.show().await.body["validation_method"], "DNS");
}

#[tokio::test]
async fn keys_and_hashes_are_checked() {
    let setup = setup().await;
    let changes = [
        (json!({ "csr": "not a CSR" }), "SCM.0006"),
        (json!({ "csr": csr(Some("other.example")) }), "SCM.0005"),
        (json!({ "csr": "a".repeat(5121) }), "SCM.0005"),
        (json!({ "key_algorithm": "RSA_1024" }), "SCM.0005"),
        (json!({ "key_algorithm": "SM2" }), "SCM.0005"),
        (json!({ "ca_hash_algorithm": "SHA-1" }), "SCM.0005"),
    ];
    setup.refuses(Product::OV_SINGLE, &company_application(), &changes).await;
    let no_hash = [(json!({}), "SCM.0005")];
    setup.refuses(Product::OV_GEOTRUST, &company_application(), &no_hash).await;
    let hashes = [json!({ "ca_hash_algorithm": "DEFAULT" }), json!({ "ca_hash_algorithm": "SHA-256" })];
    setup.takes(Product::OV_GEOTRUST, &company_application(), &hashes).await;
    let keys = [
        json!({ "csr": csr(Some("WWW.acme.example")) }),
        json!({ "key_algorithm": null }),
        json!({ "key_algorithm": "RSA_3072" }),
        json!({ "key_algorithm": "EC_P384" }),
    ];
    setup.takes(Product::OV_SINGLE, &company_application(), &keys).await;
}

#[tokio::test]
async fn an_sm2_product_shows_itself_and_takes_an_sm2_key_of_the_cloud_alone() {
    let setup = setup().await;
    let changes = [
        (json!({ "key_algorithm": null }), "SCM.0005"),
        (json!({ "key_algorithm": "RSA_2048" }), "SCM.0005"),
        (json!({ "key_algorithm": "SM2", "csr": csr(Some("www.acme.example")) }), "SCM.0006"),
    ];
    setup.refuses(Product::OV_SM2, &company_application(), &changes).await;
    assert_eq!(setup.client.show().await.body["signature_algorithm"], "SM3withSM2");
    setup.takes(Product::OV_SM2, &company_application(), &[json!({ "key_algorithm": "SM2" })]).await;
}

#[tokio::test]
async fn a_csr_without_a_name_is_taken_and_refused_by_the_authority() {
    let setup = setup().await;
    let application = with(&company_application(), &json!({ "csr": csr(None) }));
    setup.applied(Product::OV_SINGLE, &application).await;
    assert_eq!(setup.cloud.advance(ID).unwrap(), Status::UNPASSED);
    assert!(setup.cloud.certificate(ID).unwrap().refusal_reason.contains("primary domain"));
}

#[tokio::test]
async fn one_applies_for_what_is_paid_and_once() {
    let setup = setup().await;
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    for status in Status::DOCUMENTED.into_iter().filter(|one| ![Status::PAID, Status::UNPASSED].contains(one))
    {
        setup.force(status);
        let reply = setup.client.post("apply", &company_application().to_string()).await;
        assert_eq!((reply.status, reply.code()), (400, "SCM.0010"), "{status}");
    }
    let effects = setup.cloud.ledger().iter().filter(|call| call.took_effect).count();
    assert_eq!(effects, 1);
}

#[tokio::test]
async fn after_a_refusal_one_may_apply_again_or_not() {
    for (takes, code) in [(true, "ok"), (false, "SCM.0010")] {
        let setup =
            setup_with(Options { takes_application_after_refusal: takes, ..Options::default() }).await;
        setup.applied(Product::OV_SINGLE, &company_application()).await;
        setup.cloud.reject(ID, "no such company").unwrap();
        let refused = setup.client.show().await.body;
        assert_eq!((&refused["status"], &refused["authentification"]), (&json!("UNPASSED"), &json!([])));
        assert_eq!(refused["application_info"]["company_name"], "Acme Trading Co., Ltd.");
        assert_eq!(setup.client.apply(&company_application()).await, code);
    }
}
