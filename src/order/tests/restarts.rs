//! When a final order starts another attempt, and what is kept of the one before.

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::seconds;
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::observation::Stage;
use crate::order::facts::{ACCEPTED, Action};
use crate::order::fold::{Outcome, Requeue};
use crate::order::plan::Step;
use crate::provider::Calls;

const AGAIN: Step = Step::Write { action: Action::Resubmit, attempt: 1 };
const ENDS: [Stage; 2] = [Stage::Rejected, Stage::Cancelled];
const HOUR: i64 = 3600;

#[test]
fn an_order_that_ended_goes_on_when_it_is_corrected_or_when_the_user_asks() {
    let asks = |scene: Scene, second: i64| scene.annotated(RESUBMIT_AT, &at(second).to_string());
    let now = 2 * HOUR;
    let handled = |mut scene: Scene| {
        let asked = scene.order.metadata.annotations.as_ref().unwrap()[RESUBMIT_AT].clone();
        scene.order.status.as_mut().unwrap().last_handled_resubmit_at = Some(asked);
        scene
    };
    for end in ENDS {
        let ended = || scene().ended(end).at(now);
        let table = vec![
            ("nothing happened", ended(), Step::Follow),
            ("edited, to another application", ended().edited().wants("B"), AGAIN),
            ("edited, to the same", ended().edited(), Step::Follow),
            ("the profile alone was corrected", ended().wants("B"), Step::Follow),
            ("asked", asks(ended(), now), AGAIN),
            ("asked, with a correction", asks(ended().edited().wants("B"), now), AGAIN),
            ("asked an hour ago", asks(ended(), now - HOUR), AGAIN),
            ("asked more than an hour ago", asks(ended(), now - HOUR - 1), Step::Follow),
            ("asked on a clock that is ahead", asks(ended(), now + HOUR), AGAIN),
            ("asked for tomorrow", asks(ended(), now + 24 * HOUR), Step::Follow),
            ("asked and done", handled(asks(ended(), now)), Step::Follow),
            ("no time", ended().annotated(RESUBMIT_AT, "now"), Step::Follow),
            ("withdrawn", asks(ended(), now).annotated(WITHDRAW, ID), Step::Follow),
            ("another certificate withdrawn", asks(ended(), now).annotated(WITHDRAW, "other"), AGAIN),
            ("no call opens it again", asks(no_such_call(ended()), now), Step::Follow),
            (
                "asked, and not complete",
                asks(ended().lacks(halt(Reason::ProfileNotFound)), now),
                Step::Halt(halt(Reason::ProfileNotFound)),
            ),
            (
                "edited, and not complete",
                ended().edited().lacks(halt(Reason::ProfileNotFound)),
                Step::Halt(halt(Reason::ProfileNotFound)),
            ),
            ("not complete", ended().lacks(halt(Reason::ProfileNotFound)), Step::Follow),
        ];
        for (name, scene, wanted) in table {
            assert_eq!(scene.plan(), wanted, "{end}: {name}");
        }
    }
}

/// A cloud with two calls for application and order, and none for another attempt.
fn no_such_call(scene: Scene) -> Scene {
    static CALLS: Calls = Calls { resubmit: None, ..IN_TWO_CALLS };
    Scene { calls: Some(&CALLS), ..scene }
}

/// The passes in between record the new generation, but do not act on it.
#[test]
fn a_correction_is_not_lost_in_passes_that_cannot_act_on_it() {
    let corrected = || scene().ended(Stage::Rejected).edited().wants("B");
    let passes: [fn(Scene) -> Scene; 5] = [
        |scene| scene.cannot_read(unavailable("1")),
        |scene| scene.cannot_read(crate::provider::Error::CredentialsRefused(refusal("Code", "1"))),
        |scene| scene.lacks(halt(Reason::ProfileNotFound)),
        |scene| scene.lacks(halt(Reason::CsrInvalid)),
        |scene| scene.annotated(WITHDRAW, ID),
    ];
    for (number, pass) in passes.into_iter().enumerate() {
        let mut scene = pass(corrected());
        let planned = scene.plan();
        scene.pass(&step(&planned));
        let scene = scene.annotated(WITHDRAW, "").sees(seen(Stage::Rejected, &[NAME])).wants("B").at(600);
        assert_eq!(scene.plan(), AGAIN, "{number}: {planned:?}");
    }
}

#[test]
fn a_correction_outlives_a_call_that_was_cut_off() {
    let mut scene = scene().ended(Stage::Rejected).edited().wants("B").at(60);
    scene.pass(&Outcome::Intent(Action::Resubmit, &to_call(RESUBMIT, 60)));
    assert_eq!(scene.at(60 + ABSENCE_COUNTS).plan(), write(Action::Resubmit, 2));
}

/// Fields that are not frozen can be edited while the CA processes the order; that is no correction after a rejection.
#[test]
fn an_edit_before_the_end_does_not_count() {
    for end in ENDS {
        let running = scene().ordered("A", 0).sees(seen(Stage::Reviewing, &[NAME]));
        let mut scene = running.edited().wants("B").sees(seen(end, &[NAME])).at(60);
        assert_eq!(scene.plan(), Step::Follow);
        scene.pass(&step(&Step::Follow));
        assert_eq!(scene.plan(), Step::Follow, "{end}");
        assert_eq!(scene.edited().plan(), AGAIN, "{end}");
    }
}

#[test]
fn what_the_attempt_before_reached_no_longer_holds() {
    let intent = to_call(RESUBMIT, 60);
    let asked = at(60).to_string();
    let by_call: fn(&mut Scene) = |scene| {
        let intent = to_call(RESUBMIT, 60);
        scene.pass(&Outcome::Called(Action::Resubmit, &intent, &yes("of-the-resubmission")));
    };
    let by_evidence: fn(&mut Scene) = |scene| {
        scene.pass(&step(&Step::Landed(Action::Resubmit)));
    };
    for (name, start) in [("by call", by_call), ("by evidence", by_evidence)] {
        let mut scene = scene().ended(Stage::Rejected).annotated(RESUBMIT_AT, &asked);
        scene.pass(&Outcome::Intent(Action::Resubmit, &intent));
        start(&mut scene);
        let status = scene.stored();
        assert_eq!(
            summary(&status),
            "Submitting: Ordered=False/Submitting Ready=Unknown/Submitting Reconciling=True/Submitting \
             Submitted=False/Submitting",
            "{name}"
        );
        assert_eq!(status.last_handled_resubmit_at.as_deref(), Some(asked.as_str()), "{name}");
        assert_eq!(status.order_id, None, "{name}");
        let submission = status.submission.unwrap();
        assert_eq!((submission.resubmissions, submission.submitted_at), (1, None), "{name}");
        assert_eq!((submission.payload_hash, submission.ordered_at), (None, None), "{name}");
        assert_eq!(submission.started_over_at, Some(seconds(at(60))), "{name}");
        assert!(!submission.frozen, "{name}: nothing is handed in yet");
    }
}

#[test]
fn attempts_are_counted() {
    let mut scene = scene().restarted(600);
    for count in 2..4 {
        let submit = to_submit("A", 600);
        scene.pass(&Outcome::Intent(Action::Submit, &submit));
        scene.pass(&Outcome::Called(Action::Submit, &submit, &yes("1")));
        scene.pass(&step(&Step::StartOver));
        assert_eq!(scene.stored().submission.unwrap().resubmissions, count);
    }
}

#[test]
fn what_the_attempt_before_left_at_the_cloud_proves_nothing() {
    let restarted = |second| scene().restarted(600).at(second);
    // The log of calls counts whole seconds, so the new application is not handed in within the second.
    assert_eq!(restarted(600).plan(), Step::Pause { until: at(601) });
    assert_eq!(restarted(601).plan(), write(Action::Submit, 1), "not adopted");

    let cut_off = |logged| Scene { logged, ..restarted(610) }.intends(to_submit("A", 605));
    for logged in [None, Some(false)] {
        assert_eq!(cut_off(logged).plan(), Step::Settle { until: at(645) }, "{logged:?}");
        assert_eq!(cut_off(logged).at(645).plan(), write(Action::Submit, 2), "{logged:?}");
    }
    assert_eq!(cut_off(Some(true)).plan(), Step::Landed(Action::Submit));
    assert_eq!(cut_off(Some(true)).sees(holding("B")).plan(), Step::Settle { until: at(645) });
}

#[test]
fn an_end_that_the_cloud_still_shows_after_it_was_opened_again_is_not_taken_for_the_new_one() {
    for end in ENDS {
        let lags = |second| scene().restarted(600).sees(seen(end, &[NAME])).at(second);
        assert_eq!(lags(601).plan(), Step::Pause { until: at(606) }, "{end}");
        assert_eq!(lags(660).plan(), Step::Pause { until: at(720) }, "{end}: rarer with time");
        // Later it is the end of a foreign application.
        assert_eq!(lags(1200).plan(), Step::Adopt, "{end}");
    }
    let mut scene = scene().restarted(600).sees(seen(Stage::Rejected, &[NAME])).at(601);
    let before = summary(&scene.stored());
    let next = scene.pass(&step(&Step::Pause { until: at(606) }));
    assert_eq!(summary(&next.status), before);
    assert_eq!(next.requeue, Requeue::In(std::time::Duration::from_secs(5)));
}

#[test]
fn a_refused_request_for_another_attempt_is_shown_and_the_order_stays_as_it_ended() {
    let mut scene = scene().ended(Stage::Rejected).annotated(RESUBMIT_AT, &at(60).to_string());
    let intent = to_call(RESUBMIT, 60);
    scene.pass(&Outcome::Intent(Action::Resubmit, &intent));
    let refused = Err(crate::provider::Error::Rejected {
        reason: Reason::PermissionDenied,
        refusal: refusal("AuthFailure", "1"),
    });
    scene.pass(&Outcome::Called(Action::Resubmit, &intent, &refused));
    let status = scene.stored();
    assert_eq!(condition(&status, ConditionType::Ready).reason, "PermissionDenied");
    let submission = status.submission.unwrap();
    assert_eq!((submission.resubmissions, submission.frozen), (0, false));
    assert!(submission.ordered_at.is_some());
    assert_eq!(scene.plan(), AGAIN, "as long as it is asked for");
}

#[test]
fn the_annotation_withdraw_stops_a_review_and_nothing_else() {
    let table = [
        (Stage::AwaitingLetter, write(Action::Withdraw, 1)),
        (Stage::Validating, write(Action::Withdraw, 1)),
        (Stage::Reviewing, write(Action::Withdraw, 1)),
        (Stage::Issuing, Step::Follow),
        (Stage::Issued, Step::Follow),
        (Stage::Rejected, Step::Follow),
        (Stage::Cancelling, Step::Follow),
        (Stage::Cancelled, Step::Follow),
        (Stage::Revoking, Step::Follow),
        (Stage::Revoked, Step::Follow),
        (Stage::Expired, Step::Follow),
        (Stage::Refunded, Step::Follow),
        (Stage::Managed, Step::Follow),
        (Stage::Unrecognised, Step::Follow),
    ];
    for (stage, wanted) in table {
        let running = || Scene { letter: Some(Ok(letter())), ..scene().ordered("A", 0) }.at(60);
        let asked = |id| running().sees(seen(stage, &[NAME])).annotated(WITHDRAW, id);
        assert_eq!(asked(ID).plan(), wanted, "{stage}");
        assert_ne!(asked("another").plan(), write(Action::Withdraw, 1), "{stage}");
    }
}

#[test]
fn an_order_that_is_to_be_withdrawn_is_not_sent_first() {
    let scenes = [
        scene(),
        scene().submitted("A", 0).at(1),
        scene().submitted("A", 0).at(60).sees(holding("A")),
        scene().restarted(600).at(700),
    ];
    for (number, scene) in scenes.into_iter().enumerate() {
        assert!(matches!(scene.plan(), Step::Write { .. }), "{number}");
        let scene = scene.annotated(WITHDRAW, ID);
        assert_eq!(halted(&scene.plan()), Some(Reason::Withdrawn), "{number}");
    }
    let cut_off = scene().submitted("A", 0).intends(to_order(0)).sees(holding("A")).annotated(WITHDRAW, ID);
    assert!(matches!(cut_off.at(ABSENCE_COUNTS).plan(), Step::NotLanded(_)));
}

#[test]
fn an_accepted_withdrawal_is_not_asked_for_again_while_the_cloud_may_not_show_it() {
    let scene = |outcome, second| {
        let scene = scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME])).annotated(WITHDRAW, ID);
        scene.last_called(CANCEL, outcome, 60).at(second).plan()
    };
    assert_eq!(scene(ACCEPTED, 61), Step::Pause { until: at(66) });
    assert_eq!(scene(ACCEPTED, 660), write(Action::Withdraw, 1), "it was never stopped");
    assert_eq!(scene("Refused", 61), write(Action::Withdraw, 1));
}

#[test]
fn a_withdrawn_order_says_how_it_goes_on() {
    let mut scene = scene().ordered("A", 0).sees(seen(Stage::Cancelled, &[NAME])).annotated(WITHDRAW, ID);
    let status = scene.pass(&step(&Step::Follow)).status;
    assert_eq!(condition(&status, ConditionType::Stalled).reason, "Withdrawn");
    assert!(message(&status, ConditionType::Ready).contains("remove the annotation"));
    assert!(!status.submission.unwrap().frozen);
}
