//! `ReplaceCertificate`: has an issued certificate reissued, under a new id.

use serde_json::json;
use x509_parser::{prelude::FromDer, public_key::PublicKey, x509::SubjectPublicKeyInfo};

use super::action::Action;
use crate::cloud::{
    Answer,
    csr::Csr,
    params::{Kind, Param, Params, optional, required},
};
use crate::tencent::{
    certificate::Certificate,
    error::Refusal,
    invocation::Invocation,
    options::Side,
    reissue::{self, NewKey, Request},
};

pub(super) const ACTION: Action = Action {
    name: "ReplaceCertificate",
    params: &[
        required("CertificateId", Kind::String),
        required("ValidType", Kind::String),
        optional("CsrType", Kind::String),
        optional("CsrContent", Kind::String),
        // The spelling is that of the API.
        optional("CsrkeyPassword", Kind::String),
        optional("Reason", Kind::String),
        optional("CertCSREncryptAlgo", Kind::String),
        optional("CertCSRKeyParameter", Kind::String),
    ],
    run,
};

/// What only the China site declares.
pub(super) const CHINA: &[Param] =
    &[optional("SignAlgo", Kind::String), optional("UseCrossSignRoot", Kind::Boolean)];

/// The names and the applicant stay those of the certificate.
///
/// Inferred: the order of these checks.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let verify_type = verify_type(call.params)?;
    let certificate = call.certificate("CertificateId")?;
    call.check_identity()?;
    reissue::check(call.state, &call.options.reissue, certificate, call.now)?;
    let key = key(call.params, certificate)?;
    let old_id = certificate.id.clone();
    let (request, options) = (Request { verify_type, key }, call.options);
    let rules = &options.reissue;
    let new_id = reissue::start(call.state, &old_id, &request, &rules.links, options, call.now)
        .ok_or_else(Refusal::certificate_not_found)?;
    let logged = if rules.logged_for == Side::Old { &old_id } else { &new_id };
    call.log(logged, ACTION.name, "replace");
    Ok(Answer::wrote(json!({ "CertificateId": new_id })))
}

fn verify_type(params: &Params) -> Result<String, Refusal> {
    match params.text("ValidType") {
        Some(kind @ ("DNS" | "FILE" | "DNS_AUTO")) => Ok(kind.to_owned()),
        other => Err(Refusal::invalid_value("ValidType", other.unwrap_or_default())),
    }
}

/// Inferred: that the values are those in lower case only, and that a CSR which is not asked for is refused.
fn key(params: &Params, certificate: &Certificate) -> Result<NewKey, Refusal> {
    let kind = params.text("CsrType").unwrap_or("original");
    if kind != "upload" && params.text("CsrContent").is_some() {
        return Err(Refusal::invalid_param("CsrContent is for the CsrType upload only."));
    }
    match kind {
        "original" => Ok(NewKey::Original),
        "upload" => uploaded_key(params, certificate),
        "online" => made_key(params, certificate),
        other => Err(Refusal::invalid_value("CsrType", other)),
    }
}

/// Inferred: the codes, and that the common name has to be that of the certificate. No CSR with an SM2 key can be read
/// here.
fn uploaded_key(params: &Params, certificate: &Certificate) -> Result<NewKey, Refusal> {
    let pem = params.text("CsrContent");
    let pem = pem.ok_or_else(|| Refusal::invalid_param("CsrContent is required for the CsrType upload."))?;
    if certificate.product.is_sm2() {
        return Err(Refusal::invalid_algorithm());
    }
    let csr = Csr::parse(pem).map_err(Refusal::invalid_param)?;
    let name = certificate.names().first().copied().unwrap_or_default();
    if !csr.common_name.is_some_and(|common_name| common_name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::invalid_param(format!("The common name of the CSR is not {name}.")));
    }
    if certificate.product.is_free() && !is_rsa_2048(&csr.public_key) {
        return Err(Refusal::invalid_algorithm());
    }
    Ok(NewKey::Csr(pem.to_owned()))
}

fn is_rsa_2048(public_key: &[u8]) -> bool {
    let info = SubjectPublicKeyInfo::from_der(public_key).ok();
    let key = info.as_ref().and_then(|(_, info)| info.parsed().ok());
    matches!(key, Some(PublicKey::RSA(key)) if key.key_size() == 2048)
}

/// A free certificate has a key of RSA 2048 only.
///
/// Inferred: that an SM2 product takes SM2 only, and no other product does.
fn made_key(params: &Params, certificate: &Certificate) -> Result<NewKey, Refusal> {
    let sm2 = certificate.product.is_sm2();
    let algorithm = params.text("CertCSREncryptAlgo").unwrap_or(if sm2 { "SM2" } else { "RSA" });
    let default = match algorithm {
        "RSA" => "2048",
        "ECC" => "prime256v1",
        _ => "",
    };
    let parameter = params.text("CertCSRKeyParameter").unwrap_or(default);
    let fits = match (algorithm, parameter) {
        ("SM2", "") => sm2,
        ("RSA", "2048") => !sm2,
        ("RSA", "4096") | ("ECC", "prime256v1" | "secp384r1") => !sm2 && !certificate.product.is_free(),
        _ => false,
    };
    let made = || NewKey::Made { algorithm: algorithm.to_owned(), parameter: parameter.to_owned() };
    fits.then(made).ok_or_else(Refusal::invalid_algorithm)
}
