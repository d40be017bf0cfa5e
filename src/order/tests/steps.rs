//! The steps besides the application and the order: key, finalizer, letter, export; and the evidence of a call.

use strum::IntoEnumIterator;

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrderStatus, DeletionPolicy, ReadyPolicy, seconds};
use crate::core::annotations::{FINALIZER, RESUBMIT_AT, WITHDRAW};
use crate::core::observation::{Observation, Stage};
use crate::order::facts::{Action, Export, Term};
use crate::order::fold::{Outcome, Requeue};
use crate::order::plan::Step;
use crate::order::plan::settling::landed;
use crate::provider::Error;

#[test]
fn a_key_is_made_only_before_anything_is_sent() {
    let without = |scene: Scene| scene.lacks(halt(Reason::KeyLost)).plan();
    assert_eq!(without(scene()), Step::MakeKey);
    assert_eq!(without(scene().planning()), Step::MakeKey, "the request is shown with its CSR");

    let lost = |scene: Scene| halted(&without(scene));
    assert_eq!(lost(scene().unread()), Some(Reason::KeyLost), "the state at the cloud is unknown");
    assert_eq!(lost(scene().submitted("A", 0).sees(holding("A")).at(60)), Some(Reason::KeyLost));
    assert_eq!(lost(scene().submitted("A", 0).unread().at(1)), Some(Reason::KeyLost));
    let contested = scene().contested(halt(Reason::DuplicateCertificate));
    assert_eq!(lost(contested), Some(Reason::DuplicateCertificate));
    let withdrawn = scene().annotated(WITHDRAW, ID);
    assert_eq!(lost(withdrawn), Some(Reason::Withdrawn));

    // A call may be in flight with the lost key.
    let cut_off = || scene().intends(to_submit("A", 0));
    for held in [awaiting(), holding("A")] {
        assert_eq!(without(cut_off().sees(held)), Step::Settle { until: at(ABSENCE_COUNTS) });
    }
    for stage in Stage::iter().filter(|stage| *stage != Stage::AwaitingInformation) {
        for scene in [scene(), scene().ordered("A", 0), cut_off()] {
            let step = without(scene.sees(seen(stage, &[NAME])).at(600));
            assert_ne!(step, Step::MakeKey, "{stage}");
        }
    }
    // A key that exists, but cannot be read, is never replaced.
    let unfit = Scene { key: Some((false, halt(Reason::KeyLost))), ..scene().lacks(halt(Reason::KeyLost)) };
    assert_eq!(halted(&unfit.plan()), Some(Reason::KeyLost));
    // A key does not fix another missing reference.
    assert_eq!(halted(&scene().lacks(halt(Reason::SecretConflict)).plan()), Some(Reason::SecretConflict));
}

#[test]
fn the_loss_of_a_running_orders_key_is_reported_before_the_ca_issues_for_it() {
    let lost = |scene: Scene, is_absent| Scene { key: Some((is_absent, halt(Reason::KeyLost))), ..scene };
    for stage in [Stage::Validating, Stage::Reviewing, Stage::AwaitingLetter, Stage::Issuing] {
        let running = || scene().ordered("A", 0).sees(seen(stage, &[NAME]));
        for is_absent in [true, false] {
            assert_eq!(halted(&lost(running(), is_absent).plan()), Some(Reason::KeyLost), "{stage}");
        }
        let taken = scene().sees(seen(stage, &[NAME])).adopted();
        assert_eq!(lost(taken, true).plan(), Step::Follow, "{stage}: its key may be elsewhere");
    }
    let withdrawn = scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME])).annotated(WITHDRAW, ID);
    assert_eq!(lost(withdrawn, true).plan(), write(Action::Withdraw, 1), "which is the way out");
}

#[test]
fn a_key_that_is_not_made_yet_is_not_called_lost_while_the_cloud_cannot_be_read() {
    let unreachable =
        |scene: Scene| Scene { observed: Some(Err(Error::NotSent("no route".to_owned()))), ..scene };
    assert_eq!(unreachable(scene().lacks(halt(Reason::KeyLost))).plan(), Step::Unreadable);
    let csr = || halt(Reason::CsrInvalid);
    assert_eq!(
        unreachable(scene().lacks(csr())).plan(),
        Step::Halt(csr()),
        "what the user can fix is reported"
    );
}

#[test]
fn another_attempt_may_have_another_key_where_its_user_deleted_the_one_before() {
    let asks = |scene: Scene| scene.annotated(RESUBMIT_AT, &at(60).to_string());
    for end in [Stage::Rejected, Stage::Cancelled] {
        let lost = || scene().ended(end).lacks(halt(Reason::KeyLost));
        assert_eq!(asks(lost()).plan(), Step::MakeKey, "{end}");
        assert_eq!(lost().edited().plan(), Step::MakeKey, "{end}");
        assert_eq!(lost().plan(), Step::Follow, "{end}: nobody asked");
    }
}

#[test]
fn the_finalizer_is_in_place_before_anything_is_sent_that_a_deletion_undoes() {
    for policy in [DeletionPolicy::Cancel, DeletionPolicy::Revoke] {
        let with = |mut scene: Scene| {
            scene.order.spec.deletion_policy = policy;
            scene
        };
        let scenes =
            [scene(), scene().submitted("A", 0).at(1).unread(), scene().lacks(halt(Reason::KeyLost))];
        for scene in scenes {
            let mut scene = with(scene);
            assert_eq!(scene.plan(), Step::AddFinalizer);
            scene.order.metadata.finalizers = Some(vec!["other".to_owned(), FINALIZER.to_owned()]);
            assert_ne!(scene.plan(), Step::AddFinalizer, "it is in place");
        }
        assert_ne!(with(scene()).planning().plan(), Step::AddFinalizer, "nothing is sent");
        assert_eq!(with(scene()).suspended().plan(), Step::Suspend);
        let cut_off = with(scene().intends(to_submit("A", 0)).sees(holding("A")));
        assert_eq!(cut_off.plan(), Step::Landed(Action::Submit), "an open intent comes first");
    }
    assert_ne!(scene().plan(), Step::AddFinalizer, "Retain undoes nothing");
}

#[test]
fn the_letter_is_sent_once() {
    let awaited =
        |letter| Scene { letter, ..scene().ordered("A", 0) }.sees(seen(Stage::AwaitingLetter, &[NAME]));
    assert_eq!(awaited(None).plan(), Step::Follow, "the user sends it in the console");
    assert_eq!(awaited(Some(Ok(letter()))).plan(), write(Action::SendLetter, 1));
    let mut missing = awaited(Some(Err(halt(Reason::SecretNotFound)))).at(60);
    assert_eq!(missing.plan(), Step::Follow, "the CA is followed all the same");
    missing.pass(&step(&Step::Follow));
    let status = missing.stored();
    assert_eq!(condition(&status, ConditionType::Reconciling).reason, "AwaitingLetter");
    let why = halt(Reason::SecretNotFound).message;
    assert!(message(&status, ConditionType::ActionRequired).contains(&why), "{}", summary(&status));

    let mut scene = awaited(Some(Ok(letter()))).at(60);
    let intent = to_call(LETTER, 60);
    scene.pass(&Outcome::Intent(Action::SendLetter, &intent));
    scene.pass(&Outcome::Called(Action::SendLetter, &intent, &yes("of-the-letter")));
    let submission = scene.stored().submission.unwrap();
    assert_eq!((submission.intent, submission.letter_sent_at), (None, Some(seconds(at(60)))));
    let mut scene = scene.at(3600);
    assert_eq!(scene.plan(), Step::Follow, "the cloud still waits, and has it");
    scene.pass(&step(&Step::Follow));
    assert!(summary(&scene.stored()).contains("Reconciling=True/AwaitingLetter"));
    assert!(!summary(&scene.stored()).contains("ActionRequired"), "nothing is left to do for the user");

    for stage in Stage::iter().filter(|stage| *stage != Stage::AwaitingLetter) {
        let scene = Scene { letter: Some(Ok(letter())), ..super::support::scene().ordered("A", 0) };
        assert_eq!(scene.sees(seen(stage, &[NAME])).plan(), Step::Follow, "{stage}");
    }
}

#[test]
fn an_issued_certificate_is_fetched_when_its_secret_is_not_as_it_should_be() {
    let blocked = || Export::Blocked(halt(Reason::SecretConflict));
    for stage in Stage::iter().filter(|stage| *stage != Stage::AwaitingInformation) {
        for secret in [Export::NotWanted, Export::Current, Export::Due, blocked()] {
            let is_due = stage == Stage::Issued && secret == Export::Due;
            let wanted = if is_due { Step::Export } else { Step::Follow };
            let scene = Scene { secret, ..scene().ordered("A", 0) }.sees(seen(stage, &[NAME]));
            assert_eq!(scene.plan(), wanted, "{stage} {:?}", scene.secret);
        }
    }
    let not_ours = Scene { secret: Export::Due, ..scene() }.sees(seen(Stage::Issued, &["other.example"]));
    assert_eq!(halted(&not_ours.plan()), Some(Reason::CertificateInUse));
    let taken = Scene { secret: Export::Due, ..scene() }.sees(seen(Stage::Issued, &[NAME])).adopted();
    assert_eq!(taken.plan(), Step::Export, "what is taken over is exported");
}

#[test]
fn ready_waits_for_the_secret_that_the_user_named() {
    let issued = |secret| Scene { secret, ..scene().ordered("A", 0) }.sees(seen(Stage::Issued, &[NAME]));
    let order = "Issued=True/Issued Ordered=True/Accepted";
    let submitted = "Submitted=True/Accepted";
    let conflict = || Export::Blocked(halt(Reason::SecretConflict));
    let missing = || Export::Blocked(halt(Reason::SecretNotFound));
    let unfit = Err(halt(Reason::BundleInvalid));
    let busy = unavailable("1");
    let denied = Error::Rejected { reason: Reason::PermissionDenied, refusal: refusal("Code", "1") };
    let synced = format!("{order} Ready=True/Issued SecretSynced=True/Synced {submitted}");
    let fetching = format!("{order} Ready=Unknown/Exporting Reconciling=True/Exporting");
    let waits = |reason| {
        format!(
            "{order} Ready=Unknown/{reason} Reconciling=True/{reason} SecretSynced=False/{reason} {submitted}"
        )
    };
    let stops = |reason| {
        format!("{order} Ready=False/{reason} SecretSynced=False/{reason} Stalled=True/{reason} {submitted}")
    };
    let follow = || step(&Step::Follow);
    let table = [
        (Export::NotWanted, follow(), format!("{order} Ready=True/Issued {submitted}"), Requeue::Settled),
        (Export::Current, follow(), synced.clone(), Requeue::Settled),
        (Export::Due, follow(), format!("{fetching} {submitted}"), Requeue::Now),
        (conflict(), follow(), stops("SecretConflict"), Requeue::Stopped),
        (missing(), follow(), waits("SecretNotFound"), Requeue::Stopped),
        (Export::Due, Outcome::Exported(&Ok(None)), synced, Requeue::Settled),
        (Export::Due, Outcome::Exported(&unfit), stops("BundleInvalid"), Requeue::Stopped),
        (Export::Due, Outcome::NotFetched(&busy), waits("Exporting"), Requeue::Failed(None)),
        (Export::Due, Outcome::NotFetched(&denied), stops("PermissionDenied"), Requeue::Stopped),
    ];
    for (number, (secret, outcome, wanted, again)) in table.into_iter().enumerate() {
        let next = issued(secret).fold(&outcome);
        let text = summary(&next.status);
        assert_eq!(text.split_once(": ").unwrap().1, wanted, "row {number}");
        assert_eq!(next.requeue, again, "row {number}");
    }
}

/// From when until when a certificate is valid.
fn valid(status: &CertificateOrderStatus) -> [Option<i64>; 2] {
    let begin = at(0).as_second();
    [&status.not_before, &status.not_after].map(|time| time.as_ref().map(|time| time.0.as_second() - begin))
}

#[test]
fn the_term_is_that_of_the_certificate_once_it_was_fetched_and_until_then_the_clouds() {
    const DAY: i64 = 86_400;
    let told = |from, to| Observation {
        not_before: Some(at(from)),
        not_after: Some(at(to)),
        ..seen(Stage::Issued, &[NAME])
    };
    let own = Term { not_before: at(5), not_after: at(90 * DAY + 5) };
    let mut scene = scene().ordered("A", 0).sees(told(0, 90 * DAY));
    let without_secret = scene.fold(&step(&Step::Follow)).status;
    assert_eq!(valid(&without_secret), [Some(0), Some(90 * DAY)]);

    scene.secret = Export::Due;
    assert_eq!(valid(&scene.pass(&step(&Step::Follow)).status), [Some(0), Some(90 * DAY)]);
    let fetched = scene.pass(&Outcome::Exported(&Ok(Some(own)))).status;
    assert_eq!(valid(&fetched), [Some(5), Some(90 * DAY + 5)]);

    // Whatever becomes of the Secret, the cloud's date of the same certificate changes nothing.
    for secret in [Export::Due, Export::Blocked(halt(Reason::SecretConflict)), Export::NotWanted] {
        scene.secret = secret;
        assert_eq!(valid(&scene.fold(&step(&Step::Follow)).status), valid(&fetched));
    }
    (scene.secret, scene.term) = (Export::Current, Some(own));
    assert_eq!(scene.fold(&step(&Step::Follow)).status, fetched, "nothing is written");

    // An order of a version that had the cloud's dates gets the certificate's own at the next look.
    scene.order.status = Some(without_secret);
    assert_eq!(valid(&scene.pass(&step(&Step::Follow)).status), valid(&fetched));

    // Another certificate, which was not fetched yet.
    let mut scene = Scene { secret: Export::Due, term: None, ..scene }.sees(told(60 * DAY, 150 * DAY));
    assert_eq!(valid(&scene.pass(&step(&Step::Follow)).status), [Some(60 * DAY), Some(150 * DAY)]);
}

#[test]
fn what_replaced_a_certificate_stays_known_and_is_never_the_one_that_it_came_from() {
    let link = |replaced_by: Option<&str>, reissued_from: Option<&str>| Observation {
        replaced_by: replaced_by.map(str::to_owned),
        reissued_from: reissued_from.map(str::to_owned),
        ..seen(Stage::Issued, &[NAME])
    };
    let mut scene = scene().ordered("A", 0).sees(link(Some("next"), Some("former")));
    let mut shown = |seen: Option<Observation>| {
        scene.observed = seen.map(Ok).or(scene.observed.take());
        scene.pass(&step(&Step::Follow)).status.replaced_by
    };
    assert_eq!(shown(None).as_deref(), Some("next"));
    assert_eq!(shown(Some(link(None, Some("former")))).as_deref(), Some("next"));
    assert_eq!(shown(Some(link(None, Some("next")))), None, "as version 0.1.0 wrote it");
}

#[test]
fn a_certificate_that_cannot_be_fetched_again_stays_ready() {
    let mut scene = Scene { secret: Export::Current, ..scene().ordered("A", 0) };
    scene = scene.sees(seen(Stage::Issued, &[NAME]));
    scene.pass(&step(&Step::Follow));
    let scene = Scene { secret: Export::Due, ..scene };
    let status = scene.fold(&Outcome::NotFetched(&unavailable("1"))).status;
    assert_eq!(condition(&status, ConditionType::Ready).status, "True");
    assert_eq!(condition(&status, ConditionType::SecretSynced).status, "False");
}

#[test]
fn an_order_that_is_ready_once_ordered_is_ready_once_issued_too() {
    let mut scene = scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME]));
    scene.order.spec.ready_policy = ReadyPolicy::Ordered;
    scene.pass(&step(&Step::Follow));
    let scene = scene.sees(seen(Stage::Issued, &[NAME]));
    let status = scene.fold(&step(&Step::Follow)).status;
    assert_eq!(condition(&status, ConditionType::Ready).reason, "Issued");
}

#[test]
fn the_stages_show_which_calls_took_effect() {
    use Stage::{
        AwaitingInformation, AwaitingLetter, AwaitingRevocationLetter, Cancelled, Cancelling, Managed,
        Refunded, Rejected, Revoked, Revoking, Unrecognised,
    };
    let no_order = [AwaitingInformation, Refunded, Managed, Unrecognised];
    for stage in Stage::iter() {
        let expected = [
            (Action::Order, ORDER, !no_order.contains(&stage)),
            (Action::Resubmit, RESUBMIT, ![Rejected, Cancelled].contains(&stage)),
            (Action::Withdraw, CANCEL, [AwaitingInformation, Cancelling, Cancelled].contains(&stage)),
            (Action::Revoke, REVOKE, [Revoking, AwaitingRevocationLetter, Revoked].contains(&stage)),
            (Action::SendLetter, LETTER, stage != AwaitingLetter),
        ];
        for (action, call, wanted) in expected {
            let intent = to_call(call, 0);
            let scene = scene().ordered("A", 0).intends(intent.clone()).sees(seen(stage, &[NAME]));
            let facts = scene.facts();
            assert_eq!(facts.action_of(&intent), action);
            let observation = scene.observed.as_ref().unwrap().as_ref().unwrap();
            assert_eq!(landed(&facts, action, &intent, observation), wanted, "{action:?} at {stage}");
        }
    }
}

#[test]
fn an_application_took_effect_if_the_cloud_shows_it_and_it_cannot_be_an_earlier_one() {
    let first = |intent, held, logged| Scene { logged, ..scene() }.intends(to_submit(intent, 0)).sees(held);
    let later = |intent, held, logged| {
        let scene = Scene { logged, ..scene().submitted("A", 0) };
        scene.wants("B").intends(to_submit(intent, 60)).sees(held).at(60)
    };
    let by_ids = |held, logged| {
        let scene = Scene { logged, ..scene() }.wants(BY_IDS);
        scene.intends(to_submit(BY_IDS, 0)).sees(held)
    };
    let (none, yes, no) = (None, Some(true), Some(false));
    let table = vec![
        ("shown", first("A", holding("A"), none), true),
        ("not shown", first("A", awaiting(), none), false),
        ("another is shown", first("A", holding("B"), none), false),
        ("another was sent", first("B", holding("A"), none), false),
        ("a correction is shown and logged", later("B", holding("B"), yes), true),
        ("a correction is shown and not logged", later("B", holding("B"), no), false),
        ("a correction is shown, and the log is silent", later("B", holding("B"), none), false),
        ("a call is logged, and something else shown", later("B", holding("A"), yes), false),
        ("ids are logged, and the rest is shown", by_ids(holding(BY_IDS), yes), true),
        ("ids are not logged: it may be anybody's", by_ids(holding("A"), no), false),
        ("ids, and the log is silent", by_ids(holding(BY_IDS), none), false),
        ("ids are logged, and nothing is shown", by_ids(awaiting(), yes), false),
        (
            "the request cannot be built",
            first("A", holding("A"), none).lacks(halt(Reason::CsrInvalid)),
            false,
        ),
    ];
    for (name, scene, wanted) in table {
        assert_eq!(scene.plan() == Step::Landed(Action::Submit), wanted, "{name}");
    }
}

#[test]
fn absence_counts_only_after_the_intent_was_observed_here_for_two_calls_too() {
    let scene = |intent_age, second| {
        let intent_age = std::time::Duration::from_secs(intent_age);
        Scene { intent_age, ..scene() }.intends(to_submit("A", 0)).at(second).plan()
    };
    assert_eq!(scene(0, 0), Step::Settle { until: at(40) });
    // By the clock of another machine the intent is old.
    assert_eq!(scene(0, 1000), Step::Settle { until: at(1040) });
    assert_eq!(scene(39, 1000), Step::Settle { until: at(1001) });
    assert_eq!(scene(40, 1000), write(Action::Submit, 2));
    // Or it is in the future.
    assert_eq!(scene(39, -1000), Step::Settle { until: at(-999) });
    assert_eq!(scene(40, -1000), write(Action::Submit, 2));
}

#[test]
fn what_is_known_of_the_outputs_keeps_an_application_back_and_nothing_that_is_sent_already() {
    let wrong = || halt(Reason::SecretConflict);
    let knowing = |scene: Scene| Scene { outputs: scene.facts().may_apply().then(wrong), ..scene };
    let held_back = vec![
        scene(),
        scene().planning(),
        scene().lacks(halt(Reason::KeyLost)),
        scene().sees(holding("A")),
        scene().in_one_call(),
        scene().restarted(60).at(70),
        scene().ended(Stage::Rejected).annotated(RESUBMIT_AT, &at(60).to_string()).at(70),
    ];
    for (number, scene) in held_back.into_iter().enumerate() {
        assert_ne!(halted(&scene.plan()), Some(Reason::SecretConflict), "{number}");
        let scene = knowing(scene);
        assert_eq!(halted(&scene.plan()), Some(Reason::SecretConflict), "{number}");
    }
    let goes_on = vec![
        scene().submitted("A", 0).sees(holding("A")).at(60),
        scene().submitted("A", 0).unread().at(5),
        scene().ordered("A", 0).sees(seen(Stage::Validating, &[NAME])).at(60),
        scene().sees(seen(Stage::Issued, &[NAME])),
        scene().suspended(),
    ];
    for (number, scene) in goes_on.into_iter().enumerate() {
        assert!(!scene.facts().may_apply(), "{number}: nothing more is read");
    }
}
