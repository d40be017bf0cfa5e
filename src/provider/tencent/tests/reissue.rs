//! `ReplaceCertificate`, over HTTP: what is sent, what an answer means, and what shows that it was called.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{ID, KEY, clouds, open};
use crate::core::application::ValidationMethod;
use crate::provider::error_class::word;
use crate::provider::fixtures::{PATIENT, Received, Server, csr, http, soon};
use crate::provider::{Accepted, Error, Provider, Reissue, Request, RequestKind};

const OURS: &str = "J2lX2maH";

fn answer(fields: &Value) -> String {
    let mut response = fields.clone();
    response["RequestId"] = json!("54c73858");
    http("200 OK", "application/json", &json!({ "Response": response }).to_string())
}

fn certificate(server: &Server) -> Box<dyn Provider> {
    open(&clouds(&server.url, 1000, PATIENT), &json!({}), &[("secretId", ID), ("secretKey", KEY)])
}

async fn reissue(server: &Server, reissue: &Reissue) -> Result<Accepted, Error> {
    certificate(server).write(Request::Reissue(reissue), soon()).await
}

const PLAIN: Reissue = Reissue { csr: None, method: ValidationMethod::Dns };

#[tokio::test]
async fn it_sends_the_id_the_check_and_the_csr_and_gets_another_id() {
    let server = Server::start(|_, _| answer(&json!({"CertificateId": "K3mY3nbI"}))).await;
    let pem = csr().pem().to_owned();
    let own_key = Reissue { csr: Some(format!("\n{pem}\n")), method: ValidationMethod::File };
    let accepted = reissue(&server, &PLAIN).await.unwrap();
    assert_eq!(accepted.certificate_id.as_deref(), Some("K3mY3nbI"));
    assert_eq!((accepted.request_id.as_deref(), accepted.order_id), (Some("54c73858"), None));
    reissue(&server, &own_key).await.unwrap();
    let calls = server.take();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.headers["x-tc-action"] == "ReplaceCertificate"));
    assert_eq!(calls[0].body, r#"{"CertificateId":"J2lX2maH","ValidType":"DNS","CsrType":"original"}"#);
    let expected = json!({
        "CertificateId": OURS, "ValidType": "FILE", "CsrType": "upload", "CsrContent": pem.trim(),
    });
    assert_eq!(calls[1].json(), expected);

    let by_mail = Reissue { method: ValidationMethod::Email, ..PLAIN };
    assert!(matches!(reissue(&server, &by_mail).await, Err(Error::NotSent(_))));
    assert_eq!(server.take().len(), 0);
}

#[tokio::test]
async fn an_answer_without_another_id_is_accepted_without_one() {
    for id in [json!(null), json!(""), json!(OURS), json!("../x"), json!("x".repeat(65))] {
        let fields = json!({ "CertificateId": id });
        let server = Server::start(move |_, _| answer(&fields)).await;
        assert_eq!(reissue(&server, &PLAIN).await.unwrap().certificate_id, None, "{id}");
    }
}

#[tokio::test]
async fn every_code_of_it_means_what_it_means_for_this_call_and_it_is_sent_once() {
    let codes = [
        ("under way", "OrderAlreadyReplaced"),
        ("not now", "InvalidCertificateStatusCode"),
        ("unknown", "OrderReplaceFailed NetworkError SystemError"),
        ("unavailable", "CannotGetOrder"),
        (
            "InvalidRequest",
            "InvalidCertificateSource InvalidParam ExceedsFreeLimit CancelOrderFailed CannotBeDeletedIssued \
             CannotBeDeletedWithinHour CertificateMismatch CertificateInvalid",
        ),
        ("CertificateNotFound", "CertificateNotFound"),
        ("PermissionDenied", "NoProjectPermission AuthError"),
        ("AccountNotVerified", "NoRealNameAuth"),
    ];
    let of_class = codes.iter().flat_map(|(word, codes)| {
        codes.split_whitespace().map(|code| (*word, format!("FailedOperation.{code}")))
    });
    let others = [
        ("unknown", "FailedOperation"),
        ("unknown", "InternalError"),
        ("InvalidRequest", "InvalidParameter.RenewAlgorithmInvalid"),
        ("InvalidRequest", "UnknownParameter"),
        ("throttled", "RequestLimitExceeded"),
    ];
    for (expected, code) in of_class.chain(others.map(|(word, code)| (word, code.to_owned()))) {
        let fields = json!({"Error": {"Code": code, "Message": "m"}});
        let server = Server::start(move |_, _| answer(&fields)).await;
        let error = reissue(&server, &PLAIN).await.unwrap_err();
        assert_eq!(word(&error), expected, "{code}");
        assert_eq!(error.refusal().unwrap().code, code);
        assert_eq!(server.take().len(), 1, "{code}");
    }
    for (status, body) in [("502 Bad Gateway", "<html>"), ("200 OK", "{}")] {
        let server = Server::start(move |_, _| http(status, "text/html", body)).await;
        assert_eq!(word(&reissue(&server, &PLAIN).await.unwrap_err()), "unknown", "{status}");
        assert_eq!(server.take().len(), 1, "{status}");
    }
}

/// Whether a log with these lines, and these certificates, shows a reissue since noon; and how many calls told it.
async fn is_logged(lines: Value, rows: Value) -> (bool, usize) {
    let server = Server::start(move |request: &Received, _| match request.headers["x-tc-action"].as_str() {
        "DescribeCertificateOperateLogs" => {
            answer(&json!({"TotalCount": lines.as_array().unwrap().len(), "OperateLogs": lines}))
        }
        "DescribeCertificates" => {
            let asked = request.json();
            let ids = asked["CertIds"].as_array().unwrap();
            let rows: Vec<_> =
                rows.as_array().unwrap().iter().filter(|row| ids.contains(&row["CertificateId"])).collect();
            answer(&json!({"TotalCount": rows.len(), "Certificates": rows}))
        }
        other => panic!("{other}"),
    })
    .await;
    let since: Timestamp = "2026-03-01T04:00:00Z".parse().unwrap();
    let logged = certificate(&server).was_called(RequestKind::Reissue, since).await.unwrap();
    (logged, server.take().len())
}

#[tokio::test]
async fn it_was_called_if_the_log_has_it_with_either_id() {
    let line = |id: &str, kind: &str, at: &str| json!({"CertId": id, "Type": kind, "CreatedOn": at});
    let (noon, before) = ("2026-03-01 12:00:00", "2026-03-01 11:59:59");
    let new = |extra: Value| json!({"CertificateId": "K3mY3nbI", "Status": 0, "CertificateExtra": extra});
    let old = |extra: Value| json!({"CertificateId": OURS, "Status": 1, "CertificateExtra": extra});
    let back = new(json!({"ReplacedBy": OURS}));
    let cases = [
        (json!([line(OURS, "replace", noon)]), json!([]), (true, 1)),
        (json!([line(OURS, "Replace", noon)]), json!([]), (true, 1)),
        (json!([line(OURS, "replace", before)]), json!([]), (false, 1)),
        (json!([line(OURS, "submitInfo", noon)]), json!([]), (false, 1)),
        (json!([line("K3mY3nbI", "submitInfo", noon)]), json!([back]), (false, 1)),
        // With the id of the new one: by its link, or by that of the one before it.
        (json!([line("K3mY3nbI", "replace", noon)]), json!([back]), (true, 2)),
        (
            json!([line("K3mY3nbI", "replace", noon)]),
            json!([old(json!({"ReplacedFor": "K3mY3nbI"}))]),
            (true, 2),
        ),
        (json!([line("K3mY3nbI", "replace", before)]), json!([back]), (false, 1)),
        (
            json!([line("K3mY3nbI", "replace", noon)]),
            json!([new(json!({"ReplacedBy": "third"}))]),
            (false, 2),
        ),
        (json!([line("K3mY3nbI", "replace", noon)]), json!([new(json!({})), old(json!({}))]), (false, 2)),
        (json!([line("K3mY3nbI", "replace", noon)]), json!([]), (false, 2)),
    ];
    for (lines, rows, expected) in cases {
        assert_eq!(is_logged(lines.clone(), rows.clone()).await, expected, "{lines} {rows}");
    }
}
