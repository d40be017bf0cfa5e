//! The names of the certificate: their format, and what the product covers.

use crate::cloud::{names::is_domain, params::Params};
use crate::tencent::{error::Refusal, product::Product};

pub(super) fn check(params: &Params, product: Product, domain_number: usize) -> Result<(), Refusal> {
    let common_name = params.text("CertCommonName").unwrap_or_default();
    let others = params.texts("DnsNames");
    for name in [common_name].into_iter().chain(others.iter().copied()) {
        if !is_domain(name) || !product.coverage.allows(name) {
            return Err(bad_domain(name));
        }
    }
    if product.coverage.several_names() {
        check_several(common_name, &others, domain_number)
    } else if others.is_empty() {
        Ok(())
    } else {
        // Inferred: the documents say only that there is no need to send them.
        Err(Refusal::invalid_param("DnsNames is for multi-domain and multi-wildcard certificates only."))
    }
}

/// Inferred: the code for each of these, and that the number of names counts the common name.
fn check_several(common_name: &str, others: &[&str], domain_number: usize) -> Result<(), Refusal> {
    if others.is_empty() {
        return Err(Refusal::invalid_param("DnsNames is required for this certificate."));
    }
    let mut all = vec![common_name.to_ascii_lowercase()];
    for name in others {
        let name = name.to_ascii_lowercase();
        if all.contains(&name) {
            return Err(Refusal::invalid_param(format!("The domain name {name} is given twice.")));
        }
        all.push(name);
    }
    if all.len() > domain_number {
        return Err(Refusal::invalid_param(format!("The certificate covers {domain_number} domain names.")));
    }
    Ok(())
}

fn bad_domain(name: &str) -> Refusal {
    let message = format!("The input domain name {name} is in incorrect format. Please check and resubmit.");
    Refusal::new("FailedOperation.CertificateInfoSubmitDomainInvalid", message)
}
