//! Random histories of a renewal: certificates that the cloud makes and unmakes, kills between the Secret and the status, lost
//! statuses, names that the user gives. No history leads to two orders for one certificate, to a chain that goes back, or to a
//! certificate in use that ends earlier than the one before.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::support::*;
use crate::api::v1alpha1::conditions::ConditionType;
use crate::api::v1alpha1::{CertificateOrder, Current, Renewal, seconds};
use crate::core::conditions::get;
use crate::core::observation::{Observation, Stage};
use crate::core::succession::{Candidate, Link, Way};
use crate::order::facts::Term;
use crate::order::fold::Outcome;
use crate::order::plan::Step;
use crate::order::renewal::assess::{known, no_successors, term, wanted};
use crate::order::renewal::choice::{Choice, choose};
use crate::order::renewal::look::{Carrier, Look};
use crate::order::renewal::{RenewalStep, Renewed, successor, swap};

const DAY: i64 = 86_400;

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// Days pass.
    Wait(i64),
    /// The cloud makes a certificate that ends so many days after now, linked in this way.
    Make { life: i64, link: u8, way: u8 },
    /// The order of this successor is issued.
    Issue(usize),
    /// This certificate is revoked, and the cloud shows no link to it any more.
    Vanish(usize),
    /// The user names it.
    Name(usize),
    /// The user takes the name back.
    Unname,
    /// A process dies between the Secret and the status of the next swap.
    Die,
    /// The status is lost; the Secret says what is in it.
    Lose,
    /// The order is looked at.
    Pass,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1i64..30).prop_map(Event::Wait),
        3 => (20i64..120, 0u8..4, 0u8..3).prop_map(|(life, link, way)| Event::Make { life, link, way }),
        4 => (0usize..6).prop_map(Event::Issue),
        1 => (0usize..6).prop_map(Event::Vanish),
        1 => (0usize..6).prop_map(Event::Name),
        1 => Just(Event::Unname),
        1 => Just(Event::Die),
        1 => Just(Event::Lose),
        8 => Just(Event::Pass),
    ]
}

/// A certificate at the cloud.
struct Certificate {
    term: Term,
    link: Link,
    way: Way,
    is_gone: bool,
}

struct History {
    now: i64,
    certificates: BTreeMap<String, Certificate>,
    /// The orders that were made for successors, and whether each is issued.
    orders: BTreeMap<String, bool>,
    user: CertificateOrder,
    /// What the Secret holds: an id, and its term.
    secret: (String, Term),
    dies: bool,
}

impl History {
    fn new() -> Self {
        let first = Term { not_before: at(0), not_after: at(90 * DAY) };
        let mut history = Self {
            now: 0,
            certificates: BTreeMap::new(),
            orders: BTreeMap::new(),
            user: scene().ordered("A", 0).order,
            secret: (ID.to_owned(), first),
            dies: false,
        };
        history.pass();
        history
    }

    /// Id number n, if the cloud has made so many.
    fn id(&self, number: usize) -> Option<String> {
        self.certificates.keys().nth(number).cloned()
    }

    /// The scene of a pass: the cloud is asked as `read` does.
    fn scene(&self) -> Scene {
        let mut scene = scene();
        scene.order = self.user.clone();
        let Term { not_before, not_after } = self.secret.1;
        let seen = Observation {
            not_before: Some(not_before),
            not_after: Some(not_after),
            ..seen(Stage::Issued, &[NAME])
        };
        let mut scene = scene.sees(seen.as_of(at(self.now))).at(self.now);
        // The Secrets are read while the certificate is issued.
        scene.term = Some(self.secret.1).filter(|term| term.not_after > at(self.now));
        scene.renewal = Some(Box::new(self.look(&scene)));
        scene
    }

    fn look(&self, scene: &Scene) -> Look {
        let facts = scene.facts();
        let mut look = Look::nothing();
        if let Some(id) = wanted(&facts).or_else(|| known(&facts)) {
            look.order = self.carrier(&id);
            look.choice = Some(Choice::One(id));
            return look;
        }
        let none = no_successors(&facts);
        let shown = self.certificates.iter().filter(|(id, made)| !made.is_gone && !none.contains(id));
        let candidates: Vec<Candidate> = shown
            .map(|(id, made)| Candidate {
                certificate_id: id.clone(),
                way: made.way,
                link: made.link.clone(),
                stage: Stage::Validating,
                names: vec![NAME.to_owned()],
                not_after: None,
            })
            .collect();
        let choice = choose(&candidates, &names(&[NAME]));
        if let Choice::One(id) = &choice {
            look.order = self.carrier(id);
        }
        look.choice = Some(choice);
        look
    }

    fn carrier(&self, id: &str) -> Option<Carrier> {
        let is_issued = self.orders.get(id)?;
        let mut order = successor::order(&self.user, id)?;
        let issued = json!([{"type": "Issued", "status": "True", "reason": "Issued", "message": "x",
                             "lastTransitionTime": "2026-06-01T00:00:00Z"}]);
        let conditions = if *is_issued { issued } else { json!([]) };
        order.status = serde_json::from_value(json!({"phase": "x", "conditions": conditions})).ok();
        Some(Carrier::Made(Arc::new(order)))
    }

    /// One look at the order, and what it leads to.
    fn pass(&mut self) {
        self.recall();
        let scene = self.scene();
        let step = scene.plan();
        let outcome = match &step {
            Step::Renew(step) => self.renew(&scene, step),
            _ => None,
        };
        if std::mem::take(&mut self.dies) {
            return;
        }
        let next = match &outcome {
            Some(renewed) => scene.fold(&Outcome::Renewed(renewed)),
            None => scene.fold(&super::support::step(&step)),
        };
        self.user.status = Some(next.status);
        self.check();
    }

    /// The Secret is ahead of the status, or the status is lost.
    fn recall(&mut self) {
        let status = self.user.status.get_or_insert_default();
        let has = status.current.as_ref().map_or(ID, |current| &current.certificate_id);
        let next = status.renewal.as_ref().and_then(|renewal| renewal.successor.as_ref());
        let is_lost = status.submission.is_none();
        if has != self.secret.0 && (is_lost || next.is_some_and(|next| next.certificate_id == self.secret.0))
        {
            status.current = Some(Box::new(Current {
                certificate_id: self.secret.0.clone(),
                not_before: Some(seconds(self.secret.1.not_before)),
                not_after: Some(seconds(self.secret.1.not_after)),
            }));
        }
        if is_lost {
            // It is adopted by the rules of every order.
            let current = status.current.take();
            *status = scene().ordered("A", 0).order.status.unwrap_or_default();
            status.current = current;
        }
    }

    fn renew(&mut self, scene: &Scene, step: &RenewalStep) -> Option<Renewed> {
        match step {
            RenewalStep::Make { certificate_id } => {
                assert!(self.orders.insert(certificate_id.clone(), false).is_none(), "one order for each");
                Some(Renewed::Made)
            }
            RenewalStep::Swap { certificate_id } => {
                let next = self.certificates.get(certificate_id)?.term;
                match swap::may_replace(next, term(&scene.facts()), at(self.now)) {
                    Ok(()) => {
                        assert!(next.not_after >= self.secret.1.not_after, "to an earlier end");
                        self.secret = (certificate_id.clone(), next);
                        Some(Renewed::Swapped { certificate_id: certificate_id.clone(), term: next })
                    }
                    Err(why) => {
                        let problem = halt(crate::api::v1alpha1::conditions::Reason::SwapBlocked);
                        Some(if why.is_final() {
                            Renewed::EndsEarlier(certificate_id.clone(), problem)
                        } else {
                            Renewed::NotSwapped(problem)
                        })
                    }
                }
            }
            RenewalStep::Edit { .. } | RenewalStep::Remove { .. } | RenewalStep::Reissue { .. } => None,
        }
    }

    fn check(&self) {
        let status = self.user.status.as_ref().unwrap();
        let Some(renewal) = &status.renewal else { return };
        let mut once = renewal.chain.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), renewal.chain.len(), "{:?}", renewal.chain);
        let current = &status.current.as_ref().unwrap().certificate_id;
        assert_eq!((renewal.chain.last(), current), (Some(current), &self.secret.0), "{:?}", renewal.chain);
        let ready = get(&status.conditions, ConditionType::Ready).unwrap();
        let is_valid = self.secret.1.not_after > at(self.now);
        assert_eq!(ready.status == "True", is_valid, "{ready:?}");
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Wait(days) => self.now += days * DAY,
            Event::Make { life, link, way } => {
                let id = format!("N{:02}", self.certificates.len());
                let term = Term { not_before: at(self.now), not_after: at(self.now + life * DAY) };
                let (way, link) = match (way, link) {
                    (0, 0) => (Way::Reissue, Link::Forward),
                    (0, _) => (Way::Reissue, Link::Both),
                    (1, 0) => (Way::Renewal, Link::Forward),
                    (1, 1) => (Way::Renewal, Link::Contradicted("other".to_owned())),
                    (1, _) => (Way::Renewal, Link::Both),
                    _ => (Way::SameSpecification, Link::None),
                };
                self.certificates.insert(id, Certificate { term, link, way, is_gone: false });
            }
            Event::Issue(number) => {
                if let Some(is_issued) = self.id(*number).and_then(|id| self.orders.get_mut(&id)) {
                    *is_issued = true;
                }
            }
            Event::Vanish(number) => {
                if let Some(made) = self.id(*number).and_then(|id| self.certificates.get_mut(&id)) {
                    made.is_gone = true;
                }
            }
            Event::Name(number) => {
                let certificate_id = self.id(*number);
                self.user.spec.renewal = Some(Renewal { certificate_id, ..Renewal::default() });
            }
            Event::Unname => self.user.spec.renewal = None,
            Event::Die => {
                self.dies = true;
                self.pass();
            }
            Event::Lose => self.user.status = None,
            Event::Pass => self.pass(),
        }
    }
}

proptest! {
    #![proptest_config(search(400))]

    #[test]
    fn no_history_of_renewals_goes_back_or_makes_two_orders_for_one_certificate(
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut history = History::new();
        for event in &events {
            history.happen(event);
        }
        history.pass();
    }
}
