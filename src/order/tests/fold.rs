//! The next status for each outcome. `Scene::fold` also checks the rules that every status keeps, and that the same
//! outcome twice changes nothing.

use std::time::Duration;

use strum::IntoEnumIterator;

use super::support::*;
use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, ReadyPolicy, seconds};
use crate::core::observation::{Check, Observation, Stage, ValidationRecord};
use crate::order::facts::Action;
use crate::order::fold::{Outcome, Requeue};
use crate::order::plan::Step;
use crate::order::validation::Validation;
use crate::provider::Error;

fn frozen(status: &CertificateOrderStatus) -> bool {
    status.submission.as_ref().is_some_and(|submission| submission.frozen)
}

#[test]
fn every_outcome_has_its_phase_and_conditions() {
    let submit = to_submit("A", 0);
    let order = to_order(0);
    let accepted = yes("1");
    let busy = Err(Error::UnderWay(refusal("FailedOperation.CertificateOrderSubmitProcessing", "1")));
    let no_answer = Err(Error::Unknown(None));
    let [landed, settle] = [Step::Landed(Action::Submit), Step::Settle { until: at(40) }];
    let given_up = Step::NotLanded(halt(Reason::CsrInvalid));
    let missing = Step::Halt(halt(Reason::SecretNotFound));

    let new = scene;
    let submits = || scene().intends(submit.clone());
    let orders = || scene().submitted("A", 0).intends(order.clone());
    let running = || scene().ordered("A", 0).sees(seen(Stage::Reviewing, &[NAME]));
    let waits = |reason| format!("Ready=Unknown/{reason} Reconciling=True/{reason}");
    let submitted = |how| format!("Submitted: {} Submitted=True/{how}", waits("Submitting"));
    let reviewed = |how| format!("Ordered=True/{how} {} Submitted=True/Accepted", waits("InReview"));
    let ordered = |how| format!("Ordered: {}", reviewed(how));
    let soon = |seconds| Requeue::In(Duration::from_secs(seconds));

    let by = |action, outcome| match action {
        Action::Submit => Outcome::Called(action, &submit, outcome),
        _ => Outcome::Called(action, &order, outcome),
    };
    let suspended = format!("Suspended: {} Suspended=True/Suspended", waits("Pending"));
    let table = vec![
        (new(), step(&missing), format!("Pending: {}", waits("SecretNotFound")), Requeue::Stopped),
        (new(), step(&Step::Suspend), suspended, Requeue::Settled),
        (
            new(),
            step(&Step::Show(Action::Submit)),
            "Planned: Planned=True/Planned Ready=False/Planned".to_owned(),
            Requeue::Stopped,
        ),
        (
            new(),
            Outcome::Intent(Action::Submit, &submit),
            format!("Submitting: {}", waits("Submitting")),
            Requeue::Now,
        ),
        (submits(), by(Action::Submit, &accepted), submitted("Accepted"), Requeue::Now),
        (submits(), step(&landed), submitted("Adopted"), Requeue::Now),
        (new().sees(holding("A")), step(&Step::Adopt), submitted("Adopted"), Requeue::Now),
        (submits(), by(Action::Submit, &no_answer), format!("-: {}", waits("Settling")), soon(1)),
        (submits(), step(&settle), format!("-: {}", waits("Settling")), soon(5)),
        (
            submits(),
            step(&given_up),
            "Stopped: Ready=False/CsrInvalid Stalled=True/CsrInvalid".to_owned(),
            Requeue::Stopped,
        ),
        (orders(), by(Action::Order, &accepted), ordered("Accepted"), Requeue::Now),
        (orders(), by(Action::Order, &busy), ordered("Accepted"), Requeue::Now),
        (orders(), step(&Step::Landed(Action::Order)), ordered("Adopted"), Requeue::Now),
        (running(), step(&Step::Follow), format!("Reviewing: {}", reviewed("Accepted")), Requeue::Poll),
    ];
    for (number, (scene, outcome, wanted, again)) in table.into_iter().enumerate() {
        let next = scene.fold(&outcome);
        assert_eq!(summary(&next.status), wanted, "row {number}");
        assert_eq!(next.requeue, again, "row {number}");
    }
}

#[test]
fn every_problem_waits_or_stops_as_its_reason_says() {
    for reason in Reason::iter().filter(|reason| reason.class() != Class::Result) {
        let status = scene().fold(&step(&Step::Halt(halt(reason)))).status;
        let (phase, ready, beside) = match reason.class() {
            Class::Waiting => ("Pending", "Unknown", "Reconciling"),
            _ if reason == Reason::Withdrawn => ("Withdrawn", "False", "Stalled"),
            _ => ("Stopped", "False", "Stalled"),
        };
        assert_eq!(summary(&status), format!("{phase}: Ready={ready}/{reason} {beside}=True/{reason}"));
        assert_eq!(message(&status, ConditionType::Ready), format!("the message of {reason}"));
    }
}

#[test]
fn every_stage_of_a_running_order_is_shown() {
    let table = [
        (Stage::AwaitingLetter, "Unknown/AwaitingLetter Reconciling", Requeue::Poll, true),
        (Stage::Validating, "Unknown/AwaitingValidation Reconciling", Requeue::Poll, true),
        (Stage::Reviewing, "Unknown/InReview Reconciling", Requeue::Poll, true),
        (Stage::Issuing, "Unknown/Issuing Reconciling", Requeue::Poll, true),
        (Stage::Issued, "True/Issued", Requeue::Settled, true),
        (Stage::Rejected, "False/Rejected Stalled", Requeue::Stopped, false),
        (Stage::Cancelling, "Unknown/Withdrawing Reconciling", Requeue::Poll, true),
        (Stage::Cancelled, "False/Cancelled Stalled", Requeue::Stopped, false),
        (Stage::Revoking, "False/Revoked Stalled", Requeue::Poll, true),
        (Stage::AwaitingRevocationLetter, "False/Revoked Stalled", Requeue::Poll, true),
        (Stage::Revoked, "False/Revoked Stalled", Requeue::Stopped, true),
        (Stage::Expired, "False/Expired Stalled", Requeue::Stopped, true),
        (Stage::Refunded, "False/Refunded Stalled", Requeue::Stopped, true),
        (Stage::Managed, "Unknown/Pending Reconciling", Requeue::Poll, true),
        (Stage::Unrecognised, "Unknown/Pending Reconciling", Requeue::Poll, true),
    ];
    assert_eq!(table.len() + 1, Stage::iter().count(), "all but the one before the order");
    for (stage, ready, again, is_frozen) in table {
        let next = scene().ordered("A", 0).sees(seen(stage, &[NAME])).fold(&step(&Step::Follow));
        let text = summary(&next.status);
        assert!(text.contains(&format!("Ready={ready}")), "{stage}: {text}");
        assert_eq!((next.requeue, frozen(&next.status)), (again, is_frozen), "{stage}");
        let asks =
            [Stage::AwaitingLetter, Stage::Validating, Stage::AwaitingRevocationLetter].contains(&stage);
        assert_eq!(text.contains("ActionRequired=True"), asks, "{stage}: {text}");
    }
}

#[test]
fn a_running_order_is_ready_once_ordered_where_the_user_waits_for_no_more() {
    let mut scene = scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME]));
    scene.order.spec.ready_policy = ReadyPolicy::Ordered;
    let text = summary(&scene.fold(&step(&Step::Follow)).status);
    assert!(text.contains("Ready=True/Ordered") && !text.contains("Reconciling"), "{text}");
    scene = scene.sees(seen(Stage::Rejected, &[NAME]));
    let text = summary(&scene.fold(&step(&Step::Follow)).status);
    assert!(text.contains("Ready=False/Rejected"), "{text}");
}

#[test]
fn suspension_touches_neither_ready_nor_what_is_known_of_the_cloud() {
    for stage in [Stage::Validating, Stage::Issued, Stage::Rejected] {
        let mut scene = scene().ordered("A", 0).sees(seen(stage, &[NAME]));
        let before = scene.pass(&step(&Step::Follow)).status;
        let mut scene = scene.unread().at(600);
        let mut suspended = scene.pass(&step(&Step::Suspend)).status;
        assert_eq!(condition(&suspended, ConditionType::Suspended).status, "True");
        suspended.conditions.retain(|condition| condition.type_ != "Suspended");
        assert_eq!(suspended, before, "{stage}");

        let resumed = scene.sees(seen(stage, &[NAME])).fold(&step(&Step::Follow)).status;
        assert_eq!(resumed, before, "{stage}");
    }
}

#[test]
fn a_plan_shows_the_redacted_request_and_is_removed_with_mode_plan() {
    let mut scene = scene().planning();
    let planned = scene.pass(&step(&Step::Show(Action::Submit))).status.plan.unwrap();
    assert_eq!((planned.action.as_str(), &planned.request["OrganizationName"]), (SUBMIT, &"A".into()));
    let submit = to_submit("A", 0);
    for outcome in [Outcome::Intent(Action::Submit, &submit), step(&Step::Halt(halt(Reason::CsrInvalid)))] {
        let status = scene.fold(&outcome).status;
        assert_eq!(status.plan, None);
        assert!(!summary(&status).contains("Planned"), "{}", summary(&status));
    }
    let scene = scene.submitted("A", 0);
    let planned = scene.fold(&step(&Step::Show(Action::Order))).status.plan.unwrap();
    assert_eq!((planned.action.as_str(), planned.request.len()), (ORDER, 1));
}

#[test]
fn a_plan_outlives_a_temporary_failure() {
    let mut scene = scene().planning();
    let planned = scene.pass(&step(&Step::Show(Action::Submit))).status;
    let mut scene = scene.cannot_read(unavailable("1"));
    assert_eq!(scene.pass(&step(&Step::Unreadable)).status, planned);
    let scene = scene.cannot_read(Error::CredentialsRefused(refusal("Code", "1")));
    let stopped = scene.fold(&step(&Step::Unreadable)).status;
    assert_eq!(stopped.plan, None);
    assert_eq!(summary(&stopped), "Stopped: Ready=False/CredentialsRefused Stalled=True/CredentialsRefused");
}

#[test]
fn a_plan_shows_every_call_that_writes() {
    let table = [
        (Action::Submit, SUBMIT),
        (Action::Order, ORDER),
        (Action::Resubmit, RESUBMIT),
        (Action::Withdraw, CANCEL),
        (Action::Revoke, REVOKE),
        (Action::SendLetter, LETTER),
    ];
    for (action, name) in table {
        let plan = scene().planning().fold(&step(&Step::Show(action))).status.plan.unwrap();
        assert_eq!(plan.action, name);
        assert!(!plan.next.is_empty() && !plan.request.is_empty(), "{name}");
    }
}

#[test]
fn a_plan_keeps_no_claim_on_the_certificate() {
    let scene = scene().intends(to_submit("A", 0)).at(60).planning();
    let status = scene.fold(&step(&Step::Show(Action::Submit))).status;
    let submission = status.submission.unwrap();
    assert_eq!((submission.intent, submission.frozen), (None, false));
}

#[test]
fn an_issued_certificate_stays_ready_whatever_failure_its_order_has() {
    let mut scene = scene().ordered("A", 0).sees(seen(Stage::Issued, &[NAME]));
    scene.pass(&step(&Step::Follow));
    let issued = scene.stored();
    // A temporary failure is not reported; an action of the user is.
    let waits = scene.fold(&step(&Step::Halt(halt(Reason::SecretNotFound)))).status;
    let scene = scene.cannot_read(unavailable("1"));
    let unreadable = scene.fold(&step(&Step::Unreadable)).status;
    for status in [&waits, &unreadable] {
        assert_eq!(summary(status), summary(&issued));
    }
    let mut scene = scene.cannot_read(Error::CredentialsRefused(refusal("Code", "1")));
    let stopped = scene.pass(&step(&Step::Unreadable)).status;
    assert_eq!(condition(&stopped, ConditionType::Ready).status, "True");
    assert_eq!(condition(&stopped, ConditionType::ActionRequired).reason, "CredentialsRefused");
    let scene = scene.sees(seen(Stage::Issued, &[NAME]));
    let text = summary(&scene.fold(&step(&Step::Follow)).status);
    assert!(!text.contains("ActionRequired"), "{text}");
}

#[test]
fn a_withdrawn_order_can_be_edited() {
    let status = scene().ordered("A", 0).fold(&step(&Step::Halt(halt(Reason::Withdrawn)))).status;
    assert!(!frozen(&status));
    assert_eq!(status.phase.as_deref(), Some("Withdrawn"));
}

#[test]
fn an_order_that_sent_nothing_is_not_frozen() {
    for stage in [Stage::Managed, Stage::Refunded, Stage::Unrecognised, Stage::Cancelling] {
        let scene = scene().sees(seen(stage, &[]));
        assert!(!frozen(&scene.fold(&step(&Step::Follow)).status), "{stage}");
        let status = scene.intends(to_submit("A", 0)).fold(&step(&Step::Follow)).status;
        assert_eq!(status.submission.unwrap().intent, None, "{stage}: its call is over");
    }
}

#[test]
fn an_intent_that_is_taken_back_leaves_no_trace() {
    let scene = scene().intends(to_submit("A", 0));
    let next = scene.fold(&Outcome::TakenBack(&halt(Reason::DuplicateCertificate)));
    assert_eq!(
        summary(&next.status),
        "Stopped: Ready=False/DuplicateCertificate Stalled=True/DuplicateCertificate"
    );
    let submission = next.status.submission.unwrap();
    assert_eq!((submission.intent, submission.frozen, submission.submitted_at), (None, false, None));
    assert_eq!(next.status.last_request, None, "no call was made");
    let waits = scene.fold(&Outcome::TakenBack(&halt(Reason::Settling)));
    assert_eq!(waits.requeue, Requeue::In(Duration::from_secs(5)));
    assert!(!frozen(&waits.status));
}

#[test]
fn an_intent_that_is_taken_back_for_now_leaves_what_was_reached() {
    let scene = scene().ordered("A", 0);
    let before = scene.stored().submission.unwrap();
    let withdraws =
        scene.intends(to_call(CANCEL, 1)).fold(&Outcome::TakenBack(&halt(Reason::CertificateInUse)));
    assert_eq!(withdraws.status.submission, Some(before));
}

#[test]
fn what_is_adopted_says_so_and_has_no_request_id() {
    let status = scene().sees(seen(Stage::Reviewing, &[NAME])).fold(&step(&Step::Adopt)).status;
    let submission = status.submission.as_ref().unwrap();
    assert!(submission.adopted && submission.frozen && submission.ordered_at.is_some());
    assert_eq!(condition(&status, ConditionType::Submitted).reason, "Adopted");
    assert_eq!(condition(&status, ConditionType::Ordered).reason, "Adopted");
    assert_eq!(status.request_id, None);
}

#[test]
fn where_one_call_does_both_an_accepted_application_is_ordered_too() {
    let submit = to_submit("A", 0);
    let scene = scene().in_one_call().intends(submit.clone());
    let status = scene.fold(&Outcome::Called(Action::Submit, &submit, &yes("1"))).status;
    assert_eq!(condition(&status, ConditionType::Ordered).status, "True");
    assert_eq!(status.phase.as_deref(), Some("Ordered"));
}

/// A proof of control that the CA checks.
fn record() -> ValidationRecord {
    ValidationRecord {
        domain: NAME.to_owned(),
        type_: "TXT".to_owned(),
        name: format!("_dnsauth.{NAME}"),
        value: "token".to_owned(),
    }
}

#[test]
fn what_the_cloud_says_is_taken_over_and_dated_by_its_last_change() {
    let validating = Observation {
        order_id: Some("1800".to_owned()),
        records: vec![record()],
        message: Some("PENDING-DCV".into()),
        ..seen(Stage::Validating, &[NAME])
    };
    let mut scene = scene().ordered("A", 0).sees(validating.clone()).at(10);
    let first = scene.pass(&step(&Step::Follow)).status;
    assert_eq!(first.order_id.as_deref(), Some("1800"));
    assert_eq!(first.validation_records[0].value, "token");
    let action = message(&first, ConditionType::ActionRequired);
    assert!(action.contains("_dnsauth.www.acme.example") && action.contains("token"), "{action}");
    let cloud = first.cloud.clone().unwrap();
    assert_eq!((cloud.message.as_deref(), cloud.since), (Some("PENDING-DCV"), Some(seconds(at(10)))));

    let mut scene = scene.at(500);
    assert_eq!(scene.pass(&step(&Step::Follow)).status, first, "nothing new, nothing written");
    let changed = Observation { message: Some("CA-REVIEWING".into()), ..validating };
    let next = scene.sees(changed).fold(&step(&Step::Follow)).status;
    assert_eq!(next.cloud.unwrap().since, Some(seconds(at(500))));
}

#[test]
fn the_check_of_a_proof_is_shown_while_the_ca_validates_and_removed_afterwards() {
    let stage = |stage| Observation { records: vec![record()], ..seen(stage, &[NAME]) };
    let (local, ca) = ("found", "not found yet");
    let found = Check { domain: NAME.to_owned(), passed: false, local, ca, detail: None };
    let remembers = Some(Box::new(Validation { checks: vec![found], deadline: None }));
    let check = |validation: &Option<Box<Validation>>, seen| {
        let scene = Scene { validation: validation.clone(), ..scene().ordered("A", 0).sees(seen) };
        scene.fold(&step(&Step::Follow)).status.validation_records[0].check.clone()
    };
    assert!(check(&remembers, stage(Stage::Validating)).unwrap().contains("found"));
    for past in [Stage::Reviewing, Stage::Issuing, Stage::Issued] {
        assert_eq!(check(&remembers, stage(past)), check(&None, stage(past)), "{past}");
    }
}
