//! What can be known of an order's Secrets before anything is paid: whether its certificate will have a place, and its
//! key. Pure.

use std::borrow::Borrow;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::order::export::places::{Use, inherits, places, taken};
use crate::order::export::target::Target;

impl Target {
    /// Why nothing is to be sent for an order: what it wants to be written could not be. What is missing waits, what is
    /// wrong stops.
    #[must_use]
    pub fn problem_before<O: Borrow<CertificateOrder>>(
        &self,
        order: &CertificateOrder,
        csr: Option<&Csr>,
        others: impl Fn(&str) -> Vec<O>,
    ) -> Option<Problem> {
        let is_mine = |name: &str| {
            let slot = self.slots().find(|slot| slot.name == name);
            slot.and_then(|slot| slot.stored.as_ref()).is_some_and(|stored| self.owner.owns(stored))
        };
        self.conflict(|slot| !inherits(order, &slot.name, &others(&slot.name)))
            .or_else(|| {
                places(order).find_map(|(name, mine)| {
                    // A key that is there already was judged when it was read.
                    let is_held = mine == Use::Key && self.has_own_key;
                    taken(order, (&name, mine), is_held || is_mine(&name), &others(&name))
                })
            })
            .or_else(|| self.unfit_key(order, csr))
            .or_else(|| match &self.keystores {
                Ok(stores) => stores.unlabelled().cloned(),
                Err(problem) => Some(problem.clone()),
            })
    }

    /// Why the key that is to stand beside the certificate of the user's own CSR cannot be used.
    fn unfit_key(&self, order: &CertificateOrder, csr: Option<&Csr>) -> Option<Problem> {
        let selector = order.spec.private_key_secret_ref.as_ref()?;
        match self.key.as_ref()? {
            Err(problem) => Some(problem.clone()),
            Ok(key) if csr.is_some_and(|csr| csr.public_key_der() != key.public_key_der()) => {
                let message = format!(
                    "Secret {} of spec.privateKeySecretRef holds under {} another key than the one of the CSR, so the \
                     certificate would have none; name the key that the CSR was made with, or make the CSR anew with \
                     this one",
                    selector.name, selector.key
                );
                Some(Problem::new(Reason::KeyNotHeld, message))
            }
            Ok(_) => None,
        }
    }
}
