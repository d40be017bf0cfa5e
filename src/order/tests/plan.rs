//! The one next step, rule by rule.

use strum::IntoEnumIterator;

use super::support::*;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{Intent, Submission};
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::observation::{Observation, Stage};
use crate::order::facts::Action;
use crate::order::fold::Outcome;
use crate::order::plan::Step;

const SUBMIT_FIRST: Step = Step::Write { action: Action::Submit, attempt: 1 };
const ORDER_FIRST: Step = Step::Write { action: Action::Order, attempt: 1 };

/// Stages without an order of ours.
fn without_an_order(stage: Stage) -> bool {
    matches!(stage, Stage::AwaitingInformation | Stage::Refunded | Stage::Managed | Stage::Unrecognised)
}

fn past_the_application() -> impl Iterator<Item = Stage> {
    Stage::iter().filter(|stage| *stage != Stage::AwaitingInformation)
}

fn past_the_order() -> impl Iterator<Item = Stage> {
    Stage::iter().filter(|stage| !without_an_order(*stage))
}

#[test]
fn an_order_with_everything_in_place_is_submitted_then_ordered_then_followed() {
    assert_eq!(scene().plan(), SUBMIT_FIRST);
    assert_eq!(scene().submitted("A", 0).sees(holding("A")).at(60).plan(), ORDER_FIRST);
    for stage in past_the_application() {
        let scene = scene().ordered("A", 0).sees(seen(stage, &[NAME])).at(60);
        assert_eq!(scene.plan(), Step::Follow, "{stage}");
    }
}

#[test]
fn suspend_calls_nothing_whatever_is_going_on() {
    let scenes = vec![
        scene(),
        scene().submitted("A", 0),
        scene().intends(to_submit("A", 0)).at(1000),
        scene().submitted("A", 0).intends(to_order(0)).at(1000),
        scene().lacks(halt(Reason::SecretNotFound)).unread(),
    ];
    for scene in scenes {
        let scene = scene.suspended();
        assert_eq!(scene.plan(), Step::Suspend);
        assert!(!scene.facts().needs_the_cloud(), "nor is the cloud read");
    }
}

#[test]
fn mode_plan_never_writes() {
    let planned = |scene: Scene| scene.planning().plan();
    assert_eq!(planned(scene()), Step::Show(Action::Submit));
    assert_eq!(planned(scene().submitted("A", 0).at(60)), Step::Show(Action::Order));
    assert_eq!(planned(scene().submitted("A", 0).at(1).sees(holding("A"))), Step::Show(Action::Order));
    assert_eq!(planned(scene().intends(to_submit("A", 0)).at(ABSENCE_COUNTS)), Step::Show(Action::Submit));
    // The cloud is still read.
    assert_eq!(planned(scene().sees(holding("A"))), Step::Adopt);
    assert_eq!(planned(scene().intends(to_submit("A", 0)).sees(holding("A"))), Step::Landed(Action::Submit));
    assert_eq!(planned(scene().ordered("A", 0).sees(seen(Stage::Issued, &[NAME]))), Step::Follow);
}

#[test]
fn an_open_intent_is_settled_even_if_the_order_is_held_back_now() {
    let scene = |held, second| {
        scene().intends(to_submit("A", 0)).annotated(WITHDRAW, ID).sees(held).at(second).plan()
    };
    assert_eq!(scene(holding("A"), 1), Step::Landed(Action::Submit));
    assert_eq!(scene(awaiting(), 1), Step::Settle { until: at(ABSENCE_COUNTS) });
    let held_back = scene(awaiting(), ABSENCE_COUNTS);
    assert!(
        matches!(&held_back, Step::NotLanded(problem) if problem.reason == Reason::Withdrawn),
        "{held_back:?}"
    );
}

#[test]
fn what_is_missing_is_reported_before_a_failure_of_the_cloud() {
    let lacking = || scene().lacks(halt(Reason::ProfileNotFound));
    for scene in [lacking(), lacking().unread(), lacking().cannot_read(unavailable("1"))] {
        assert_eq!(halted(&scene.plan()), Some(Reason::ProfileNotFound));
    }
    assert_eq!(scene().cannot_read(unavailable("1")).plan(), Step::Unreadable);
    assert_eq!(scene().submitted("A", 0).at(60).cannot_read(unavailable("1")).plan(), Step::Unreadable);
}

#[test]
fn a_running_order_is_followed_whether_or_not_its_request_can_still_be_built() {
    for stage in past_the_application() {
        let scene = scene().ordered("A", 0).sees(seen(stage, &[NAME])).lacks(halt(Reason::ProfileNotFound));
        assert_eq!(scene.plan(), Step::Follow, "{stage}");
    }
}

#[test]
fn a_write_is_never_planned_without_a_request_to_write() {
    let lacking = || scene().lacks(halt(Reason::ProfileNotFound));
    let scenes = vec![
        lacking(),
        lacking().submitted("A", 0).at(1),
        lacking().submitted("A", 0).at(60).sees(holding("A")),
        lacking().intends(to_submit("A", 0)).at(60),
        lacking().submitted("A", 0).intends(to_order(0)).at(60).sees(holding("A")),
    ];
    for (number, scene) in scenes.into_iter().enumerate() {
        let step = scene.plan();
        assert!(matches!(step, Step::Halt(_) | Step::NotLanded(_)), "{number}: {step:?}");
    }
}

#[test]
fn nothing_is_ordered_before_the_application_was_read_back() {
    let accepted = |second| scene().submitted("A", 0).at(second);
    assert!(accepted(1).unread().facts().needs_the_cloud());
    assert_eq!(accepted(1).unread().plan(), Step::Follow, "not on the strength of our record");
    for second in [0, 1, 59, 60, 4000] {
        assert_eq!(accepted(second).sees(holding("A")).plan(), ORDER_FIRST);
        assert_eq!(accepted(second).sees(awaiting()).plan(), ORDER_FIRST, "the cloud shows nothing of it");
    }
    let contradicted = |second| accepted(second).sees(holding("B"));
    for second in [1, 59] {
        assert!(matches!(contradicted(second).plan(), Step::Pause { .. }), "it may show the one before");
    }
    let stopped = contradicted(60).plan();
    assert_eq!(halted(&stopped), Some(Reason::CertificateInUse));
    let Step::Halt(problem) = stopped else { unreachable!() };
    assert!(problem.message.contains("somebody else handed in another application"), "{}", problem.message);
    // The user knows better.
    let asked = contradicted(60).annotated(RESUBMIT_AT, &at(60).to_string());
    assert_eq!(asked.plan(), SUBMIT_FIRST);
}

#[test]
fn what_the_ca_works_on_is_compared_with_what_was_sent_after_the_order() {
    let running = |application, second| {
        let observed = Observation { stored: evidence(application), ..seen(Stage::Reviewing, &[NAME]) };
        scene().ordered("A", 0).at(second).sees(observed)
    };
    assert_eq!(running("A", 1).plan(), Step::Follow);
    assert_eq!(halted(&running("B", 1).plan()), Some(Reason::CertificateInUse));
    assert_eq!(running("B", 4000).plan(), Step::Follow, "changed in the console, with the CA");
    let step = running("B", 1).plan();
    let mut stopped = running("B", 1);
    stopped.pass(&Outcome::Step(&step));
    let later = Observation { stored: evidence("B"), ..seen(Stage::Reviewing, &[NAME]) };
    assert_eq!(halted(&stopped.at(4000).sees(later).plan()), Some(Reason::CertificateInUse), "it stays");
}

/// A profile may change while an order runs, and its application with it; names and the origin of the key may not.
#[test]
fn what_cannot_have_been_edited_is_compared_with_any_record() {
    let table = [
        ("another organisation", fixed_evidence("B", NAME, "ours"), None),
        ("other names", fixed_evidence("A", "other.example", "ours"), Some(Reason::CertificateInUse)),
        ("a key of the cloud", fixed_evidence("A", NAME, "theirs"), Some(Reason::CertificateInUse)),
        ("nothing shown", crate::core::evidence::Evidence::default(), None),
    ];
    for (name, stored, wanted) in table {
        for cloud in [scene, || scene().in_one_call()] {
            let seen = Observation { stored: stored.clone(), ..seen(Stage::Reviewing, &[NAME]) };
            let mut running = cloud().ordered("before", 0).at(1).sees(seen.clone());
            running.payload.as_mut().unwrap().evidence = fixed_evidence("A", NAME, "ours");
            assert_eq!(halted(&running.plan()), wanted, "{name}");
            let mut open = cloud().in_one_call().intends(to_submit("before", 0)).at(1).sees(seen);
            open.payload.as_mut().unwrap().evidence = fixed_evidence("A", NAME, "ours");
            assert_eq!(open.plan() == Step::Landed(Action::Submit), wanted.is_none(), "{name}");
        }
    }
}

fn fixed_evidence(organization: &str, name: &str, key: &str) -> crate::core::evidence::Evidence {
    let mut evidence = crate::core::evidence::Evidence::default();
    evidence.add_identity("OrganizationName", organization);
    evidence.add_fixed("CertificateDomain", name);
    evidence.add_fixed("CsrType", key);
    evidence
}

#[test]
fn a_lost_status_is_adopted_not_submitted_again() {
    assert_eq!(scene().sees(holding("A")).plan(), Step::Adopt);
    assert_eq!(scene().sees(holding("B")).plan(), SUBMIT_FIRST, "another application is replaced");
    for stage in past_the_order() {
        assert_eq!(scene().sees(seen(stage, &[NAME])).plan(), Step::Adopt, "{stage}");
        let lacking = scene().sees(seen(stage, &[NAME])).lacks(halt(Reason::ProfileNotFound));
        assert_eq!(lacking.plan(), Step::Adopt, "{stage}");
    }
}

/// The stages at which a certificate is over.
const OVER: [Stage; 4] = [Stage::Revoking, Stage::AwaitingRevocationLetter, Stage::Revoked, Stage::Expired];

#[test]
fn names_are_compared_as_a_set_and_without_case() {
    let wanted = || Scene { names: Ok(names(&[NAME, "api.acme.example"])), ..scene() };
    let held = |held: &[&str]| wanted().sees(seen(Stage::Issued, held)).plan();
    assert_eq!(held(&["API.acme.example", "www.acme.example"]), Step::Adopt);
    for other in [&[NAME][..], &["more.acme.example", NAME, "api.acme.example"]] {
        assert_eq!(halted(&held(other)), Some(Reason::CertificateInUse), "{other:?}");
    }
    // A CA adds a name of its own.
    let more = [NAME, "api.acme.example", "acme.example"];
    assert_eq!(held(&more), Step::Adopt);
    let running = wanted().sees(seen(Stage::Validating, &more)).plan();
    assert_eq!(halted(&running), Some(Reason::CertificateInUse), "not before it issued");
}

#[test]
fn a_certificate_in_use_for_other_names_is_never_touched() {
    for stage in past_the_order() {
        let scene = scene().sees(seen(stage, &["other.example"]));
        let wanted = (!OVER.contains(&stage)).then_some(Reason::CertificateInUse);
        assert_eq!(halted(&scene.plan()), wanted, "{stage}");
        assert!(wanted.is_some() || scene.plan() == Step::Follow, "{stage}: it is over for everybody");
    }
}

#[test]
fn an_earlier_application_for_other_names_is_replaced_only_on_request() {
    for end in [Stage::Rejected, Stage::Cancelled] {
        let ended = || scene().sees(seen(end, &["other.example"]));
        let Step::Halt(problem) = ended().plan() else { panic!("{end}: {:?}", ended().plan()) };
        assert!(problem.message.contains(RESUBMIT_AT), "{}", problem.message);
        let asks = |scene: Scene| scene.annotated(RESUBMIT_AT, &at(0).to_string());
        assert_eq!(asks(ended()).plan(), write(Action::Resubmit, 1), "{end}");
        assert_eq!(asks(ended().lacks(halt(Reason::KeyLost))).plan(), Step::MakeKey, "{end}");
        let incomplete = asks(ended().lacks(halt(Reason::ProfileNotFound)));
        assert_eq!(halted(&incomplete.plan()), Some(Reason::ProfileNotFound), "{end}");
        assert_eq!(asks(ended().in_one_call()).plan(), write(Action::Submit, 1), "{end}");
    }
}

#[test]
fn a_certificate_that_got_there_without_an_order_is_never_taken_over() {
    for stage in [Stage::Refunded, Stage::Managed, Stage::Unrecognised] {
        for names in [&[NAME][..], &["other.example"], &[]] {
            assert_eq!(scene().sees(seen(stage, names)).plan(), Step::Follow, "{stage} {names:?}");
        }
    }
}

#[test]
fn without_names_nothing_shows_whose_order_it_is() {
    for stage in past_the_order() {
        let step = scene().sees(seen(stage, &[])).plan();
        let wanted = (!OVER.contains(&stage)).then_some(Reason::CertificateInUse);
        assert_eq!(halted(&step), wanted, "{stage}");
    }
}

#[test]
fn names_that_cannot_be_read_take_over_nothing() {
    let scene = Scene { names: Err(halt(Reason::InvalidRequest)), ..scene() };
    assert_eq!(halted(&scene.sees(seen(Stage::Issued, &[NAME])).plan()), Some(Reason::InvalidRequest));
}

#[test]
fn a_correction_before_the_order_replaces_the_application() {
    let corrected = || scene().submitted("A", 0).wants("B").at(60);
    assert_eq!(corrected().sees(holding("A")).plan(), SUBMIT_FIRST);
    // What was corrected may be nothing that the cloud shows, so the record decides.
    assert_eq!(corrected().sees(holding("B")).plan(), SUBMIT_FIRST);
    // The record of an accepted application is enough, for a cloud that shows nothing of it.
    assert_eq!(scene().submitted("A", 0).at(60).sees(awaiting()).plan(), ORDER_FIRST);
}

#[test]
fn an_order_that_was_withdrawn_at_the_cloud_is_not_sent_again() {
    let scenes: [fn() -> Scene; 3] =
        [scene, || scene().wants("B"), || scene().lacks(halt(Reason::CsrInvalid))];
    for scene in scenes {
        let scene = |second| scene().ordered("A", 0).at(second);
        // Until then the cloud may still show the state before the order.
        assert_eq!(scene(599).plan(), Step::Follow);
        assert_eq!(halted(&scene(600).plan()), Some(Reason::Withdrawn));
        let asked = |second| scene(second).annotated(RESUBMIT_AT, &at(second).to_string());
        assert_eq!(asked(599).plan(), Step::Follow, "not before it is sure");
        assert_eq!(asked(600).plan(), Step::StartOver);
    }
}

#[test]
fn an_order_that_lost_its_certificate_to_another_writes_and_adopts_nothing() {
    let problem = || halt(Reason::DuplicateCertificate);
    for scene in [scene(), scene().sees(holding("A")), scene().sees(seen(Stage::Issued, &[NAME]))] {
        assert_eq!(halted(&scene.contested(problem()).plan()), Some(Reason::DuplicateCertificate));
    }
    let planning = scene().contested(problem()).planning();
    assert_eq!(planning.plan(), Step::Show(Action::Submit), "showing does no harm");
}

#[test]
fn two_orders_that_both_kept_an_intent_do_not_wait_for_each_other_for_good() {
    let problem = halt(Reason::Settling);
    let scene = scene().intends(to_submit("A", 0)).contested(problem.clone());
    assert_eq!(scene.plan(), Step::Settle { until: at(ABSENCE_COUNTS) });
    assert_eq!(scene.at(ABSENCE_COUNTS).plan(), Step::NotLanded(problem));
}

/// A name, the action, the order with its intent, and what the cloud shows before and after the call.
type Intended = (&'static str, Action, fn() -> Scene, Observation, Observation);

/// An intent of each kind.
fn intents() -> Vec<Intended> {
    let validating = || seen(Stage::Validating, &[NAME]);
    vec![
        ("submit", Action::Submit, || scene().intends(to_submit("A", 0)), awaiting(), holding("A")),
        (
            "submit a correction",
            Action::Submit,
            || scene().submitted("A", 0).wants("B").intends(to_submit("B", 0)),
            holding("A"),
            holding("B"),
        ),
        (
            "order",
            Action::Order,
            || scene().submitted("A", 0).intends(to_order(0)),
            holding("A"),
            validating(),
        ),
        (
            "submit, where that sends the order",
            Action::Submit,
            || scene().in_one_call().intends(to_submit("A", 0)),
            awaiting(),
            validating(),
        ),
        (
            "open again",
            Action::Resubmit,
            || {
                let scene = scene().ended(Stage::Rejected).intends(to_call(RESUBMIT, 0));
                scene.annotated(RESUBMIT_AT, &at(0).to_string())
            },
            seen(Stage::Rejected, &[NAME]),
            holding("A"),
        ),
        (
            "withdraw",
            Action::Withdraw,
            || scene().ordered("A", 0).intends(to_call(CANCEL, 0)).annotated(WITHDRAW, ID),
            validating(),
            seen(Stage::Cancelling, &[NAME]),
        ),
        (
            "send the letter",
            Action::SendLetter,
            || Scene { letter: Some(Ok(letter())), ..scene().ordered("A", 0) }.intends(to_call(LETTER, 0)),
            seen(Stage::AwaitingLetter, &[NAME]),
            seen(Stage::Reviewing, &[NAME]),
        ),
    ]
}

#[test]
fn an_intent_of_a_dead_process_is_never_called_again_before_absence_counts() {
    for (name, action, intends, before, _) in intents() {
        for second in [0, 1, ABSENCE_COUNTS - 1] {
            let scene = intends().sees(before.clone()).at(second);
            assert_eq!(scene.plan(), Step::Settle { until: at(ABSENCE_COUNTS) }, "{name} at {second}");
        }
        let scene = intends().sees(before).at(ABSENCE_COUNTS);
        assert_eq!(scene.plan(), write(action, 2), "{name}");
    }
}

#[test]
fn evidence_settles_an_intent_at_once() {
    for (name, action, intends, _, after) in intents() {
        for second in [0, ABSENCE_COUNTS] {
            let scene = Scene { logged: Some(true), ..intends() }.sees(after.clone()).at(second);
            assert_eq!(scene.plan(), Step::Landed(action), "{name} at {second}");
        }
    }
}

#[test]
fn an_intent_is_neither_settled_nor_repeated_while_the_cloud_cannot_be_read() {
    for (name, _, intends, ..) in intents() {
        let scene = intends().cannot_read(unavailable("1")).at(1000);
        assert_eq!(scene.plan(), Step::Unreadable, "{name}");
        let without_credentials = intends().lacks(halt(Reason::SecretNotFound)).unread().at(1000);
        assert_eq!(halted(&without_credentials.plan()), Some(Reason::SecretNotFound), "{name}");
    }
}

#[test]
fn the_attempts_are_counted() {
    let intent = Intent { attempt: 7, ..to_submit("A", 0) };
    assert_eq!(scene().intends(intent).at(ABSENCE_COUNTS).plan(), write(Action::Submit, 8));
}

#[test]
fn an_order_that_ended_since_its_intent_was_sent() {
    for stage in Stage::iter().filter(|stage| !without_an_order(*stage)) {
        let scene = scene().submitted("A", 0).intends(to_order(0)).sees(seen(stage, &[NAME]));
        assert_eq!(scene.plan(), Step::Landed(Action::Order), "{stage}");
    }
}

#[test]
fn a_stage_that_needs_no_order_is_no_evidence_of_a_call() {
    for stage in [Stage::Refunded, Stage::Managed, Stage::Unrecognised] {
        let submitting: fn() -> Scene = || scene().intends(to_submit("A", 0));
        let ordering: fn() -> Scene = || scene().submitted("A", 0).intends(to_order(0));
        for intends in [submitting, ordering] {
            let scene = |second| intends().sees(seen(stage, &[])).at(second);
            assert_eq!(scene(0).plan(), Step::Settle { until: at(ABSENCE_COUNTS) }, "{stage}");
            assert_eq!(scene(ABSENCE_COUNTS).plan(), Step::Follow, "{stage}");
        }
    }
}

#[test]
fn an_order_of_the_console_is_not_taken_for_the_call_of_an_intent() {
    let held = |names: &[&str]| {
        let scene = scene().intends(to_submit("A", 0)).sees(seen(Stage::Validating, names));
        scene.at(ABSENCE_COUNTS).plan()
    };
    assert_eq!(held(&[NAME]), Step::Adopt);
    match held(&["other.example"]) {
        Step::NotLanded(problem) => assert_eq!(problem.reason, Reason::CertificateInUse),
        step => panic!("{step:?}"),
    }
}

#[test]
fn an_intent_whose_request_cannot_be_built_any_more_is_given_up_once_absence_counts() {
    let scene = |second| {
        scene().intends(to_submit("A", 0)).lacks(halt(Reason::ProfileNotFound)).sees(holding("A")).at(second)
    };
    assert_eq!(scene(1).plan(), Step::Settle { until: at(ABSENCE_COUNTS) });
    assert_eq!(scene(ABSENCE_COUNTS).plan(), Step::NotLanded(halt(Reason::ProfileNotFound)));
}

#[test]
fn an_intent_for_what_is_no_longer_wanted_is_replaced_by_what_is() {
    let scene = |second| scene().intends(to_submit("A", 0)).wants("B").at(second);
    for held in [awaiting(), holding("A")] {
        assert_eq!(scene(1).sees(held.clone()).plan(), Step::Settle { until: at(ABSENCE_COUNTS) });
        assert_eq!(scene(ABSENCE_COUNTS).sees(held).plan(), write(Action::Submit, 2));
    }
    assert_eq!(scene(ABSENCE_COUNTS).sees(holding("B")).plan(), Step::Adopt);
}

#[test]
fn a_correction_that_was_taken_back_is_not_submitted_over_itself() {
    // A was accepted, the call with B was cut off, and A is wanted again.
    let scene =
        |held| scene().submitted("A", 0).intends(to_submit("B", 60)).sees(held).at(60 + ABSENCE_COUNTS);
    assert_eq!(scene(holding("A")).plan(), write(Action::Order, 2));
    assert_eq!(scene(holding("B")).plan(), write(Action::Submit, 2));
}

#[test]
fn an_order_cut_off_is_not_sent_for_an_application_that_was_corrected_since() {
    let scene = scene().submitted("A", 0).intends(to_order(60)).wants("B").sees(holding("A"));
    assert_eq!(scene.at(60 + ABSENCE_COUNTS).plan(), write(Action::Submit, 2));
}

#[test]
fn a_record_that_a_lost_call_may_have_overtaken_is_not_trusted() {
    // The hash is forgotten when the intent of such a call is dropped.
    let forgotten = |held| {
        let mut scene = scene().submitted("A", 0).sees(held).at(600);
        let submission: &mut Submission = scene.order.status.as_mut().unwrap().submission.as_mut().unwrap();
        submission.payload_hash = None;
        scene.plan()
    };
    assert_eq!(forgotten(holding("A")), ORDER_FIRST);
    assert_eq!(forgotten(holding("B")), SUBMIT_FIRST);
}

#[test]
fn an_application_by_ids_is_submitted_rather_than_adopted() {
    // A foreign one for the same name; or this one, before its status was lost.
    for held in ["A", BY_IDS] {
        assert_eq!(scene().wants(BY_IDS).sees(holding(held)).plan(), write(Action::Submit, 1), "{held}");
    }
    assert_eq!(scene().wants("A").sees(holding("A")).plan(), Step::Adopt);
}

#[test]
fn an_approval_before_the_order_replaces_the_data_once_and_after_it_changes_nothing() {
    let sent = |application: &str| scene().submitted(application, 0).sees(holding(application)).at(60);
    assert_eq!(sent("A").wants(BY_IDS).plan(), write(Action::Submit, 1));
    assert_eq!(sent(BY_IDS).wants(BY_IDS).plan(), write(Action::Order, 1), "our own record decides");
    assert_eq!(sent(BY_IDS).wants("A").plan(), write(Action::Submit, 1), "it has run out");
    let ordered = scene().ordered("A", 0).wants(BY_IDS).sees(seen(Stage::Reviewing, &[NAME])).at(60);
    assert_eq!(ordered.plan(), Step::Follow);
    let rejected = scene().ordered("A", 0).wants(BY_IDS).sees(seen(Stage::Rejected, &[NAME])).at(60);
    assert_eq!(rejected.plan(), Step::Follow, "it starts over when its user wants that");
}
