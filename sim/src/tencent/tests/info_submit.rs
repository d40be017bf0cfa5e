//! `CertificateInfoSubmit`: its rules, one line each, and what `DescribeCertificate` shows afterwards.

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

use super::client::{Setup, company_application, personal_application, setup, with};
use crate::tencent::{Company, Manager, Product, Status};

const SUBMIT: &str = "CertificateInfoSubmit";
const DOMAIN: &str = "FailedOperation.CertificateInfoSubmitDomainInvalid";
const PARAM: &str = "FailedOperation.InvalidParam";
const VALUE: &str = "InvalidParameterValue";
const ALGORITHM: &str = "InvalidParameter.RenewAlgorithmInvalid";

/// The request in the vendor's own example: its subject is Chinese, and it holds the name once more as an extension.
pub(super) const VENDOR_CSR: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIIC5zCCAc8CAQAweTELMAkGA1UEBhMCQ04xEjAQBgNVBAgMCea5luWNl+ecgTES\n\
MBAGA1UEBwwJ6ZW/5rKZ5biCMRswGQYDVQQKDBLohb7orq/kupFTU0zor4HkuaYx\n\
DzANBgNVBAsMBueglOWPkTEUMBIGA1UEAxMLdGVuY2VudC5jb20wggEiMA0GCSqG\n\
SIb3DQEBAQUAA4IBDwAwggEKAoIBAQDWACnWh6gA1dGDi/pJtGZtp/Wp4ou6//JM\n\
Eu4OpXQ5t/afvX4xPGm7laWE4aFItZpfhXc1SGVwOBwWsOArw9xwmdCDFY3Icbu9\n\
8O1mIAIYfMDuc8bWL5lQfuyBeGJw+9i++E/1SkYnx3sRD+vMNlJdkaueWW4qXVo+\n\
ZnE7FX/6Mqi1PE53ccXU55iviLHAaSnztpmUmF4vcKIVbDTsI2TF1raHwdnmvQFx\n\
vifh7h49xRz3Jj3QWCJqdtGKAktFzofDCYPKcIKT4A52u7WsoBspLIds1H93dITD\n\
VxnZaE3oe4sHfQpnlHRbO72Cz1QEgGBQeOW/wH8/WygFiRIWHwZpAgMBAAGgKTAn\n\
BgkqhkiG9w0BCQ4xGjAYMBYGA1UdEQQPMA2CC3RlbmNlbnQuY29tMA0GCSqGSIb3\n\
DQEBCwUAA4IBAQAcr+Wy3uqr+PL+uUMwd1scB7x27/j2JDXTKBdZnsLnaEFCzz2f\n\
y4aqN7hWLHNEoqGGNSg5luKO6DCFXOnzu6/bI4Ziy/w003RD1wMPinpo0C0YIzwM\n\
W99sDPoI1qIxAoNEVLOP11EnPPdlq/D7T4UOMjPxjYSo4Ge2BcG5Bk1zTu/O8She\n\
xHc6lEWniExaYomIboULnLTdSI1Dx0g7segNMvhLGUjRyump3/0jANfk7qbS0Nnz\n\
6Q/i0NmiqUiA38iTdIBY57QAJBbXiJJ3HRF5wZyJESobTr9dHPuZH4ebJvfSaNBp\n\
4KqzUxjAe5GZJs/z5EuJkG/LC/h1L3rFT7AS\n\
-----END CERTIFICATE REQUEST-----\n";

/// What a changed application for a fresh certificate of this product is answered.
async fn outcome(setup: &Setup, product: Product, base: fn(&str) -> Value, change: &Value) -> String {
    setup.buy("J2lX2maH", product);
    let code = setup.client.code(SUBMIT, &with(&base("J2lX2maH"), change)).await;
    let stored = setup.cloud.certificate("J2lX2maH").unwrap().submission.is_some();
    assert_eq!(stored, code == "ok", "stored exactly if accepted: {change}");
    code
}

async fn check(product: Product, base: fn(&str) -> Value, cases: &[(Value, &str)]) {
    let setup = setup().await;
    for (change, expected) in cases {
        assert_eq!(outcome(&setup, product, base, change).await, *expected, "{change}");
    }
}

fn csr(common_name: &str, organization: &str) -> String {
    let mut params = CertificateParams::new(vec![common_name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

#[tokio::test]
async fn a_company_gives_its_data_inline_or_by_saved_ids() {
    let cases = [
        (json!({}), "ok"),
        (json!({ "ManagerId": null }), "ok"),
        (json!({ "ManagerId": "" }), "ok"),
        (json!({ "TechEmail": null }), "ok"),
        (json!({ "OrgOrganization": null }), PARAM),
        (json!({ "OrgDivision": "" }), PARAM),
        (json!({ "OrgPhoneArea": null }), PARAM),
        (json!({ "AdminLastName": null }), PARAM),
        (json!({ "TechTitle": null }), PARAM),
        (json!({ "CompanyId": "x" }), PARAM),
        (json!({ "CompanyId": "" }), PARAM),
        (json!({ "ManagerId": "-1" }), PARAM),
        (json!({ "CompanyId": "134" }), PARAM),
        (json!({ "CompanyType": 3 }), VALUE),
        (json!({ "CompanyType": 1 }), PARAM),
    ];
    check(Product::OV_SINGLE, company_application, &cases).await;
}

#[tokio::test]
async fn saved_ids_stand_for_exactly_the_fields_they_hold() {
    let setup = setup().await;
    for id in [134, 135] {
        setup.cloud.save_company(
            &setup.account,
            Company { id, name: "Saved Ltd.".to_owned(), ..Company::default() },
        );
    }
    setup.cloud.save_manager(
        &setup.account,
        Manager { id: 2345, company_id: 134, last_name: "Saved".to_owned(), ..Manager::default() },
    );
    let bare = |certificate_id: &str| {
        let mut fields = company_application(certificate_id);
        let inline = ["Org", "Admin", "Tech"];
        fields
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !inline.iter().any(|prefix| name.starts_with(prefix)));
        fields
    };
    let people = json!({
        "AdminFirstName": "a", "AdminLastName": "b", "AdminPhone": "1", "AdminEmail": "a@b.example", "AdminTitle": "c",
        "TechFirstName": "a", "TechLastName": "b", "TechPhone": "1", "TechTitle": "c", "CompanyId": "134",
    });
    for (change, expected) in [
        (json!({ "CompanyId": "134", "ManagerId": "2345" }), "ok"),
        (json!({ "ManagerId": "2345" }), "ok"),
        (json!({ "CompanyId": "134" }), PARAM),
        (people, "ok"),
        (json!({ "CompanyId": "135", "ManagerId": "2345" }), PARAM),
        (json!({ "ManagerId": "9" }), PARAM),
    ] {
        assert_eq!(outcome(&setup, Product::OV_SINGLE, bare, &change).await, expected, "{change}");
    }

    let both = json!({ "CompanyId": "134", "ManagerId": "2345" });
    assert_eq!(outcome(&setup, Product::OV_SINGLE, company_application, &both).await, "ok");
    let data = describe(&setup).await["SubmittedData"].take();
    assert_eq!((&data["OrganizationName"], &data["AdminLastName"]), (&json!("Saved Ltd."), &json!("Saved")));
}

#[tokio::test]
async fn a_person_may_apply_for_dv_and_must_leave_a_mail_address() {
    let cases = [
        (json!({}), "ok"),
        (json!({ "CompanyId": "x" }), PARAM),
        (json!({ "ContactEmail": null }), "FailedOperation.CertificateInfoSubmitContactEmailEmpty"),
        (json!({ "ContactEmail": "" }), "FailedOperation.CertificateInfoSubmitContactEmailEmpty"),
    ];
    check(Product::DV_SINGLE, personal_application, &cases).await;
    check(Product::FREE_DV, personal_application, &[(json!({}), "ok")]).await;
    check(Product::DV_SINGLE, company_application, &[(json!({}), "ok")]).await;
    check(Product::OV_SINGLE, personal_application, &[(json!({}), PARAM)]).await;
    check(Product::EV_SINGLE, personal_application, &[(json!({}), PARAM)]).await;
}

#[tokio::test]
async fn names_have_a_format_and_fit_the_product() {
    let name = |name: &str| json!({ "CertCommonName": name });
    let single = [
        (name("acme.example"), "ok"),
        (name("xn--fiqs8s.example"), "ok"),
        (name("*.acme.example"), DOMAIN),
        (name("中国.example"), DOMAIN),
        (name("acme"), DOMAIN),
        (name("-a.example"), DOMAIN),
        (name("a..example"), DOMAIN),
        (name("a_b.example"), DOMAIN),
        (name("192.0.2.1"), DOMAIN),
        (name("https://a.example"), DOMAIN),
        (json!({ "DnsNames": ["api.acme.example"] }), PARAM),
    ];
    check(Product::OV_SINGLE, company_application, &single).await;
    let wildcard =
        [(name("*.acme.example"), "ok"), (name("acme.example"), DOMAIN), (name("*.*.example"), DOMAIN)];
    check(Product::OV_WILDCARD, company_application, &wildcard).await;
    let names = |names: &[&str]| json!({ "DnsNames": names });
    let multi = [
        (names(&["api.acme.example"]), "ok"),
        (json!({}), PARAM),
        (names(&["www.acme.example"]), PARAM),
        (names(&["a.example", "A.example"]), PARAM),
        (names(&["a.example", "bad domain"]), DOMAIN),
        (names(&["*.acme.example"]), DOMAIN),
        (names(&["a.example", "b.example", "c.example", "d.example", "e.example"]), PARAM),
    ];
    check(Product::OV_MULTI, company_application, &multi).await;
    let wildcards = [(names(&["*.acme.example"]), "ok"), (json!({}), PARAM)];
    check(Product::OV_MULTI_WILDCARD, company_application, &wildcards).await;
}

#[tokio::test]
async fn a_bad_name_is_quoted() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let body = with(&company_application("J2lX2maH"), &json!({ "CertCommonName": "acme" }));
    let message = "The input domain name acme is in incorrect format. Please check and resubmit.";
    assert_eq!(setup.client.call(SUBMIT, &body).await["Error"]["Message"], message);
}

#[tokio::test]
async fn the_cloud_makes_only_documented_keys() {
    let key = |algorithm: &str, parameter: &str| json!({ "CsrEncryptAlgo": algorithm, "CsrKeyParameter": parameter });
    let cases = [
        (key("RSA", "4096"), "ok"),
        (key("ECC", "prime256v1"), "ok"),
        (key("RSA", "3072"), ALGORITHM),
        (key("ECC", "secp384r1"), ALGORITHM),
        (key("RSA", "prime256v1"), ALGORITHM),
        (key("SM2", "2048"), ALGORITHM),
        (json!({ "CsrEncryptAlgo": null }), PARAM),
        (json!({ "CsrKeyParameter": "" }), PARAM),
        (json!({ "GenCsrType": "upload" }), VALUE),
        (json!({ "GenCsrType": "" }), VALUE),
    ];
    check(Product::OV_SINGLE, company_application, &cases).await;
}

#[tokio::test]
async fn an_sm2_product_takes_a_key_of_the_cloud_and_no_csr_of_another_kind() {
    let rsa = csr("www.acme.example", "Acme");
    let parse = json!({ "GenCsrType": "parse", "Csr": rsa, "CsrEncryptAlgo": "", "CsrKeyParameter": "" });
    let cases = [(parse, ALGORITHM), (json!({}), "ok")];
    check(Product::OV_SM2, company_application, &cases).await;
}

#[tokio::test]
async fn a_csr_is_read_and_must_be_for_the_common_name() {
    let parse =
        |csr: &str| json!({ "GenCsrType": "parse", "Csr": csr, "CsrEncryptAlgo": "", "CsrKeyParameter": "" });
    let good = csr("www.acme.example", "示例科技有限公司");
    let mut forged = pem::parse(&good).unwrap().contents().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let cases = [
        (parse(&good), "ok"),
        (parse(&good.replace('\n', "\r\n")), "ok"),
        (parse(&csr("api.acme.example", "Acme")), PARAM),
        (parse(""), PARAM),
        (parse("not PEM"), PARAM),
        (parse(&good.replace("CERTIFICATE REQUEST", "CERTIFICATE")), PARAM),
        (parse(&pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", [0x30, 0x00]))), PARAM),
        (parse(&pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", forged))), PARAM),
    ];
    check(Product::OV_SINGLE, company_application, &cases).await;
    let vendors = with(&parse(VENDOR_CSR), &json!({ "CertCommonName": "tencent.com" }));
    check(Product::OV_SINGLE, company_application, &[(vendors, "ok")]).await;
}

#[tokio::test]
async fn closed_lists_of_values_are_closed() {
    let cases = [
        (json!({ "VerifyType": "FILE" }), "ok"),
        (json!({ "VerifyType": null }), "ok"),
        (json!({ "VerifyType": "DNS_AUTO" }), VALUE),
        (json!({ "VerifyType": "dns" }), VALUE),
        (json!({ "OrgIdType": "TYDMZ", "AdminIdType": "SFZ", "TechIdType": "HZ" }), "ok"),
        (json!({ "OrgIdType": "", "OrgIdNumber": "", "AdminIdType": "", "TechIdType": "" }), "ok"),
        (json!({ "OrgIdType": "SFZ" }), VALUE),
        (json!({ "AdminIdType": "TYDMZ" }), VALUE),
        (json!({ "TechIdType": "x" }), VALUE),
        (json!({ "AutoRenewFlag": 1 }), "ok"),
        (json!({ "AutoRenewFlag": 2 }), VALUE),
        (json!({ "KeyPass": "x", "SignAlgo": "sha256", "UseCrossSignRoot": true, "Type": 1 }), "ok"),
        (json!({ "CaType": "sectigo" }), "FailedOperation.CertificateOrderSubmitRootCAInvalid"),
    ];
    check(Product::OV_SINGLE, company_application, &cases).await;
    let series = [(json!({ "CaType": "digicert" }), "ok"), (json!({ "CaType": "x" }), VALUE)];
    check(Product::DV_DNSPOD, personal_application, &series).await;
}

#[tokio::test]
async fn the_certificates_and_the_accounts_state_decide_first() {
    let setup = setup().await;
    let body = company_application("J2lX2maH");
    assert_eq!(setup.client.code(SUBMIT, &body).await, "FailedOperation.CertificateNotFound");
    for status in (0..=15).map(Status) {
        setup.buy("J2lX2maH", Product::OV_SINGLE);
        setup.cloud.set("J2lX2maH", |certificate| certificate.status = status).unwrap();
        let refused = "FailedOperation.CertificateInfoSubmitStatusInvalid";
        let expected = if status.awaits_submission() { "ok" } else { refused };
        assert_eq!(setup.client.code(SUBMIT, &body).await, expected, "{status:?}");
    }
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    setup.cloud.set("J2lX2maH", |certificate| certificate.root_refused = true).unwrap();
    let code = setup.client.code(SUBMIT, &body).await;
    assert_eq!(code, "FailedOperation.CertificateOrderSubmitRootCAInvalid");
    setup.cloud.set("J2lX2maH", |certificate| certificate.renewal_is_managed = true).unwrap();
    assert_eq!(setup.client.code(SUBMIT, &body).await, "FailedOperation.CertificateSubmitHostingCertError");
    setup.cloud.set_identity_verified(&setup.account, false);
    assert_eq!(setup.client.code(SUBMIT, &body).await, "FailedOperation.NoRealNameAuth");
}

#[tokio::test]
async fn stored_information_reads_back_under_the_old_names_and_is_overwritten_as_a_whole() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let before = describe(&setup).await;
    assert_eq!(before["Status"], 5);
    for field in ["SubmittedData", "Domain", "SubjectAltName", "OrderId", "DvAuthDetail", "CertEndTime"] {
        assert_eq!(before[field], Value::Null, "{field}");
    }

    let body = with(&company_application("J2lX2maH"), &json!({ "KeyPass": "hunter2" }));
    assert_eq!(setup.client.code(SUBMIT, &body).await, "ok");
    let after = describe(&setup).await;
    assert_eq!((&after["Status"], &after["Domain"]), (&json!(5), &json!("www.acme.example")));
    assert_eq!(after["SubjectAltName"], json!(["www.acme.example"]));
    let data = &after["SubmittedData"];
    for (legacy, name) in [
        ("CsrType", "GenCsrType"),
        ("CertificateDomain", "CertCommonName"),
        ("KeyPassword", "KeyPass"),
        ("OrganizationCity", "OrgCity"),
        ("AdminPhoneNum", "AdminPhone"),
        ("ContactEmail", "TechEmail"),
        ("ContactPosition", "TechTitle"),
        ("VerifyType", "VerifyType"),
    ] {
        assert_eq!(data[legacy], body[name], "{legacy}");
    }
    assert_eq!(data["DomainList"], json!([""]));

    let second = with(&company_application("J2lX2maH"), &json!({ "OrgCity": "Shenzhen" }));
    assert_eq!(setup.client.code(SUBMIT, &second).await, "ok");
    let data = describe(&setup).await["SubmittedData"].take();
    assert_eq!((&data["OrganizationCity"], &data["KeyPassword"]), (&json!("Shenzhen"), &Value::Null));

    setup.cloud.set("J2lX2maH", |certificate| certificate.status = Status::ISSUED).unwrap();
    assert_eq!(describe(&setup).await["SubmittedData"], Value::Null);
}

async fn describe(setup: &Setup) -> Value {
    setup.client.call("DescribeCertificate", &json!({ "CertificateId": "J2lX2maH" })).await
}
