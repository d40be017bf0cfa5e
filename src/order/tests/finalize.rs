//! The cleanup before a deletion, by policy and stage.

use strum::IntoEnumIterator;

use super::support::*;
use crate::api::v1alpha1::DeletionPolicy::{self, Cancel, Retain, Revoke};
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::core::annotations::CONFIRM_REVOKE;
use crate::core::observation::Stage;
use crate::order::facts::{ACCEPTED, Action};
use crate::order::finalize::{DeletionStep, plan};
use crate::order::plan::Step;
use crate::provider::Error;

const DELETED: i64 = 1000;
/// How long a deletion waits for credentials.
const WAIT: i64 = 600;

fn first(action: Action, attempt: i64) -> DeletionStep {
    DeletionStep::First(write(action, attempt))
}

fn deleted(scene: Scene, policy: DeletionPolicy) -> Scene {
    scene.deleted(DELETED, policy).at(DELETED + 1)
}

fn end(scene: &Scene) -> DeletionStep {
    plan(&scene.facts())
}

/// Our old order, which the cloud shows at this stage.
fn at_stage(stage: Stage) -> Scene {
    scene().ordered("A", 0).sees(seen(stage, &[NAME]))
}

#[test]
fn a_deletion_undoes_what_the_policy_says_and_what_can_be_undone() {
    let withdraw = || first(Action::Withdraw, 1);
    let waits = || DeletionStep::First(Step::Follow);
    for stage in Stage::iter() {
        let by = |policy| end(&deleted(at_stage(stage), policy));
        let cancel = match stage {
            Stage::AwaitingLetter | Stage::Validating | Stage::Reviewing => withdraw(),
            Stage::Cancelling | Stage::Issuing => waits(),
            _ => DeletionStep::Release,
        };
        assert_eq!(by(Retain), DeletionStep::Release, "{stage}");
        assert_eq!(by(Cancel), cancel, "{stage}");
        if stage != Stage::Issued {
            assert_eq!(by(Revoke), cancel, "{stage}");
        }
    }
}

#[test]
fn a_certificate_is_revoked_only_where_its_user_names_it_again() {
    let issued = || deleted(at_stage(Stage::Issued), Revoke);
    for scene in [issued(), issued().annotated(CONFIRM_REVOKE, "another")] {
        let DeletionStep::First(Step::Halt(problem)) = end(&scene) else { panic!("{:?}", end(&scene)) };
        assert_eq!(problem.reason, Reason::AwaitingConfirmation);
        assert!(problem.message.contains("certorder.dev/confirm-revoke: J2lX2maH"), "{}", problem.message);
    }
    let confirmed = || issued().annotated(CONFIRM_REVOKE, ID);
    assert_eq!(end(&confirmed()), first(Action::Revoke, 1));
    let accepted = confirmed().last_called(REVOKE, ACCEPTED, DELETED);
    assert_eq!(end(&accepted), DeletionStep::First(Step::Pause { until: at(DELETED + 6) }), "not twice");
    assert_eq!(end(&confirmed().last_called(REVOKE, "Refused", DELETED)), first(Action::Revoke, 1));
}

/// The order stays ready, so another condition has to report what the deletion waits for.
#[test]
fn the_status_says_what_a_deletion_waits_for() {
    let mut scene = at_stage(Stage::Issued);
    scene.pass(&step(&Step::Follow));
    let scene = deleted(scene, Revoke);
    let DeletionStep::First(wanted) = end(&scene) else { panic!() };
    let status = scene.fold(&step(&wanted)).status;
    assert!(message(&status, ConditionType::ActionRequired).contains("confirm-revoke"));
}

#[test]
fn what_this_order_did_not_send_is_left_alone() {
    for stage in Stage::iter() {
        for policy in [Retain, Cancel, Revoke] {
            let unrecorded = scene().sees(seen(stage, &[NAME])).annotated(CONFIRM_REVOKE, ID);
            assert_eq!(end(&deleted(unrecorded, policy)), DeletionStep::Release, "{stage} {policy:?}");
            if Step::Adopt == scene().sees(seen(stage, &[NAME])).plan() {
                let adopted = scene().sees(seen(stage, &[NAME])).adopted().annotated(CONFIRM_REVOKE, ID);
                assert_eq!(end(&deleted(adopted, policy)), DeletionStep::Release, "{stage} {policy:?}");
            }
        }
    }
}

#[test]
fn neither_suspension_nor_mode_plan_holds_a_deletion() {
    let held: [fn(Scene) -> Scene; 2] = [Scene::suspended, Scene::planning];
    for held in held {
        let scene = held(deleted(at_stage(Stage::Validating), Cancel));
        assert!(scene.facts().needs_the_cloud(), "or nothing is known of what to undo");
        assert_eq!(end(&scene), first(Action::Withdraw, 1));
    }
    let fresh = deleted(scene().submitted("A", DELETED), Cancel);
    assert!(fresh.facts().needs_the_cloud());
}

#[test]
fn an_order_that_the_cloud_does_not_show_yet_is_waited_for() {
    let ordered = |second| end(&deleted(scene().ordered("A", DELETED - 60), Cancel).at(second));
    assert_eq!(ordered(DELETED), DeletionStep::First(Step::Follow));
    assert_eq!(ordered(DELETED + 539), DeletionStep::First(Step::Follow));
    assert_eq!(ordered(DELETED + 540), DeletionStep::Release);
    assert_eq!(
        end(&deleted(scene().submitted("A", DELETED - 1), Cancel)),
        DeletionStep::Release,
        "never ordered"
    );
    let withdrawn = deleted(at_stage(Stage::Validating), Cancel).last_called(CANCEL, ACCEPTED, DELETED);
    assert_eq!(end(&withdrawn), DeletionStep::First(Step::Pause { until: at(DELETED + 6) }));
}

#[test]
fn a_deletion_waits_ten_minutes_for_credentials_and_no_longer() {
    let refused = Error::CredentialsRefused(refusal("AuthFailure", "1"));
    let ours = || at_stage(Stage::Validating);
    let unknown =
        Error::Rejected { reason: Reason::CertificateNotFound, refusal: refusal("CertificateNotFound", "1") };
    // A wrong clock says nothing of them.
    let off = Error::ClockSkew(refusal("SignatureExpire", "1"));
    let waits = deleted(ours().cannot_read(off), Cancel).at(DELETED + 3600);
    assert_eq!(end(&waits), DeletionStep::First(Step::Unreadable));
    let without: Vec<(&str, Scene, Step)> = vec![
        ("no such certificate", ours().cannot_read(unknown), Step::Unreadable),
        ("no Secret", ours().without_credentials(), Step::Halt(halt(Reason::SecretNotFound))),
        // In a namespace that is deleted, the key may be deleted first.
        (
            "nor a key",
            ours().without_credentials().lacks(halt(Reason::KeyLost)),
            Step::Halt(halt(Reason::KeyLost)),
        ),
        ("refused", ours().cannot_read(refused.clone()), Step::Unreadable),
        (
            "with an intent",
            ours().intends(to_submit("A", 0)).without_credentials(),
            Step::Halt(halt(Reason::SecretNotFound)),
        ),
    ];
    for (name, scene, wanted) in without {
        let scene = deleted(scene, Cancel);
        let waits = DeletionStep::Wait { step: wanted, until: at(DELETED + WAIT) };
        assert_eq!(end(&scene), waits, "{name}");
        let scene = scene.at(DELETED + WAIT - 1);
        assert_eq!(end(&scene), waits, "{name}");
        let scene = scene.at(DELETED + WAIT);
        let DeletionStep::GiveUp(why) = end(&scene) else { panic!("{name}: {:?}", end(&scene)) };
        assert!(why.contains(ID) && why.contains(CLOUD), "{why}");
    }
    let retained = deleted(ours().without_credentials(), Retain);
    assert_eq!(end(&retained), DeletionStep::Release, "the cloud is not called");
    let with_intent = ours().intends(to_submit("A", 0)).cannot_read(refused);
    let waits = DeletionStep::Wait { step: Step::Unreadable, until: at(DELETED + WAIT) };
    assert_eq!(end(&deleted(with_intent, Retain)), waits, "a call may be in flight");
}

#[test]
fn a_temporary_failure_never_makes_a_deletion_give_up() {
    for error in [unavailable("1"), Error::Unknown(None), Error::NotSent("no route".to_owned())] {
        let scene = deleted(at_stage(Stage::Validating).cannot_read(error), Cancel).at(DELETED + 100 * WAIT);
        assert_eq!(end(&scene), DeletionStep::First(Step::Unreadable));
    }
    // The Secret is there, and something else of the order is missing.
    let scene = deleted(at_stage(Stage::Validating).lacks(halt(Reason::ProfileNotFound)), Cancel);
    assert_eq!(end(&scene.at(DELETED + WAIT)), first(Action::Withdraw, 1));
}

#[test]
fn an_open_intent_is_settled_before_anything_else() {
    for policy in [Retain, Cancel, Revoke] {
        let cut_off = || deleted(scene().submitted("A", 0).intends(to_order(DELETED)), policy);
        let waits = cut_off().sees(holding("A"));
        let until = at(DELETED + ABSENCE_COUNTS);
        assert_eq!(end(&waits), DeletionStep::First(Step::Settle { until }), "{policy:?}");
        assert_eq!(
            end(&waits.at(DELETED + ABSENCE_COUNTS)),
            DeletionStep::Release,
            "{policy:?}: nothing new is started"
        );
        let ordered = cut_off().sees(seen(Stage::Validating, &[NAME]));
        assert_eq!(end(&ordered), DeletionStep::First(Step::Landed(Action::Order)), "{policy:?}");
    }
    let first_call = || deleted(scene().intends(to_submit("A", DELETED)), Cancel);
    assert_eq!(end(&first_call().sees(holding("A"))), DeletionStep::First(Step::Landed(Action::Submit)));
    assert_eq!(end(&first_call().at(DELETED + ABSENCE_COUNTS)), DeletionStep::Release);
}

#[test]
fn a_withdrawal_that_was_cut_off_is_made_again_as_another_attempt() {
    let cut_off = |stage, second| {
        let scene = at_stage(stage).intends(to_call(CANCEL, DELETED));
        end(&deleted(scene, Cancel).at(second))
    };
    let until = at(DELETED + ABSENCE_COUNTS);
    assert_eq!(cut_off(Stage::Validating, DELETED + 1), DeletionStep::First(Step::Settle { until }));
    assert_eq!(cut_off(Stage::Validating, DELETED + ABSENCE_COUNTS), first(Action::Withdraw, 2));
    assert_eq!(cut_off(Stage::Cancelling, DELETED + 1), DeletionStep::First(Step::Landed(Action::Withdraw)));
    assert_eq!(cut_off(Stage::Rejected, DELETED + ABSENCE_COUNTS), DeletionStep::Release);
}

#[test]
fn a_deletion_begins_no_other_attempt() {
    let asked = |scene: Scene| {
        scene.annotated(crate::core::annotations::RESUBMIT_AT, &at(DELETED).to_string()).edited().wants("B")
    };
    for policy in [Retain, Cancel, Revoke] {
        let scenes = vec![
            scene().ended(Stage::Rejected),
            scene().ended(Stage::Rejected).intends(to_call(RESUBMIT, 60)),
            scene().ordered("A", 0),
            scene().ordered("A", 0).intends(to_call(CANCEL, 60)).sees(seen(Stage::Issuing, &[NAME])),
            scene().restarted(60),
        ];
        for scene in scenes {
            let is_issuing = scene.observed.as_ref().unwrap().as_ref().unwrap().stage == Stage::Issuing;
            let wanted = if is_issuing && policy != Retain {
                DeletionStep::First(Step::Follow)
            } else {
                DeletionStep::Release
            };
            assert_eq!(end(&deleted(asked(scene), policy)), wanted, "{policy:?}");
        }
    }
}
