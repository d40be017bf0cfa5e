//! The names of the certificate: their format, what the product covers, and how control of them is proven.

use std::net::IpAddr;

use super::params::wanted;
use crate::{
    cloud::{Coverage, names::is_domain, params::Params},
    huawei::{certificate::Certificate, error::Refusal, product::Product},
};

pub(super) fn check(params: &Params, certificate: &Certificate) -> Result<(), Refusal> {
    let domain = wanted(params, "domain")?;
    let others: Vec<&str> = params.text("sans").into_iter().flat_map(|sans| sans.split(';')).collect();
    let all: Vec<&str> = [domain].into_iter().chain(others.iter().copied()).collect();
    let coverage = certificate.product.coverage;
    let misfit = |name: &&&str| !is_name(name) || !coverage.allows(name);
    if let Some(name) = all.iter().find(misfit) {
        return Err(Refusal::bad_domain(format!("{name} does not fit the certificate.")));
    }
    if !coverage.several_names() && !others.is_empty() {
        return Err(Refusal::bad_domain("sans is for multi-domain certificates only."));
    }
    if coverage == Coverage::MultiWildcard && is_wildcard(domain) != certificate.primary_is_wildcard {
        return Err(Refusal::bad_domain("The primary domain name does not fit the certificate."));
    }
    check_numbers(&all, certificate)?;
    check_method(wanted(params, "domain_method")?, &all, certificate.product)
}

/// A name in Punycode, or an address.
///
/// Inferred: that an address may be among the names of every product without wildcards.
fn is_name(name: &str) -> bool {
    is_domain(name) || is_address(name)
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

fn is_wildcard(name: &str) -> bool {
    name.starts_with("*.")
}

/// Inferred: that fewer names than were bought are taken, and that a name may not come twice.
fn check_numbers(all: &[&str], certificate: &Certificate) -> Result<(), Refusal> {
    let mut distinct: Vec<String> = all.iter().map(|name| name.to_ascii_lowercase()).collect();
    distinct.sort();
    distinct.dedup();
    if distinct.len() < all.len() {
        return Err(Refusal::bad_domain("A domain name is given twice."));
    }
    let Certificate { domain_count, wildcard_count, .. } = *certificate;
    let wildcards = all.iter().filter(|name| is_wildcard(name)).count();
    if wildcards > wildcard_count || all.len() - wildcards > domain_count.saturating_sub(wildcard_count) {
        let detail = format!(
            "The certificate covers {domain_count} domain names, {wildcard_count} of them with a wildcard."
        );
        return Err(Refusal::bad_domain(detail));
    }
    Ok(())
}

/// Files prove addresses, and nothing else does. Mail is for OV and EV.
///
/// Inferred: the code, that names and addresses together count as names, and that lower case passes: one of the
/// vendor's own acceptance tests sends it.
fn check_method(method: &str, all: &[&str], product: Product) -> Result<(), Refusal> {
    let addresses_only = all.iter().all(|name| is_address(name));
    let fits = match method.to_ascii_uppercase().as_str() {
        "FILE" => addresses_only,
        "DNS" => !addresses_only,
        "EMAIL" => !addresses_only && !product.is_dv(),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::bad_parameter(format!("domain_method {method} is not possible.")))
    }
}
