//! The certificates that an order has had. Pure.

use crate::api::v1alpha1::CertificateOrderStatus;

/// The most certificates that the status remembers.
const LONGEST: usize = 64;

/// Their ids. The first one is the order's own, the last one the current one.
#[must_use]
pub fn chain(status: Option<&CertificateOrderStatus>, own: &str) -> Vec<String> {
    let stored = status.and_then(|status| status.renewal.as_ref()).map(|renewal| renewal.chain.clone());
    let mut chain = stored.filter(|chain| !chain.is_empty()).unwrap_or_else(|| vec![own.to_owned()]);
    let current = status.and_then(|status| status.current.as_ref()).map(|current| &current.certificate_id);
    if let Some(current) = current.filter(|current| chain.last() != Some(*current)) {
        append(&mut chain, current);
    }
    chain
}

/// Appends the current one. Of too many the own one and the newest stay.
pub fn append(chain: &mut Vec<String>, id: &str) {
    chain.retain(|known| known != id);
    chain.push(id.to_owned());
    while chain.len() > LONGEST {
        chain.remove(1);
    }
}
