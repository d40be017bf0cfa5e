//! What `fold` records of calls: their ids, the last request, repeated failures, and the remains of an intent.

use std::time::Duration;

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{Intent, seconds};
use crate::core::observation::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::facts::Action;
use crate::order::fold::{Outcome, Requeue, fold};
use crate::order::plan::Step;
use crate::provider::{Accepted, Error, Refusal};

fn refused(request_id: &str) -> Result<Accepted, Error> {
    let refusal = refusal("FailedOperation.InvalidParam", request_id);
    Err(Error::Rejected { reason: Reason::InvalidRequest, refusal })
}

#[test]
fn the_request_id_is_that_of_the_accepted_application_and_later_calls_do_not_replace_it() {
    let (submit, order) = (to_submit("A", 0), to_order(1));
    let mut scene = scene();
    scene.pass(&Outcome::Intent(Action::Submit, &submit));
    scene.pass(&Outcome::Called(Action::Submit, &submit, &yes("of-the-application")));
    let request_id = |scene: &Scene| scene.stored().request_id;
    assert_eq!(request_id(&scene).as_deref(), Some("of-the-application"));
    assert!(message(&scene.stored(), ConditionType::Submitted).contains("of-the-application"));

    scene.pass(&Outcome::Intent(Action::Order, &order));
    let outcomes = [refused("of-a-refusal"), Err(Error::Unknown(None)), yes("of-the-order")];
    for outcome in outcomes {
        scene.pass(&Outcome::Called(Action::Order, &order, &outcome));
        assert_eq!(request_id(&scene).as_deref(), Some("of-the-application"));
    }
    let mut scene = scene.sees(seen(Stage::Issued, &[NAME])).at(60);
    scene.pass(&step(&Step::Follow));
    assert_eq!(request_id(&scene).as_deref(), Some("of-the-application"));
}

#[test]
fn an_accepted_correction_brings_its_own_request_id() {
    let correction = to_submit("B", 60);
    let mut scene = scene().submitted("A", 0).wants("B").at(60);
    scene.pass(&Outcome::Intent(Action::Submit, &correction));
    let failed = scene.fold(&Outcome::Called(Action::Submit, &correction, &refused("of-a-refusal"))).status;
    assert_eq!(failed.request_id.as_deref(), Some("request-of-the-submission"));
    assert_eq!(failed.submission.unwrap().payload_hash, Some(hash("A")), "the first one stands");
    let accepted = scene.fold(&Outcome::Called(Action::Submit, &correction, &yes("of-B"))).status;
    assert_eq!(accepted.request_id.as_deref(), Some("of-B"));
    assert_eq!(accepted.submission.unwrap().payload_hash, Some(hash("B")));
}

#[test]
fn the_last_request_is_the_last_call_with_its_outcome() {
    let (submit, order) = (to_submit("A", 0), to_order(0));
    let text = "FailedOperation.InvalidParam";
    let table = [
        (Action::Submit, yes("1"), ("Accepted", Some("1"), None)),
        (Action::Order, yes("2"), ("Accepted", Some("2"), None)),
        (Action::Submit, refused("3"), ("Refused", Some("3"), Some(text))),
        (
            Action::Order,
            Err(Error::CredentialsRefused(refusal(text, "4"))),
            ("Refused", Some("4"), Some(text)),
        ),
        (
            Action::Submit,
            Err(Error::Throttled { after: None, refusal: refusal(text, "5") }),
            ("Throttled", Some("5"), Some(text)),
        ),
        (Action::Order, Err(Error::NotNow(refusal(text, "6"))), ("NotNow", Some("6"), Some(text))),
        (Action::Order, Err(Error::UnderWay(refusal(text, "7"))), ("UnderWay", Some("7"), Some(text))),
        (Action::Submit, Err(Error::Unavailable(refusal(text, "8"))), ("Unavailable", Some("8"), Some(text))),
        (Action::Submit, Err(Error::Unknown(Some(refusal(text, "9")))), ("NoAnswer", Some("9"), Some(text))),
        (Action::Submit, Err(Error::Unknown(None)), ("NoAnswer", None, None)),
        (Action::Order, Err(Error::NotSent("no route".to_owned())), ("NotSent", None, None)),
    ];
    for (action, outcome, wanted) in table {
        let (scene, intent) = match action {
            Action::Submit => (scene(), &submit),
            _ => (scene().submitted("A", 0), &order),
        };
        let scene = scene.intends(intent.clone()).at(7);
        let last = scene.fold(&Outcome::Called(action, intent, &outcome)).status.last_request.unwrap();
        let got = (last.outcome.as_str(), last.request_id.as_deref(), last.code.as_deref());
        assert_eq!(got, wanted);
        assert_eq!((last.action, last.time), (intent.action.clone(), seconds(at(7))));
    }
}

#[test]
fn a_call_of_unknown_outcome_keeps_its_intent_and_a_definite_refusal_drops_it() {
    let submit = to_submit("A", 0);
    let after = |outcome: Result<Accepted, Error>| {
        let scene = scene().intends(submit.clone());
        scene.fold(&Outcome::Called(Action::Submit, &submit, &outcome)).status.submission.unwrap()
    };
    let unknown = after(Err(Error::Unknown(None)));
    assert_eq!((unknown.intent, unknown.frozen), (Some(submit.clone()), true));
    for outcome in [refused("1"), Err(unavailable("1")), Err(Error::NotSent("no route".to_owned()))] {
        let submission = after(outcome);
        assert_eq!((submission.intent, submission.frozen, submission.submitted_at), (None, false, None));
    }
    let accepted = after(yes("1"));
    assert_eq!((accepted.intent, accepted.frozen), (None, true));
    assert_eq!(accepted.payload_hash, Some(hash("A")));
}

#[test]
fn a_repeated_equal_failure_writes_nothing() {
    for scene in [scene(), scene().submitted("A", 0), scene().intends(to_submit("A", 0))] {
        let mut scene = scene.cannot_read(unavailable("the-first")).at(60);
        let first = scene.pass(&step(&Step::Unreadable));
        assert!(message(&first.status, ConditionType::Ready).contains("the-first"));
        assert_eq!(first.requeue, Requeue::Failed(None));
        for (second, request_id) in [(61, "the-second"), (63, "the-third")] {
            scene = scene.cannot_read(unavailable(request_id)).at(second);
            let next = scene.pass(&step(&Step::Unreadable));
            assert_eq!(next.status, first.status, "not even the RequestId changes");
            assert_eq!(next.requeue, Requeue::Failed(None));
        }
    }
}

#[test]
fn another_failure_and_a_failure_after_a_success_are_shown() {
    let mut scene = scene().ordered("A", 0).cannot_read(unavailable("the-first"));
    scene.pass(&step(&Step::Unreadable));
    let throttled = Error::Throttled {
        after: Some(Duration::from_secs(9)),
        refusal: refusal("RequestLimitExceeded", "another"),
    };
    scene = scene.cannot_read(throttled).at(1);
    let next = scene.pass(&step(&Step::Unreadable));
    assert!(message(&next.status, ConditionType::Ready).contains("another"));
    assert_eq!(next.requeue, Requeue::Failed(Some(Duration::from_secs(9))));

    for (second, request_id) in [(10, "one"), (20, "two")] {
        scene = scene.sees(seen(Stage::Reviewing, &[NAME])).at(second);
        scene.pass(&step(&Step::Follow));
        scene = scene.cannot_read(unavailable(request_id)).at(second + 5);
        let next = scene.pass(&step(&Step::Unreadable));
        assert!(message(&next.status, ConditionType::Ready).contains(request_id));
    }
}

#[test]
fn a_refusal_that_needs_a_change_stops_and_a_temporary_one_waits() {
    let submit = to_submit("A", 0);
    let text = |error: Error| {
        let scene = scene().intends(submit.clone());
        let next = scene.fold(&Outcome::Called(Action::Submit, &submit, &Err(error)));
        (summary(&next.status), next.requeue)
    };
    let code = || refusal("Code", "1");
    let (stopped, again) = text(Error::Rejected { reason: Reason::PermissionDenied, refusal: code() });
    assert_eq!(stopped, "Stopped: Ready=False/PermissionDenied Stalled=True/PermissionDenied");
    assert_eq!(again, Requeue::Stopped);
    assert_eq!(text(Error::CredentialsRefused(code())).1, Requeue::Stopped);
    let passing = [
        (Error::NotNow(code()), Reason::CloudUnavailable, None),
        (Error::Unavailable(code()), Reason::CloudUnavailable, None),
        (Error::NotSent("no route".to_owned()), Reason::CloudUnavailable, None),
        (Error::UnderWay(code()), Reason::InReview, None),
        (
            Error::Throttled { after: Some(CALL_TIMEOUT), refusal: code() },
            Reason::RateLimited,
            Some(CALL_TIMEOUT),
        ),
    ];
    for (error, reason, after) in passing {
        let wanted = format!("Pending: Ready=Unknown/{reason} Reconciling=True/{reason}");
        assert_eq!(text(error), (wanted, Requeue::Failed(after)));
    }
}

#[test]
fn a_clock_that_is_off_is_no_matter_of_credentials_and_a_retry_writes_nothing() {
    let off = |request_id: &str, words: &str| {
        let refusal = Refusal { message: words.into(), ..refusal("SignatureExpire", request_id) };
        Error::ClockSkew(refusal)
    };
    let mut scene = scene().cannot_read(off("1", "this machine's clock is 600 s behind the cloud's"));
    let first = scene.pass(&step(&Step::Unreadable));
    assert_eq!(summary(&first.status), "Pending: Ready=Unknown/ClockSkew Reconciling=True/ClockSkew");
    assert_eq!(first.requeue, Requeue::FailedForAll);
    let text = message(&first.status, ConditionType::Ready);
    for part in ["600 s behind", "Set the clock of the node", "within two minutes", "RequestId 1"] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    scene = scene.cannot_read(off("2", "this machine's clock is 601 s behind the cloud's")).at(90);
    assert_eq!(scene.pass(&step(&Step::Unreadable)).status, first.status);

    let submit = to_submit("A", 0);
    let next =
        scene.intends(submit.clone()).fold(&Outcome::Called(Action::Submit, &submit, &Err(off("3", ""))));
    assert_eq!(next.requeue, Requeue::FailedForAll);
    assert_eq!(next.status.submission.unwrap().intent, None, "the call had no effect");
    assert_eq!(next.status.last_request.unwrap().outcome, "ClockSkew");
}

#[test]
fn a_lost_outcome_makes_the_record_of_the_application_before_it_doubtful() {
    let recorded = |intent, outcome: &Step| {
        let scene = scene().submitted("A", 0).intends(intent).at(60);
        scene.fold(&step(outcome)).status.submission.unwrap().payload_hash
    };
    let problem = Step::NotLanded(halt(Reason::CsrInvalid));
    for outcome in [&problem, &Step::Show(Action::Submit)] {
        assert_eq!(recorded(to_submit("B", 0), outcome), None);
        assert_eq!(recorded(to_order(0), outcome), Some(hash("A")), "an order replaces no application");
    }
    let (second, third) = (to_submit("B", 0), to_submit("A", 60));
    let mut scene = scene().submitted("A", 0).intends(second).at(60);
    scene.pass(&Outcome::Intent(Action::Submit, &third));
    scene.pass(&Outcome::Called(Action::Submit, &third, &refused("1")));
    assert_eq!(scene.stored().submission.unwrap().payload_hash, None);
}

#[test]
fn the_clouds_words_pass_the_filter() {
    let secret = "13112341234";
    let filter = Filter::new([secret.into()]);
    let words = || format!("call {secret} first").as_str().into();
    let rejected = Observation { message: Some(words()), ..seen(Stage::Rejected, &[NAME]) };
    let refusal = Refusal { message: words(), ..refusal("Code", "1") };
    let submit = to_submit("A", 0);
    let outcome = Err(Error::Rejected { reason: Reason::InvalidRequest, refusal: refusal.clone() });
    let (followed, refused, unreadable) = (
        scene().ordered("A", 0).sees(rejected),
        scene().intends(submit.clone()),
        scene().cannot_read(Error::CredentialsRefused(refusal)),
    );
    let table = [
        (followed, step(&Step::Follow)),
        (refused, Outcome::Called(Action::Submit, &submit, &outcome)),
        (unreadable, step(&Step::Unreadable)),
    ];
    for (scene, outcome) in table {
        let status = fold(&scene.stored(), &scene.facts(), &outcome, &filter).status;
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.contains("call *** first") && !text.contains(secret), "{text}");
    }
}

#[test]
fn every_refusal_says_what_to_do_next() {
    let submit = to_submit("A", 0);
    let code = || refusal("Code", "request-1");
    let errors = [
        (Error::Rejected { reason: Reason::InvalidRequest, refusal: code() }, "Correct the order"),
        (Error::Rejected { reason: Reason::CertificateNotFound, refusal: code() }, "Check certificateId"),
        (Error::Rejected { reason: Reason::PermissionDenied, refusal: code() }, "Grant the permission"),
        (
            Error::Rejected { reason: Reason::ProfileIncomplete, refusal: code() },
            "Complete the OrganizationProfile",
        ),
        (Error::CredentialsRefused(code()), "Replace the content of the Secret"),
        (
            Error::CredentialsRefused(Refusal { note: Some("Entry x is not read.".into()), ..code() }),
            "the order goes on at once. Entry x is not read.",
        ),
        (Error::ClockSkew(code()), "Set the clock of the node; certorder tries again within two minutes."),
        (Error::Throttled { after: None, refusal: code() }, "tries again by itself"),
        (Error::Unknown(Some(code())), "reads the cloud to see what became of it"),
    ];
    for (error, advice) in errors {
        let scene = scene().intends(submit.clone());
        let status = scene.fold(&Outcome::Called(Action::Submit, &submit, &Err(error))).status;
        let text = message(&status, ConditionType::Ready);
        for part in [CLOUD, SUBMIT, "Code, the cloud's words (RequestId request-1)", advice] {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }
}

/// Makes a call as a pass does: it compares with the status before its intent.
fn call(scene: &mut Scene, action: Action, intent: &Intent, outcome: &Result<Accepted, Error>) {
    let stored = scene.fold(&Outcome::Intent(action, intent)).status;
    let next = scene.fold_into(&stored, &Outcome::Called(action, intent, outcome));
    scene.order.status = Some(next.status);
}

#[test]
fn of_a_run_of_equal_failing_calls_the_first_stays() {
    let mut scene = scene();
    let busy = |request_id| Err(unavailable(request_id));
    call(&mut scene, Action::Submit, &to_submit("A", 0), &busy("the-first"));
    let first = scene.stored();
    for (second, request_id) in [(10, "the-second"), (20, "the-third")] {
        scene = scene.at(second);
        call(&mut scene, Action::Submit, &to_submit("A", second), &busy(request_id));
        assert_eq!(scene.stored(), first, "not even a time changes");
    }
    call(&mut scene, Action::Submit, &to_submit("A", 30), &refused("another"));
    let last = scene.stored().last_request.unwrap();
    assert_eq!((last.request_id.as_deref(), last.time), (Some("another"), seconds(at(20))));
    assert!(message(&scene.stored(), ConditionType::Ready).contains("another"));
    scene = scene.at(40);
    call(&mut scene, Action::Submit, &to_submit("A", 40), &busy("a-new-run"));
    assert_eq!(scene.stored().last_request.unwrap().request_id.as_deref(), Some("a-new-run"));
    assert!(message(&scene.stored(), ConditionType::Ready).contains("a-new-run"));
}

#[test]
fn a_failed_read_is_no_request_to_record() {
    for error in [unavailable("1"), Error::CredentialsRefused(refusal("Code", "1"))] {
        for scene in [scene(), scene().submitted("A", 0)] {
            let before = scene.stored().last_request;
            let scene = scene.cannot_read(error.clone()).at(60);
            assert_eq!(scene.fold(&step(&Step::Unreadable)).status.last_request, before);
        }
    }
}

#[test]
fn what_is_taken_over_is_recorded_as_far_as_the_cloud_shows_it() {
    let recorded = |scene: Scene| scene.adopted().stored().submission.unwrap().payload_hash;
    assert_eq!(recorded(scene().sees(holding("A"))), Some(hash("A")));
    let validating = || seen(Stage::Validating, &[NAME]);
    assert_eq!(recorded(scene().sees(validating())), None, "the CA may work on something else");
    let shown = Observation { stored: evidence("A"), ..validating() };
    assert_eq!(recorded(scene().sees(shown.clone())), Some(hash("A")));
    assert_eq!(recorded(scene().sees(shown).lacks(halt(Reason::CsrInvalid))), None);
}

#[test]
fn an_order_that_turns_out_to_be_anothers_leaves_no_trace() {
    let validating = Observation {
        order_id: Some("1800".to_owned()),
        not_after: Some(at(9999)),
        ..seen(Stage::Validating, &[NAME])
    };
    let mut scene = scene().sees(validating).adopted();
    let lost = Step::Halt(halt(Reason::DuplicateCertificate));
    assert_eq!(scene.plan(), Step::Follow);
    scene.contested = Some(halt(Reason::DuplicateCertificate));
    assert_eq!(scene.plan(), lost);
    let status = scene.fold_into(&scene.stored(), &step(&lost)).status;
    assert_eq!(
        summary(&status),
        "Stopped: Ready=False/DuplicateCertificate Stalled=True/DuplicateCertificate"
    );
    assert_eq!((status.submission, status.order_id, status.request_id), (None, None, None));
    assert_eq!((status.not_before, status.not_after, status.validation_records.len()), (None, None, 0));
}

#[test]
fn a_refused_call_leaves_editable_only_what_the_ca_does_not_work_on() {
    let table = vec![
        (Action::Submit, SUBMIT, scene(), false),
        (Action::Order, ORDER, scene().submitted("A", 0), false),
        (Action::Resubmit, RESUBMIT, scene().ended(Stage::Rejected), false),
        (Action::Withdraw, CANCEL, scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME])), true),
        (
            Action::SendLetter,
            LETTER,
            scene().ordered("A", 0).sees(seen(Stage::AwaitingLetter, &[NAME])),
            true,
        ),
        (Action::Revoke, REVOKE, scene().ordered("A", 0).sees(seen(Stage::Issued, &[NAME])), true),
    ];
    for (action, name, mut scene, frozen) in table {
        call(&mut scene, action, &to_call(name, 0), &refused("1"));
        let submission = scene.stored().submission.unwrap();
        assert_eq!((submission.intent, submission.frozen), (None, frozen), "{action:?}");
    }
}

#[test]
fn the_wait_for_a_lost_call_writes_nothing_twice() {
    let mut scene = scene().intends(to_submit("A", 0)).at(1);
    let settle = |scene: &Scene| scene.plan();
    let first = settle(&scene);
    scene.pass(&step(&first));
    let before = scene.stored();
    for second in [2, 20, 39] {
        scene = scene.at(second);
        let wait = settle(&scene);
        assert_eq!(scene.fold(&step(&wait)).status, before, "at {second}");
    }
}
