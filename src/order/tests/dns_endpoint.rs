//! When an order has a `DNSEndpoint`, and what its status says of it.

use strum::IntoEnumIterator;

use super::support::{NAME, Scene, condition, halt, holding, message, scene, seen, step, unavailable};
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, DeletionPolicy};
use crate::core::conditions::{Problem, get};
use crate::core::observation::{Check, Observation, Stage, ValidationRecord};
use crate::order::dns_endpoint::records::LeftOut;
use crate::order::dns_endpoint::standing::Standing;
use crate::order::dns_endpoint::wanted::{Wanted, wanted};
use crate::order::plan::Step;
use crate::order::validation::Validation;

const RECORD: &str = "_dnsauth.www.acme.example";
const HOURS: i64 = 3600;

fn record(type_: &str, name: &str) -> ValidationRecord {
    let [domain, type_, name, value] = [NAME, type_, name, "token"].map(str::to_owned);
    ValidationRecord { domain, type_, name, value }
}

fn at_stage(stage: Stage) -> Observation {
    Observation { records: vec![record("TXT", RECORD)], ..seen(stage, &[NAME]) }
}

/// An order with `dnsEndpoint` that was sent to the CA, at this stage.
fn ordered(stage: Stage) -> Scene {
    let mut scene = scene().ordered("A", 0).sees(at_stage(stage)).at(HOURS);
    scene.order.spec.validation.dns_endpoint = true;
    scene
}

fn written() -> Standing {
    Standing::Written { left_out: Vec::new(), taken: None }
}

/// What is said of a record that is left out.
fn left() -> LeftOut {
    LeftOut { record: record("FILE", "http://www.acme.example/x"), why: "it is neither TXT nor CNAME" }
}

fn follow(scene: &mut Scene, standing: Standing) -> CertificateOrderStatus {
    scene.dns_endpoint = Some(standing);
    scene.pass(&step(&Step::Follow)).status
}

/// The reason and the message of `ActionRequired`.
fn action(status: &CertificateOrderStatus) -> Option<(&str, &str)> {
    let found = get(&status.conditions, ConditionType::ActionRequired)?;
    Some((&found.reason, &found.message))
}

#[test]
fn the_records_are_wanted_while_the_ca_works_on_the_order_and_not_before_or_after() {
    for stage in Stage::iter() {
        let is_wanted = matches!(wanted(&ordered(stage).facts()), Wanted::Records(_));
        let works = matches!(
            stage,
            Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter | Stage::Issuing | Stage::Revoking
        );
        assert_eq!(is_wanted, works, "{stage}");
        let stays = matches!(stage, Stage::Managed | Stage::Unrecognised);
        let left_alone = wanted(&ordered(stage).facts()) == Wanted::AsItIs;
        assert_eq!(left_alone, stays, "{stage}");
        let mut off = ordered(stage);
        off.order.spec.validation.dns_endpoint = false;
        assert_eq!(wanted(&off.facts()), Wanted::Nothing, "{stage}");
    }
}

#[test]
fn an_order_that_is_left_alone_or_not_known_keeps_what_it_has() {
    let validating = || ordered(Stage::Validating);
    let without_records = || validating().sees(seen(Stage::Validating, &[NAME]));
    let mut of_nobody = scene().sees(at_stage(Stage::Validating));
    of_nobody.order.spec.validation.dns_endpoint = true;
    // The cloud may show the state before the order.
    let mut just_ordered = scene().ordered("A", 0).sees(holding("A")).at(1);
    just_ordered.order.spec.validation.dns_endpoint = true;
    let scenes = vec![
        (validating().suspended(), "suspended"),
        (validating().planning(), "only planned"),
        (validating().unread(), "not read"),
        (validating().cannot_read(unavailable("1")), "unreadable"),
        (without_records(), "no records yet"),
        (of_nobody, "not taken over yet"),
        (just_ordered, "just ordered"),
        (validating().deleted(0, DeletionPolicy::Cancel), "deleted: it goes with the order"),
    ];
    for (scene, what) in scenes {
        assert_eq!(wanted(&scene.facts()), Wanted::AsItIs, "{what}");
    }
    assert_eq!(wanted(&ordered(Stage::Issued).planning().facts()), Wanted::Nothing);
    let revoking = ordered(Stage::Revoking).deleted(0, DeletionPolicy::Revoke);
    assert!(matches!(wanted(&revoking.facts()), Wanted::Records(_)));
}

#[test]
fn records_of_an_application_of_somebody_else_are_not_published() {
    let mut scene = ordered(Stage::Validating);
    scene.pass(&step(&Step::Halt(Problem::new(Reason::CertificateInUse, "another one"))));
    assert_eq!(wanted(&scene.facts()), Wanted::Nothing);
}

#[test]
fn nobody_has_to_do_anything_about_records_that_external_dns_publishes() {
    let mut scene = ordered(Stage::Validating);
    let announced = follow(&mut scene, Standing::Announced);
    assert_eq!(condition(&announced, ConditionType::DnsEndpointSynced).status, "Unknown");
    assert_eq!(action(&announced), None);
    let status = follow(&mut scene, written());
    let synced = condition(&status, ConditionType::DnsEndpointSynced);
    assert_eq!((synced.status.as_str(), synced.reason.as_str()), ("True", "Synced"));
    assert_eq!(action(&status), None);
    assert_eq!(status.validation_records[0].name, RECORD, "they stay in the status");
    // At another stage something else is to be done.
    let reviewing = follow(&mut scene, written());
    assert_eq!(action(&reviewing), None);
    let status = follow(&mut scene.sees(at_stage(Stage::Issued)), Standing::Gone);
    assert!(get(&status.conditions, ConditionType::DnsEndpointSynced).is_none());
}

#[test]
fn each_problem_is_told_with_the_records_and_ends_with_it() {
    let problem = |reason| Problem::new(reason, format!("this is {reason}"));
    let reasons = [
        Reason::CrdNotInstalled,
        Reason::RightMissing,
        Reason::DnsEndpointRefused,
        Reason::DnsEndpointConflict,
        Reason::RecordConflict,
    ];
    for reason in reasons {
        let partly = Standing::Written { left_out: Vec::new(), taken: Some(problem(reason)) };
        for standing in [Standing::Failed(problem(reason)), partly] {
            let mut scene = ordered(Stage::Validating);
            let status = follow(&mut scene, standing);
            let (why, says) = action(&status).unwrap();
            assert_eq!(why, reason.to_string());
            assert!(says.contains(&format!("this is {reason}; until then, to prove control")), "{says}");
            assert!(says.contains(RECORD) && says.contains("token"), "{says}");
            let synced = condition(&status, ConditionType::DnsEndpointSynced);
            assert_eq!((synced.status.as_str(), &synced.reason), ("False", &reason.to_string()));
            // It holds nothing up.
            assert_eq!(condition(&status, ConditionType::Ready).reason, "AwaitingValidation");
            assert_eq!(action(&follow(&mut scene, written())), None);
        }
    }
}

#[test]
fn of_records_that_it_does_not_hold_a_person_is_told() {
    let mut scene = ordered(Stage::Validating);
    let mut seen = at_stage(Stage::Validating);
    seen.records.push(left().record);
    scene.observed = Some(Ok(seen));
    let check = |domain: &str| Check {
        domain: domain.to_owned(),
        passed: true,
        local: "found",
        ca: "found",
        detail: None,
    };
    scene.validation =
        Some(Box::new(Validation { checks: vec![check("other.acme.example")], deadline: None }));
    let status = follow(&mut scene, Standing::Written { left_out: vec![left()], taken: None });
    let (why, says) = action(&status).unwrap();
    assert_eq!(why, "AwaitingValidation");
    assert!(says.contains("serve http://www.acme.example/x with the content token"), "{says}");
    assert!(says.contains("it is neither TXT nor CNAME") && !says.contains(RECORD), "{says}");
    assert!(!says.contains("other.acme.example"), "{says}");
    let none = follow(&mut scene, Standing::Empty { left_out: vec![left()] });
    assert_eq!(condition(&none, ConditionType::DnsEndpointSynced).status, "False");
    assert!(message(&none, ConditionType::DnsEndpointSynced).contains("neither TXT nor CNAME"));
    assert!(message(&none, ConditionType::ActionRequired).contains(RECORD));
}

#[test]
fn a_record_that_the_ca_does_not_see_for_hours_is_told_once() {
    let mut scene = ordered(Stage::Validating);
    assert_eq!(action(&follow(&mut scene, written())), None);
    let mut scene = scene.at(4 * HOURS - 1);
    assert_eq!(action(&follow(&mut scene, written())), None);
    let mut scene = scene.at(4 * HOURS);
    let status = follow(&mut scene, written());
    let (why, says) = action(&status).unwrap();
    assert_eq!(why, "RecordNotSeen");
    assert!(says.contains("--managed-record-types=TXT") && says.contains(RECORD), "{says}");
    assert_eq!(condition(&status, ConditionType::DnsEndpointSynced).status, "True");
    let mut scene = scene.at(9 * HOURS);
    assert_eq!(follow(&mut scene, written()), status, "nothing is written while nothing changes");
    // The CA has seen it.
    let passed = Check { domain: NAME.to_owned(), passed: true, local: "found", ca: "found", detail: None };
    scene.validation = Some(Box::new(Validation { checks: vec![passed], deadline: None }));
    assert_eq!(action(&follow(&mut scene, written())), None);
}

#[test]
fn what_cannot_be_deleted_is_told_and_ready_stays() {
    let mut scene = ordered(Stage::Issued);
    let undeletable = Standing::Undeletable(halt(Reason::RightMissing));
    let status = follow(&mut scene, undeletable);
    assert_eq!(condition(&status, ConditionType::Ready).status, "True");
    assert_eq!(action(&status).map(|(why, _)| why), Some("RightMissing"));
    let status = follow(&mut scene, Standing::Gone);
    assert_eq!(action(&status), None);
}

#[test]
fn an_order_without_it_says_nothing_of_it() {
    let mut scene = scene().ordered("A", 0).sees(at_stage(Stage::Validating)).at(HOURS);
    let status = scene.pass(&step(&Step::Follow)).status;
    assert!(get(&status.conditions, ConditionType::DnsEndpointSynced).is_none());
    assert_eq!(action(&status).map(|(why, _)| why), Some("AwaitingValidation"));
}
