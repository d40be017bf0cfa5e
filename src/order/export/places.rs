//! Which Secrets an order writes, and which of two orders may write one. Pure.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::cache::Key;
use crate::core::conditions::Problem;
use crate::order::claim::rivals::seniority;
use crate::order::export::secret::key_secret_name;
use crate::provider::registry;

/// What an order writes into a Secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// The key that is made for it.
    Key,
    /// What comes of it: the certificate, or its id.
    Output,
}

/// The Secrets that an order writes.
pub fn places(order: &CertificateOrder) -> impl Iterator<Item = (String, Use)> {
    let spec = &order.spec;
    let key = spec.makes_key().then(|| (key_secret_name(&order.name_any()), Use::Key));
    let id = spec.provider.certificate_id_secret().map(|(name, _)| name.to_owned());
    let outputs = spec.secret_name.iter().cloned().chain(id).map(|name| (name, Use::Output));
    key.into_iter().chain(outputs)
}

/// Why an order that is not submitted yet must not be, given the others of its namespace that refer to the Secret
/// `name`: another one writes it.
///
/// The Secret belongs to the order whose marks it bears (`is_mine`: those of this one), else to the one that is
/// submitted, else to the older one. A key goes before a certificate: it is there first, and cannot be had twice.
#[must_use]
pub fn taken(
    me: &CertificateOrder,
    (name, mine): (&str, Use),
    is_mine: bool,
    others: &[impl Borrow<CertificateOrder>],
) -> Option<Problem> {
    let is_inherited = mine == Use::Output && inherits(me, name, others);
    let goes_first = |other: &CertificateOrder, theirs: Use| match (mine, theirs) {
        (Use::Output, Use::Key) => true,
        _ if is_mine => false,
        // The others wait for the predecessor's place, which this one does not want.
        _ if is_inherited => is_submitted(other) && !succeeds(me, other),
        (Use::Key, Use::Output) => is_submitted(other),
        _ => standing(other) < standing(me),
    };
    others.iter().map(Borrow::borrow).filter(|other| other.uid() != me.uid()).find_map(|other| {
        let uses = places(other).filter(|(place, _)| place == name).map(|(_, theirs)| theirs);
        let theirs = { uses }.find(|theirs| goes_first(other, *theirs))?;
        let (holds, instead) = match (mine, theirs) {
            (Use::Key, _) => ("certificate", "re-create this one under another name"),
            (Use::Output, Use::Key) => ("private key", "choose another name"),
            (Use::Output, Use::Output) => ("certificate", "choose another name"),
        };
        let message = format!(
            "Secret {name} is where CertificateOrder {} has its {holds}, so nothing is sent for this order; {instead}",
            other.name_any()
        );
        Some(Problem::new(Reason::SecretConflict, message))
    })
}

/// Whether the Secret `name` is where an order has the certificate that the one of `me` succeeds: both may name it. That
/// certificate stays in it, and `me` is submitted all the same.
#[must_use]
pub fn inherits(me: &CertificateOrder, name: &str, others: &[impl Borrow<CertificateOrder>]) -> bool {
    let writes_it = |other: &CertificateOrder| {
        places(other).any(|(place, theirs)| place == name && theirs == Use::Output)
    };
    others.iter().map(Borrow::borrow).any(|other| succeeds(me, other) && writes_it(other))
}

/// Whether the certificate of `other` was renewed or reissued as the one of `me`, as the status of `other` says.
fn succeeds(me: &CertificateOrder, other: &CertificateOrder) -> bool {
    let Some(status) = &other.status else { return false };
    let (mine, theirs) = (&me.spec.provider, &other.spec.provider);
    let id = registry::certificate_id(mine);
    let renewal = status.renewal.as_ref();
    let is_next = status.replaced_by.as_deref() == Some(id)
        || renewal
            .and_then(|renewal| renewal.successor.as_ref())
            .is_some_and(|next| next.certificate_id == id);
    let was_next = renewal.is_some_and(|renewal| renewal.chain.iter().skip(1).any(|known| known == id));
    registry::name(mine) == registry::name(theirs) && (is_next || was_next)
}

/// Whether the cloud took the application of an order, or a call may be under way that hands it in.
fn is_submitted(order: &CertificateOrder) -> bool {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    submission.is_some_and(|submission| submission.submitted_at.is_some() || submission.intent.is_some())
}

fn standing(order: &CertificateOrder) -> impl Ord + use<> {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    let is_accepted = submission.is_some_and(|submission| submission.submitted_at.is_some());
    (!is_accepted, !is_submitted(order), seniority(order))
}

/// Orders that another order keeps from being submitted. They are requeued when one of their namespace is edited or
/// deleted.
#[derive(Default)]
pub struct HeldUp(Mutex<BTreeSet<Key>>);

impl HeldUp {
    /// Adds an order, before the others are looked at: what changes from then on requeues it.
    pub fn add(&self, key: Key) {
        self.lock().insert(key);
    }

    /// Takes an order out again.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Those of the namespace of an order that was edited or deleted, but for that one.
    #[must_use]
    pub fn by(&self, changed: &Key) -> Vec<Key> {
        let held_up = self.lock();
        held_up.iter().filter(|key| key.0 == changed.0 && *key != changed).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn order(name: &str, spec: &Value, born: u32, submission: &Value) -> CertificateOrder {
        let mut order = json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"name": name, "namespace": "shop", "uid": name,
                         "creationTimestamp": format!("2026-11-28T04:00:{born:02}Z")},
            "spec": {"provider": {"tencentCloud": {"certificateId": name}}, "credentialsRef": {"name": "cloud"},
                     "commonName": "www.acme.example"},
            "status": {"submission": submission},
        });
        order["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value(order).unwrap()
    }

    #[test]
    fn of_two_orders_that_write_one_secret_exactly_one_goes_on() {
        let (none, sent) = (json!({}), json!({"submittedAt": "2026-11-28T05:00:00Z"}));
        let calls = json!({"intent": {"attempt": 1, "action": "x", "holder": "h", "startedAt": "2026-11-28T05:00:00.000000Z"}});
        let shared = json!({"secretName": "shared"});
        // Who of "me" and "other" goes on: by the marks, then by what was sent, then by age.
        let table = [
            (5, &none, 9, &none, false, true),
            (9, &none, 5, &none, false, false),
            (9, &none, 5, &none, true, true),
            (5, &none, 9, &sent, false, false),
            (5, &none, 9, &calls, false, false),
            (9, &calls, 5, &none, false, true),
            (9, &calls, 5, &calls, false, false),
            (5, &calls, 9, &sent, false, false),
        ];
        for (born, mine, others_born, theirs, is_marked, goes_on) in table {
            let me = order("me", &shared, born, mine);
            let other = order("other", &shared, others_born, theirs);
            let case = format!("{born} {mine} {others_born} {theirs} {is_marked}");
            let problem = taken(&me, ("shared", Use::Output), is_marked, &[&me, &other]);
            assert_eq!(problem.is_none(), goes_on, "{case}");
            if !is_marked {
                let theirs = taken(&other, ("shared", Use::Output), false, &[&me, &other]);
                assert_eq!(theirs.is_none(), !goes_on, "{case}: exactly one");
            }
        }
        let me = order("me", &shared, 9, &none);
        let mut renewed = order("other", &shared, 5, &sent);
        renewed.status.as_mut().unwrap().replaced_by = Some("me".to_owned());
        assert_eq!(
            taken(&me, ("shared", Use::Output), false, &[renewed]),
            None,
            "its certificate succeeds that"
        );
        let elsewhere = order("other", &json!({"secretName": "another"}), 5, &none);
        assert_eq!(taken(&me, ("shared", Use::Output), false, &[elsewhere]), None);
    }

    #[test]
    fn a_key_goes_before_a_certificate_unless_that_is_ordered_already() {
        let (none, sent) = (json!({}), json!({"submittedAt": "2026-11-28T05:00:00Z"}));
        let shop = order("shop", &json!({}), 9, &none);
        let taker = |submission| order("taker", &json!({"secretName": "shop-key"}), 5, submission);
        let problem = taken(&taker(&none), ("shop-key", Use::Output), true, &[&shop]).unwrap();
        assert!(problem.message.contains("CertificateOrder shop has its private key"), "{}", problem.message);
        assert_eq!(taken(&shop, ("shop-key", Use::Key), false, &[taker(&none)]), None);
        assert!(taken(&shop, ("shop-key", Use::Key), false, &[taker(&sent)]).is_some());
        assert_eq!(taken(&shop, ("shop-key", Use::Key), true, &[taker(&sent)]), None, "it is there already");
        let cloud = order("shop", &json!({"privateKey": {"source": "Cloud"}}), 9, &none);
        assert_eq!(taken(&taker(&none), ("shop-key", Use::Output), false, &[cloud]), None, "no key is made");
    }
}
