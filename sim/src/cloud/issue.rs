//! What the authority delivers, and why it cannot.

use std::fmt;

use jiff::Timestamp;
use rcgen::{KeyPair, SubjectPublicKeyInfo};
use secrecy::{ExposeSecret, SecretString};

use super::{
    ca::{Authority, KeyKind, Leaf, make_key},
    csr::Csr,
    moves::UnknownCertificate,
    shape::Shape,
};

/// What the authority delivered.
#[derive(Clone)]
pub struct Issued {
    /// The leaf, PEM.
    pub leaf: String,
    /// The certificates of CAs that come with it, PEM, from the leaf's issuer up.
    pub authorities: Vec<String>,
    /// How it is handed over.
    pub shape: Shape,
    /// The private key, PEM, where the cloud made it.
    pub private_key: Option<SecretString>,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
}

impl Issued {
    /// The leaf and what comes with it, PEM.
    pub(crate) fn chain(&self) -> String {
        let all: Vec<_> = std::iter::once(&self.leaf).chain(&self.authorities).map(String::as_str).collect();
        self.shape.write(&all)
    }

    /// What the field has that is for all of it.
    pub(crate) fn entire(&self) -> String {
        if self.shape == Shape::Apart { self.leaf.clone() } else { self.chain() }
    }

    /// What comes with the leaf, PEM.
    pub(crate) fn rest(&self) -> String {
        let all: Vec<_> = self.authorities.iter().map(String::as_str).collect();
        self.shape.write(&all)
    }

    /// The private key, PEM, where the cloud made it.
    #[must_use]
    pub fn private_key_pem(&self) -> Option<&str> {
        self.private_key.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { not_before, not_after, .. } = self;
        f.debug_struct("Issued")
            .field("not_before", not_before)
            .field("not_after", not_after)
            .finish_non_exhaustive()
    }
}

/// Why the authority could not issue a certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is no such certificate.
    #[error(transparent)]
    Unknown(#[from] UnknownCertificate),
    /// Nothing was submitted for it.
    #[error("certificate {0} has no application; submit one first")]
    NothingSubmitted(String),
    /// Its CSR does not hold a usable key.
    #[error("the stored CSR is not usable: {0}")]
    Csr(&'static str),
    /// A key or signature could not be made.
    #[error("the simulated authority could not sign")]
    Sign(#[from] rcgen::Error),
}

/// What an application asks for.
pub(crate) struct Wanted<'a> {
    /// All names, the common name first.
    pub(crate) names: &'a [&'a str],
    /// The vetted organisation, for OV and EV.
    pub(crate) organization: Option<&'a str>,
    pub(crate) key: KeySource<'a>,
    pub(crate) shape: Shape,
    /// The last moment of its validity.
    pub(crate) ends: Timestamp,
}

/// Where the key comes from.
pub(crate) enum KeySource<'a> {
    /// It is the caller's own, behind this CSR.
    Csr(&'a str),
    /// The cloud makes it.
    Made(KeyKind),
    /// The cloud made it before: PEM.
    Kept(&'a SecretString),
}

impl Authority {
    /// Signs what an application asks for: with the caller's key behind a CSR, or with a key that the cloud makes.
    pub(crate) fn issue(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<Issued, IssueError> {
        let Wanted { names, organization, ref key, shape, ends: not_after } = *wanted;
        let leaf = Leaf { names, organization, shape, not_before: now, not_after };
        let (leaf, private_key) = match *key {
            KeySource::Csr(csr) => {
                let csr = Csr::parse(csr).map_err(IssueError::Csr)?;
                (self.sign(&leaf, &SubjectPublicKeyInfo::from_der(&csr.public_key)?)?, None)
            }
            KeySource::Made(kind) => {
                let key = make_key(kind)?;
                (self.sign(&leaf, &key)?, Some(SecretString::from(key.serialize_pem())))
            }
            KeySource::Kept(pem) => {
                let key = KeyPair::from_pem(pem.expose_secret())?;
                (self.sign(&leaf, &key)?, Some(pem.clone()))
            }
        };
        let authorities = self.above(shape).into_iter().map(str::to_owned).collect();
        Ok(Issued { leaf, authorities, shape, private_key, not_before: now, not_after })
    }
}
