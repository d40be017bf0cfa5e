//! Clocks that are set in both directions by up to an hour, and processes that have just started: neither ends a wait early,
//! nor starts it again for ever.

use std::time::Duration;

use proptest::prelude::*;

use super::support::*;
use crate::api::v1alpha1::DeletionPolicy;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::observation::Stage;
use crate::order::ages::{Age, Ages};
use crate::order::facts::{ACCEPTED, Action};
use crate::order::finalize::{self, DeletionStep};
use crate::order::plan::Step;

const HOUR: i64 = 3600;
/// How long the cloud may show the state before a call.
const LAG: u64 = 600;

/// What is recorded was observed for so many seconds, since it was made or since this process started.
fn observed(scene: Scene, seconds: u64, is_known: bool) -> Scene {
    Scene { ages: Ages::all(Age { seen: Duration::from_secs(seconds), is_known }), ..scene }
}

/// Both kinds of clouds.
fn clouds() -> [fn() -> Scene; 2] {
    [scene, || scene().in_one_call()]
}

proptest! {
    #![proptest_config(search(300))]

    /// The advice for a withdrawn order is to ask for another attempt, which would be a second submission.
    #[test]
    fn no_jump_takes_an_order_that_was_just_sent_for_withdrawn(jump in -HOUR..=HOUR, seen in 0..LAG, known: bool) {
        for cloud in clouds() {
            let sent = observed(cloud().ordered("A", 0).sees(holding("A")).at(jump), seen, known);
            prop_assert_eq!(sent.plan(), Step::Follow);
            let asked = sent.annotated(crate::core::annotations::RESUBMIT_AT, &at(jump).to_string());
            prop_assert_eq!(asked.plan(), Step::Follow, "not even where the user asks");
            let deleted = asked.deleted(jump, DeletionPolicy::Cancel);
            prop_assert_eq!(finalize::plan(&deleted.facts()), DeletionStep::First(Step::Follow));
        }
    }

    #[test]
    fn a_clock_that_stays_behind_delays_no_word_of_a_withdrawal(jump in -HOUR..0, seen in LAG..100_000) {
        for cloud in clouds() {
            let sent = observed(cloud().ordered("A", 0).sees(holding("A")).at(jump), seen, true);
            prop_assert_eq!(halted(&sent.plan()), Some(Reason::Withdrawn));
        }
    }

    #[test]
    fn no_jump_takes_the_application_that_is_still_shown_for_somebody_elses(jump in -HOUR..=HOUR, seen in 0..60u64) {
        let read_back = observed(scene().submitted("A", 0).sees(holding("B")).at(jump), seen, true);
        prop_assert!(matches!(read_back.plan(), Step::Pause { .. }), "{:?}", read_back.plan());
    }

    #[test]
    fn no_jump_makes_a_call_twice_that_was_accepted(jump in -HOUR..=HOUR, seen in 0..LAG) {
        for action in [Action::Withdraw, Action::Revoke] {
            let name = if action == Action::Withdraw { CANCEL } else { REVOKE };
            let called = scene().ordered("A", -HOUR).last_called(name, ACCEPTED, 0).at(jump);
            let step = crate::order::plan::once(&observed(called, seen, true).facts(), action);
            prop_assert!(matches!(step, Step::Pause { .. }), "{step:?}");
        }
    }
}

#[test]
fn what_was_told_before_a_restart_stays() {
    for cloud in clouds() {
        let mut told = cloud().ordered("A", 0).sees(holding("A")).at(HOUR);
        told.pass(&step(&told.plan()));
        assert_eq!(halted(&told.plan()), Some(Reason::Withdrawn));
        let restarted = observed(told, 0, false);
        assert_eq!(halted(&restarted.plan()), Some(Reason::Withdrawn));
        let untold = observed(cloud().ordered("A", 0).sees(holding("A")).at(24 * HOUR), 0, false);
        assert_eq!(untold.plan(), Step::Follow, "it was down meanwhile, and nothing is sure by its clock");
    }
}

#[test]
fn an_attempt_that_was_just_started_waits_for_a_second_and_not_for_a_clock_that_was_set_back() {
    let restarted = |second, seen| observed(scene().restarted(600).at(second), seen, true).plan();
    for now in [600, 600 - HOUR, 600 + HOUR] {
        assert_eq!(restarted(now, 0), Step::Pause { until: at(now + 1) }, "{now}");
    }
    for now in [601, 600 - HOUR, 600 + HOUR] {
        assert_eq!(restarted(now, 1), write(Action::Submit, 1), "{now}");
    }
}

#[test]
fn a_deletion_waits_for_credentials_by_the_time_of_day_and_not_for_a_clock_that_was_set_back() {
    let waits = |now, seen| {
        let deleted = scene().ordered("A", 0).deleted(1000, DeletionPolicy::Cancel).without_credentials();
        finalize::plan(&observed(deleted.at(now), seen, false).facts())
    };
    for (now, seen, left) in [(1000, 0, 600), (1300, 0, 300), (1000 - HOUR, 0, 600), (1000 - HOUR, 590, 10)] {
        let DeletionStep::Wait { until, .. } = waits(now, seen) else { panic!("{now} {seen}") };
        assert_eq!(until, at(now + left), "{now} {seen}");
    }
    for (now, seen) in [(1000 - HOUR, 600), (1600, 0), (1000 + HOUR, 0)] {
        assert!(matches!(waits(now, seen), DeletionStep::GiveUp(_)), "{now}");
    }
}

#[test]
fn what_the_cloud_shows_after_the_order_is_compared_whatever_the_clock_says_and_not_anew_after_a_restart() {
    let foreign = || crate::core::observation::Observation {
        stored: evidence("B"),
        ..seen(Stage::Validating, &[NAME])
    };
    for cloud in clouds() {
        let runs = |second, seen, known| {
            observed(cloud().ordered("A", 0).sees(foreign()).at(second), seen, known).plan()
        };
        for jump in [-HOUR, 10, HOUR] {
            assert_eq!(halted(&runs(jump, 10, true)), Some(Reason::CertificateInUse), "{jump}");
        }
        assert_eq!(runs(24 * HOUR, 10, false), Step::Follow, "edited in the console since");
    }
}

#[test]
fn the_log_is_searched_from_before_the_intent_unless_a_foreign_application_could_be_meant() {
    let intended = scene().intends(to_order(1000));
    let facts = intended.facts();
    for action in [Action::Order, Action::Submit, Action::Withdraw] {
        assert_eq!(facts.log_since(action, facts.intent().unwrap()), at(700), "{action:?}");
    }
    let by_ids = scene().wants(BY_IDS).intends(to_submit(BY_IDS, 1000));
    let facts = by_ids.facts();
    assert_eq!(facts.log_since(Action::Submit, facts.intent().unwrap()), at(1000));
    assert_eq!(facts.log_since(Action::Order, facts.intent().unwrap()), at(700));
}
