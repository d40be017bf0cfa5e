//! What a bought product allows, as far as the cloud names the product.

use crate::api::v1alpha1::conditions::Reason;
use crate::core::conditions::Problem;
use crate::core::names::{DnsName, Names};
use crate::core::product::Product;

/// Why the product does not cover these names, in words that follow the text of [`unfit`].
#[must_use]
pub fn uncovered(product: &Product, names: &Names) -> Option<String> {
    too_many_names(product, names).or_else(|| wildcard(product, names))
}

/// The product does not fit the order.
#[must_use]
pub fn unfit(product: &Product, problem: &str) -> Problem {
    let name = product.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    Problem::new(Reason::InvalidRequest, format!("the paid certificate{name} {problem}"))
}

fn too_many_names(product: &Product, names: &Names) -> Option<String> {
    let (covered, wanted) = (product.names?, names.all().len());
    match covered {
        1 if wanted > 1 => {
            Some("covers one name: remove spec.dnsNames, or buy a multi-domain certificate".to_owned())
        }
        _ if wanted > usize::try_from(covered).unwrap_or(usize::MAX) => Some(format!(
            "covers {covered} names, and spec.commonName and spec.dnsNames are {wanted}: remove some"
        )),
        _ => None,
    }
}

fn wildcard(product: &Product, names: &Names) -> Option<String> {
    let name =
        std::iter::once(names.common_name()).chain(names.others()).find(|name| DnsName::is_wildcard(name))?;
    let refused = product.wildcard == Some(false);
    refused.then(|| {
        format!("covers no wildcard names such as {name}: name each host, or buy a wildcard certificate")
    })
}
