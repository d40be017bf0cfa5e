//! What holds for every call: identity, shape, pace, faults, and the ledger that records it all.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{Client, ID, KEY, Setup, company_application, setup, setup_with, with};
use crate::{
    clock,
    tencent::{Fault, Options, Product},
};

const DESCRIBE: &str = "DescribeCertificate";
const SUBMIT: &str = "CertificateInfoSubmit";

fn one() -> Value {
    json!({ "CertificateId": "J2lX2maH" })
}

#[tokio::test]
async fn every_flaw_of_a_request_has_its_code() {
    type Break = fn(&mut Client);
    let flaws: [(Break, &str); 10] = [
        (|client| client.secret_key.push('x'), "AuthFailure.SignatureFailure"),
        (|client| client.secret_id.push('x'), "AuthFailure.SecretIdNotFound"),
        (|client| client.scope_date = Some("2019-02-25"), "AuthFailure.SignatureFailure"),
        (|client| client.service = "cvm", "AuthFailure.SignatureFailure"),
        (|client| client.signed_headers = "content-type", "AuthFailure.SignatureFailure"),
        (|client| client.signed_headers = "host;content-type", "AuthFailure.SignatureFailure"),
        (|client| client.secret_id.insert(0, ' '), "AuthFailure.SecretIdNotFound"),
        (|client| client.token = Some("none was given".to_owned()), "AuthFailure.TokenFailure"),
        (|client| client.content_type = "text/plain", "UnsupportedProtocol"),
        (|client| client.version = "2018-01-01", "NoSuchVersion"),
    ];
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    for (flaw, code) in flaws {
        let mut client = setup.client.clone();
        flaw(&mut client);
        assert_eq!(client.code(DESCRIBE, &one()).await, code);
    }
    assert_eq!(setup.client.code("CreateEverything", &json!({})).await, "InvalidAction");
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "ok");
}

#[tokio::test]
async fn only_post_is_served() {
    let setup = setup().await;
    let reply: Value = reqwest::get(setup.cloud.url()).await.unwrap().json().await.unwrap();
    assert_eq!(reply["Response"]["Error"]["Code"], "UnsupportedOperation");
    let elsewhere = reqwest::get(format!("{}/v2", setup.cloud.url())).await.unwrap();
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn a_missing_header_is_named() {
    let setup = setup().await;
    for (header, parameter) in
        [("x-tc-action", "Action"), ("x-tc-version", "Version"), ("x-tc-timestamp", "Timestamp")]
    {
        let mut request = setup.client.request(DESCRIBE, "{}").build().unwrap();
        request.headers_mut().remove(header);
        let reply: Value = reqwest::Client::new().execute(request).await.unwrap().json().await.unwrap();
        let message = format!("The request is missing a required parameter `{parameter}`.");
        assert_eq!(reply["Response"]["Error"], json!({ "Code": "MissingParameter", "Message": message }));
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_the_servers_time() {
    let mut setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    setup.cloud.set_clock_ahead(SignedDuration::from_secs(3600));
    let response = setup.client.call(DESCRIBE, &one()).await;
    assert_eq!(response["Error"]["Code"], "AuthFailure.SignatureExpire");
    let message = response["Error"]["Message"].as_str().unwrap();
    assert!(message.starts_with("Signature expired"));
    let server: i64 = message.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((server - clock::now().as_second() - 3600).abs() < 30);

    setup.client.timestamp = Some(Timestamp::from_second(server).unwrap());
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "ok");
}

#[tokio::test]
async fn a_temporary_key_works_with_its_token_until_it_expires() {
    let mut setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let hour = SignedDuration::from_hours(1);
    let expires = clock::now().saturating_add(hour).unwrap();
    setup.cloud.add_temporary_credential(&setup.account, ID, KEY, "token==/+", expires);
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "AuthFailure.TokenFailure");
    setup.client.token = Some("token==/+".to_owned());
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "ok");
    setup.cloud.set_clock_ahead(hour);
    setup.client.timestamp = Some(expires);
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "AuthFailure.TokenFailure");
}

#[tokio::test]
async fn a_body_is_checked_against_the_declared_parameters() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_MULTI);
    let cases = [
        (
            json!({ "CompanyId": 134 }),
            "InvalidParameter",
            "The value type of parameter `CompanyId` is not valid.",
        ),
        (
            json!({ "CompanyType": "2" }),
            "InvalidParameter",
            "The value type of parameter `CompanyType` is not valid.",
        ),
        (
            json!({ "CompanyType": 2.0 }),
            "InvalidParameter",
            "The value type of parameter `CompanyType` is not valid.",
        ),
        (
            json!({ "DnsNames": "a.b" }),
            "InvalidParameter",
            "The value type of parameter `DnsNames` is not valid.",
        ),
        (
            json!({ "DnsNames": [1] }),
            "InvalidParameter",
            "The value type of parameter `DnsNames` is not valid.",
        ),
        (
            json!({ "UseCrossSignRoot": 1 }),
            "InvalidParameter",
            "The value type of parameter `UseCrossSignRoot` is not valid.",
        ),
        (
            json!({ "DnsNames": [] }),
            "InvalidParameterValue",
            "The value `[]` specified in the parameter `DnsNames` is not valid.",
        ),
        (json!({ "Org": "x" }), "UnknownParameter", "The parameter `Org` is not recognized."),
        (
            json!({ "CertId": null }),
            "MissingParameter",
            "The request is missing a required parameter `CertId`.",
        ),
    ];
    for (change, code, message) in cases {
        let body = with(&company_application("J2lX2maH"), &change);
        let response = setup.client.call(SUBMIT, &body).await;
        assert_eq!(response["Error"], json!({ "Code": code, "Message": message }), "{change}");
    }
    for body in ["", "[]", "{", "\"x\""] {
        let response = setup.client.send(SUBMIT, body).await.unwrap();
        assert_eq!(response["Error"]["Code"], "InvalidParameter", "{body}");
        assert!(response["Error"]["Message"].as_str().unwrap().contains("valid JSON"));
    }
}

#[tokio::test]
async fn numeric_text_passes_for_an_integer_only_when_lenient() {
    let setup = setup_with(Options { lenient_integers: true, ..Options::default() }).await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let body = with(&company_application("J2lX2maH"), &json!({ "CompanyType": "2" }));
    assert_eq!(setup.client.code(SUBMIT, &body).await, "ok");
}

#[tokio::test]
async fn an_account_does_not_see_the_certificates_of_another() {
    let mut setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let other = setup.cloud.account("AKIDother", "other");
    assert_ne!(other, setup.account);
    (setup.client.secret_id, setup.client.secret_key) = ("AKIDother".to_owned(), "other".to_owned());
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "FailedOperation.CertificateNotFound");
    setup.cloud.add_credential(&setup.account, "AKIDother", "other");
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "ok");
    setup.cloud.remove_credential("AKIDother");
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "AuthFailure.SecretIdNotFound");
}

#[tokio::test]
async fn no_second_holds_more_calls_of_one_action_than_the_limit() {
    let setup = setup_with(Options { calls_per_second: Some(3), ..Options::default() }).await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(setup.client.code(DESCRIBE, &one()).await);
    }
    let throttled = codes.iter().filter(|code| *code == "RequestLimitExceeded").count();
    let pace = setup.cloud.pace(&setup.account, DESCRIBE);
    assert_eq!(throttled, pace.rejected);
    assert_eq!(pace.calls, 5);
    assert!(pace.highest_in_one_second - pace.rejected <= 3);
    // Another action has a limit of its own.
    assert_eq!(setup.client.code(SUBMIT, &company_application("J2lX2maH")).await, "ok");
}

#[tokio::test]
async fn a_lost_reply_leaves_its_effect_and_a_lost_request_leaves_none() {
    let setup = setup().await;
    let body = company_application("J2lX2maH");
    for (fault, stored) in [(Fault::request_lost(), false), (Fault::reply_lost(), true)] {
        setup.buy("J2lX2maH", Product::OV_SINGLE);
        setup.cloud.fault(fault.action(SUBMIT).certificate("J2lX2maH"));
        assert!(setup.client.send(SUBMIT, &body.to_string()).await.is_err());
        assert_eq!(setup.cloud.certificate("J2lX2maH").unwrap().submission.is_some(), stored);
        let call = setup.cloud.ledger().pop().unwrap();
        assert_eq!((call.took_effect, call.delivered, call.http_status), (stored, false, None));
    }
    assert_eq!(setup.client.code(SUBMIT, &body).await, "ok", "each rule hits once");
}

#[tokio::test]
async fn faults_hit_the_calls_they_were_made_for() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    setup.cloud.fault(Fault::throttled().action(DESCRIBE).after(1).times(2));
    setup.cloud.fault(Fault::expired_credentials().action(SUBMIT).certificate("another"));
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(setup.client.code(DESCRIBE, &one()).await);
    }
    assert_eq!(codes, ["ok", "RequestLimitExceeded", "RequestLimitExceeded", "ok"]);
    assert_eq!(setup.client.code(SUBMIT, &company_application("J2lX2maH")).await, "ok");

    setup.cloud.fault(Fault::expired_credentials().always());
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "AuthFailure.TokenFailure");
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "AuthFailure.TokenFailure");
    setup.cloud.clear_faults();
    assert_eq!(setup.client.code(DESCRIBE, &one()).await, "ok");
}

#[tokio::test]
async fn a_broken_reply_hides_what_was_done() {
    let setup = setup().await;
    let body = company_application("J2lX2maH").to_string();
    let faults = [
        (Fault::html(502), 502, false),
        (Fault::html(504).acting(true), 504, true),
        (Fault::garbage(), 200, true),
        (Fault::truncated(), 200, true),
        (Fault::error("InternalError", "An internal error has occurred.").acting(true), 200, true),
    ];
    for (fault, status, stored) in faults {
        setup.buy("J2lX2maH", Product::OV_SINGLE);
        setup.cloud.fault(fault);
        let reply = setup.client.request(SUBMIT, &body).send().await.unwrap();
        assert_eq!(reply.status(), status);
        let succeeded = reply.json::<Value>().await.is_ok_and(|reply| reply["Response"]["Error"].is_null());
        assert!(!succeeded);
        let call = setup.cloud.ledger().pop().unwrap();
        assert_eq!((call.took_effect, call.delivered, call.http_status), (stored, false, Some(status)));
    }
}

/// Waits until the submission is stored.
async fn stored(setup: &Setup) {
    for _ in 0..1000 {
        if setup.cloud.certificate("J2lX2maH").unwrap().submission.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was stored within 10 s");
}

#[tokio::test]
async fn a_late_call_takes_effect_after_its_caller_gave_up() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    setup.cloud.fault(Fault::act_late(Duration::from_secs(1)));
    let body = company_application("J2lX2maH").to_string();
    let request = setup.client.request(SUBMIT, &body).timeout(Duration::from_millis(500));
    assert!(request.send().await.unwrap_err().is_timeout());
    stored(&setup).await;
    let call = setup.cloud.ledger().pop().unwrap();
    assert_eq!((call.took_effect, call.delivered), (true, false));
}

#[tokio::test]
async fn a_late_reply_to_a_caller_who_left_is_not_delivered() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    setup.cloud.fault(Fault::reply_late(Duration::from_mins(1)));
    let body = company_application("J2lX2maH").to_string();
    let caller = tokio::spawn(setup.client.request(SUBMIT, &body).send());
    stored(&setup).await;
    caller.abort();
    let call = setup.cloud.ledger().pop().unwrap();
    assert_eq!((call.took_effect, call.delivered), (true, false));
}

#[tokio::test]
async fn the_ledger_names_every_call_and_prints_no_personal_data() {
    let setup = setup().await;
    setup.buy("J2lX2maH", Product::OV_SINGLE);
    let body = with(&company_application("J2lX2maH"), &json!({ "KeyPass": "hunter2" }));
    let response = setup.client.call(SUBMIT, &body).await;
    let call = setup.cloud.ledger().pop().unwrap();
    assert_eq!(call.action, SUBMIT);
    assert_eq!(call.account.as_ref(), Some(&setup.account));
    assert_eq!(call.certificate_id.as_deref(), Some("J2lX2maH"));
    assert_eq!(call.request_id.as_deref(), response["RequestId"].as_str());
    assert_eq!((call.took_effect, call.delivered, call.code.as_deref()), (true, true, None));
    assert_eq!(call.body.json(), body);
    let certificate = setup.cloud.certificate("J2lX2maH").unwrap();
    for printed in [format!("{call:?}"), format!("{certificate:?}")] {
        assert!(printed.contains("AdminEmail"));
        for secret in ["hunter2", "pki@acme.example", "Huang", "13112341234"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[tokio::test]
async fn the_cloud_stops_when_its_last_handle_is_dropped() {
    let setup = setup().await;
    let clone = setup.cloud.clone();
    drop(setup.cloud);
    assert_eq!(setup.client.code("Nothing", &json!({})).await, "InvalidAction");
    drop(clone);
    let mut refused = false;
    for _ in 0..500 {
        refused = setup.client.request("Nothing", "{}").send().await.is_err();
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused);
}
