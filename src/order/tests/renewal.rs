//! The renewal of an issued order: what is said, and the next step, by what the cloud and the other orders show.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{
    CertificateOrder, CertificateOrderStatus, Renewal, RenewalIntent, RenewalPolicy, micros,
};
use crate::core::conditions::get;
use crate::core::observation::{Observation, Stage};
use crate::order::ages::Age;
use crate::order::facts::Term;
use crate::order::fold::{Outcome, Requeue};
use crate::order::plan::Step;
use crate::order::renewal::choice::Choice;
use crate::order::renewal::look::{Carrier, Look};
use crate::order::renewal::{RenewalStep, Renewed, successor};

const DAY: i64 = 86_400;

/// The days that the certificate of these tests lives.
const LIFE: i64 = 90;

fn term() -> Term {
    Term { not_before: at(0), not_after: at(LIFE * DAY) }
}

fn issued() -> Observation {
    let Term { not_before, not_after } = term();
    Observation { not_before: Some(not_before), not_after: Some(not_after), ..seen(Stage::Issued, &[NAME]) }
}

/// An issued order, so many days before the end of its certificate.
fn before_the_end(days: i64, look: Look) -> Scene {
    let mut scene = scene().ordered("A", 0).sees(issued());
    scene.renewal = Some(Box::new(nothing()));
    scene.pass(&step(&Step::Follow));
    scene.renewal = Some(Box::new(look));
    scene.at((LIFE - days) * DAY)
}

fn nothing() -> Look {
    Look::nothing()
}

fn sees(choice: Choice) -> Look {
    Look { choice: Some(choice), ..nothing() }
}

/// The order for certificate B, with this status.
fn carried(status: Value) -> Look {
    let mut order = successor::order(&order("www-acme", 0), "B").unwrap();
    order.metadata.uid = Some("uid-b".to_owned());
    order.status = serde_json::from_value(status).unwrap();
    Look { order: Some(Carrier::Made(Arc::new(order))), ..sees(Choice::One("B".to_owned())) }
}

/// Status and reason of a condition, if it is set.
fn held(status: &CertificateOrderStatus, type_: ConditionType) -> Option<(&str, &str)> {
    get(&status.conditions, type_).map(|condition| (condition.status.as_str(), condition.reason.as_str()))
}

fn conditions(list: &[(&str, &str, &str)]) -> Value {
    let of = |(type_, reason, message): &(&str, &str, &str)| {
        json!({"type": type_, "status": "True", "reason": reason, "message": message,
               "lastTransitionTime": "2026-06-01T00:00:00Z"})
    };
    list.iter().map(of).collect()
}

fn renew(step: RenewalStep) -> Step {
    Step::Renew(step)
}

fn make() -> Step {
    renew(RenewalStep::Make { certificate_id: "B".to_owned() })
}

fn swap() -> Step {
    renew(RenewalStep::Swap { certificate_id: "B".to_owned() })
}

#[test]
fn every_state_of_a_renewal_has_its_words_and_its_step_and_ready_stays() {
    let one = || sees(Choice::One("B".to_owned()));
    let running = json!({"phase": "Validating", "conditions": []});
    let asks = json!({"phase": "Validating", "conditions": conditions(&[("ActionRequired", "AwaitingValidation", "add TXT x")])});
    let rejected =
        json!({"phase": "Rejected", "conditions": conditions(&[("Stalled", "Rejected", "the CA says no")])});
    let done = json!({"phase": "Issued", "conditions": conditions(&[("Issued", "Issued", "")]), "notAfter": "2026-12-01T00:00:00Z"});
    let over = json!({"phase": "Expired", "conditions": conditions(&[("Issued", "Expired", ""), ("Stalled", "Expired", "")])});
    let follow = Step::Follow;
    let table = [
        (60, nothing(), "Scheduled", "", follow.clone()),
        (60, sees(Choice::None), "Scheduled", "", follow.clone()),
        (28, nothing(), "Searching", "Renewing=SuccessorNotFound", follow.clone()),
        (28, sees(Choice::None), "Searching", "Renewing=SuccessorNotFound", follow.clone()),
        (
            28,
            sees(Choice::Unconfirmed("B".to_owned())),
            "Searching",
            "Renewing=SuccessorFound",
            follow.clone(),
        ),
        (
            28,
            sees(Choice::Unnamed("B".to_owned())),
            "Blocked",
            "Renewing=SuccessorFound ActionRequired=SuccessorFound",
            follow.clone(),
        ),
        (
            28,
            sees(Choice::Ambiguous(vec!["B".to_owned(), "C".to_owned()])),
            "Blocked",
            "Renewing=SuccessorAmbiguous ActionRequired=SuccessorAmbiguous",
            follow.clone(),
        ),
        (60, one(), "InProgress", "Renewing=SuccessorFound", make()),
        (28, one(), "InProgress", "Renewing=SuccessorFound", make()),
        (28, carried(running), "InProgress", "Renewing=SuccessorInProgress", follow.clone()),
        (
            28,
            carried(asks),
            "InProgress",
            "Renewing=SuccessorInProgress ActionRequired=SuccessorInProgress",
            follow.clone(),
        ),
        (
            28,
            carried(rejected),
            "Blocked",
            "Renewing=SuccessorRejected ActionRequired=SuccessorRejected",
            follow.clone(),
        ),
        (28, carried(done), "InProgress", "Renewing=SuccessorInProgress", swap()),
        (
            28,
            carried(over),
            "Blocked",
            "Renewing=SuccessorRejected ActionRequired=SuccessorRejected",
            follow.clone(),
        ),
        (
            28,
            Look { order: Some(Carrier::Elsewhere), ..one() },
            "Blocked",
            "Renewing=SuccessorRefused ActionRequired=SuccessorRefused",
            follow.clone(),
        ),
        (5, sees(Choice::None), "Searching", "Renewing=RenewalOverdue", follow),
    ];
    for (days, look, phase, said, next_step) in table {
        let case = format!("{days} {phase} {said} {:?}", look.choice);
        let scene = before_the_end(days, look);
        assert_eq!(scene.plan(), next_step, "{case}");
        let next = scene.fold(&step(&scene.plan()));
        let renewal = next.status.renewal.as_ref().unwrap();
        assert_eq!(renewal.phase, phase, "{case}");
        let of =
            |type_| held(&next.status, type_).map(|(status, reason)| format!("{type_}={status}/{reason}"));
        let found: Vec<String> = [ConditionType::Renewing, ConditionType::ActionRequired]
            .into_iter()
            .filter_map(of)
            .map(|said| said.replace("True/", ""))
            .collect();
        assert_eq!(found.join(" "), said, "{case}");
        assert_eq!(of(ConditionType::Ready), Some("Ready=True/Issued".to_owned()), "{case}");
        assert_eq!((of(ConditionType::Reconciling), of(ConditionType::Stalled)), (None, None), "{case}");
        assert_eq!(renewal.chain, [ID], "{case}");
    }
}

#[test]
fn a_warning_comes_three_times_and_what_is_said_stays_in_between() {
    let mut said = Vec::new();
    let mut scene = before_the_end(32, sees(Choice::None));
    for hours in (0..32 * 24).rev() {
        scene = scene.at(LIFE * DAY - hours * 3600);
        let next = scene.pass(&step(&Step::Follow));
        let message = get(&next.status.conditions, ConditionType::Renewing)
            .map(|said| said.message.clone())
            .unwrap_or_default();
        if said.last() != Some(&message) {
            said.push(message);
        }
    }
    // Not due yet, due, and overdue: less than half, a quarter and a tenth of the 30 days.
    let days = |message: &String| {
        message.split("in less than ").nth(1).map(|rest| rest.split(' ').next().unwrap().to_owned())
    };
    let milestones: Vec<_> = said.iter().map(days).collect();
    let [fifteen, eight, three] = ["15", "8", "3"].map(|days| Some(days.to_owned()));
    assert_eq!(milestones, [None, None, fifteen, eight, three], "{said:#?}");
}

#[test]
fn a_swap_makes_the_successor_the_current_certificate() {
    let look = carried(json!({"phase": "Issued", "conditions": conditions(&[("Issued", "Issued", "")])}));
    let mut scene = before_the_end(28, look);
    let next = Term { not_before: at(60 * DAY), not_after: at(150 * DAY) };
    let renewed = Renewed::Swapped { certificate_id: "B".to_owned(), term: next };
    let swapped = scene.pass(&Outcome::Renewed(&renewed));
    let current = swapped.status.current.clone().unwrap();
    assert_eq!(
        (current.certificate_id.as_str(), current.not_after.map(|end| end.0)),
        ("B", Some(next.not_after))
    );
    assert_eq!(swapped.status.not_after.map(|end| end.0), Some(next.not_after));
    assert_eq!(swapped.status.certificate_id.as_deref(), Some(ID), "the paid certificate of the order stays");
    assert_eq!(swapped.requeue, Requeue::Now);
    let renewal = swapped.status.renewal.unwrap();
    assert_eq!((renewal.chain, renewal.successor), (vec![ID.to_owned(), "B".to_owned()], None));
    assert_eq!(held(&scene.stored(), ConditionType::Renewing), None);
    // The next pass reads the new certificate, and says when its renewal begins.
    let of_b = Observation { not_before: Some(next.not_before), not_after: Some(next.not_after), ..issued() };
    scene = scene.sees(of_b);
    scene.renewal = Some(Box::new(nothing()));
    assert!(scene.facts().is_renewed());
    let again = scene.pass(&step(&scene.plan()));
    let due = again.status.renewal.unwrap().due.unwrap().0;
    assert!(due > at(119 * DAY) && due < at(122 * DAY), "{due}");
}

#[test]
fn nothing_is_handed_in_for_a_certificate_that_took_the_place_of_the_orders_own() {
    use strum::IntoEnumIterator;
    for stage in Stage::iter() {
        let mut scene = before_the_end(28, nothing());
        let current = json!({"certificateId": "B", "notBefore": "2026-06-01T00:00:00Z", "notAfter": "2026-09-01T00:00:00Z"});
        scene.order.status.as_mut().unwrap().current = Some(serde_json::from_value(current).unwrap());
        let now = scene.now.to_string();
        let scene = scene
            .sees(seen(stage, &[NAME]))
            .edited()
            .wants("B")
            .annotated(crate::core::annotations::RESUBMIT_AT, &now)
            .annotated(crate::core::annotations::WITHDRAW, ID);
        assert_eq!(scene.plan(), Step::Follow, "{stage}");
    }
}

#[test]
fn what_cannot_be_swapped_leaves_the_order_ready_and_is_tried_again() {
    let look = || carried(json!({"phase": "Issued", "conditions": conditions(&[("Issued", "Issued", "")])}));
    let mut scene = before_the_end(28, look());
    let renewed = Renewed::NotSwapped(halt(Reason::BundleInvalid));
    let next = scene.pass(&Outcome::Renewed(&renewed));
    assert_eq!(held(&next.status, ConditionType::Renewing), Some(("True", "SwapBlocked")));
    assert_eq!(held(&next.status, ConditionType::Ready), Some(("True", "Issued")));
    assert_eq!(next.status.current.unwrap().certificate_id, ID);
    assert_eq!((next.requeue, scene.plan()), (Requeue::Failed(None), swap()));
}

#[test]
fn a_successor_that_ends_no_later_is_left_aside_also_if_it_is_named() {
    let look = || carried(json!({"phase": "Issued", "conditions": conditions(&[("Issued", "Issued", "")])}));
    let mut scene = before_the_end(28, look());
    let renewed = Renewed::EndsEarlier("B".to_owned(), halt(Reason::SwapBlocked));
    let next = scene.pass(&Outcome::Renewed(&renewed));
    let renewal = next.status.renewal.unwrap();
    assert_eq!((renewal.did_not_extend, renewal.successor), (vec!["B".to_owned()], None));
    assert_eq!(next.requeue, Requeue::Failed(None), "no hurry");
    let named = Renewal { certificate_id: Some("B".to_owned()), ..Renewal::default() };
    scene.order.spec.renewal = Some(named);
    let next = scene.pass(&step(&scene.plan()));
    assert_eq!(scene.plan(), Step::Follow);
    assert_eq!(held(&next.status, ConditionType::Renewing), Some(("True", "SwapBlocked")));
    assert_eq!(held(&next.status, ConditionType::Ready), Some(("True", "Issued")));
}

#[test]
fn a_reissue_is_asked_for_once_and_again_only_after_its_absence_is_sure() {
    let reissue = |change: fn(&mut Scene)| {
        let mut scene = before_the_end(39, sees(Choice::None));
        scene.order.spec.renewal = Some(Renewal { policy: RenewalPolicy::Reissue, ..Renewal::default() });
        change(&mut scene);
        scene.plan()
    };
    let ask = |attempt| renew(RenewalStep::Reissue { attempt });
    assert_eq!(reissue(|_| {}), ask(1));
    assert_eq!(reissue(|scene| scene.now = at(61 * DAY)), Step::Follow, "too late: the cloud refuses it");
    assert_eq!(reissue(|scene| scene.order.spec.renewal = None), Step::Follow);
    assert_eq!(
        reissue(|scene| scene.renewal.as_mut().unwrap().reissue_runs = Some("shop".to_owned())),
        Step::Follow
    );
    assert_eq!(reissue(|scene| intends(scene, "B", 1)), Step::Follow, "the call may be under way");
    assert_eq!(reissue(|scene| late(scene, 1)), ask(2));
    assert_eq!(reissue(|scene| late(scene, 2)), Step::Follow, "no third");
    let told = |scene: &mut Scene| {
        late(scene, 1);
        scene.renewal.as_mut().unwrap().told = Some("N".to_owned());
    };
    assert_eq!(reissue(told), Step::Follow, "the certificate itself tells of it");
    let unlogged = |scene: &mut Scene| {
        late(scene, 1);
        scene.renewal.as_mut().unwrap().logged = None;
    };
    assert_eq!(reissue(unlogged), Step::Follow, "the log cannot be read");
    let followed = |scene: &mut Scene| {
        late(scene, 1);
        scene.order.spec.renewal = None;
    };
    assert_eq!(reissue(followed), Step::Follow, "nobody wants it any more");
    let aside = |scene: &mut Scene| {
        let renewal = scene.order.status.as_mut().unwrap().renewal.as_mut().unwrap();
        renewal.did_not_extend = vec!["B".to_owned()];
    };
    assert_eq!(reissue(aside), Step::Follow);
    assert_eq!(reissue(|scene| accepted(scene, 1)), Step::Follow, "it was made");
    assert_eq!(reissue(|scene| accepted(scene, -DAY)), ask(2), "the one before it was made");
}

/// The intent of another process, stored just now.
fn intends(scene: &mut Scene, known: &str, attempt: i64) {
    let renewal = scene.order.status.as_mut().unwrap().renewal.as_mut().unwrap();
    renewal.intent = Some(RenewalIntent {
        attempt,
        action: "ReplaceCertificate".to_owned(),
        holder: "another process".to_owned(),
        started_at: micros(scene.now),
        begin_by: None,
        baseline: vec![known.to_owned()],
        public_key_hash: None,
    });
    scene.ages.renewal = Age { seen: Duration::ZERO, is_known: true };
    scene.renewal.as_mut().unwrap().logged = Some(false);
}

/// The same, an hour ago by both clocks.
fn late(scene: &mut Scene, attempt: i64) {
    intends(scene, "B", attempt);
    scene.now = scene.now.checked_add(SignedDuration::from_hours(1)).unwrap();
    scene.ages.renewal = Age { seen: Duration::from_hours(1), is_known: true };
}

/// The same, with a call that was accepted so many seconds after the intent.
fn accepted(scene: &mut Scene, seconds: i64) {
    late(scene, 1);
    let status = scene.order.status.as_mut().unwrap();
    let intent = status.renewal.as_ref().unwrap().intent.as_ref().unwrap();
    let time = intent.started_at.0.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let last = json!({"action": "ReplaceCertificate", "time": time.to_string(), "outcome": "Accepted"});
    status.last_request = Some(serde_json::from_value(last).unwrap());
}

#[test]
fn a_suspended_order_tells_the_one_of_its_successor() {
    let mut scene = before_the_end(28, carried(json!({"phase": "Validating", "conditions": []})));
    scene.order.spec.suspend = true;
    assert!(matches!(scene.plan(), Step::Renew(RenewalStep::Edit { .. })), "{:?}", scene.plan());
    scene.renewal = Some(Box::new(nothing()));
    assert_eq!(scene.plan(), Step::Suspend);
}

#[test]
fn an_order_without_renewal_says_nothing_of_it() {
    let of = |change: fn(&mut CertificateOrder)| {
        let mut scene = before_the_end(5, sees(Choice::None));
        change(&mut scene.order);
        let next = scene.fold(&step(&scene.plan()));
        held(&next.status, ConditionType::Renewing).map(|(_, reason)| reason.to_owned())
    };
    assert_eq!(of(|_| {}).as_deref(), Some("RenewalOverdue"));
    let none = Renewal { policy: RenewalPolicy::None, ..Renewal::default() };
    let refuse = move |order: &mut CertificateOrder| order.spec.renewal = Some(none.clone());
    let mut scene = before_the_end(5, sees(Choice::None));
    refuse(&mut scene.order);
    assert_eq!(held(&scene.fold(&step(&scene.plan())).status, ConditionType::Renewing), None);
    assert_eq!(of(|order| order.spec.suspend = true), None);
}

#[test]
fn a_renewal_is_scheduled_once_the_certificate_is_issued() {
    let scene = before_the_end(60, nothing());
    let due = scene.stored().renewal.unwrap().due.unwrap().0;
    assert!(
        due >= at(60 * DAY) && due < at(62 * DAY),
        "a third before the end, and up to a day later: {due}"
    );
}
