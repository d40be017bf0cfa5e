//! Which order has a certificate.

use proptest::prelude::*;

use super::support::*;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, Submission, seconds};
use crate::order::claim::rivals::{contested, rank};

const BORN_FIRST: i64 = 0;
const BORN_LATER: i64 = 60;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Claim {
    Nothing,
    Intends,
    /// Adopted an order that was placed by other means.
    Adopted,
    /// Found its application at the cloud after the response was lost.
    Found,
    /// The cloud confirmed that it accepted the application.
    Submitted,
    /// The same, and the order is being sent.
    Orders,
    /// Between two attempts.
    Restarted,
}

use Claim::{Adopted, Found, Intends, Nothing, Orders, Restarted, Submitted};

fn claiming(name: &str, born: i64, claim: Claim) -> CertificateOrder {
    let mut order = order(name, born);
    let submitted_at = !matches!(claim, Nothing | Intends | Restarted);
    let submission = Submission {
        frozen: true,
        submitted_at: submitted_at.then(|| seconds(at(born))),
        intent: match claim {
            Intends => Some(to_submit("A", born)),
            Orders => Some(to_order(born)),
            _ => None,
        },
        resubmissions: i64::from(claim == Restarted),
        adopted: claim == Adopted,
        ..Submission::default()
    };
    let status = order.status.get_or_insert_default();
    status.submission = (claim != Nothing).then_some(submission);
    status.request_id = matches!(claim, Submitted | Orders | Restarted).then(|| format!("of-{name}"));
    order
}

fn reason(me: &CertificateOrder, others: &[CertificateOrder]) -> Option<Reason> {
    contested(me, others).map(|problem| problem.reason)
}

#[test]
fn a_submission_wins_then_the_older_intent_and_what_may_be_under_way_is_not_overtaken() {
    let waits = Some(Reason::Settling);
    let loses = Some(Reason::DuplicateCertificate);
    let table = [
        // my claim, the other claim, the result if I am older, the result if I am younger
        (Nothing, Nothing, None, None),
        (Nothing, Intends, waits, loses),
        (Intends, Nothing, None, None),
        (Intends, Intends, waits, loses),
        // What the cloud shows may be from the other order, if the applications are equal.
        (Adopted, Adopted, None, loses),
        (Adopted, Found, loses, loses),
        (Found, Adopted, None, None),
        (Found, Found, None, loses),
    ];
    for (mine, others, as_the_older, as_the_younger) in table {
        let versus =
            |me_born, other_born| reason(&claiming("a", me_born, mine), &[claiming("b", other_born, others)]);
        assert_eq!(versus(BORN_FIRST, BORN_LATER), as_the_older, "{mine:?} against {others:?}, older");
        assert_eq!(versus(BORN_LATER, BORN_FIRST), as_the_younger, "{mine:?} against {others:?}, younger");
    }
}

#[test]
fn an_order_that_the_cloud_answered_never_loses_and_one_that_has_it_wins_over_an_intent() {
    for born in [BORN_FIRST, BORN_LATER] {
        let versus = |mine, others| {
            reason(&claiming("a", BORN_FIRST + BORN_LATER - born, mine), &[claiming("b", born, others)])
        };
        for answered in [Submitted, Orders, Restarted] {
            for other in [Nothing, Intends, Adopted, Found, Submitted, Orders, Restarted] {
                assert_eq!(versus(answered, other), None, "{answered:?} against {other:?}");
            }
            for mine in [Nothing, Intends, Adopted, Found] {
                let loses = Some(Reason::DuplicateCertificate);
                assert_eq!(versus(mine, answered), loses, "{mine:?} against {answered:?}");
            }
        }
        for holder in [Adopted, Found] {
            assert_eq!(versus(holder, Intends), None, "{holder:?}");
            for mine in [Nothing, Intends] {
                assert_eq!(versus(mine, holder), Some(Reason::DuplicateCertificate), "{mine:?} {holder:?}");
            }
        }
    }
}

#[test]
fn of_orders_of_one_second_the_lower_uid_is_the_older() {
    let (a, b) = (claiming("a", BORN_FIRST, Intends), claiming("b", BORN_FIRST, Intends));
    assert_eq!(reason(&a, std::slice::from_ref(&b)), Some(Reason::Settling));
    assert_eq!(reason(&b, &[a]), Some(Reason::DuplicateCertificate));
}

#[test]
fn an_order_does_not_contest_itself() {
    let me = claiming("a", BORN_FIRST, Intends);
    assert_eq!(contested(&me, std::slice::from_ref(&me)), None);
}

#[test]
fn the_winner_is_named_within_its_own_namespace_only() {
    let winner = claiming("the-winner", BORN_FIRST, Submitted);
    let mut me = claiming("me", BORN_LATER, Nothing);
    let message = |me: &CertificateOrder| contested(me, std::slice::from_ref(&winner)).unwrap().message;
    assert!(message(&me).contains("the-winner"), "{}", message(&me));
    me.metadata.namespace = Some("elsewhere".to_owned());
    assert!(!message(&me).contains("the-winner"), "{}", message(&me));
    assert!(!message(&me).contains("shop"), "{}", message(&me));
}

fn claim() -> impl Strategy<Value = Claim> {
    prop::sample::select(&[Nothing, Intends, Adopted, Found, Submitted, Orders, Restarted][..])
}

proptest! {
    #![proptest_config(search(256))]

    /// A watch lists its objects in any order; a status that changes with it would be written again and again.
    #[test]
    fn the_answer_does_not_depend_on_the_order_of_the_list(
        claims in prop::collection::vec((0..3i64, claim()), 1..5),
    ) {
        let name = |number: usize| format!("order-{number}");
        let orders: Vec<_> = claims
            .iter()
            .enumerate()
            .map(|(number, (born, claim))| claiming(&name(number), *born, *claim))
            .collect();
        let mut reversed = orders.clone();
        reversed.reverse();
        for me in &orders {
            prop_assert_eq!(contested(me, &orders), contested(me, &reversed));
        }
    }

    /// Each stores its intent, then lists the others, then calls or withdraws its intent.
    #[test]
    fn of_orders_that_act_at_once_at_most_one_calls_and_afterwards_one_can(
        born in prop::collection::vec(0..2i64, 2..=3), schedule in prop::collection::vec(0..3usize, 0..12),
    ) {
        #[derive(Clone, Copy, PartialEq)]
        enum At { Start, Stored, Calling, Over }
        let with = |who: usize, claim| claiming(&format!("{who}"), born[who], claim);
        let mut orders: Vec<_> = (0..born.len()).map(|who| with(who, Nothing)).collect();
        let mut at = vec![At::Start; orders.len()];
        let all = (0..orders.len()).cycle().take(3 * orders.len());
        for who in schedule.into_iter().map(|who| who % born.len()).chain(all) {
            let lost = contested(&orders[who], &orders).is_some();
            (at[who], orders[who]) = match at[who] {
                At::Start => (At::Stored, with(who, Intends)),
                At::Stored if lost => (At::Over, with(who, Nothing)),
                At::Stored => (At::Calling, with(who, Intends)),
                At::Calling => (At::Over, with(who, Submitted)),
                At::Over => continue,
            };
            let callers = at.iter().filter(|at| **at == At::Calling).count();
            let submitted = orders.iter().filter(|order| claim_of(order) == Submitted).count();
            prop_assert!(callers + submitted <= 1);
        }
        if orders.iter().all(|order| claim_of(order) == Nothing) {
            for me in &orders {
                prop_assert_eq!(contested(me, &orders), None);
            }
        }
    }
}

fn claim_of(order: &CertificateOrder) -> Claim {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    match submission {
        Some(submission) if submission.submitted_at.is_some() => Submitted,
        Some(submission) if submission.intent.is_some() => Intends,
        _ => Nothing,
    }
}

/// After an upgrade the one that keeps the certificate gets the Lease, not the one that is looked at first.
#[test]
fn of_several_that_have_acted_the_one_that_keeps_the_certificate_comes_first() {
    let acted = [Intends, Adopted, Found, Submitted, Orders, Restarted];
    for (mine, theirs) in acted.into_iter().flat_map(|mine| acted.map(|theirs| (mine, theirs))) {
        let (a, b) = (claiming("a", BORN_FIRST, mine), claiming("b", BORN_LATER, theirs));
        let (first, second) = if rank(&a) < rank(&b) { (&a, &b) } else { (&b, &a) };
        assert_ne!(
            reason(first, std::slice::from_ref(second)),
            Some(Reason::DuplicateCertificate),
            "{mine:?} {theirs:?}: the first is lost to nobody"
        );
    }
}
