//! Random histories of one order: with any crash, loss or edit, it is submitted once, its status is true, and once the
//! faults stop it reaches the state that it would have reached without them.

use proptest::prelude::*;

use super::support::*;
use super::world::{Delivery, World};
use crate::api::v1alpha1::Mode;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::core::fingerprint::HashKey;
use crate::core::observation::Stage;

#[derive(Clone, Copy, Debug)]
enum Event {
    Pass,
    GoOn(Delivery),
    Crash,
    Wait(i64),
    /// The clock is set, so many seconds off.
    Clock(i64),
    /// The key of the hashes is deleted, and another one made.
    Key,
    /// The profile leads to another application, or to none.
    Profile(Option<&'static str>),
    /// A label is edited.
    Label,
    Wipe,
    Readable(bool),
    Suspend(bool),
    Planning(bool),
    Progress,
    End(Stage),
    /// The user edits the application.
    Edit(&'static str),
    /// The user requests another attempt.
    AskAgain,
    /// The user requests to stop the review, or withdraws that request.
    Withdraw(bool),
    Refund,
    OrderElsewhere,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        4 => Just(Delivery::Answered),
        2 => Just(Delivery::ReplyLost),
        2 => Just(Delivery::RequestLost),
        2 => (0..=20i64).prop_map(Delivery::Late),
        2 => any::<u8>().prop_map(Delivery::Refused),
    ]
}

/// What happens to an order that only its user and its controller change.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => Just(Event::Pass),
        20 => delivery().prop_map(Event::GoOn),
        3 => Just(Event::Crash),
        6 => prop_oneof![1..=5i64, Just(20), Just(41)].prop_map(Event::Wait),
        4 => prop_oneof![Just(Some("A")), Just(Some("B")), Just(None)].prop_map(Event::Profile),
        1 => Just(Event::Label),
        1 => Just(Event::Wipe),
        1 => any::<bool>().prop_map(Event::Readable),
        1 => any::<bool>().prop_map(Event::Suspend),
        1 => any::<bool>().prop_map(Event::Planning),
        1 => Just(Event::Progress),
        3 => prop_oneof![Just(Stage::Rejected), Just(Stage::Cancelled)].prop_map(Event::End),
        2 => prop_oneof![Just("A"), Just("B")].prop_map(Event::Edit),
        2 => Just(Event::AskAgain),
        1 => any::<bool>().prop_map(Event::Withdraw),
    ]
}

/// The same with a profile whose saved one is approved, expires, and so on.
fn event_with_ids() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => event(),
        3 => Just(Event::Profile(Some(BY_IDS))),
        1 => Just(Event::Edit(BY_IDS)),
    ]
}

/// Everything that fails, and nothing that is edited or lost for good.
fn fault() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => Just(Event::Pass),
        20 => delivery().prop_map(Event::GoOn),
        3 => Just(Event::Crash),
        6 => prop_oneof![1..=5i64, Just(20), Just(41)].prop_map(Event::Wait),
        1 => Just(Event::Label),
        1 => any::<bool>().prop_map(Event::Readable),
        1 => any::<bool>().prop_map(Event::Suspend),
        1 => Just(Event::Progress),
    ]
}

/// The same with clocks that jump by up to an hour in both directions, mostly by less than a cloud refuses.
fn event_with_jumps() -> impl Strategy<Value = Event> {
    let jump = prop_oneof![3 => -300..=300i64, 2 => -3600..=3600i64, 1 => Just(0)];
    prop_oneof![20 => event(), 4 => jump.prop_map(Event::Clock)]
}

/// The same with changes in the console.
fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![20 => event(), 1 => Just(Event::Refund), 1 => Just(Event::OrderElsewhere)]
}

fn run(mut world: World, events: Vec<Event>) -> World {
    for event in events {
        match event {
            Event::GoOn(delivery) if !world.calls.is_empty() => world.go_on(0, delivery),
            Event::Crash if !world.calls.is_empty() => world.crash(0),
            Event::Pass | Event::GoOn(_) | Event::Crash => world.pass(0, false),
            Event::Wait(seconds) => world.wait(seconds),
            Event::Clock(off) => world.set_clock(off),
            Event::Key => world.hash_key = HashKey::generate().unwrap(),
            Event::Profile(application) => world.edit(0, |order| order.application = application),
            Event::Label => world.edit(0, |_| {}),
            Event::Wipe => world.wipe(0),
            Event::Readable(readable) => world.cloud.readable = readable,
            Event::Suspend(suspend) => world.edit(0, |stored| stored.order.spec.suspend = suspend),
            Event::Planning(planning) => {
                let mode = if planning { Mode::Plan } else { Mode::Apply };
                world.edit(0, |stored| stored.order.spec.mode = mode);
            }
            Event::Progress => world.cloud.progress(),
            Event::End(stage) => {
                // No review ends in the second in which it began.
                world.wait(1);
                world.cloud.end(stage);
            }
            Event::Edit(application) => world.edit_spec(0, application),
            Event::AskAgain => world.ask_again(0),
            Event::Withdraw(asks) => world.ask_to_withdraw(0, asks),
            Event::Refund => world.cloud.refund(),
            Event::OrderElsewhere => world.cloud.order_for_another_name(),
        }
        world.check();
    }
    world
}

/// Checks that Ready reports the final state of the cloud.
fn assert_arrived(world: &World) {
    let status = world.orders[0].status();
    let ready = condition(&status, ConditionType::Ready);
    let (wanted, reason) = match world.cloud.stage {
        Stage::Issued => ("True", Reason::Issued),
        Stage::Rejected => ("False", Reason::Rejected),
        // The user requested it at some time.
        Stage::Cancelled if ready.reason == "Withdrawn" => ("False", Reason::Withdrawn),
        Stage::Cancelled => ("False", Reason::Cancelled),
        Stage::Refunded => ("False", Reason::Refunded),
        // The order was withdrawn.
        Stage::AwaitingInformation if world.cloud.in_one_call => ("False", Reason::Withdrawn),
        stage => panic!("{stage} is not the end; {}", summary(&status)),
    };
    if world.cloud.in_one_call && ready.reason == <&str>::from(Reason::OutcomeUnknown) {
        // The outcome of the last call is unknown, and nothing is done until the user requests it.
        assert!(
            matches!(world.cloud.stage, Stage::Rejected | Stage::AwaitingInformation),
            "{}",
            summary(&status)
        );
        return;
    }
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        (wanted, reason.into()),
        "{}",
        summary(&status)
    );
    assert!(status.submission.as_ref().is_none_or(|submission| submission.intent.is_none()), "settled");
}

proptest! {
    #![proptest_config(search(300))]

    #[test]
    fn an_order_is_submitted_once_and_arrives_whatever_happens(events in prop::collection::vec(event(), 0..50)) {
        let mut world = run(World::new(&["A"]), events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn a_second_attempt_is_submitted_once_too(events in prop::collection::vec(event(), 0..50)) {
        let mut world = run(World::new(&["A"]).before_the_second_attempt(), events);
        world.settle_all();
        assert_arrived(&world);
        prop_assert!(world.cloud.attempts > 1, "what was asked for was done");
    }

    #[test]
    fn a_key_of_the_hashes_that_is_replaced_submits_nothing_again(
        events in prop::collection::vec(prop_oneof![10 => fault(), 1 => Just(Event::Key)], 0..50),
        application in prop_oneof![Just("A"), Just(BY_IDS)],
        in_one_call in any::<bool>(),
    ) {
        let world = World::new(&[application]);
        let mut world = run(if in_one_call { world.in_one_call() } else { world }, events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn an_order_that_names_a_saved_profile_is_submitted_once_whatever_fails(
        events in prop::collection::vec(fault(), 0..50),
    ) {
        let mut world = run(World::new(&[BY_IDS]), events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn no_jump_of_a_clock_submits_an_order_again(
        events in prop::collection::vec(event_with_jumps(), 0..60),
        second in any::<bool>(),
    ) {
        let world = World::new(&["A"]);
        let mut world = run(if second { world.before_the_second_attempt() } else { world }, events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn no_jump_of_a_clock_submits_an_order_again_where_one_call_does_both(
        events in prop::collection::vec(event_with_jumps(), 0..60),
        second in any::<bool>(),
    ) {
        let world = World::new(&["A"]).in_one_call();
        let mut world = run(if second { world.before_the_second_attempt() } else { world }, events);
        world.settle_all();
        assert_arrived(&world);
    }

    /// The application that is ordered is the wanted one: the simulation checks that at every order.
    #[test]
    fn what_the_cloud_shows_in_part_is_never_taken_for_the_whole(
        events in prop::collection::vec(event_with_ids(), 0..50),
        foreign in prop::option::of(Just("C")),
    ) {
        let mut world = World::new(&[BY_IDS]);
        world.cloud.may_repeat = Some(BY_IDS);
        // A user has filled in the console's form for the same name, and has not ordered.
        world.cloud.held = foreign;
        let mut world = run(world, events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn the_status_tells_the_truth_even_when_others_use_the_console(
        events in prop::collection::vec(any_event(), 0..50),
    ) {
        let mut world = run(World::new(&["A"]), events);
        world.settle_all();
        if !world.cloud.is_for_another_name() {
            assert_arrived(&world);
        }
    }

    #[test]
    fn where_one_call_does_both_an_order_is_submitted_once_and_arrives_too(
        events in prop::collection::vec(event(), 0..50),
        second in any::<bool>(),
    ) {
        let world = World::new(&["A"]).in_one_call();
        let mut world = run(if second { world.before_the_second_attempt() } else { world }, events);
        world.settle_all();
        assert_arrived(&world);
    }

    #[test]
    fn where_one_call_does_both_the_status_tells_the_truth_even_when_others_use_the_console(
        events in prop::collection::vec(any_event(), 0..50),
    ) {
        let mut world = run(World::new(&["A"]).in_one_call(), events);
        world.settle_all();
        if !world.cloud.is_for_another_name() {
            assert_arrived(&world);
        }
    }
}
