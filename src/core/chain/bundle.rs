//! Issued certificates: puts a bundle in order and says what the leaf is good for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::core::chain::error::{ChainError, LONGEST_BUNDLE, MOST_CERTIFICATES};
use crate::core::chain::path::Certificates;
use crate::core::keypair::KeyPair;
use crate::core::names::Names;
use crate::core::pem::{self, PemError};
use crate::core::x509_name::printable;

/// How they are written.
const LABEL: &str = "CERTIFICATE";
/// How they were written before RFC 1422; OpenSSL reads it to this day.
const OTHER_LABEL: &str = "X509 CERTIFICATE";

/// A server certificate and the CA certificates between it and its root, each signed by the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// DER, the leaf first.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) root: Option<Vec<u8>>,
    pub(super) names: Vec<String>,
    pub(super) subject: String,
    pub(super) serial: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) public_key: Vec<u8>,
}

impl From<PemError> for ChainError {
    fn from(error: PemError) -> Self {
        if error == PemError::NoBlock { Self::NotPem } else { Self::BrokenPem(error) }
    }
}

/// Names of an order that its certificate does not cover.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the certificate does not cover {}; it covers {}", missing.join(", "), covered.join(", "))]
pub struct Uncovered {
    /// The order's names that are not covered.
    pub missing: Vec<String>,
    /// All names of the certificate.
    pub covered: Vec<String>,
}

impl Chain {
    /// Reads a PEM bundle in any order. Repeated certificates and roots, which every client has, are dropped. The
    /// dates are not judged: an expired certificate is read like any other.
    pub fn parse(bundle: &str) -> Result<Self, ChainError> {
        let blocks = read_pem(bundle)?;
        let all = blocks.iter().map(|(at, der)| read(*at, der)).collect::<Result<Vec<_>, _>>()?;
        let certificates = Certificates::new(&all);
        let path = certificates.path(certificates.leaf()?)?;
        let der = |at: &usize| blocks.get(*at).map(|(_, der)| der.clone());
        let Some(leaf) = path.certificates.first().and_then(|at| all.get(*at)) else {
            return Err(ChainError::NoLeaf);
        };
        Ok(Self {
            certificates: path.certificates.iter().filter_map(der).collect(),
            root: path.root.as_ref().and_then(der),
            names: dns_names(leaf),
            subject: printable(leaf.subject()),
            serial: serial(leaf),
            not_before: timestamp(leaf.validity().not_before),
            not_after: timestamp(leaf.validity().not_after),
            public_key: leaf.public_key().raw.to_vec(),
        })
    }

    /// PEM, the leaf first, without a root: `tls.crt`.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificates.iter().map(|der| pem_of(der)).collect()
    }

    /// The root in PEM, if the bundle had it: `ca.crt`.
    #[must_use]
    pub fn root_pem(&self) -> Option<String> {
        self.root.as_deref().map(pem_of)
    }

    /// The certificates as DER, the leaf first, without a root.
    pub fn ders(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.certificates.iter().map(Vec::as_slice)
    }

    /// The leaf's DNS names, in lower case and in its order. Clients look at nothing else, the common name included.
    #[must_use]
    pub fn leaf_names(&self) -> &[String] {
        &self.names
    }

    /// The leaf's subject, for people.
    #[must_use]
    pub fn leaf_subject(&self) -> &str {
        &self.subject
    }

    /// The leaf's serial number, in hexadecimal as `openssl x509 -serial` prints it.
    #[must_use]
    pub fn leaf_serial(&self) -> &str {
        &self.serial
    }

    /// Begin of the leaf's validity.
    #[must_use]
    pub fn leaf_not_before(&self) -> Timestamp {
        self.not_before
    }

    /// End of the leaf's validity.
    #[must_use]
    pub fn leaf_not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Checks that the leaf is good for every name. A wildcard in the leaf covers one label.
    pub fn covers(&self, names: &Names) -> Result<(), Uncovered> {
        let held: BTreeSet<&str> = self.names.iter().map(String::as_str).collect();
        let is_covered = |name: &str| {
            let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
            held.contains(name) || wildcard.is_some_and(|wildcard| held.contains(wildcard.as_str()))
        };
        let missing = names.all().into_iter().filter(|name| !is_covered(name));
        let missing: Vec<String> = missing.map(str::to_owned).collect();
        if missing.is_empty() { Ok(()) } else { Err(Uncovered { missing, covered: self.names.clone() }) }
    }

    /// Whether the leaf was issued for this key.
    #[must_use]
    pub fn matches(&self, key: &KeyPair) -> bool {
        self.public_key == key.public_key_der()
    }
}

/// The bundle's certificates as DER, each once, with the number of its block.
pub(super) fn read_pem(bundle: &str) -> Result<Vec<(usize, Vec<u8>)>, ChainError> {
    if bundle.len() > LONGEST_BUNDLE {
        return Err(ChainError::TooLarge);
    }
    let blocks = pem::read(bundle)?;
    if let Some(other) = blocks.iter().find(|block| !is_certificate(&block.label)) {
        return Err(ChainError::OtherBlock(pem::shown_label(&other.label)));
    }
    if blocks.len() > MOST_CERTIFICATES {
        return Err(ChainError::TooMany);
    }
    let mut certificates: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, block) in blocks.into_iter().enumerate() {
        if !certificates.iter().any(|(_, der)| *der == *block.der) {
            certificates.push((at + 1, block.der.to_vec()));
        }
    }
    Ok(certificates)
}

fn read(at: usize, der: &[u8]) -> Result<X509Certificate<'_>, ChainError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(ChainError::NotX509(at)),
    }
}

fn dns_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let extension = leaf.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    };
    names.iter().filter_map(dns).collect()
}

fn serial(leaf: &X509Certificate<'_>) -> String {
    match leaf.raw_serial() {
        // DER puts a zero before a number whose first bit is set.
        [0, digits @ ..] if !digits.is_empty() => hex::encode_upper(digits),
        digits => hex::encode_upper(digits),
    }
}

/// The year 9999, which stands for "never" (RFC 5280, 4.1.2.5), is past the last timestamp by some hours.
fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

/// The certificates of a text, each once, as DER. Other blocks are passed over: whoever asks wants to know how much of a
/// chain there is, and [`Chain::parse`] judges what is delivered.
pub fn certificates(text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    let blocks = pem::read(text)?.into_iter().filter(|block| is_certificate(&block.label));
    let mut once: Vec<Vec<u8>> = Vec::new();
    for block in blocks {
        if !once.iter().any(|der| *der == *block.der) {
            once.push(block.der.to_vec());
        }
    }
    Ok(once)
}

fn is_certificate(label: &str) -> bool {
    matches!(label, LABEL | OTHER_LABEL)
}

pub(super) fn pem_of(der: &[u8]) -> String {
    pem::encode(LABEL, der)
}
