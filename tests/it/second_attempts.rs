//! A whole life with a rejection in it: the operator is killed around each call of the second attempt, and around
//! the writes of its Secrets. Each call lands once for each attempt, and the certificate ends in its Secret.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::proxy::{Action, Rule};
use certorder_sim::tencent::{Product, Status};
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use crate::fixtures::{self, CERTIFICATE};
use crate::world::{World, condition};

const SUBMIT: &str = "CertificateInfoSubmit";
const RESUBMIT: &str = "ModifyCertificateResubmit";
const ORDER: &str = "CertificateOrderSubmit";

/// The request around which the operator is killed.
enum Line {
    /// The n-th call of an action to the cloud.
    Cloud(&'static str, usize),
    /// The n-th Secret that is created: the order's own key, then the TLS Secret.
    Secret(usize),
}

#[tokio::test]
async fn a_kill_around_any_call_of_a_second_attempt_makes_each_call_once() {
    for line in [Line::Cloud(RESUBMIT, 1), Line::Cloud(SUBMIT, 2), Line::Cloud(ORDER, 2)] {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            live(&line, action).await;
        }
    }
}

#[tokio::test]
async fn a_kill_around_any_write_of_a_secret_loses_neither_key_nor_certificate() {
    for line in [Line::Secret(1), Line::Cloud("DescribeCertificateDetail", 1), Line::Secret(2)] {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            live(&line, action).await;
        }
    }
}

async fn live(line: &Line, action: Action) {
    let mut world = World::quiet().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let rule = Rule::new(action);
    let proxy = match *line {
        Line::Cloud(call, number) => {
            let rule = rule.header(HeaderName::from_static("x-tc-action"), HeaderValue::from_static(call));
            world.net.fault(rule.nth(number));
            &world.net
        }
        Line::Secret(number) => {
            world.api.fault(rule.method(Method::POST).path("/secrets").nth(number));
            &world.api
        }
    };
    let killed = proxy.killed();
    let mut order = fixtures::personal("www");
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    order["spec"]["secretName"] = json!("www-tls");
    world.create::<CertificateOrder>(order).await;
    let operator = world.second_operator();
    tokio::select! {
        () = killed => {}
        _ = world.until("www", "ready before the kill", is_ready) => panic!("the life was over before the kill"),
        () = play(&world) => {}
    }
    operator.kill();
    world.api.clear();
    world.net.clear();
    world.run();
    let status = tokio::select! {
        status = world.until("www", "ready", is_ready) => status,
        () = play(&world) => unreachable!("the CA never ends"),
    };
    let counts = [SUBMIT, RESUBMIT, ORDER].map(|action| world.carried_out(action, CERTIFICATE));
    assert_eq!(counts, [2, 1, 2]);
    let adopted = condition(&status, "Submitted") == Some(("True".into(), "Adopted".into()));
    assert!(status.request_id.is_some() || adopted, "{status:?}");
}

fn is_ready(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ready") == Some(("True".into(), "Issued".into()))
}

/// The CA, which rejects the first attempt and issues the second one, and the user, who asks for it.
async fn play(world: &World) {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    loop {
        pace.tick().await;
        let status = world.cloud.certificate(CERTIFICATE).unwrap().status;
        let is_second = world.carried_out(RESUBMIT, CERTIFICATE) > 0;
        if status.is_running() && is_second {
            world.cloud.advance(CERTIFICATE).unwrap();
        } else if status.is_running() {
            world.cloud.reject(CERTIFICATE, "domain verification timed out").unwrap();
        } else if status == Status::REVIEW_FAILED && !is_second {
            ask_again(world).await;
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "what a user writes into the annotation")]
async fn ask_again(world: &World) {
    let stopped =
        condition(&world.status("www").await, "Stalled") == Some(("True".into(), "Rejected".into()));
    let asked = world.orders().get("www").await.unwrap().metadata.annotations.is_some();
    if stopped && !asked {
        let annotation = json!({"certorder.dev/resubmit-at": jiff::Timestamp::now().to_string()});
        world.edit::<CertificateOrder>("www", json!({"metadata": {"annotations": annotation}})).await;
    }
}
