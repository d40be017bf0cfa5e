//! Where the key comes from: made by the cloud (`online`), or the caller's own behind a CSR (`parse`).

use crate::{
    cloud::{csr::Csr, params::Params},
    tencent::{error::Refusal, product::Product},
};

pub(super) fn check(params: &Params, product: Product) -> Result<(), Refusal> {
    match params.text("GenCsrType") {
        Some("online") => check_online(params),
        // Inferred: the code. No CSR with an SM2 key can be read here, so an SM2 product takes none.
        Some("parse") if product.is_sm2() => Err(Refusal::invalid_algorithm()),
        Some("parse") => check_csr(params),
        _ => Err(Refusal::invalid_value("GenCsrType", "")),
    }
}

/// Inferred: both key fields are demanded, as their texts say, though the same text gives `CsrEncryptAlgo` a default;
/// and that for an SM2 product, too, they have the documented values, RSA and ECC, which then mean nothing.
fn check_online(params: &Params) -> Result<(), Refusal> {
    let wanted = |name| {
        let missing = || Refusal::invalid_param(format!("{name} is required when GenCsrType is online."));
        params.text(name).ok_or_else(missing)
    };
    match (wanted("CsrEncryptAlgo")?, wanted("CsrKeyParameter")?) {
        ("RSA", "2048" | "4096") | ("ECC", "prime256v1") => Ok(()),
        _ => Err(Refusal::invalid_algorithm()),
    }
}

fn check_csr(params: &Params) -> Result<(), Refusal> {
    let pem = params
        .text("Csr")
        .ok_or_else(|| Refusal::invalid_param("Csr is required when GenCsrType is parse."))?;
    let csr = Csr::parse(pem).map_err(Refusal::invalid_param)?;
    let csr_name = csr.common_name.ok_or_else(|| Refusal::invalid_param("The CSR has no common name."))?;
    let common_name = params.text("CertCommonName").unwrap_or_default();
    if csr_name.eq_ignore_ascii_case(common_name) {
        return Ok(());
    }
    let detail = format!("The common name of the CSR, {csr_name}, differs from CertCommonName.");
    Err(Refusal::invalid_param(detail))
}
