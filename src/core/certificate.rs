//! Reads certificate signing requests.

mod error;
mod requested;

use std::collections::BTreeSet;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::core::names::Names;
use crate::core::pem;
use crate::core::signature::{self, KeyKind, SignatureError};
use crate::core::x509_name::{common_names, one_line};

use self::error::{LABEL, LONGEST_CSR};

pub use self::error::CsrError;

/// The longest text that is read for a CSR, in bytes; a cap before parsing bounds the work. What `openssl req -text`
/// writes of the largest request stays below.
const LONGEST_TEXT: usize = 128 * 1024;
/// How Microsoft's certreq writes it, and OpenSSL with -newhdr.
const OTHER_LABEL: &str = "NEW CERTIFICATE REQUEST";

/// A certificate signing request (PKCS #10) whose signature fits its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csr {
    /// Written anew from `der`.
    pem: String,
    der: Vec<u8>,
    request_info: Vec<u8>,
    public_key: Vec<u8>,
    common_name: Option<String>,
    dns_names: Vec<String>,
}

/// Why a CSR does not belong to an order.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CsrMismatch {
    /// No common name at all.
    #[error("the CSR has no common name; it must be {0}, as spec.commonName says")]
    NoCommonName(String),
    /// Another common name.
    #[error("the CSR's common name is {csr}, spec.commonName is {spec}; they must be equal")]
    CommonName {
        /// In the CSR.
        csr: String,
        /// In the order.
        spec: String,
    },
    /// A name that the order does not have.
    #[error("the CSR asks for {0}, which is neither spec.commonName nor in spec.dnsNames")]
    ExtraName(String),
}

impl Csr {
    /// Reads a CSR in PEM and checks its signature and its key.
    pub fn parse(text: &str) -> Result<Self, CsrError> {
        if text.len() > LONGEST_TEXT {
            return Err(CsrError::TooLarge);
        }
        let der = read_pem(text)?;
        let pem = pem::encode(LABEL, &der);
        if pem.len() > LONGEST_CSR {
            return Err(CsrError::TooLarge);
        }
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| CsrError::NotPkcs10)?;
        if !rest.is_empty() {
            return Err(CsrError::NotPkcs10);
        }
        check_key(&KeyKind::of(&request.certification_request_info.subject_pki))?;
        check_signature(&request)?;
        let common_name = common_name(&request)?;
        requested::check_subject(&request)?;
        let dns_names = requested::dns_names(&request)?;
        let request_info = request.certification_request_info.raw.to_vec();
        let public_key = request.certification_request_info.subject_pki.raw.to_vec();
        Ok(Self { pem, der, request_info, public_key, common_name, dns_names })
    }

    /// The request as PEM, written anew from its DER: nothing that stood around it, and lines of one length.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The request as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DNS names that it asks for, in its order and spelling.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// What is asked for, as DER, without the signature: subject, names and public key (PKCS #10,
    /// `CertificationRequestInfo`). Two requests of one key ask for the same although their ECDSA signatures differ.
    #[must_use]
    pub fn request_info(&self) -> &[u8] {
        &self.request_info
    }

    /// The public key as DER (X.509's `SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }

    /// Checks that the request is for these names. A CSR may hold fewer names than the order, since both clouds
    /// take the further names beside it; it must not hold others.
    pub fn check_names(&self, names: &Names) -> Result<(), CsrMismatch> {
        let spec = names.common_name().as_str();
        match &self.common_name {
            None => return Err(CsrMismatch::NoCommonName(spec.to_owned())),
            Some(csr) if !csr.eq_ignore_ascii_case(spec) => {
                return Err(CsrMismatch::CommonName { csr: csr.clone(), spec: spec.to_owned() });
            }
            Some(_) => {}
        }
        let wanted: BTreeSet<&str> = names.all();
        match self.dns_names.iter().find(|name| !wanted.contains(name.to_ascii_lowercase().as_str())) {
            Some(extra) => Err(CsrMismatch::ExtraName(extra.clone())),
            None => Ok(()),
        }
    }
}

/// What a request asks for, for comparison alone: as [`Csr::request_info`], also of a request that is refused. `None` if it
/// is no PEM of one.
#[must_use]
pub fn asked_for(text: &str) -> Option<Vec<u8>> {
    let der = read_pem(text).ok()?;
    let info = X509CertificationRequest::from_der(&der).ok().map(|(_, request)| request);
    Some(info.map_or_else(|| der.clone(), |request| request.certification_request_info.raw.to_vec()))
}

fn read_pem(text: &str) -> Result<Vec<u8>, CsrError> {
    let mut request = None;
    for block in pem::read(text)? {
        let is_request = matches!(block.label.as_str(), LABEL | OTHER_LABEL);
        if !is_request || request.is_some() {
            return Err(CsrError::OtherBlock(pem::shown_label(&block.label)));
        }
        request = Some(block.der.to_vec());
    }
    request.ok_or(CsrError::NotPem)
}

fn check_key(kind: &KeyKind) -> Result<(), CsrError> {
    match kind {
        KeyKind::Rsa(2048..=8192) | KeyKind::P256 | KeyKind::P384 => Ok(()),
        KeyKind::Rsa(..2048) => Err(CsrError::WeakKey(kind.name())),
        KeyKind::Rsa(_) | KeyKind::Other(_) => Err(CsrError::UnsupportedKey(kind.name())),
    }
}

fn check_signature(request: &X509CertificationRequest<'_>) -> Result<(), CsrError> {
    let info = &request.certification_request_info;
    let signature = &request.signature_value.data;
    signature::verify(&info.subject_pki, &request.signature_algorithm, signature, info.raw).map_err(|error| {
        match error {
            SignatureError::Wrong => CsrError::BadSignature,
            SignatureError::Unsupported(algorithm) => CsrError::UnsupportedSignature(algorithm),
        }
    })
}

fn common_name(request: &X509CertificationRequest<'_>) -> Result<Option<String>, CsrError> {
    let names: Option<Vec<String>> = common_names(&request.certification_request_info.subject).collect();
    match names.ok_or(CsrError::CommonName)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [one, other, ..] => Err(CsrError::SeveralCommonNames(one_line(one), one_line(other))),
    }
}

#[cfg(test)]
mod tests;
