//! Why a bundle is not a chain.

use crate::core::pem::PemError;

/// The longest bundle that is read, in bytes. A leaf with a hundred names and three CAs are below 48 KiB.
pub(super) const LONGEST_BUNDLE: usize = 256 * 1024;
/// The most certificates that are read. Real chains have two to four.
pub(super) const MOST_CERTIFICATES: usize = 16;

/// Why a bundle is not the chain of one server certificate.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChainError {
    /// Too large to be one.
    #[error("the certificate bundle is larger than {LONGEST_BUNDLE} bytes")]
    TooLarge,
    /// Too many certificates.
    #[error("the certificate bundle holds more than {MOST_CERTIFICATES} certificates")]
    TooMany,
    /// No PEM.
    #[error(
        "the certificate bundle is not PEM: it must hold blocks that begin with -----BEGIN CERTIFICATE-----"
    )]
    NotPem,
    /// Not all of it, or broken.
    #[error("the certificate bundle is not PEM: {0}")]
    BrokenPem(PemError),
    /// A PEM block that is no certificate.
    #[error("the certificate bundle holds a block {0:?}; it must hold CERTIFICATE blocks only")]
    OtherBlock(String),
    /// Not X.509.
    #[error("block {0} of the certificate bundle does not hold an X.509 certificate")]
    NotX509(usize),
    /// CA certificates only.
    #[error("the certificate bundle holds no server certificate, only those of CAs")]
    NoLeaf,
    /// More than one certificate that is not a CA's.
    #[error("the certificate bundle holds two server certificates, {0} and {1}; it must hold one")]
    SeveralLeaves(String, String),
    /// A CA's certificate has the right name and the wrong key.
    #[error(
        "{certificate} names {issuer} as its issuer, but the signature is not from that certificate's key"
    )]
    BadSignature {
        /// Subject of the certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
    },
    /// A signature that nobody here can check.
    #[error(
        "{certificate} names {issuer} as its issuer and is signed with {algorithm}, which is not supported here, so \
         the chain cannot be checked"
    )]
    UnsupportedSignature {
        /// Subject of the certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
        /// How it is signed.
        algorithm: String,
    },
    /// A certificate that the leaf's chain does not lead to: another chain's, or one link is missing.
    #[error(
        "{unrelated} is not part of the chain of the server certificate, which ends at {last}: a certificate of its \
         issuer, {missing}, is not in the bundle"
    )]
    Unrelated {
        /// Subject of the certificate that has no place.
        unrelated: String,
        /// Subject of the last certificate that has one.
        last: String,
        /// Issuer of that.
        missing: String,
    },
}
