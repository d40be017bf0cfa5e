//! Hashes of the application that cannot be compared: of version 0.1.0, of a key that is gone, of another installation. None of
//! them leads to a second application or order, and none is taken for an edit.

use super::support::*;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::RESUBMIT_AT;
use crate::core::fingerprint::Fingerprint;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::Action;
use crate::order::plan::Step;

/// The clouds, and the application or the saved profile that is sent.
fn scenes() -> Vec<Scene> {
    let clouds: [fn() -> Scene; 2] = [scene, || scene().in_one_call()];
    clouds.into_iter().flat_map(|cloud| ["A", BY_IDS].map(|application| cloud().wants(application))).collect()
}

fn application(scene: &Scene) -> &'static str {
    let wanted = scene.payload.as_ref().unwrap().fingerprint;
    if wanted == Fingerprint::of(BY_IDS.as_bytes()) { BY_IDS } else { "A" }
}

type Change = fn(Scene) -> Scene;

/// What became of the key since the hash was stored.
fn changes() -> [(&'static str, Change); 3] {
    [
        ("the key was deleted, or replaced by another installation", |scene| Scene {
            hash_key: Some(another_key()),
            ..scene
        }),
        ("the key is not read yet", |scene| Scene { hash_key: None, ..scene }),
        ("an upgrade from version 0.1.0", |mut scene| {
            let plain = scene.payload.as_ref().unwrap().fingerprint.plain();
            let ours = scene.order.status.as_mut().unwrap().submission.as_mut().unwrap();
            let hashes = [&mut ours.payload_hash]
                .into_iter()
                .chain(ours.intent.as_mut().map(|intent| &mut intent.payload_hash));
            hashes.filter(|hash| hash.is_some()).for_each(|hash| *hash = Some(plain.clone()));
            scene
        }),
    ]
}

/// What the cloud shows of an application; of one by ids, as of any other for the same name.
fn shown(application: &str) -> Observation {
    holding(if application == BY_IDS { "A" } else { application })
}

#[test]
fn between_the_two_calls_the_order_follows_and_no_second_application() {
    for (name, change) in changes() {
        for application in ["A", BY_IDS] {
            let submitted = || change(scene().wants(application).submitted(application, 0).at(100));
            assert_eq!(
                submitted().sees(shown(application)).plan(),
                write(Action::Order, 1),
                "{name}: {application}"
            );
            let nothing = submitted().sees(awaiting());
            assert_eq!(nothing.plan(), write(Action::Order, 1), "{name}: {application}, nothing shown");
        }
        let foreign = change(scene().submitted("A", 0).at(100)).sees(holding("B"));
        assert_eq!(halted(&foreign.plan()), Some(Reason::CertificateInUse), "{name}");
    }
}

#[test]
fn a_call_without_an_answer_is_recognised_by_what_the_cloud_shows() {
    for (name, change) in changes() {
        for scene in scenes() {
            let application = application(&scene);
            let scene = change(scene.intends(to_submit(application, 0))).at(100);
            let held = if scene.facts().submits_in_one_call() {
                Observation { stored: evidence("A"), ..seen(Stage::Reviewing, &[NAME]) }
            } else {
                shown(application)
            };
            let scene = Scene { logged: Some(true), ..scene.sees(held) };
            assert_eq!(scene.plan(), Step::Landed(Action::Submit), "{name}: {application}");
        }
        // An absent call still waits.
        let absent =
            Scene { intent_age: std::time::Duration::ZERO, ..change(scene().intends(to_submit("A", 0))) };
        assert!(matches!(absent.plan(), Step::Settle { .. }), "{name}");
    }
}

#[test]
fn what_the_ca_works_on_is_followed_unless_it_contradicts() {
    for (name, change) in changes() {
        for scene in scenes() {
            let application = application(&scene);
            let running = |stored| {
                let scene = change(scene_of(&scene).wants(application).ordered(application, 0)).at(10);
                scene.sees(Observation { stored: evidence(stored), ..seen(Stage::Reviewing, &[NAME]) }).plan()
            };
            assert_eq!(running("A"), Step::Follow, "{name}: {application}");
            let wanted = (application == "A").then_some(Reason::CertificateInUse);
            assert_eq!(halted(&running("B")), wanted, "{name}: {application}");
        }
    }
}

fn scene_of(like: &Scene) -> Scene {
    if like.facts().submits_in_one_call() { scene().in_one_call() } else { scene() }
}

/// Which of the two was edited cannot be known: the user says so.
#[test]
fn after_the_end_a_hash_that_cannot_be_compared_is_no_edit() {
    for cloud in [scene, || scene().in_one_call()] {
        for application in ["A", "B"] {
            let ended = cloud().ended(Stage::Rejected).edited().wants(application).at(100);
            let ended = Scene { hash_key: Some(another_key()), ..ended };
            assert_eq!(ended.plan(), Step::Follow, "{application}");
            let asked = ended.annotated(RESUBMIT_AT, &at(100).to_string());
            assert!(matches!(asked.plan(), Step::Write { .. }), "{application}");
        }
    }
}

/// At a cloud of one call the accepted application is told from that of the intent by their hashes.
#[test]
fn the_same_application_under_another_scheme_is_no_correction() {
    let (_, upgraded) = changes()[2];
    let refused = || scene().in_one_call().ordered("A", 0);
    let again = |scene: Scene| {
        let stored = Observation { stored: evidence("A"), ..seen(Stage::Rejected, &[NAME]) };
        scene.intends(to_submit("A", 600)).sees(stored).at(700).plan()
    };
    assert!(!matches!(again(upgraded(refused())), Step::Landed(_)), "it may be the one before");
    assert!(!matches!(again(refused()), Step::Landed(_)));
}

#[test]
fn a_hash_of_version_0_1_0_is_replaced_once_and_gone_where_nothing_depends_on_it() {
    let (_, upgraded) = changes()[2];
    let hash_after = |scene: Scene| {
        let status = scene.fold(&step(&Step::Follow)).status;
        status.submission.unwrap().payload_hash
    };
    let running = |stage| upgraded(scene().ordered("A", 0)).sees(seen(stage, &[NAME])).at(60);
    for stage in [Stage::Validating, Stage::Issued] {
        assert_eq!(hash_after(running(stage)), Some(hash("A")), "{stage}");
    }
    let plain = Some(payload("A").fingerprint.plain());
    for scene in
        [running(Stage::Validating).wants("B"), running(Stage::Validating).lacks(halt(Reason::CsrInvalid))]
    {
        assert_eq!(hash_after(scene), plain, "it is compared yet");
    }
    for scene in [running(Stage::Issued).wants("B"), running(Stage::Expired).lacks(halt(Reason::CsrInvalid))]
    {
        assert_eq!(hash_after(scene), None);
    }
    let without_a_key = Scene { hash_key: None, ..running(Stage::Issued) };
    assert_eq!(hash_after(without_a_key), plain);
}

#[test]
fn nothing_is_stored_without_the_key() {
    let scene = Scene { hash_key: None, ..scene().sees(holding("A")) };
    assert_eq!(scene.plan(), Step::Adopt);
    assert_eq!(scene.fold(&step(&Step::Adopt)).status.submission.unwrap().payload_hash, None);
}
