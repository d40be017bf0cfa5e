//! A whole lifecycle with a rejection: the operator is killed around each call of the second attempt, and around the
//! writes of its Secrets. Each call takes effect once for each attempt, and the certificate is written to its Secret.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::proxy::{Action, Reply, Rule};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::siege::cloud::asked;
use crate::world::{World, condition};

for_both_clouds! {
    a_kill_around_any_call_of_a_second_attempt_makes_each_call_once,
    a_kill_around_any_write_of_a_secret_loses_neither_key_nor_certificate,
}

/// The request around which the operator is killed.
enum Line {
    /// The n-th call of an action to the cloud.
    Cloud(&'static str, usize),
    /// The n-th Secret that is created: the order's own key, then the TLS Secret.
    Secret(usize),
}

/// The calls of an application in their order, each with how often an order with two attempts makes it.
fn twice(kind: Kind) -> impl Iterator<Item = (&'static str, usize)> {
    let first = kind.names().apply;
    kind.names().apply_again.iter().map(|call| (*call, 1 + usize::from(first.contains(call))))
}

async fn a_kill_around_any_call_of_a_second_attempt_makes_each_call_once(kind: Kind) {
    for (call, number) in twice(kind) {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            live(kind, &Line::Cloud(call, number), action).await;
        }
    }
}

async fn a_kill_around_any_write_of_a_secret_loses_neither_key_nor_certificate(kind: Kind) {
    for line in [Line::Secret(1), Line::Cloud(kind.names().download, 1), Line::Secret(2)] {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            live(kind, &line, action).await;
        }
    }
}

async fn live(kind: Kind, line: &Line, action: Action) {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    let proxy = match *line {
        Line::Cloud(call, number) => {
            world.line().fault(kind.rule(action, call).nth(number));
            world.line()
        }
        Line::Secret(number) => {
            world.api.fault(Rule::new(action).method(Method::POST).path("/secrets").nth(number));
            &world.api
        }
    };
    let killed = proxy.killed();
    let mut order = world.order("www");
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    order["spec"]["secretName"] = json!("www-tls");
    world.create::<CertificateOrder>(order).await;
    let operator = world.second_operator();
    tokio::select! {
        () = killed => {}
        _ = world.until("www", "ready before the kill", is_ready) => panic!("the order was finished before the kill"),
        () = play(&world) => {}
    }
    operator.kill();
    world.api.clear();
    world.line().clear();
    world.run();
    let status = tokio::select! {
        status = world.until("www", "ready", is_ready) => status,
        () = play(&world) => unreachable!("the CA never ends"),
    };
    for (call, times) in twice(kind) {
        assert_eq!(world.made(call), times, "{call}");
    }
    let adopted = condition(&status, "Submitted") == Some(("True".into(), "Adopted".into()));
    assert!(status.request_id.is_some() || adopted, "{status:?}");
}

/// The earlier application looks the same, and the cloud's log of calls, which would tell the two apart, cannot be read.
/// Another application takes the place of the one before it and costs nothing; what is paid for is ordered once.
#[tokio::test]
async fn an_application_whose_call_nothing_shows_is_handed_in_again_and_ordered_once() {
    let mut world = World::quiet_at(Kind::Tencent).await;
    world.site.buy(world.certificate(), Product::Dv);
    let unreadable = Action::Status(Reply::text(StatusCode::BAD_GATEWAY, "no log"));
    world.net.fault(Kind::Tencent.rule(unreadable, "DescribeCertificateOperateLogs").always());
    world.net.fault(Kind::Tencent.rule(Action::HoldAfter, "CertificateInfoSubmit").nth(2));
    let killed = world.net.killed();
    let mut order = world.order("www");
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    world.create::<CertificateOrder>(order).await;
    let operator = world.second_operator();
    tokio::select! {
        () = killed => {}
        () = play(&world) => {}
    }
    operator.kill();
    world.run();
    tokio::select! {
        _ = world.until("www", "ready", is_ready) => {}
        () = play(&world) => unreachable!("the CA never ends"),
    }
    let calls = world.cloud.calls_for(world.certificate()).into_iter();
    let sent = calls.filter(|call| call.action == "CertificateInfoSubmit" && call.took_effect);
    let sent: Vec<Value> = sent.map(|call| call.body.json()).collect();
    let signed: Vec<&str> = sent.iter().filter_map(|body| body["Csr"].as_str()).collect();
    assert!(matches!(signed.as_slice(), [_, one, other] if one != other), "each is signed anew: {sent:?}");
    let asked: Vec<Value> = sent.into_iter().map(|body| asked(body, "Csr")).collect();
    assert!(asked.windows(2).all(|pair| pair[0] == pair[1]), "and asks for the same: {asked:?}");
    assert_eq!((world.made("ModifyCertificateResubmit"), world.made("CertificateOrderSubmit")), (1, 2));
}

fn is_ready(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ready") == Some(("True".into(), "Issued".into()))
}

/// Simulates the CA, which rejects the first attempt and issues the second one, and the user, who requests it.
async fn play(world: &World) {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    loop {
        pace.tick().await;
        let certificate = world.certificate();
        let (opens, times) = twice(world.kind).next().unwrap();
        let is_second = world.made(opens) == times;
        if world.site.is_running(certificate) && is_second {
            world.site.advance(certificate);
        } else if world.site.is_running(certificate) {
            world.site.reject(certificate);
        } else if world.site.is_rejected(certificate) && !is_second {
            ask_again(world).await;
        }
    }
}

/// Requests another attempt once the order stopped. A request whose outcome is unknown after a kill is repeated.
#[allow(clippy::disallowed_methods, reason = "what a user writes into the annotation")]
async fn ask_again(world: &World) {
    let status = world.status("www").await;
    let stopped = condition(&status, "Stalled").map(|(_, reason)| reason);
    let annotations = world.orders().get("www").await.unwrap().metadata.annotations.unwrap_or_default();
    let asked = annotations.get("certorder.dev/resubmit-at");
    let asks = match stopped.as_deref() {
        Some("Rejected") => asked.is_none(),
        // Not faster than a busy machine can handle it: else every write of the intent would conflict.
        Some("OutcomeUnknown") => {
            let intent = status.submission.as_ref().and_then(|submission| submission.intent.as_ref());
            let open = intent.and_then(|intent| intent.resubmit_at.as_ref());
            [open, status.last_handled_resubmit_at.as_ref()].contains(&asked)
        }
        _ => false,
    };
    if asks {
        let annotation = json!({"certorder.dev/resubmit-at": jiff::Timestamp::now().to_string()});
        world.edit::<CertificateOrder>("www", json!({"metadata": {"annotations": annotation}})).await;
    }
}
