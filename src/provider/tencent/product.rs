//! What a bought product allows, as far as the cloud names the product.

use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::order::Product;
use crate::provider::product::{uncovered, unfit};

/// Checks that the product covers these names, and a person's application where it is one.
pub fn check(product: &Product, names: &Names, personal: bool) -> Result<(), Problem> {
    let problem = uncovered(product, names).or_else(|| person(product, personal));
    problem.map_or(Ok(()), |problem| Err(unfit(product, &problem)))
}

fn person(product: &Product, personal: bool) -> Option<String> {
    (personal && product.domain_validated == Some(false)).then(|| {
        "is for organizations: set companyType Company (or remove it) and spec.organizationProfileRef"
            .to_owned()
    })
}
