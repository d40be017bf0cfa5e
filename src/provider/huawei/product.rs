//! What a bought product is and what it allows, as far as `show` names it.

use crate::api::v1alpha1::CaHashAlgorithm;
use crate::core::application::{Application, Organization, ValidationMethod};
use crate::core::conditions::Problem;
use crate::core::product::{Algorithms, Product};
use crate::provider::product::{uncovered, unfit};

use super::wire::Certificate;

/// The brand and the type of the products whose CA needs a hash algorithm (the page on `apply`).
const WANTS_HASH: (&str, &str) = ("GEOTRUST", "OV_SSL_CERT");

/// The product, as `show` reports it.
#[must_use]
pub fn product(certificate: &Certificate) -> Product {
    let type_ = certificate.type_.as_deref();
    let names = [certificate.brand.as_deref(), type_].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u32>().ok());
    let (count, wildcards) = (number(&certificate.domain_count), number(&certificate.wildcard_count));
    let domain_type = certificate.domain_type.as_deref();
    Product {
        name: Some(names.clone()).filter(|name| !name.is_empty()),
        domain_validated: type_.and_then(is_domain_validated),
        wildcard: match domain_type {
            Some("WILDCARD") => Some(true),
            Some("SINGLE_DOMAIN") => Some(false),
            Some("MULTI_DOMAIN") => wildcards.map(|wildcards| wildcards > 0),
            _ => None,
        },
        // The page does not say whether the count of names includes the wildcard names. The higher count is safe: the
        // cloud refuses a name too many without any effect, while the lower count could refuse a valid order.
        names: match domain_type {
            Some("WILDCARD" | "SINGLE_DOMAIN") => Some(1),
            _ => count
                .filter(|count| *count > 0)
                .map(|count| count.saturating_add(wildcards.unwrap_or_default())),
        },
        algorithms: algorithms(&names, certificate.signature_algorithm.as_deref()),
        // This cloud saves no profiles, so there is no review to skip.
        level: None,
        automatic_review: None,
    }
}

/// The algorithms are chosen with the purchase: RSA and ECC, or SM2. Of `show`, only `signature_algorithm` is about them.
///
/// Inferred: that it names the product's algorithms before the certificate is issued, as `SM3withSM2` or with the word
/// `SM2`; the page lists no values. A brand or type with that word counts too. The brand alone does not: CFCA sells both.
fn algorithms(product: &str, signature: Option<&str>) -> Option<Algorithms> {
    let told = [Some(product), signature].into_iter().flatten().filter_map(Algorithms::named_in);
    told.max_by_key(|algorithms| *algorithms == Algorithms::Sm2)
}

/// Types are `DV_SSL_CERT`, `OV_SSL_CERT`, `EV_SSL_CERT` and what is added to these.
fn is_domain_validated(type_: &str) -> Option<bool> {
    match type_.split('_').next() {
        Some("DV") => Some(true),
        Some("OV" | "EV") => Some(false),
        _ => None,
    }
}

/// Checks what the product allows and requires, except for the data of the organisation.
pub fn check(product: &Product, application: &Application) -> Result<(), Problem> {
    let problem = uncovered(product, &application.names).or_else(|| mail(product, application.validation));
    problem.map_or(Ok(()), |problem| Err(unfit(product, &problem)))
}

/// Control of the names of a DV product is shown by DNS (the user guide; the page on `apply` says "by default").
fn mail(product: &Product, validation: ValidationMethod) -> Option<String> {
    let refused = product.domain_validated == Some(true) && validation == ValidationMethod::Email;
    refused.then(|| {
        "is of the type DV, which is not validated by e-mail: set spec.validation.method to DNS".to_owned()
    })
}

/// The hash algorithm of the CA's signature: the one that the user names, or else `DEFAULT` where the product needs one.
///
/// Inferred: that `DEFAULT`, which the page lists without a word, leaves the choice to the CA. If it did not, the cloud
/// would refuse it before anything happens.
#[must_use]
pub fn hash_algorithm(product: Option<&Product>, named: Option<CaHashAlgorithm>) -> Option<CaHashAlgorithm> {
    named.or_else(|| product.is_some_and(wants_hash).then_some(CaHashAlgorithm::Default))
}

fn wants_hash(product: &Product) -> bool {
    let names = product.name.as_deref().and_then(|name| name.split_once(' '));
    names.is_some_and(|(brand, type_)| brand == WANTS_HASH.0 && type_.starts_with(WANTS_HASH.1))
}

/// The missing data that an OV or EV product requires, by their paths in the profile.
#[must_use]
pub fn missing(product: Option<&Product>, organization: Option<&Organization>) -> Vec<String> {
    if product.and_then(|product| product.domain_validated) != Some(false) {
        return Vec::new();
    }
    let Some(Organization { name, region, city, country, .. }) = organization else {
        return vec!["spec.organization".to_owned()];
    };
    let fields = [("name", name), ("region", region), ("city", city), ("country", country)];
    let is_blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
    let blank = fields.into_iter().filter(|(_, text)| is_blank(text));
    blank.map(|(field, _)| format!("spec.organization.{field}")).collect()
}
