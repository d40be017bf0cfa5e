//! What happens to an order after it is sent: letters, failed reviews, cancellation, download, revocation, expiry.

use std::io::{Cursor, Read as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::client::{Setup, company_application, personal_application, setup, setup_with, with};
use super::order::{CANCEL, CHECK, ORDER, RESUBMIT, SUBMIT, WRONG_STATUS, cert, certificate};
use crate::tencent::{Finding, MoveError, Options, Product, Status};

const LETTER: &str = "UploadConfirmLetter";
const REVOKE: &str = "RevokeCertificate";
const DOWNLOAD: &str = "DownloadCertificate";
const LIST: &str = "DescribeCertificates";

/// A call of `UploadConfirmLetter` with a file that begins like this and has this size.
fn letter(begin: &[u8], size: usize) -> Value {
    let mut file = begin.to_vec();
    file.resize(size, b' ');
    json!({ "CertificateId": "J2lX2maH", "ConfirmLetter": BASE64_STANDARD.encode(file) })
}

fn revocation() -> Value {
    json!({ "CertificateId": "J2lX2maH", "Reason": "key lost" })
}

impl Setup {
    async fn issued(&self, product: Product, application: &Value) {
        self.ordered(product, application).await;
        self.cloud.issue("J2lX2maH").unwrap();
    }

    fn status(&self) -> i64 {
        self.cloud.certificate("J2lX2maH").unwrap().status.0
    }

    async fn logged(&self) -> Vec<String> {
        let logs = self.client.call("DescribeCertificateOperateLogs", &json!({})).await;
        let lines = logs["OperateLogs"].as_array().unwrap().iter().rev();
        lines.map(|line| line["Type"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn an_order_that_wants_a_letter_goes_on_with_it_and_not_before() {
    let setup = setup().await;
    setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    setup.cloud.set("J2lX2maH", |certificate| certificate.wants_letter = true).unwrap();
    assert_eq!(setup.client.code(LETTER, &letter(b"%PDF-1.7", 2000)).await, WRONG_STATUS);
    assert_eq!(setup.client.call(ORDER, &cert()).await["Status"], 8);
    assert_eq!(setup.cloud.advance("J2lX2maH").unwrap(), Status::AWAITING_LETTER);
    assert!(setup.cloud.running().is_empty(), "the next step is the customer's");

    let no_base64 = json!({ "CertificateId": "J2lX2maH", "ConfirmLetter": "%PDF" });
    let format = "FailedOperation.InvalidConfirmLetterFormat";
    let refused = [
        (letter(b"%PDF-1.7", 1023), "FailedOperation.ConfirmLetterTooSmall"),
        (letter(b"%PDF-1.7", 1_400_001), "FailedOperation.ConfirmLetterTooLarge"),
        (letter(b"PK", 2000), format),
        (no_base64, format),
        (
            json!({ "CertificateId": "J2lX2maH", "ConfirmLetter": "" }),
            "FailedOperation.ConfirmLetterTooSmall",
        ),
        (json!({ "CertificateId": "J2lX2maH" }), "MissingParameter"),
        (json!({ "CertificateId": "other", "ConfirmLetter": "" }), "FailedOperation.CertificateNotFound"),
    ];
    for (letter, code) in refused {
        assert_eq!(setup.client.code(LETTER, &letter).await, code);
    }
    assert_eq!(setup.status(), 8);
    for begin in [&b"%PDF-1.7"[..], b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"] {
        setup.force(Status::AWAITING_LETTER);
        let answer = setup.client.call(LETTER, &letter(begin, 1_400_000)).await;
        assert_eq!((&answer["CertificateId"], &answer["IsSuccess"]), (&json!("J2lX2maH"), &json!(true)));
        assert_eq!(setup.status(), 0);
    }
    assert_eq!(setup.describe().await["StatusMsg"], "PRE-REVIEWING");
    assert_eq!(setup.logged().await[..3], ["submitInfo", "applyVIP", "uploadConfirmLetter"]);
}

#[tokio::test]
async fn a_dv_certificate_wants_and_takes_no_letter() {
    let setup = setup().await;
    setup.submitted(Product::DV_SINGLE, &personal_application("J2lX2maH")).await;
    setup.cloud.set("J2lX2maH", |certificate| certificate.wants_letter = true).unwrap();
    assert_eq!(setup.client.call(ORDER, &cert()).await["Status"], 0);
    let code = setup.client.code(LETTER, &letter(b"%PDF-1.7", 2000)).await;
    assert_eq!(code, "FailedOperation.UploadConfirmCertificateNotSupportDV");
}

#[tokio::test]
async fn a_failed_review_says_why_and_is_opened_again_with_what_was_submitted() {
    let setup = setup().await;
    let unknown = setup.cloud.reject("J2lX2maH", "no").unwrap_err();
    assert!(matches!(unknown, MoveError::Unknown(_)));
    setup.submitted(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    let early = setup.cloud.reject("J2lX2maH", "no").unwrap_err();
    assert_eq!(early, MoveError::WrongStatus("J2lX2maH".to_owned(), Status::PENDING_SUBMISSION));
    assert_eq!(early.to_string(), "certificate J2lX2maH has the status 5, from which this does not happen");
    assert_eq!(setup.client.code(ORDER, &cert()).await, "ok");
    setup.cloud.reject("J2lX2maH", "The CA rejected the organization.").unwrap();
    let failed = setup.describe().await;
    assert_eq!(
        (&failed["Status"], &failed["StatusMsg"]),
        (&json!(2), &json!("The CA rejected the organization."))
    );
    assert_eq!(
        setup.client.code(SUBMIT, &company_application("J2lX2maH")).await,
        "FailedOperation.CertificateInfoSubmitStatusInvalid"
    );

    assert_eq!(setup.client.code(RESUBMIT, &certificate()).await, "ok");
    let reopened = setup.describe().await;
    assert_eq!((&reopened["Status"], &reopened["StatusMsg"]), (&json!(5), &json!("")));
    assert_eq!(reopened["SubmittedData"]["OrganizationName"], "Acme Trading Co., Ltd.");
    let other = with(&company_application("J2lX2maH"), &json!({ "OrgOrganization": "Acme Ltd." }));
    assert_eq!(setup.client.code(SUBMIT, &other).await, "ok");
    assert_eq!(setup.describe().await["SubmittedData"]["OrganizationName"], "Acme Ltd.");
    assert_eq!(setup.client.code(ORDER, &cert()).await, "ok");
    let lines = ["submitInfo", "applyVIP", "Resubmit", "submitInfo", "applyVIP"];
    assert_eq!(setup.logged().await, lines);
}

#[tokio::test]
async fn a_cancellation_ends_when_the_authority_confirms_it() {
    let setup = setup().await;
    setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    assert!(matches!(setup.cloud.finish_cancel("J2lX2maH"), Err(MoveError::WrongStatus(..))));
    assert_eq!(setup.client.code(CANCEL, &certificate()).await, "ok");
    assert_eq!(setup.status(), 6);
    setup.cloud.finish_cancel("J2lX2maH").unwrap();
    assert_eq!(setup.status(), 7);
    assert_eq!(setup.logged().await.last().unwrap(), "cancel");
}

#[tokio::test]
async fn a_check_tells_for_each_name_what_was_found() {
    let setup = setup().await;
    let names = json!({ "DnsNames": ["api.acme.example"] });
    setup.ordered(Product::OV_MULTI, &with(&company_application("J2lX2maH"), &names)).await;
    let other = Finding::Other("v=spf1".to_owned());
    let findings = [
        (Finding::Missing, (-1, -4), false),
        (other.clone(), (-2, -5), false),
        (Finding::NoNameServers, (-3, -3), false),
        (Finding::TooOften, (-1, -1), true),
        (Finding::Proof, (1, 1), false),
    ];
    for (finding, (dns, file), frequently) in findings {
        for (kind, expected) in [("TXT", dns), ("FILE", file)] {
            setup.cloud.set("J2lX2maH", |certificate| certificate.auths[1].kind = kind.to_owned()).unwrap();
            setup.cloud.set_finding("J2lX2maH", "api.acme.example", finding.clone(), false).unwrap();
            let results = setup.client.call(CHECK, &certificate()).await["VerificationResults"].take();
            let (first, second) = (&results[0], &results[1]);
            assert_eq!((&first["Domain"], &first["LocalCheck"]), (&json!("www.acme.example"), &json!(-1)));
            assert_eq!(second["LocalCheck"], expected, "{finding:?} {kind}");
            assert_eq!(second["Frequently"], frequently, "{finding:?}");
            assert_eq!(second["LocalCheckFailReason"] == "", finding == Finding::Proof, "{finding:?}");
        }
    }
    setup.cloud.set_finding("J2lX2maH", "api.acme.example", other, true).unwrap();
    let results = setup.client.call(CHECK, &certificate()).await["VerificationResults"].take();
    assert_eq!((&results[1]["CheckValue"], &results[1]["CaCheck"]), (&json!(["v=spf1"]), &json!(2)));
    let nobody = setup.cloud.set_finding("J2lX2maH", "other.example", Finding::Proof, true).unwrap_err();
    assert!(matches!(nobody, MoveError::NoSuchName(..)));
}

/// The files of an archive, by name, sorted.
async fn downloaded(setup: &Setup) -> Vec<(String, String)> {
    let answer = setup.client.call(DOWNLOAD, &certificate()).await;
    assert_eq!(answer["ContentType"], "application/zip");
    let bytes = BASE64_STANDARD.decode(answer["Content"].as_str().unwrap()).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files: Vec<_> = (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn an_archive_holds_the_chain_and_the_key_only_where_the_cloud_made_it() {
    let setup = setup().await;
    setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    assert_eq!(setup.client.code(DOWNLOAD, &certificate()).await, WRONG_STATUS);
    setup.cloud.issue("J2lX2maH").unwrap();
    let files = downloaded(&setup).await;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Apache/root_bundle.crt",
        "Apache/www.acme.example.crt",
        "Apache/www.acme.example.key",
        "Nginx/www.acme.example.key",
        "Nginx/www.acme.example_bundle.crt",
        "Nginx/www.acme.example_bundle.pem",
    ];
    assert_eq!(names, expected);
    assert!(files[3].1.contains("PRIVATE KEY"));
    assert_eq!(pem::parse_many(&files[5].1).unwrap().len(), 2);

    let own = json!({
        "GenCsrType": "parse", "Csr": super::info_submit::VENDOR_CSR, "CertCommonName": "tencent.com",
    });
    setup.issued(Product::OV_SINGLE, &with(&company_application("J2lX2maH"), &own)).await;
    assert!(downloaded(&setup).await.iter().all(|(_, text)| !text.contains("PRIVATE KEY")));
}

#[tokio::test]
async fn the_detail_may_give_the_leaf_alone() {
    let setup = setup_with(Options { detail_lacks_chain: true, ..Options::default() }).await;
    setup.issued(Product::DV_SINGLE, &personal_application("J2lX2maH")).await;
    let detail = setup.client.call("DescribeCertificateDetail", &certificate()).await;
    assert_eq!(pem::parse_many(detail["CertificatePublicKey"].as_str().unwrap()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_revocation_ends_when_the_authority_confirms_it() {
    let setup = setup().await;
    setup.ordered(Product::OV_SINGLE, &company_application("J2lX2maH")).await;
    assert_eq!(setup.client.code(REVOKE, &revocation()).await, WRONG_STATUS);
    setup.cloud.issue("J2lX2maH").unwrap();
    let empty = json!({ "CertificateId": "J2lX2maH", "Reason": "" });
    assert_eq!(setup.client.code(REVOKE, &empty).await, "FailedOperation.InvalidParam");
    assert_eq!(setup.client.code(REVOKE, &certificate()).await, "MissingParameter");
    let answer = setup.client.call(REVOKE, &revocation()).await;
    assert_eq!(answer["RevokeDomainValidateAuths"], json!([]));
    assert_eq!(
        (setup.status(), setup.client.code(REVOKE, &revocation()).await),
        (9, WRONG_STATUS.to_owned())
    );
    assert_eq!(setup.cloud.running(), ["J2lX2maH"]);

    setup.cloud.want_revocation_letter("J2lX2maH").unwrap();
    assert_eq!(setup.status(), 12);
    setup.cloud.finish_revocation("J2lX2maH").unwrap();
    let list = setup.client.call(LIST, &json!({ "CertIds": ["J2lX2maH"] })).await;
    assert_eq!(list["Certificates"][0]["Status"], 10);
    assert!(list["Certificates"][0]["CertRevokedTime"].is_string());
    assert_eq!(setup.logged().await.last().unwrap(), "revoke");
}

#[tokio::test]
async fn an_issued_certificate_expires_and_shows_what_took_its_place() {
    let setup = setup().await;
    setup.issued(Product::DV_SINGLE, &personal_application("J2lX2maH")).await;
    let before = setup.describe().await;
    setup.cloud.reissue("J2lX2maH", "K3mY3nbI").unwrap();
    setup.cloud.expire("J2lX2maH").unwrap();
    assert!(matches!(setup.cloud.expire("J2lX2maH"), Err(MoveError::WrongStatus(..))));
    assert!(matches!(setup.cloud.reissue("J2lX2maH", "K3mY3nbI"), Err(MoveError::WrongStatus(..))));
    setup
        .cloud
        .set("J2lX2maH", |certificate| {
            certificate.successors.renew_order = Some("L4nZ4ocJ".to_owned());
            certificate.successors.hosting_renew = Some("M5oA5pdK".to_owned());
        })
        .unwrap();
    let expired = setup.describe().await;
    assert_eq!(expired["Status"], 3);
    assert!(expired["CertEndTime"].as_str() < before["CertEndTime"].as_str());
    let extra = &expired["CertificateExtra"];
    assert_eq!((&extra["ReplacedFor"], &extra["RenewOrder"]), (&json!("K3mY3nbI"), &json!("L4nZ4ocJ")));
    assert!(extra["ReplacedBy"].is_null());
    let list = setup.client.call(LIST, &json!({ "CertIds": ["J2lX2maH"] })).await;
    assert_eq!(list["Certificates"][0]["HostingRenewCertId"], "M5oA5pdK");

    setup.cloud.advance("K3mY3nbI").unwrap();
    let new = setup.client.call("DescribeCertificate", &json!({ "CertificateId": "K3mY3nbI" })).await;
    let (extra, names) = (&new["CertificateExtra"], &new["SubjectAltName"]);
    assert_eq!((&new["Status"], names), (&json!(1), &expired["SubjectAltName"]));
    assert_eq!((&extra["ReplacedBy"], &extra["ReplacedFor"]), (&json!("J2lX2maH"), &Value::Null));
}
