//! Faults: what a caller sees, and what was done all the same.

use std::time::Duration;

use serde_json::Value;

use super::client::{ID, Setup, company_application, setup};
use crate::huawei::{Fault, Product};

fn applied(setup: &Setup) -> bool {
    setup.cloud.certificate(ID).unwrap().submission.is_some()
}

#[tokio::test]
async fn a_lost_reply_leaves_its_effect_and_a_lost_request_leaves_none() {
    let setup = setup().await;
    let body = company_application().to_string();
    for (fault, taken) in [(Fault::request_lost(), false), (Fault::reply_lost(), true)] {
        setup.buy(Product::OV_SINGLE);
        setup.cloud.fault(fault.action("apply").certificate(ID));
        assert!(setup.client.request("POST", &format!("/{ID}/apply"), &body).send().await.is_err());
        assert_eq!(applied(&setup), taken);
        let call = setup.cloud.ledger().pop().unwrap();
        assert_eq!((call.took_effect, call.delivered, call.http_status), (taken, false, None));
    }
    assert_eq!(setup.client.apply(&company_application()).await, "SCM.0010", "each rule hits once");
}

#[tokio::test]
async fn a_broken_reply_hides_what_was_done() {
    let setup = setup().await;
    let body = company_application().to_string();
    let faults = [
        (Fault::html(502), 502, false, false),
        (Fault::html(504).acting(true), 504, true, false),
        (Fault::garbage(), 200, true, true),
        (Fault::truncated(), 200, true, true),
        (Fault::error("SCM.0091", "token").acting(true), 500, true, true),
        (Fault::error_with_status(200, "SCM.0005", "in a success"), 200, false, true),
    ];
    for (fault, status, taken, names_the_call) in faults {
        setup.buy(Product::OV_SINGLE);
        setup.cloud.fault(fault);
        let reply = setup.client.request("POST", &format!("/{ID}/apply"), &body).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), applied(&setup)), (status, taken));
        let request_id = reply.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
        assert_eq!(request_id.is_some(), names_the_call);
        let succeeded = reply.json::<Value>().await.is_ok_and(|reply| reply["error_code"].is_null());
        assert!(!succeeded);
        let call = setup.cloud.ledger().pop().unwrap();
        assert_eq!((call.took_effect, call.request_id, call.http_status), (taken, request_id, Some(status)));
    }
}

#[tokio::test]
async fn faults_hit_the_calls_they_were_made_for() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    setup.cloud.fault(Fault::throttled().action("show").after(1).times(2));
    setup.cloud.fault(Fault::expired_credentials().action("apply").certificate("scs0000000000000"));
    let mut codes = Vec::new();
    for _ in 0..4 {
        let reply = setup.client.show().await;
        codes.push((reply.status, reply.code().to_owned()));
    }
    let throttled = (429, "APIGW.0308".to_owned());
    let ok = (200, "ok".to_owned());
    assert_eq!(codes, [ok.clone(), throttled.clone(), throttled, ok]);
    assert_eq!(setup.client.apply(&company_application()).await, "ok");

    setup.cloud.fault(Fault::expired_credentials().always());
    for _ in 0..2 {
        let reply = setup.client.show().await;
        assert_eq!((reply.status, reply.code()), (401, "APIGW.0301"));
    }
    setup.cloud.clear_faults();
    assert_eq!(setup.client.show().await.code(), "ok");
}

#[tokio::test]
async fn an_error_comes_with_its_own_status_and_text() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    let statuses = [
        ("APIGW.0101", 404),
        ("APIGW.0301", 401),
        ("APIGW.0302", 403),
        ("APIG.0308", 429),
        ("SCM.0016", 400),
        ("SCM.0097", 500),
    ];
    for (code, status) in statuses {
        setup.cloud.fault(Fault::error(code, "the text of the test"));
        let reply = setup.client.show().await;
        assert_eq!((reply.status, reply.code(), reply.message()), (status, code, "the text of the test"));
    }
}

#[tokio::test]
async fn a_late_call_takes_effect_after_its_caller_gave_up() {
    let setup = setup().await;
    setup.buy(Product::OV_SINGLE);
    setup.cloud.fault(Fault::act_late(Duration::from_secs(1)));
    let body = company_application().to_string();
    let request = setup.client.request("POST", &format!("/{ID}/apply"), &body);
    let error = request.timeout(Duration::from_millis(500)).send().await.unwrap_err();
    assert!(error.is_timeout());
    for _ in 0..1000 {
        if applied(&setup) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let call = setup.cloud.ledger().pop().unwrap();
    assert_eq!((call.took_effect, call.delivered), (true, false));
}
