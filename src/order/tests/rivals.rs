//! Random histories of orders for the same paid certificate: with any crashes and any interleaving of their steps, one
//! of them submits it, and the others report that.

use proptest::prelude::*;

use super::support::*;
use super::world::{Delivery, Stored, World};
use crate::api::v1alpha1::conditions::ConditionType;
use crate::core::observation::Stage;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass over one order; with `stale`, the cache does not have the last writes of the others.
    Pass {
        who: usize,
        stale: bool,
    },
    /// The next step of one of the passes in flight.
    GoOn(usize, Delivery),
    Crash(usize),
    Wait(i64),
    Label(usize),
    /// The CA rejects.
    Reject,
    /// A user requests another attempt.
    AskAgain(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let delivery = prop_oneof![
        4 => Just(Delivery::Answered),
        1 => Just(Delivery::ReplyLost),
        2 => Just(Delivery::RequestLost),
        1 => (0..=20i64).prop_map(Delivery::Late),
        3 => any::<u8>().prop_map(Delivery::Refused),
    ];
    prop_oneof![
        8 => (0..3usize, any::<bool>()).prop_map(|(who, stale)| Event::Pass { who, stale }),
        12 => (0..4usize, delivery).prop_map(|(call, delivery)| Event::GoOn(call, delivery)),
        3 => (0..4usize).prop_map(Event::Crash),
        3 => prop_oneof![1..=5i64, Just(20), Just(41)].prop_map(Event::Wait),
        1 => (0..3usize).prop_map(Event::Label),
        1 => Just(Event::Reject),
        1 => (0..3usize).prop_map(Event::AskAgain),
    ]
}

fn run(mut world: World, events: Vec<Event>) -> World {
    let orders = world.orders.len();
    for event in events {
        let calls = world.calls.len();
        match event {
            Event::Pass { who, stale } => world.pass(who % orders, stale),
            Event::GoOn(call, delivery) if calls > 0 => world.go_on(call % calls, delivery),
            Event::Crash(call) if calls > 0 => world.crash(call % calls),
            Event::GoOn(..) | Event::Crash(_) => {}
            Event::Wait(seconds) => world.wait(seconds),
            Event::Label(who) => world.edit(who % orders, |_| {}),
            Event::Reject => {
                // No review ends in the second in which it began.
                world.wait(1);
                world.cloud.end(Stage::Rejected);
            }
            Event::AskAgain(who) => world.ask_again(who % orders),
        }
        world.check();
        assert!(world.cloud.submissions.len() <= 1, "two orders were submitted on one certificate");
    }
    world
}

proptest! {
    #![proptest_config(search(300))]

    #[test]
    fn one_certificate_is_submitted_by_one_order_and_in_the_end_it_is_submitted(
        orders in 2..=3usize,
        equal in any::<bool>(),
        second in any::<bool>(),
        in_one_call in any::<bool>(),
        events in prop::collection::vec(event(), 0..50),
    ) {
        let applications = if equal { ["A", "A", "A"] } else { ["A", "B", "C"] };
        let world = World::new(&applications[..orders]);
        let world = if in_one_call { world.in_one_call() } else { world };
        let mut world = run(if second { world.before_the_second_attempt() } else { world }, events);
        world.settle_all();
        assert_eq!(world.cloud.submissions.len(), 1);
        let end = world.cloud.stage.to_string();
        assert!(end == "Issued" || end == "Rejected", "{end}");
        let has_it = |stored: &&Stored| {
            let status = stored.status();
            let ready = condition(&status, ConditionType::Ready).reason.clone();
            // Whether an interrupted attempt was made may be unknown.
            let has_it = ready == end || (in_one_call && ready == "OutcomeUnknown");
            assert!(has_it || ready == "DuplicateCertificate", "{}", summary(&status));
            has_it
        };
        let winners: Vec<_> = world.orders.iter().filter(has_it).collect();
        assert_eq!(winners.len(), 1, "one has it, and the others report that");
        if !equal {
            let submitter = &world.orders[world.cloud.submissions[0]];
            assert_eq!(winners[0].order.metadata.uid, submitter.order.metadata.uid);
        }
    }
}
