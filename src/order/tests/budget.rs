//! How many orders of one namespace run at the same time.

use kube::ResourceExt;

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, Submission, seconds};
use crate::core::conditions::{Conditions, Status};
use crate::core::observation::Stage;
use crate::order::claim::budget::{exceeded, runs};
use crate::order::facts::Action;
use crate::order::plan::Step;

fn with(name: &str, born: i64, submission: Option<Submission>) -> CertificateOrder {
    let status = Some(CertificateOrderStatus { submission, ..CertificateOrderStatus::default() });
    CertificateOrder { status, ..order(name, born) }
}

fn submitted() -> Submission {
    Submission { submitted_at: Some(seconds(at(1))), frozen: true, ..Submission::default() }
}

fn intending() -> Submission {
    Submission { intent: Some(to_submit("A", 1)), frozen: true, ..Submission::default() }
}

fn with_condition(mut order: CertificateOrder, type_: ConditionType, reason: Reason) -> CertificateOrder {
    let mut conditions = Conditions::new(&[], 1, at(1));
    conditions.set(type_, Status::True, reason, "why");
    order.status.as_mut().unwrap().conditions = conditions.into_list();
    order
}

#[test]
fn what_the_ca_works_on_runs_and_what_ended_does_not() {
    let rejected = Submission { frozen: false, ..submitted() };
    let running = |name| with(name, 0, Some(submitted()));
    let cases = [
        (with("new", 0, None), false),
        (with("intends", 0, Some(intending())), true),
        (running("submitted"), true),
        (with("rejected", 0, Some(rejected)), false),
        (with_condition(running("issued"), ConditionType::Issued, Reason::Issued), false),
        (with_condition(running("over"), ConditionType::Stalled, Reason::Revoked), false),
        (with_condition(running("stuck"), ConditionType::Stalled, Reason::KeyLost), true),
    ];
    for (order, wanted) in cases {
        assert_eq!(runs(&order), wanted, "{}", order.name_any());
    }
}

#[test]
fn no_more_orders_begin_than_may_run_and_of_two_at_once_the_older_does() {
    let (older, younger) = (with("b", 1, Some(intending())), with("c", 2, Some(intending())));
    let all = [with("a", 0, Some(submitted())), older.clone(), younger.clone()];
    let reason = |me: &CertificateOrder, most| exceeded(me, &all, most).map(|problem| problem.reason);
    assert_eq!((reason(&older, 2), reason(&younger, 2)), (None, Some(Reason::BudgetExceeded)));
    assert_eq!((reason(&older, 1), reason(&younger, 3)), (Some(Reason::BudgetExceeded), None));
    let mut elsewhere = younger;
    elsewhere.metadata.namespace = Some("other".to_owned());
    assert_eq!(reason(&elsewhere, 1), None, "every namespace has its own");
}

#[test]
fn an_order_over_the_budget_begins_nothing_and_one_that_runs_goes_on() {
    let over = |scene: Scene| Scene { over_budget: Some(halt(Reason::BudgetExceeded)), ..scene };
    for begins in
        [scene(), scene().lacks(halt(Reason::KeyLost)), scene().ended(Stage::Rejected).wants("B").edited()]
    {
        assert_eq!(halted(&over(begins).plan()), Some(Reason::BudgetExceeded));
    }
    assert_eq!(over(scene().planning()).plan(), Step::Show(Action::Submit), "a plan takes nothing of it");
    let running = scene().submitted("A", 0).sees(holding("A")).at(60);
    assert_eq!(over(running).plan(), write(Action::Order, 1));
}
