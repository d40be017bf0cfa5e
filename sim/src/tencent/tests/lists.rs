//! What the lists show: certificates, saved profiles, the operation log.

use serde_json::{Value, json};

use super::client::{Setup, company_application, personal_application, setup, with};
use crate::tencent::{Company, Manager, ManagerLevel, Product, Status};

const LIST: &str = "DescribeCertificates";
const COMPANIES: &str = "DescribeCompanies";
const MANAGERS: &str = "DescribeManagers";
const LOGS: &str = "DescribeCertificateOperateLogs";

async fn ids(setup: &Setup, filter: Value) -> Vec<String> {
    let response = setup.client.call(LIST, &filter).await;
    let certificates = response["Certificates"].as_array().unwrap();
    certificates.iter().map(|certificate| certificate["CertificateId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn certificates_are_listed_newest_first_in_pages_and_by_filter() {
    let setup = setup().await;
    for number in 0..12 {
        setup.buy(&format!("cert-{number:02}"), Product::DV_SINGLE);
    }
    let other = setup.cloud.account("AKIDother", "other");
    setup.cloud.buy(&other, "foreign", Product::DV_SINGLE);
    setup.cloud.set("cert-03", |certificate| certificate.status = Status::EXPIRED).unwrap();
    assert_eq!(setup.client.code("CertificateInfoSubmit", &personal_application("cert-05")).await, "ok");

    let all = setup.client.call(LIST, &json!({})).await;
    assert_eq!((&all["TotalCount"], all["Certificates"].as_array().unwrap().len()), (&json!(12), 10));
    assert_eq!(all["Certificates"][0]["CertificateId"], "cert-11");
    assert_eq!(ids(&setup, json!({ "Offset": 10, "Limit": 5 })).await, ["cert-01", "cert-00"]);
    assert_eq!(ids(&setup, json!({ "Limit": 5000 })).await.len(), 12);
    assert_eq!(ids(&setup, json!({ "CertIds": ["cert-02", "foreign", "none"] })).await, ["cert-02"]);
    assert_eq!(ids(&setup, json!({ "CertificateStatus": [3] })).await, ["cert-03"]);
    assert_eq!(ids(&setup, json!({ "SearchKey": "acme" })).await, ["cert-05"]);
    for refused in [json!({ "Offset": -1 }), json!({ "ExpirationSort": "up" }), json!({ "CertIds": [] })] {
        assert_eq!(setup.client.code(LIST, &refused).await, "InvalidParameterValue", "{refused}");
    }
    assert_eq!(setup.client.code(LIST, &json!({ "Hostable": 1 })).await, "UnsupportedOperation");
}

#[tokio::test]
async fn the_reads_show_which_products_have_the_chinese_algorithms() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::DV_SM2);
    setup.buy("K3mY3nbI", Product::DV_SINGLE);
    for (id, flag, is_sm, name) in [
        ("J2lX2maH", 1, true, "DNSPod SM2 DV SSL certificate"),
        ("K3mY3nbI", 0, false, "WoTrus DV SSL certificate"),
    ] {
        let one = setup.client.call("DescribeCertificate", &json!({ "CertificateId": id })).await;
        let list = setup.client.call(LIST, &json!({ "CertIds": [id] })).await;
        let row = &list["Certificates"][0];
        assert_eq!(
            (&one["CertificateExtra"]["SMCert"], &row["CertificateExtra"]["SMCert"]),
            (&json!(flag), &json!(flag))
        );
        assert_eq!((&one["PackageTypeName"], &row["IsSM"]), (&json!(name), &json!(is_sm)));
        assert!(one.get("IsSM").is_none());
    }
}

#[tokio::test]
async fn the_list_alone_shows_the_deadline_of_validation() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::DV_SINGLE);
    let application = with(&personal_application("J2lX2maH"), &json!({ "AutoRenewFlag": 1 }));
    assert_eq!(setup.client.code("CertificateInfoSubmit", &application).await, "ok");
    assert_eq!(setup.client.code("CertificateOrderSubmit", &json!({ "CertId": "J2lX2maH" })).await, "ok");
    let list = setup.client.call(LIST, &json!({ "CertIds": ["J2lX2maH"] })).await;
    let listed = &list["Certificates"][0];
    assert!(listed["DVAuthDeadline"].as_str() > listed["InsertTime"].as_str());
    assert_eq!(listed["AutoRenewFlag"], 1);
    assert_eq!(listed["ValidationPassedTime"], Value::Null);
    for absent in ["SubmittedData", "DvAuthDetail"] {
        assert!(listed.get(absent).is_none(), "{absent}");
    }
    let described = setup.client.call("DescribeCertificate", &json!({ "CertificateId": "J2lX2maH" })).await;
    assert!(described.get("DVAuthDeadline").is_none());
}

#[tokio::test]
async fn companies_come_with_integer_ids_and_only_for_a_limit() {
    let setup = setup().await;
    for id in 130..135 {
        setup.cloud.save_company(
            &setup.account,
            Company { id, name: format!("Company {id}"), country: "中国".to_owned(), ..Company::default() },
        );
    }
    let none = setup.client.call(COMPANIES, &json!({})).await;
    assert_eq!((&none["TotalCount"], &none["Companies"]), (&json!(5), &json!([])));
    let page = setup.client.call(COMPANIES, &json!({ "Limit": 2, "Offset": 3 })).await;
    assert_eq!(page["TotalCount"], 5);
    assert_eq!(
        (&page["Companies"][0]["CompanyId"], &page["Companies"][1]["CompanyId"]),
        (&json!(133), &json!(134))
    );
    let one = setup.client.call(COMPANIES, &json!({ "Limit": 100, "CompanyId": 131 })).await;
    assert_eq!((&one["TotalCount"], &one["Companies"][0]["CompanyName"]), (&json!(1), &json!("Company 131")));
    assert_eq!(setup.client.code(COMPANIES, &json!({ "CompanyId": "131" })).await, "InvalidParameter");
}

#[tokio::test]
async fn managers_are_listed_per_company_and_found_exactly() {
    let setup = setup().await;
    let level = ManagerLevel {
        level: "ov".to_owned(),
        status: "completed".to_owned(),
        domains: vec![("acme.example".to_owned(), "2027-01-01 00:00:00".to_owned())],
    };
    setup.cloud.save_company(&setup.account, Company { id: 134, ..Company::default() });
    for (id, company_id, status, mail) in [
        (1, 134, "ok", "a@acme.example"),
        (2, 134, "audit", "b@acme.example"),
        (3, 135, "ok", "a@acme.example"),
    ] {
        let manager = Manager {
            id,
            company_id,
            status: status.to_owned(),
            mail: mail.to_owned(),
            last_name: "Huang".to_owned(),
            levels: vec![level.clone()],
            ..Manager::default()
        };
        setup.cloud.save_manager(&setup.account, manager);
    }
    let managers = async |filter: Value| {
        let response = setup.client.call(MANAGERS, &with(&json!({ "CompanyId": 134 }), &filter)).await;
        let found: Vec<i64> = response["Managers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["ManagerId"].as_i64().unwrap())
            .collect();
        found
    };
    assert_eq!(setup.client.code(MANAGERS, &json!({})).await, "MissingParameter");
    assert_eq!(managers(json!({})).await, [1, 2]);
    assert_eq!(managers(json!({ "Limit": 1, "Offset": 1 })).await, [2]);
    assert_eq!(managers(json!({ "Status": "ok" })).await, [1]);
    assert_eq!(managers(json!({ "SearchKey": "b@acme.example" })).await, [2]);
    assert_eq!(managers(json!({ "SearchKey": "b@acme" })).await, [] as [i64; 0]);
    assert_eq!(managers(json!({ "ManagerMail": "b@acme" })).await, [2]);
    assert_eq!(managers(json!({ "CompanyId": 9 })).await, [] as [i64; 0]);

    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let application =
        with(&company_application("J2lX2maH"), &json!({ "CompanyId": "134", "ManagerId": "1" }));
    assert_eq!(setup.client.code("CertificateInfoSubmit", &application).await, "ok");
    let response = setup.client.call(MANAGERS, &json!({ "CompanyId": 134 })).await;
    let first = &response["Managers"][0];
    assert_eq!((&first["CertCount"], &first["DomainCount"]), (&json!(1), &json!(1)));
    assert_eq!(first["StatusInfo"][0]["ManagerPreAuditDomains"][0]["Domain"], "acme.example");
}

#[tokio::test]
async fn the_operation_log_tells_what_happened_to_a_certificate() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::DV_SINGLE);
    assert_eq!(setup.client.code("CertificateInfoSubmit", &personal_application("J2lX2maH")).await, "ok");
    assert_eq!(
        setup.client.code("CertificateInfoSubmit", &json!({ "CertId": "x" })).await,
        "MissingParameter"
    );
    assert_eq!(setup.client.code("CertificateOrderSubmit", &json!({ "CertId": "J2lX2maH" })).await, "ok");
    for _ in 0..2 {
        setup.cloud.advance("J2lX2maH").unwrap();
    }
    assert_eq!(setup.cloud.certificate("J2lX2maH").unwrap().status, Status::ISSUED);
    let logs = setup.client.call(LOGS, &json!({})).await;
    let lines = logs["OperateLogs"].as_array().unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line["Type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["issued", "domainValidationPassed", "applyVIP", "submitInfo"]);
    assert!(lines.iter().all(|line| line["CertId"] == "J2lX2maH" && line["Uin"] == setup.account.uin));
    let page = setup.client.call(LOGS, &json!({ "Offset": 1, "Limit": 1 })).await;
    assert_eq!(
        (&page["TotalCount"], &page["OperateLogs"][0]["Type"]),
        (&json!(4), &json!("domainValidationPassed"))
    );
    let before = setup.client.call(LOGS, &json!({ "EndTime": "2020-01-01 00:00:00" })).await;
    assert_eq!((&before["AllTotal"], &before["TotalCount"]), (&json!(4), &json!(0)));
    assert_eq!(setup.client.code(LOGS, &json!({ "StartTime": "yesterday" })).await, "InvalidParameterValue");
}
