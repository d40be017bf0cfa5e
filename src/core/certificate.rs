//! Reads certificate signing requests.

use std::collections::BTreeSet;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::core::names::Names;

/// The longest CSR that is read, in bytes; a cap before parsing bounds the work. Real ones are below 4 KiB, and the
/// largest order, 101 names of 253 characters, needs 36 KiB.
const LONGEST_CSR: usize = 48 * 1024;

/// A certificate signing request (PKCS #10) whose signature fits its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csr {
    pem: String,
    der: Vec<u8>,
    request_info: Vec<u8>,
    common_name: Option<String>,
    dns_names: Vec<String>,
}

/// Why a text is not a usable CSR.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CsrError {
    /// Too large to be one.
    #[error("the CSR is larger than {LONGEST_CSR} bytes")]
    TooLarge,
    /// No PEM block with the right label.
    #[error("the CSR is not PEM: it must be one block that begins with -----BEGIN CERTIFICATE REQUEST-----")]
    NotPem,
    /// Not PKCS #10.
    #[error("the CSR's PEM block does not hold a PKCS #10 request; make it anew with openssl req -new")]
    NotPkcs10,
    /// The proof of possession is wrong.
    #[error("the CSR's signature does not fit its public key; make it anew with openssl req -new")]
    BadSignature,
    /// The key is of a kind or size that no public CA takes.
    #[error("the CSR's key is {0}; public CAs take RSA of 2048 bits or more, and ECDSA on P-256 or P-384")]
    WeakKey(String),
    /// A name that is not a DNS name.
    #[error("the CSR asks for {0:?}, which is not a DNS name")]
    NotDns(String),
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
    pub fn parse(pem: &str) -> Result<Self, CsrError> {
        if pem.len() > LONGEST_CSR {
            return Err(CsrError::TooLarge);
        }
        let der = read_pem(pem)?;
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| CsrError::NotPkcs10)?;
        if !rest.is_empty() {
            return Err(CsrError::NotPkcs10);
        }
        let key = &request.certification_request_info.subject_pki;
        check_key(&key.parsed().map_err(|_| CsrError::NotPkcs10)?)?;
        request.verify_signature().map_err(|_| CsrError::BadSignature)?;
        let subject = &request.certification_request_info.subject;
        let common_name =
            subject.iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned);
        let dns_names = dns_names(&request)?;
        let request_info = request.certification_request_info.raw.to_vec();
        Ok(Self { pem: pem.trim().to_owned() + "\n", der, request_info, common_name, dns_names })
    }

    /// The request as PEM, as the user wrote it.
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

fn read_pem(text: &str) -> Result<Vec<u8>, CsrError> {
    let mut blocks = x509_parser::pem::Pem::iter_from_buffer(text.as_bytes());
    let block = blocks.next().ok_or(CsrError::NotPem)?.map_err(|_| CsrError::NotPem)?;
    let only_one = blocks.next().is_none();
    let right_label = matches!(block.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST");
    if only_one && right_label { Ok(block.contents) } else { Err(CsrError::NotPem) }
}

fn check_key(key: &PublicKey<'_>) -> Result<(), CsrError> {
    match key {
        PublicKey::RSA(rsa) if rsa.key_size() >= 2048 => Ok(()),
        PublicKey::EC(point) if matches!(point.key_size(), 256 | 384) => Ok(()),
        PublicKey::RSA(rsa) => Err(CsrError::WeakKey(format!("RSA of {} bits", rsa.key_size()))),
        PublicKey::EC(point) => Err(CsrError::WeakKey(format!("ECDSA of {} bits", point.key_size()))),
        _ => Err(CsrError::WeakKey("neither RSA nor ECDSA".to_owned())),
    }
}

fn dns_names(request: &X509CertificationRequest<'_>) -> Result<Vec<String>, CsrError> {
    let mut names = Vec::new();
    for extension in request.requested_extensions().into_iter().flatten() {
        let ParsedExtension::SubjectAlternativeName(san) = extension else { continue };
        for name in &san.general_names {
            match name {
                GeneralName::DNSName(dns) => names.push((*dns).to_owned()),
                other => return Err(CsrError::NotDns(other.to_string())),
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn csr(common_name: Option<&str>, names: &[&str]) -> String {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "示例科技有限公司");
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
    }

    fn names() -> Names {
        Names::parse("www.acme.example", &["api.acme.example".to_owned()]).unwrap()
    }

    #[test]
    fn a_csr_for_the_orders_names_is_accepted() {
        for names_in_csr in [&["www.acme.example", "api.acme.example"][..], &["WWW.acme.example"], &[]] {
            let csr = Csr::parse(&csr(Some("www.acme.example"), names_in_csr)).unwrap();
            assert_eq!(csr.check_names(&names()), Ok(()));
        }
    }

    #[test]
    fn a_csr_for_other_names_is_refused() {
        let cases = [
            (csr(None, &[]), "the CSR has no common name; it must be www.acme.example"),
            (csr(Some("acme.example"), &[]), "the CSR's common name is acme.example, spec.commonName is www"),
            (csr(Some("www.acme.example"), &["other.example"]), "the CSR asks for other.example"),
        ];
        for (pem, message) in cases {
            let error = Csr::parse(&pem).unwrap().check_names(&names()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn what_is_no_csr_is_refused_with_the_reason() {
        let good = csr(Some("www.acme.example"), &[]);
        let flipped = {
            let mut der = Csr::parse(&good).unwrap().der().to_vec();
            *der.last_mut().unwrap() ^= 1;
            pem_of(&der)
        };
        let cases = [
            (String::new(), CsrError::NotPem),
            ("x".repeat(LONGEST_CSR + 1), CsrError::TooLarge),
            (good.replace("CERTIFICATE REQUEST", "CERTIFICATE"), CsrError::NotPem),
            (format!("{good}{good}"), CsrError::NotPem),
            (pem_of(b"nonsense"), CsrError::NotPkcs10),
            (flipped, CsrError::BadSignature),
        ];
        for (text, error) in cases {
            assert_eq!(Csr::parse(&text), Err(error));
        }
    }

    fn pem_of(der: &[u8]) -> String {
        pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der))
    }
}
