//! Where the key comes from: the caller's own behind a CSR, or made by the cloud.

use crate::{
    cloud::{csr::Csr, params::Params},
    huawei::{error::Refusal, lifecycle::KEY_ALGORITHMS, product::Product},
};

pub(super) fn check(params: &Params, product: Product) -> Result<(), Refusal> {
    if product.is_sm2 {
        check_sm2(params)?;
    } else {
        check_csr(params)?;
        check_algorithm(params)?;
    }
    // Inferred: that DEFAULT, which the page lists and does not explain, leaves the choice to the CA.
    match params.text("ca_hash_algorithm") {
        Some("DEFAULT" | "SHA-256") => Ok(()),
        None if !product.needs_hash_algorithm() => Ok(()),
        None => Err(Refusal::bad_parameter("ca_hash_algorithm is required.")),
        Some(other) => Err(Refusal::bad_parameter(format!("ca_hash_algorithm {other} is not supported."))),
    }
}

/// Inferred: beside a CSR the field is checked but means nothing.
fn check_algorithm(params: &Params) -> Result<(), Refusal> {
    let known = |name: &str| KEY_ALGORITHMS.iter().any(|(known, _)| *known == name);
    match params.text("key_algorithm").filter(|name| !known(name)) {
        Some(name) => Err(Refusal::bad_parameter(format!("key_algorithm {name} is not supported."))),
        None => Ok(()),
    }
}

/// The user guide: for an SM2 product the key algorithm must be SM2.
///
/// Inferred: the codes. No CSR with an SM2 key can be read here, so an SM2 product takes none.
fn check_sm2(params: &Params) -> Result<(), Refusal> {
    if params.text("csr").is_some() {
        return Err(Refusal::scm("SCM.0006", "The key of the CSR is not SM2."));
    }
    match params.text("key_algorithm") {
        Some("SM2") => Ok(()),
        _ => Err(Refusal::bad_parameter("key_algorithm must be SM2.")),
    }
}

/// A CSR without a common name passes: the documents say that the authority refuses it later.
///
/// Inferred: the codes; several are documented for what cannot be parsed.
fn check_csr(params: &Params) -> Result<(), Refusal> {
    let Some(pem) = params.text("csr") else { return Ok(()) };
    let csr = Csr::parse(pem).map_err(|flaw| Refusal::scm("SCM.0006", flaw))?;
    let domain = params.text("domain").unwrap_or_default();
    match csr.common_name {
        Some(name) if !name.eq_ignore_ascii_case(domain) => {
            let detail = format!("The common name of the CSR, {name}, differs from domain.");
            Err(Refusal::bad_parameter(detail))
        }
        _ => Ok(()),
    }
}
