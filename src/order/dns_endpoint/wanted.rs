//! Whether an order is to have a `DNSEndpoint` now. Pure.

use crate::api::v1alpha1::Mode;
use crate::core::observation::Stage;
use crate::order::dns_endpoint::records::{Selection, select};
use crate::order::facts::Facts;

/// What is to be done with the `DNSEndpoint` of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// It stays as it is, whatever that is: nothing is known, or the order is left alone.
    AsItIs,
    /// There is to be none.
    Nothing,
    /// It is to hold these records.
    Records(Selection),
}

/// What is to be done with the `DNSEndpoint` of an order, by what is known of it.
#[must_use]
pub fn wanted(facts: &Facts<'_>) -> Wanted {
    let deleting = facts.order.metadata.deletion_timestamp.is_some();
    let (Some(Ok(seen)), Ok(names)) = (facts.observed, facts.names) else { return Wanted::AsItIs };
    let is_ours = facts.ours().is_some();
    // It goes with the order. The CA may still want a proof before it revokes.
    if facts.order.spec.suspend || (deleting && seen.stage != Stage::Revoking) {
        return Wanted::AsItIs;
    }
    if !facts.order.spec.validation.dns_endpoint || facts.is_stopped_by_another_application() {
        return Wanted::Nothing;
    }
    match seen.stage {
        // The records of an application that is not this order's are none of its business, and a plan changes nothing.
        Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter | Stage::Issuing | Stage::Revoking
            if !is_ours || seen.records.is_empty() || facts.order.spec.mode == Mode::Plan =>
        {
            Wanted::AsItIs
        }
        // A CA may look once more before it issues.
        Stage::Validating | Stage::Reviewing | Stage::AwaitingLetter | Stage::Issuing | Stage::Revoking => {
            Wanted::Records(select(&seen.records, names))
        }
        Stage::AwaitingInformation if facts.ours().is_some_and(|ours| facts.may_not_show_the_order(ours)) => {
            Wanted::AsItIs
        }
        Stage::Managed | Stage::Unrecognised => Wanted::AsItIs,
        Stage::AwaitingInformation
        | Stage::Issued
        | Stage::Rejected
        | Stage::Cancelling
        | Stage::Cancelled
        | Stage::AwaitingRevocationLetter
        | Stage::Revoked
        | Stage::Expired
        | Stage::Refunded => Wanted::Nothing,
    }
}
