//! SM2 products: which of their orders could be served. Pure; a part of [`mod@super::plan`].
//!
//! Such a certificate comes as a pair, one for signatures and one for encryption, with algorithms that nothing in
//! Kubernetes serves, and this operator makes and reads no keys of the kind. It is of use where the cloud itself serves
//! it, with a key that the cloud makes.

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrderSpec, KeySource};
use crate::core::conditions::Problem;
use crate::core::product::{Algorithms, Product};
use crate::order::facts::Facts;
use crate::provider::product::unfit;

/// Why nothing could serve the certificate that the order asks for. Judged only if the cloud names the product's
/// algorithms, or the order itself asks for SM2.
#[must_use]
pub fn unserved(spec: &CertificateOrderSpec, product: Option<&Product>) -> Option<Problem> {
    let is_sm2 = product.filter(|product| product.algorithms == Some(Algorithms::Sm2));
    let asked = spec.provider.algorithm_choices().find(|(_, value)| names_sm2(value));
    if is_sm2.is_none() && asked.is_none() {
        return None;
    }
    let instead = instead(spec)?;
    let why = "nothing in Kubernetes serves SM2, and its keys are made at the cloud alone";
    Some(match (is_sm2, asked) {
        (Some(product), _) => unfit(product, &format!("is an SM2 product: {why}; {instead}")),
        (None, Some((field, value))) => {
            let message = format!("{field} asks for SM2 ({value}): {why}; {instead}, or leave out {field}");
            Problem::new(Reason::InvalidRequest, message)
        }
        (None, None) => return None,
    })
}

fn names_sm2(value: &str) -> bool {
    Algorithms::named_in(value) == Some(Algorithms::Sm2)
}

/// What the order has to be changed to; `None` if it leaves key and certificate at the cloud already. A Secret with the
/// certificate's id alone is for a server of the cloud, so it may stay.
fn instead(spec: &CertificateOrderSpec) -> Option<String> {
    let is_set = [
        (spec.csr.is_some(), "spec.csr"),
        (spec.csr_secret_ref.is_some(), "spec.csrSecretRef"),
        (spec.private_key_secret_ref.is_some(), "spec.privateKeySecretRef"),
        (spec.secret_name.is_some(), "spec.secretName"),
        (spec.keystores.is_some(), "spec.keystores"),
    ];
    let surplus: Vec<_> = is_set.into_iter().filter_map(|(is_set, field)| is_set.then_some(field)).collect();
    let brings_key = spec.has_own_csr() || spec.key().source() != KeySource::Cloud;
    let mut steps = Vec::new();
    if brings_key {
        steps.push("set spec.privateKey.source to Cloud".to_owned());
    }
    if !surplus.is_empty() {
        steps.push(format!("remove {}", surplus.join(", ")));
    }
    (!steps.is_empty()).then(|| steps.join(" and "))
}

impl Facts<'_> {
    /// The same, with what the cloud reports.
    pub(super) fn unserved(&self) -> Option<Problem> {
        let seen = self.observed.and_then(|seen| seen.as_ref().ok());
        let mut problem = unserved(&self.order.spec, seen.map(|seen| &seen.product))?;
        if self.ours().is_some_and(|ours| ours.frozen) {
            problem.message.push_str(
                "; what cannot be edited any more needs this order to be deleted and created again: nothing was ordered",
            );
        }
        Some(problem)
    }
}
