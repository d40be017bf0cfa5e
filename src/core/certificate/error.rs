//! Why a signing request is refused.

use crate::core::pem::PemError;

/// The longest CSR, in bytes of its PEM. Real ones are below 4 KiB, and the largest order, 101 names of 253 characters,
/// needs 36 KiB.
pub(super) const LONGEST_CSR: usize = 48 * 1024;
/// How it is written.
pub(super) const LABEL: &str = "CERTIFICATE REQUEST";

/// Why a text is not a usable CSR.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CsrError {
    /// Too large to be one.
    #[error("the CSR is larger than {LONGEST_CSR} bytes")]
    TooLarge,
    /// No PEM.
    #[error("the CSR is not PEM: it must be one block that begins with -----BEGIN {LABEL}-----")]
    NotPem,
    /// Not all of it, or broken.
    #[error("the CSR is not PEM: {0}")]
    BrokenPem(PemError),
    /// Something else beside it, or in its place.
    #[error("the CSR must be exactly one block {LABEL}, and there is a block {0}: leave that out{hint}", hint = hint(.0))]
    OtherBlock(String),
    /// Not PKCS #10.
    #[error("the CSR's PEM block does not hold a PKCS #10 request; make it anew with openssl req -new")]
    NotPkcs10,
    /// The proof of possession is wrong.
    #[error("the CSR's signature does not fit its public key; make it anew with openssl req -new")]
    BadSignature,
    /// The proof of possession cannot be checked.
    #[error(
        "the CSR is signed with {0}, which is not supported here; sign it with SHA-256 (openssl req -new -sha256)"
    )]
    UnsupportedSignature(String),
    /// The key is of a size that no public CA takes.
    #[error("the CSR's key is {0}; public CAs take RSA of 2048 bits or more, and ECDSA on P-256 or P-384")]
    WeakKey(String),
    /// The key is of a kind that is not supported.
    #[error(
        "the CSR's key is {0}, which is not supported here; use RSA of 2048 to 8192 bits, or ECDSA on P-256 or P-384"
    )]
    UnsupportedKey(String),
    /// A common name that is no text.
    #[error(
        "the CSR's common name is not a text of its string type; make it anew with openssl req -new -utf8"
    )]
    CommonName,
    /// More than one common name: which of them the CA would take is open.
    #[error("the CSR has the common names {0} and {1}; it must have one")]
    SeveralCommonNames(String, String),
    /// A name that is not a DNS name.
    #[error("the CSR asks for {0:?}, which is not a DNS name")]
    NotDns(String),
    /// Names that cannot be read.
    #[error(
        "the names that the CSR asks for (subjectAltName) cannot be read; make it anew with openssl req -new"
    )]
    Names,
    /// More than one request for extensions: which of them the CA would take is open.
    #[error(
        "the CSR asks for extensions more than once; make it anew with one list of them (openssl req -new)"
    )]
    SeveralRequests,
    /// An attribute that is not known here.
    #[error(
        "the CSR has the attribute {0}, which is not known here and could ask for further names; make it anew without it"
    )]
    Attribute(String),
    /// An extension that is not known here, or that is there twice.
    #[error(
        "the CSR asks for the extension {0}, which is not known here or is there twice, and could ask for further names; \
         make it anew without it"
    )]
    Extension(String),
    /// A part of the subject that is not known here.
    #[error(
        "the CSR's subject has {0}, which is not known here and could be another name; make it anew without it"
    )]
    Subject(String),
    /// It is for a CA.
    #[error("the CSR asks for a certificate of a CA (basicConstraints); make it anew without that")]
    Authority,
}

impl From<PemError> for CsrError {
    fn from(error: PemError) -> Self {
        if error == PemError::NoBlock { Self::NotPem } else { Self::BrokenPem(error) }
    }
}

fn hint(label: &str) -> &'static str {
    if label.ends_with("PRIVATE KEY") { ", since a private key does not belong here" } else { "" }
}
