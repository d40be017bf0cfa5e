//! A cloud where one call submits the application and sends the order, in every attempt, and that keeps no log of calls.
//! A certificate that waits for an application has several meanings there.

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{DeletionPolicy, Intent, ReadyPolicy, seconds};
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::observation::{Observation, Stage};
use crate::order::facts::Action;
use crate::order::finalize::{self, DeletionStep};
use crate::order::fold::{Outcome, Requeue};
use crate::order::plan::Step;
use crate::provider::Error;

const SUBMIT_FIRST: Step = Step::Write { action: Action::Submit, attempt: 1 };
const SUBMIT_SECOND: Step = Step::Write { action: Action::Submit, attempt: 2 };
/// Longer than the state at the cloud may lag.
const LATER: i64 = 600;

fn fresh() -> Scene {
    scene().in_one_call()
}

/// Our application A was accepted at second 0, and the order with it.
fn ordered() -> Scene {
    fresh().ordered("A", 0)
}

/// Our application A was refused, which was observed at second 60.
fn refused() -> Scene {
    let mut scene = ordered().sees(refusing("A")).at(60);
    scene.pass(&step(&Step::Follow));
    scene
}

/// The cloud refused this application, and shows it.
fn refusing(application: &str) -> Observation {
    Observation { stored: evidence(application), ..seen(Stage::Rejected, &[NAME]) }
}

/// The cloud waits for an application, and shows one that was withdrawn.
fn left_over(application: &str) -> Observation {
    Observation { names: vec![NAME.to_owned()], ..holding(application) }
}

fn asked(scene: Scene, second: i64) -> Scene {
    scene.annotated(RESUBMIT_AT, &at(second).to_string())
}

/// The intent to submit an application, on a request of the user at this second.
fn again(application: &str, second: i64) -> Intent {
    Intent { resubmit_at: Some(at(second).to_string()), ..to_submit(application, second) }
}

fn not_landed(step: &Step) -> Option<Reason> {
    match step {
        Step::NotLanded(problem) => Some(problem.reason),
        _ => None,
    }
}

#[test]
fn what_waits_is_fresh_only_without_a_record_and_without_traces() {
    let names_alone = Observation { names: vec![NAME.to_owned()], ..awaiting() };
    let table = vec![
        ("nothing", fresh(), SUBMIT_FIRST),
        ("asked, and nothing", asked(fresh(), 0), SUBMIT_FIRST),
        ("asked, and traces", asked(fresh().sees(left_over("A")), 0), SUBMIT_FIRST),
        ("asked, and traces of another application", asked(fresh().sees(left_over("B")), 0), SUBMIT_FIRST),
    ];
    for (name, scene, wanted) in table {
        assert_eq!(scene.plan(), wanted, "{name}");
    }
    for traces in [left_over("A"), left_over("B"), holding("A"), names_alone] {
        let scene = fresh().sees(traces);
        assert_eq!(halted(&scene.plan()), Some(Reason::Withdrawn));
        let withdrawn = scene.fold(&step(&scene.plan())).status;
        assert_eq!(condition(&withdrawn, ConditionType::Stalled).reason, "Withdrawn");
        assert!(!withdrawn.submission.unwrap().frozen, "it can be corrected");
        assert_eq!(halted(&asked(scene, -3601).plan()), Some(Reason::Withdrawn), "asked too long ago");
    }
}

#[test]
fn what_waits_after_our_application_may_lag_and_is_withdrawn_after_that() {
    let scene = |second| ordered().sees(left_over("A")).at(second);
    assert_eq!(scene(LATER - 1).plan(), Step::Follow);
    assert_eq!(asked(scene(LATER - 1), LATER - 1).plan(), Step::Follow, "not before it is sure");
    assert_eq!(halted(&scene(LATER).plan()), Some(Reason::Withdrawn));
    assert_eq!(
        halted(&scene(LATER).edited().wants("B").plan()),
        Some(Reason::Withdrawn),
        "an edit does not ask"
    );
    assert_eq!(asked(scene(LATER), LATER).plan(), SUBMIT_FIRST);
    assert_eq!(asked(scene(LATER).wants("B"), LATER).plan(), SUBMIT_FIRST);
    let incomplete = asked(scene(LATER).lacks(halt(Reason::ProfileNotFound)), LATER);
    assert_eq!(halted(&incomplete.plan()), Some(Reason::ProfileNotFound));
    // The cloud may also drop the application.
    assert_eq!(halted(&ordered().sees(awaiting()).at(LATER).plan()), Some(Reason::Withdrawn));
}

#[test]
fn what_waits_after_our_withdrawal_does_not_lag() {
    let scene = |second| {
        let scene = ordered().last_called(CANCEL, "Accepted", 30).sees(left_over("A"));
        scene.annotated(WITHDRAW, ID).at(second)
    };
    let Step::Halt(problem) = scene(40).plan() else { panic!("{:?}", scene(40).plan()) };
    assert_eq!(problem.reason, Reason::Withdrawn);
    assert!(problem.message.starts_with("the review was stopped as asked"), "{problem}");
    let held_back = asked(scene(40), 40);
    assert_eq!(
        halted(&held_back.plan()),
        Some(Reason::Withdrawn),
        "not while the annotation asks for the opposite"
    );
    assert_eq!(held_back.annotated(WITHDRAW, "").plan(), SUBMIT_FIRST);
}

#[test]
fn ready_when_ordered_ends_with_the_withdrawal() {
    let mut scene = ordered().sees(seen(Stage::Reviewing, &[NAME])).at(30);
    scene.order.spec.ready_policy = ReadyPolicy::Ordered;
    scene.pass(&step(&Step::Follow));
    assert_eq!(condition(&scene.stored(), ConditionType::Ready).status, "True");
    let scene = scene.sees(left_over("A")).at(LATER);
    let status = scene.fold(&step(&scene.plan())).status;
    assert_eq!(condition(&status, ConditionType::Ready).status, "False");
}

#[test]
fn a_refused_application_is_handed_in_again_when_it_is_corrected_or_when_the_user_asks() {
    let now = 7200;
    let scene = || refused().at(now);
    let missing = || halt(Reason::ProfileNotFound);
    let table = vec![
        ("nothing happened", scene(), Step::Follow),
        ("edited, to another application", scene().edited().wants("B"), SUBMIT_FIRST),
        ("edited, to the same", scene().edited(), Step::Follow),
        ("the profile alone was corrected", scene().wants("B"), Step::Follow),
        ("asked", asked(scene(), now), SUBMIT_FIRST),
        ("asked too long ago", asked(scene(), now - 3601), Step::Follow),
        ("withdrawn", asked(scene(), now).annotated(WITHDRAW, ID), Step::Follow),
        ("asked, and not complete", asked(scene().lacks(missing()), now), Step::Halt(missing())),
    ];
    for (name, scene, wanted) in table {
        assert_eq!(scene.plan(), wanted, "{name}");
    }
}

#[test]
fn an_accepted_application_starts_another_attempt_once_for_each_request() {
    for landed in [false, true] {
        let mut scene = asked(refused().at(100), 100);
        let intent = again("A", 100);
        scene.pass(&Outcome::Intent(Action::Submit, &intent));
        let scene_of = |scene: Scene| scene.sees(seen(Stage::Validating, &[NAME])).at(110);
        let accepted = yes("of-the-second");
        let outcome = Outcome::Called(Action::Submit, &intent, &accepted);
        let mut scene = if landed { scene_of(scene) } else { scene };
        if landed {
            assert_eq!(scene.plan(), Step::Landed(Action::Submit));
        }
        let landing = Step::Landed(Action::Submit);
        let status = scene.pass(&if landed { step(&landing) } else { outcome }).status;
        let submission = status.submission.clone().unwrap();
        assert_eq!((submission.resubmissions, submission.frozen, submission.intent), (1, true, None));
        assert_eq!(submission.submitted_at, Some(seconds(scene.now)));
        assert_eq!(status.last_handled_resubmit_at.as_deref(), Some(at(100).to_string().as_str()));
        let scene = scene.sees(refusing("A")).at(200);
        assert_eq!(scene.plan(), Step::Follow, "a request is handled once");
    }
}

#[test]
fn a_first_application_is_recognised_by_what_the_cloud_holds_or_works_on() {
    let found = |seen| fresh().intends(to_submit("A", 0)).sees(seen).at(1).plan();
    for stage in [
        Stage::Validating,
        Stage::Reviewing,
        Stage::Issuing,
        Stage::Issued,
        Stage::Cancelling,
        Stage::Revoked,
    ] {
        assert_eq!(found(seen(stage, &[NAME])), Step::Landed(Action::Submit), "{stage}");
        let another = Observation { stored: evidence("B"), ..seen(stage, &[NAME]) };
        for other in [seen(stage, &["other.example"]), another] {
            assert!(matches!(found(other), Step::Settle { .. }), "{stage}: it is a foreign one");
        }
    }
    assert_eq!(found(refusing("A")), Step::Landed(Action::Submit));
    assert_eq!(found(left_over("A")), Step::Landed(Action::Submit));
    for unclear in
        [refusing("B"), left_over("B"), awaiting(), seen(Stage::Managed, &[]), seen(Stage::Unrecognised, &[])]
    {
        assert!(matches!(found(unclear), Step::Settle { .. }));
    }
    // The request can no longer be built: the state alone decides.
    let lacking =
        |seen| fresh().intends(to_submit("A", 0)).lacks(halt(Reason::ProfileNotFound)).sees(seen).at(1);
    assert_eq!(lacking(seen(Stage::Reviewing, &[NAME])).plan(), Step::Landed(Action::Submit));
    assert!(matches!(lacking(refusing("A")).plan(), Step::Settle { .. }));
}

#[test]
fn the_absence_of_a_first_application_counts_after_two_calls() {
    let scene = |second| fresh().intends(to_submit("A", 0)).at(second);
    assert!(matches!(scene(ABSENCE_COUNTS - 1).plan(), Step::Settle { .. }));
    assert_eq!(scene(ABSENCE_COUNTS).plan(), SUBMIT_SECOND);
    let elsewhere = scene(ABSENCE_COUNTS).sees(left_over("B"));
    assert_eq!(not_landed(&elsewhere.plan()), Some(Reason::Withdrawn), "a foreign one by now");
}

#[test]
fn a_corrected_application_is_distinguished_from_the_one_before() {
    let scene = |seen| {
        let mut scene = refused().edited().wants("B").at(100);
        scene.pass(&Outcome::Intent(Action::Submit, &to_submit("B", 100)));
        scene.sees(seen)
    };
    assert_eq!(scene(refusing("B")).plan(), Step::Landed(Action::Submit));
    assert_eq!(scene(left_over("B")).plan(), Step::Landed(Action::Submit));
    assert!(matches!(scene(refusing("A")).plan(), Step::Settle { .. }));
    assert_eq!(scene(refusing("A")).at(100 + ABSENCE_COUNTS).plan(), SUBMIT_SECOND);
}

/// The user requested another attempt with the same application, and the call got no response.
fn unclear(seen: Observation) -> Scene {
    let mut scene = asked(refused().at(100), 100);
    scene.pass(&Outcome::Intent(Action::Submit, &again("A", 100)));
    let lost = Err(Error::Unknown(None));
    scene.pass(&Outcome::Called(Action::Submit, &again("A", 100), &lost));
    scene.sees(seen).at(100 + ABSENCE_COUNTS)
}

#[test]
fn with_an_equal_application_the_outcome_is_unknown_and_nothing_is_sent_until_the_user_asks_again() {
    for seen in [refusing("A"), left_over("A")] {
        let mut scene = unclear(seen);
        assert_eq!(not_landed(&scene.plan()), Some(Reason::OutcomeUnknown));
        let next = scene.pass(&step(&scene.plan()));
        assert_eq!(next.requeue, Requeue::Stopped);
        assert_eq!(condition(&next.status, ConditionType::Stalled).reason, "OutcomeUnknown");
        assert_eq!(next.status.phase.as_deref(), Some("OutcomeUnknown"));
        let submission = next.status.submission.clone().unwrap();
        assert!(submission.intent.is_some() && submission.frozen, "its outcome is still unknown");

        // Neither the handled request nor time changes that.
        assert_eq!(scene.fold(&step(&scene.plan())).status, next.status);
        let scene = scene.at(5000);
        assert_eq!(not_landed(&scene.plan()), Some(Reason::OutcomeUnknown));
        assert_eq!(asked(scene, 5000).plan(), SUBMIT_SECOND);
    }
}

#[test]
fn a_request_that_comes_after_the_call_started_is_another_one() {
    let scene = unclear(refusing("A"));
    assert_eq!(asked(scene, 130).plan(), SUBMIT_SECOND);
}

#[test]
fn an_intent_names_the_request_that_it_handles() {
    let asks = |scene: Scene| scene.facts().handled_request(Action::Submit).map(str::to_owned);
    assert_eq!(asks(asked(refused(), 60)), Some(at(60).to_string()));
    assert_eq!(asks(refused()), None);
    assert_eq!(asks(asked(scene().ended(Stage::Rejected), 60)), None, "another call opens it again");
}

#[test]
fn an_outcome_that_was_unknown_is_recognised_when_it_shows() {
    let mut scene = unclear(refusing("A"));
    scene.pass(&step(&scene.plan()));
    let scene = scene.sees(seen(Stage::Reviewing, &[NAME])).at(5000);
    assert_eq!(scene.plan(), Step::Landed(Action::Submit));
}

/// It can no longer be compared with what the cloud holds.
#[test]
fn a_profile_that_changed_meanwhile_leaves_the_outcome_unknown() {
    for later in
        [unclear(refusing("A")).wants("B"), unclear(refusing("A")).lacks(halt(Reason::ProfileNotFound))]
    {
        assert_eq!(not_landed(&later.plan()), Some(Reason::OutcomeUnknown));
    }
    let mut scene = unclear(refusing("A")).wants("B");
    scene.pass(&step(&scene.plan()));
    assert_eq!(asked(scene.at(5000), 5000).plan(), SUBMIT_SECOND);
    // Without an earlier attempt, a certificate without traces is new.
    let first = fresh().intends(to_submit("A", 0)).wants("B").at(ABSENCE_COUNTS);
    assert_eq!(first.plan(), SUBMIT_SECOND);
}

#[test]
fn an_unknown_outcome_does_not_hold_a_deletion() {
    let mut scene = unclear(refusing("A"));
    scene.pass(&step(&scene.plan()));
    let scene = scene.deleted(5000, DeletionPolicy::Cancel).at(5001);
    assert_eq!(finalize::plan(&scene.facts()), DeletionStep::Release);
    // An order that the cloud shows after all is withdrawn.
    let scene = scene.sees(seen(Stage::Reviewing, &[NAME]));
    assert_eq!(finalize::plan(&scene.facts()), DeletionStep::First(Step::Landed(Action::Submit)));
}

#[test]
fn a_withdrawal_by_deletion_ends_when_the_cloud_waits_again() {
    let deleted = |scene: Scene| scene.deleted(20, DeletionPolicy::Cancel).at(40);
    let end = |scene: Scene| finalize::plan(&scene.facts());
    let running = deleted(ordered().sees(seen(Stage::Validating, &[NAME])));
    assert_eq!(end(running), DeletionStep::First(write(Action::Withdraw, 1)));
    let withdrawn = || ordered().last_called(CANCEL, "Accepted", 30);
    assert_eq!(
        end(deleted(withdrawn().sees(seen(Stage::Cancelling, &[NAME])))),
        DeletionStep::First(Step::Follow)
    );
    assert_eq!(end(deleted(withdrawn().sees(left_over("A")))), DeletionStep::Release);
    assert_eq!(end(deleted(ordered().sees(left_over("A")))), DeletionStep::First(Step::Follow), "it may lag");
}

#[test]
fn a_cloud_that_takes_no_application_after_a_refusal_is_asked_once() {
    for ask in [false, true] {
        let scene = refused().edited().wants("B").at(100);
        let mut scene = if ask { asked(scene, 100) } else { scene };
        let intent = if ask { again("B", 100) } else { to_submit("B", 100) };
        assert_eq!(scene.plan(), SUBMIT_FIRST);
        scene.pass(&Outcome::Intent(Action::Submit, &intent));
        let no = Err(Error::NotNow(refusal("Code", "1")));
        let next = scene.pass(&Outcome::Called(Action::Submit, &intent, &no));
        assert_eq!(next.requeue, Requeue::Stopped);
        assert_eq!(condition(&next.status, ConditionType::Stalled).reason, "Rejected");
        assert!(message(&next.status, ConditionType::Stalled).contains("takes no other application"));
        assert_eq!(scene.plan(), Step::Follow, "not again by itself");
        assert_eq!(asked(scene.at(200), 200).plan(), SUBMIT_FIRST, "but on every request of the user");
    }
}

#[test]
fn what_runs_without_a_record_is_taken_over_and_nothing_that_waits() {
    for stage in [Stage::Validating, Stage::Reviewing, Stage::Issued, Stage::Rejected, Stage::Cancelling] {
        assert_eq!(fresh().sees(seen(stage, &[NAME])).plan(), Step::Adopt, "{stage}");
        let other = fresh().sees(seen(stage, &["other.example"]));
        assert_eq!(halted(&other.plan()), Some(Reason::CertificateInUse), "{stage}");
    }
}
