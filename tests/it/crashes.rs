//! The operator is killed between any two steps in an order's lifecycle, before and after each request arrives.

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Proxy, Rule};
use http::Method;

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::world::{World, condition};

for_both_clouds! {
    a_kill_around_any_status_write_submits_once,
    a_kill_around_any_call_to_the_cloud_submits_once,
}

/// More than the status writes or the calls to the cloud of one order without faults.
const STEPS: usize = 12;

/// Where a kill happens.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// A status write.
    Status,
    /// A call to the cloud, reads included.
    Cloud,
}

async fn a_kill_around_any_status_write_submits_once(kind: Kind) {
    kill_everywhere(kind, Line::Status).await;
}

async fn a_kill_around_any_call_to_the_cloud_submits_once(kind: Kind) {
    kill_everywhere(kind, Line::Cloud).await;
}

async fn kill_everywhere(kind: Kind, line: Line) {
    for number in 1..STEPS {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            if !kill_at(kind, line, number, action.clone()).await {
                assert!(number > 2, "at least two requests of this kind for each order");
                return;
            }
        }
    }
    panic!("an order has more than {STEPS} requests of the kind {line:?}");
}

/// One order with one kill; false if the order was finished before the kill.
async fn kill_at(kind: Kind, line: Line, number: usize, action: Action) -> bool {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    let what = format!("{line:?} {number} {action:?}");
    let rule = Rule::new(action).nth(number);
    match line {
        Line::Status => world.api.fault(rule.method(Method::PUT).path("/status")),
        Line::Cloud => world.line().fault(rule),
    }
    world.run();
    world.create::<CertificateOrder>(world.order("www")).await;
    let killed = {
        let proxy: &Proxy = if matches!(line, Line::Status) { &world.api } else { world.line() };
        tokio::select! {
            () = proxy.killed() => true,
            _ = world.until("www", &what, validating) => false,
        }
    };
    if killed {
        world.kill();
        world.api.clear();
        world.line().clear();
        world.run();
    }
    let status = world.until("www", &what, validating).await;
    for call in kind.names().apply {
        assert_eq!(world.made(call), 1, "{what} {call}");
    }
    let adopted = condition(&status, "Submitted") == Some(("True".into(), "Adopted".into()));
    assert!(status.request_id.is_some() || adopted, "{what}: {status:?}");
    killed
}

/// The final state of the order without faults.
fn validating(status: &certorder::api::v1alpha1::CertificateOrderStatus) -> bool {
    condition(status, "Reconciling") == Some(("True".into(), "AwaitingValidation".into()))
}
