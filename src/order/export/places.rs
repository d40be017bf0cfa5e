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
    let goes_first = |other: &CertificateOrder, theirs: Use| match (mine, theirs) {
        (Use::Output, Use::Key) => true,
        _ if is_mine => false,
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
