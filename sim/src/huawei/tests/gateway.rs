//! What holds for every call: identity, shape, pace, and the ledger that records it all.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::client::{Client, ID, KEY, SECRET, company_application, sdk_date, setup, setup_limited, with};
use crate::{
    clock,
    huawei::{Options, Product},
};

const IAM: &str = "Incorrect IAM authentication information: ";

#[tokio::test]
async fn every_flaw_of_a_signature_is_told() {
    type Break = fn(&mut Client);
    let flaws: [(Break, &str); 9] = [
        (|client| client.secret_key.push('x'), "verify aksk signature fail, canonicalRequest:GET|/v3/scm/"),
        (|client| client.access_key.push('x'), "ak HWAKEXAMPLE000000001x not exist"),
        (|client| client.signed_names = Some("host"), "verify aksk signature fail"),
        (|client| client.signed_names = Some("content-type;x-sdk-date"), "verify aksk signature fail"),
        (|client| client.signed_names = Some("host;content-type;x-sdk-date"), "verify aksk signature fail"),
        (|client| client.signed_names = Some("Host;x-sdk-date"), "verify aksk signature fail"),
        (
            |client| client.date = Some("2023-11-14T22:13:20Z".to_owned()),
            "the header X-Sdk-Date is not valid",
        ),
        (|client| client.payload = Some("UNSIGNED-PAYLOAD"), "verify aksk signature fail"),
        (
            |client| client.signed.push(("x-security-token", "none was given".to_owned())),
            "the security token is invalid or has expired",
        ),
    ];
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    for (flaw, message) in flaws {
        let mut client = setup.client.clone();
        flaw(&mut client);
        let reply = client.show().await;
        assert_eq!((reply.status, reply.code()), (401, "APIGW.0301"));
        assert!(reply.message().starts_with(&format!("{IAM}{message}")), "{}", reply.message());
        assert_eq!(reply.body["request_id"], reply.request_id.as_str());
    }
    assert_eq!(setup.client.show().await.code(), "ok");
}

#[tokio::test]
async fn a_wrong_signature_is_shown_what_the_gateway_computed() {
    let mut setup = setup().await;
    setup.client.secret_key.clear();
    setup.client.date = Some(sdk_date(clock::now()));
    let reply = setup.client.call("GET", "?limit=10&status=PAID", "").await;
    let (host, date) = (setup.client.url.strip_prefix("http://").unwrap(), setup.client.date.unwrap());
    let canonical = format!(
        "GET|/v3/scm/certificates/|limit=10&status=PAID|content-type:application/json|host:{host}|x-sdk-date:{date}||\
         content-type;host;x-sdk-date|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let message = format!("{IAM}verify aksk signature fail, canonicalRequest:{canonical}");
    assert_eq!(reply.message(), message);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_the_servers_time() {
    let mut setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let ahead = |minutes| clock::now().saturating_add(SignedDuration::from_mins(minutes)).unwrap();
    setup.client.date = Some(sdk_date(ahead(14)));
    assert_eq!(setup.client.show().await.code(), "ok");
    for minutes in [-16, 16] {
        setup.client.date = Some(sdk_date(ahead(minutes)));
        let reply = setup.client.show().await;
        assert_eq!((reply.status, reply.code()), (401, "APIGW.0301"));
        let date = setup.client.date.as_ref().unwrap();
        let expired =
            format!("{IAM}calc aksk signature fail:signature expired, signature time:{date},server time:2");
        assert!(reply.message().starts_with(&expired), "{}", reply.message());
    }
    setup.cloud.set_clock_ahead(SignedDuration::from_mins(16));
    assert_eq!(setup.client.show().await.code(), "ok");
}

#[tokio::test]
async fn a_temporary_key_works_with_its_token_until_it_expires() {
    let mut setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let hour = SignedDuration::from_hours(1);
    let expires = clock::now().saturating_add(hour).unwrap();
    setup.cloud.add_temporary_credential(&setup.account, KEY, SECRET, "token==/+", expires);
    assert_eq!(setup.client.show().await.code(), "APIGW.0301");
    // Some of the vendor's tools add this header after they signed.
    let mut late = setup.client.clone();
    late.unsigned = vec![("x-security-token", "token==/+".to_owned())];
    assert_eq!(late.show().await.code(), "ok");
    setup.client.signed.push(("x-security-token", "token==/+".to_owned()));
    assert_eq!(setup.client.show().await.code(), "ok");
    setup.cloud.set_clock_ahead(hour);
    setup.client.date = Some(sdk_date(expires));
    assert_eq!(setup.client.show().await.code(), "APIGW.0301");
}

#[tokio::test]
async fn an_unsigned_payload_needs_its_header() {
    let mut setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    setup.client.payload = Some("UNSIGNED-PAYLOAD");
    assert_eq!(setup.client.apply(&company_application()).await, "APIGW.0301");
    setup.client.signed.push(("x-sdk-content-sha256", "UNSIGNED-PAYLOAD".to_owned()));
    assert_eq!(setup.client.apply(&company_application()).await, "ok");
}

#[tokio::test]
async fn an_account_id_is_the_callers_own() {
    let mut setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let own = setup.account.domain_id.clone();
    assert_eq!(own.len(), 32);
    let project = ("x-project-id", "projectid0123456789abcdef0123456".to_owned());
    for (id, code) in [(own, "ok"), ("f".repeat(32), "APIGW.0302")] {
        setup.client.signed.truncate(1);
        setup.client.unsigned = vec![("x-domain-id", id.clone()), project.clone()];
        assert_eq!(setup.client.show().await.code(), code);
        setup.client.unsigned.clear();
        setup.client.signed.extend([("x-domain-id", id), project.clone()]);
        assert_eq!(setup.client.show().await.code(), code);
    }
}

#[tokio::test]
async fn a_token_of_iam_replaces_the_signature() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let expires = clock::now().saturating_add(SignedDuration::from_hours(24)).unwrap();
    setup.cloud.add_auth_token(&setup.account, "MIIFtoken", expires);
    let code = async |change: fn(&mut http::HeaderMap)| {
        let mut request = setup.client.request("GET", &format!("/{ID}"), "").build().unwrap();
        request.headers_mut().insert("x-auth-token", "MIIFtoken".parse().unwrap());
        change(request.headers_mut());
        let reply: Value = reqwest::Client::new().execute(request).await.unwrap().json().await.unwrap();
        reply["error_code"].as_str().unwrap_or("ok").to_owned()
    };
    let without_signature = |headers: &mut http::HeaderMap| drop(headers.remove("authorization"));
    assert_eq!(code(without_signature).await, "ok");
    assert_eq!(code(|_| {}).await, "APIGW.0301", "both");
    let nothing = |headers: &mut http::HeaderMap| {
        headers.remove("authorization");
        headers.remove("x-auth-token");
    };
    assert_eq!(code(nothing).await, "APIGW.0301");
    setup.cloud.set_clock_ahead(SignedDuration::from_hours(25));
    assert_eq!(code(without_signature).await, "APIGW.0301", "stale");
}

#[tokio::test]
async fn only_the_documented_paths_and_methods_are_served() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let missing = [
        ("GET", "/"),
        ("POST", ""),
        ("PUT", "/scs1590053258704"),
        ("GET", "/scs1590053258704/"),
        ("GET", "/scs1590053258704/apply"),
        ("POST", "/scs1590053258704/cancel"),
        ("POST", "/buy"),
    ];
    for (method, path) in missing {
        let reply = setup.client.call(method, path, "").await;
        assert_eq!((reply.status, reply.code()), (404, "APIGW.0101"), "{method} {path}");
        assert_eq!(reply.body["request_id"], reply.request_id.as_str());
    }
    let elsewhere = reqwest::get(format!("{}/v2", setup.cloud.url())).await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    assert!(elsewhere.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn a_certificate_is_found_by_its_id_and_owner_only() {
    let mut setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let other = setup.cloud.account("HWOTHER", "other");
    assert_ne!(other, setup.account);
    for (id, status, code) in [
        ("scs159005325870", 400, "SCM.0008"),
        ("scs159005325870-", 400, "SCM.0008"),
        ("scs0000000000000", 400, "SCM.0020"),
    ] {
        for (method, action) in [("GET", ""), ("POST", "/cancel-cert"), ("POST", "/export")] {
            let reply = setup.client.call(method, &format!("/{id}{action}"), "").await;
            assert_eq!((reply.status, reply.code()), (status, code), "{id} {action}");
            assert_eq!(reply.body.get("request_id"), None, "only the gateway's answers have it");
        }
    }
    (setup.client.access_key, setup.client.secret_key) = ("HWOTHER".to_owned(), "other".to_owned());
    let foreign = setup.client.show().await;
    assert_eq!((foreign.status, foreign.code()), (403, "SCM.0003"));
    setup.cloud.add_credential(&setup.account, "HWOTHER", "other");
    assert_eq!(setup.client.show().await.code(), "ok");
    setup.cloud.remove_credential("HWOTHER");
    assert_eq!(setup.client.show().await.code(), "APIGW.0301");
}

#[tokio::test]
async fn a_certificate_that_is_gone_may_be_a_404() {
    let options = Options { unknown_certificate_status: 404, ..Options::default() };
    let setup = setup_limited(options).await;
    setup.buy(Product::OV_SINGLE);
    setup.cloud.unsubscribe(ID).unwrap();
    assert!(setup.cloud.unsubscribe(ID).is_err());
    let reply = setup.client.show().await;
    assert_eq!((reply.status, reply.code()), (404, "SCM.0020"));
}

#[tokio::test]
async fn no_second_holds_more_calls_of_one_action_than_the_limit() {
    let setup = setup_limited(Options { calls_per_second: Some(3), ..Options::default() }).await;
    setup.buy(Product::OV_SINGLE);
    let mut throttled = 0;
    for _ in 0..5 {
        let reply = setup.client.show().await;
        if reply.code() != "ok" {
            assert_eq!((reply.status, reply.code()), (429, "APIGW.0308"));
            throttled += 1;
        }
    }
    let pace = setup.cloud.pace(&setup.account, "show");
    assert_eq!((pace.calls, pace.rejected), (5, throttled));
    assert!(pace.highest_in_one_second - pace.rejected <= 3);
    // Another action has a limit of its own.
    assert_eq!(setup.client.apply(&company_application()).await, "ok");
}

#[tokio::test]
async fn the_ledger_names_every_call_and_prints_no_personal_data() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let body = with(&company_application(), &json!({ "company_unit": "hunter2" }));
    let reply = setup.client.post("apply", &body.to_string()).await;
    let call = setup.cloud.ledger().pop().unwrap();
    assert_eq!((call.method.as_str(), call.action.as_str()), ("POST", "apply"));
    assert_eq!(call.account.as_ref(), Some(&setup.account));
    assert_eq!(call.certificate_id.as_deref(), Some(ID));
    assert_eq!(call.request_id.as_ref(), Some(&reply.request_id));
    assert_eq!((call.took_effect, call.delivered, call.code.as_deref()), (true, true, None));
    assert_eq!(call.body.json(), body);
    let certificate = setup.cloud.certificate(ID).unwrap();
    for printed in [format!("{call:?}"), format!("{certificate:?}")] {
        assert!(printed.contains("applicant_email"));
        for secret in ["hunter2", "pki@acme.example", "Huang", "13112341234"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
    for (method, path, action) in
        [("GET", "", "list"), ("GET", "/scs1590053258704", "show"), ("GET", "/a/b", "")]
    {
        setup.client.call(method, path, "").await;
        assert_eq!(setup.cloud.ledger().pop().unwrap().action, action);
    }
}
