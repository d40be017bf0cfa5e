//! From stored information to an issued certificate: ordering, review, cancellation, issuing.

use rcgen::KeyPair;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::client::{Setup, company_application, personal_application, setup, setup_with, with};
use super::info_submit::VENDOR_CSR;
use crate::tencent::{Company, Finding, IssueError, Manager, ManagerLevel, Options, Product, Status};

pub(super) const SUBMIT: &str = "CertificateInfoSubmit";
pub(super) const ORDER: &str = "CertificateOrderSubmit";
pub(super) const CANCEL: &str = "CancelAuditCertificate";
pub(super) const RESUBMIT: &str = "ModifyCertificateResubmit";
pub(super) const CHECK: &str = "CheckCertificateDomainVerification";
pub(super) const WRONG_STATUS: &str = "FailedOperation.InvalidCertificateStatusCode";

pub(super) fn cert() -> Value {
    json!({ "CertId": "J2lX2maH" })
}

pub(super) fn certificate() -> Value {
    json!({ "CertificateId": "J2lX2maH" })
}

impl Setup {
    pub(super) async fn submitted(&self, product: Product, application: &Value) {
        self.buy("J2lX2maH", product);
        assert_eq!(self.client.code(SUBMIT, application).await, "ok");
    }

    pub(super) async fn ordered(&self, product: Product, application: &Value) -> Value {
        self.submitted(product, application).await;
        self.client.call(ORDER, &cert()).await
    }

    pub(super) async fn describe(&self) -> Value {
        self.client.call("DescribeCertificate", &certificate()).await
    }

    pub(super) fn force(&self, status: Status) {
        self.cloud.set("J2lX2maH", |certificate| certificate.status = status).unwrap();
    }
}

#[tokio::test]
async fn an_order_needs_stored_information_and_the_right_state() {
    let setup = setup_with(Options {
        calls_per_second: None,
        order_processing: std::time::Duration::ZERO,
        ..Options::default()
    })
    .await;
    assert_eq!(setup.client.code(ORDER, &cert()).await, "FailedOperation.CertificateNotFound");
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    assert_eq!(setup.client.code(ORDER, &cert()).await, "FailedOperation.InvalidParam");
    setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    for status in [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 15] {
        setup.force(Status(status));
        assert_eq!(setup.client.code(ORDER, &cert()).await, WRONG_STATUS, "{status}");
    }
    setup.force(Status::PENDING_SUBMISSION);
    let auto = json!({ "CertId": "J2lX2maH", "VerifyType": "DNS_AUTO" });
    assert_eq!(setup.client.code(ORDER, &auto).await, "InvalidParameterValue");
    let flag = json!({ "CertId": "J2lX2maH", "DeleteDnsAutoRecord": 2 });
    assert_eq!(setup.client.code(ORDER, &flag).await, "InvalidParameterValue");
    setup.cloud.set_identity_verified(&setup.account, false);
    assert_eq!(setup.client.code(ORDER, &cert()).await, "FailedOperation.NoRealNameAuth");
    setup.cloud.set_identity_verified(&setup.account, true);
    let bad_mail = with(&company_application("J2lX2maH"), &json!({ "AdminEmail": "nobody" }));
    assert_eq!(setup.client.code(SUBMIT, &bad_mail).await, "ok");
    assert_eq!(setup.client.code(ORDER, &cert()).await, "FailedOperation.CertificatePreVerifyEmailInvalid");
}

#[tokio::test]
async fn a_second_order_is_told_that_the_first_runs() {
    let setup = setup().await;
    setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    let code = setup.client.code(ORDER, &cert()).await;
    assert_eq!(code, "FailedOperation.CertificateOrderSubmitProcessing");
    setup.cloud.set("J2lX2maH", |certificate| certificate.ordered_at = None).unwrap();
    assert_eq!(setup.client.code(ORDER, &cert()).await, WRONG_STATUS);
    let effects = setup.cloud.ledger().iter().filter(|call| call.action == ORDER && call.took_effect).count();
    assert_eq!(effects, 1);
}

#[tokio::test]
async fn an_order_answers_its_number_its_status_and_whether_a_review_comes_first() {
    let setup = setup().await;
    let ov = setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    assert_eq!((&ov["Status"], &ov["IsAudited"]), (&json!(0), &json!(true)));
    let described = setup.describe().await;
    assert_eq!(described["OrderId"], ov["OrderId"]);
    assert_eq!(described["StatusMsg"], "PRE-REVIEWING");

    let dv = setup.ordered(Product::DV_SINGLE, &personal_application("J2lX2maH")).await;
    assert_eq!((&dv["Status"], &dv["IsAudited"]), (&json!(0), &json!(false)));
    assert_ne!(dv["OrderId"], ov["OrderId"]);
    assert_eq!(setup.describe().await["StatusMsg"], "PENDING-DCV");

    setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    setup.cloud.set("J2lX2maH", |certificate| certificate.wants_letter = true).unwrap();
    assert_eq!(setup.client.call(ORDER, &cert()).await["Status"], 8);
}

#[tokio::test]
async fn an_approved_manager_spares_the_review() {
    let setup = setup().await;
    let ov = ManagerLevel { level: "ov".to_owned(), status: "completed".to_owned(), domains: Vec::new() };
    let manager = Manager {
        id: 2345,
        company_id: 134,
        status: "ok".to_owned(),
        levels: vec![ov],
        ..Manager::default()
    };
    setup.cloud.save_company(&setup.account, Company { id: 134, ..Company::default() });
    setup.cloud.save_manager(&setup.account, manager);
    let application = with(&company_application("J2lX2maH"), &json!({ "ManagerId": "2345" }));
    assert_eq!(setup.ordered(Product::OV_SINGLE, &application).await["IsAudited"], false);
    assert_eq!(setup.ordered(Product::EV_SINGLE, &application).await["IsAudited"], true);
}

#[tokio::test]
async fn every_name_has_its_proof_and_a_check_finds_it_once_published() {
    let setup = setup().await;
    let names = json!({ "DnsNames": ["*.acme.example"] });
    setup.ordered(Product::OV_MULTI_WILDCARD, &with(&company_application("J2lX2maH"), &names)).await;
    let detail = setup.describe().await["DvAuthDetail"].take();
    let auths = detail["DvAuths"].as_array().unwrap();
    assert_eq!(auths.len(), 2);
    assert_eq!(auths[0]["DvAuthVerifyType"], "TXT");
    assert_eq!(auths[0]["DvAuthSubDomain"], "_dnsauth.www");
    assert_eq!(auths[1]["DvAuthSubDomain"], "_dnsauth");
    assert!(auths.iter().all(|auth| auth["DvAuthDomain"] == "acme.example"));
    assert_eq!(detail["DvAuthValue"], auths[0]["DvAuthValue"]);

    let results = setup.client.call(CHECK, &certificate()).await["VerificationResults"].take();
    assert_eq!((&results[0]["LocalCheck"], &results[0]["CaCheck"]), (&json!(-1), &json!(-1)));
    setup.cloud.set_finding("J2lX2maH", "www.acme.example", Finding::Proof, false).unwrap();
    let results = setup.client.call(CHECK, &certificate()).await["VerificationResults"].take();
    assert_eq!((&results[0]["LocalCheck"], &results[1]["LocalCheck"]), (&json!(1), &json!(-1)));
    assert_eq!(results[0]["CheckValue"], json!([auths[0]["DvAuthValue"]]));

    let file = with(&company_application("J2lX2maH"), &json!({ "VerifyType": "FILE" }));
    setup.ordered(Product::OV_SINGLE, &file).await;
    let auth = setup.describe().await["DvAuthDetail"]["DvAuths"][0].take();
    assert_eq!(
        (&auth["DvAuthVerifyType"], &auth["DvAuthDomain"]),
        (&json!("FILE"), &json!("www.acme.example"))
    );
    assert_eq!(setup.describe().await["VerifyType"], "FILE");

    setup.force(Status::ISSUED);
    let code = setup.client.code(CHECK, &certificate()).await;
    assert_eq!(code, "FailedOperation.CertificateStatusNotAllowVerify");
}

#[tokio::test]
async fn the_method_of_the_order_overrides_the_stored_one() {
    let setup = setup().await;
    setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    let file = json!({ "CertId": "J2lX2maH", "VerifyType": "FILE" });
    assert_eq!(setup.client.code(ORDER, &file).await, "ok");
    assert_eq!(setup.describe().await["VerifyType"], "FILE");
}

#[tokio::test]
async fn an_order_walks_to_the_issued_certificate_one_step_at_a_time() {
    let setup = setup().await;
    setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    let mut seen = vec![setup.describe().await["StatusMsg"].take()];
    while setup.cloud.advance("J2lX2maH").unwrap() == Status::UNDER_REVIEW {
        seen.push(setup.describe().await["StatusMsg"].take());
    }
    assert_eq!(seen, ["PRE-REVIEWING", "LEGAL-REVIEWING", "CA-REVIEWING", "PENDING-DCV", "WAIT-ISSUE"]);
    let issued = setup.describe().await;
    assert_eq!((&issued["Status"], &issued["StatusMsg"]), (&json!(1), &json!("")));
    assert_eq!(issued["SubmittedData"], Value::Null);
    assert!(issued["CertEndTime"].as_str() > issued["CertBeginTime"].as_str());
    assert_eq!(setup.cloud.advance("J2lX2maH").unwrap(), Status::ISSUED);
}

#[tokio::test]
async fn a_certificate_is_signed_for_the_key_in_the_csr() {
    let setup = setup().await;
    let key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "www.acme.example");
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    let names = json!({ "GenCsrType": "parse", "Csr": csr, "DnsNames": ["api.acme.example"] });
    setup.ordered(Product::OV_MULTI, &with(&company_application("J2lX2maH"), &names)).await;
    setup.cloud.issue("J2lX2maH").unwrap();
    let issued = setup.cloud.certificate("J2lX2maH").unwrap().issued.unwrap();
    assert!(issued.private_key_pem().is_none());

    let pems = [issued.leaf.as_str(), &issued.authorities[0], setup.cloud.root_certificate()];
    let pems = pems.map(|pem| pem::parse(pem).unwrap());
    let [leaf, intermediate, root] =
        pems.each_ref().map(|pem| X509Certificate::from_der(pem.contents()).unwrap().1);
    leaf.verify_signature(Some(intermediate.public_key())).unwrap();
    intermediate.verify_signature(Some(root.public_key())).unwrap();
    assert_eq!(leaf.issuer(), intermediate.subject());
    let names_its_key = |certificate: &X509Certificate<'_>| {
        let mut extensions = certificate.extensions().iter();
        extensions.any(|one| matches!(one.parsed_extension(), ParsedExtension::AuthorityKeyIdentifier(_)))
    };
    assert!(
        names_its_key(&leaf) && names_its_key(&intermediate),
        "strict clients want the issuer's key named"
    );
    assert_eq!(leaf.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
    assert_eq!(
        leaf.subject().iter_organization().next().unwrap().as_str().unwrap(),
        "Acme Trading Co., Ltd."
    );
    let sans = leaf.subject_alternative_name().unwrap().unwrap().value.general_names.len();
    assert_eq!(sans, 2);
    assert_eq!(leaf.validity().not_after.timestamp(), issued.not_after.as_second());
}

#[tokio::test]
async fn a_csr_with_an_rsa_key_is_signed_too() {
    let setup = setup().await;
    let csr = json!({ "GenCsrType": "parse", "Csr": VENDOR_CSR, "CertCommonName": "tencent.com" });
    setup.ordered(Product::OV_SINGLE, &with(&company_application("J2lX2maH"), &csr)).await;
    setup.cloud.issue("J2lX2maH").unwrap();
    assert_eq!(setup.describe().await["Status"], 1);
}

#[tokio::test]
async fn the_cloud_keeps_the_key_that_it_made() {
    let setup = setup().await;
    for (application, algorithm) in [
        (personal_application("J2lX2maH"), &rcgen::PKCS_ECDSA_P256_SHA256),
        (company_application("J2lX2maH"), &rcgen::PKCS_RSA_SHA256),
    ] {
        setup.submitted(Product::DV_SINGLE, &application).await;
        setup.cloud.issue("J2lX2maH").unwrap();
        let issued = setup.cloud.certificate("J2lX2maH").unwrap().issued.unwrap();
        let key = KeyPair::from_pem(issued.private_key_pem().unwrap()).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let leaf = pem::parse(&issued.leaf).unwrap();
        let (_, leaf) = X509Certificate::from_der(leaf.contents()).unwrap();
        assert_eq!(leaf.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
        assert!(
            leaf.subject().iter_organization().next().is_none(),
            "a DV certificate names no organisation"
        );
    }
}

#[tokio::test]
async fn nothing_is_issued_without_information() {
    let setup = setup().await;
    assert!(matches!(setup.cloud.issue("J2lX2maH"), Err(IssueError::Unknown(_))));
    setup.buy("J2lX2maH", Product::DV_SINGLE);
    assert!(matches!(setup.cloud.issue("J2lX2maH"), Err(IssueError::NothingSubmitted(_))));
    assert_eq!(setup.cloud.advance("J2lX2maH").unwrap(), Status::PENDING_SUBMISSION);
}

#[tokio::test]
async fn a_running_review_can_be_stopped_and_the_order_opened_again() {
    let setup = setup().await;
    let refused = "FailedOperation.CertificateNotFoundOrCantCancel";
    assert_eq!(setup.client.code(CANCEL, &certificate()).await, refused);
    let first = setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    assert_eq!(setup.client.call(CANCEL, &certificate()).await["Result"], true);
    assert_eq!(setup.describe().await["Status"], 6);
    assert_eq!(setup.cloud.running(), ["J2lX2maH"]);
    assert_eq!(setup.client.code(CANCEL, &certificate()).await, refused);
    let not_yet = "FailedOperation.CertificateStatusNotAllowResubmit";
    assert_eq!(setup.client.code(RESUBMIT, &certificate()).await, not_yet);

    assert_eq!(setup.cloud.advance("J2lX2maH").unwrap(), Status::CANCELLED);
    assert!(setup.cloud.running().is_empty());
    assert_eq!(setup.client.call(RESUBMIT, &certificate()).await["CertificateId"], "J2lX2maH");
    let reopened = setup.describe().await;
    assert_eq!((&reopened["Status"], &reopened["OrderId"]), (&json!(5), &first["OrderId"]));
    assert_eq!(reopened["SubmittedData"]["CertificateDomain"], "www.acme.example");
    assert_eq!(reopened["DvAuthDetail"], Value::Null);
    let second = setup.client.call(ORDER, &cert()).await;
    assert_ne!(second["OrderId"], first["OrderId"]);
}

#[tokio::test]
async fn only_a_failed_or_cancelled_order_is_opened_again() {
    let setup = setup().await;
    assert_eq!(setup.client.code(RESUBMIT, &certificate()).await, "FailedOperation.CertificateNotFound");
    for status in 0..=15 {
        setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
        setup.force(Status(status));
        let refused = "FailedOperation.CertificateStatusNotAllowResubmit";
        let expected = if matches!(status, 2 | 7) { "ok" } else { refused };
        assert_eq!(setup.client.code(RESUBMIT, &certificate()).await, expected, "{status}");
        setup.force(Status(status));
        let refused = "FailedOperation.CertificateNotFoundOrCantCancel";
        let expected = if matches!(status, 0 | 4 | 8) { "ok" } else { refused };
        assert_eq!(setup.client.code(CANCEL, &certificate()).await, expected, "{status}");
    }
}

#[tokio::test]
async fn the_detail_holds_chain_and_key_and_leaves_the_common_name_out_of_the_other_names() {
    let setup = setup().await;
    let names = json!({ "DnsNames": ["api.acme.example"] });
    setup.submitted(Product::OV_MULTI, &with(&company_application("J2lX2maH"), &names)).await;
    setup.cloud.issue("J2lX2maH").unwrap();
    let detail = setup.client.call("DescribeCertificateDetail", &certificate()).await;
    assert_eq!(detail["SubjectAltName"], json!(["api.acme.example"]));
    assert_eq!(setup.describe().await["SubjectAltName"], json!(["www.acme.example", "api.acme.example"]));
    let chain = pem::parse_many(detail["CertificatePublicKey"].as_str().unwrap()).unwrap();
    assert_eq!(chain.len(), 2);
    KeyPair::from_pem(detail["CertificatePrivateKey"].as_str().unwrap()).unwrap();
    assert!(setup.describe().await.get("CertificatePrivateKey").is_none());
}
