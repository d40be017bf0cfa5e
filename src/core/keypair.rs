//! Private keys: makes them, reads them, and signs requests with them.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, RsaKeyPair,
};
use rcgen::string::{Ia5String, PrintableString};
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, PublicKeyData, RsaKeySize, SanType};
use secrecy::{ExposeSecret, SecretString};
use x509_parser::der_parser::asn1_rs::{self, Any, Oid};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use zeroize::{Zeroize, Zeroizing};

use crate::core::application::{KeyAlgorithm, Organization};
use crate::core::certificate::{Csr, CsrError};
use crate::core::names::{DnsName, Names};
use crate::core::pem::{self, PemError};
use crate::core::signature::KeyKind;

/// The longest key file that is read, in bytes. The largest RSA key that is taken, 8192 bits, is 6.4 KiB long.
const LONGEST_KEY: usize = 16 * 1024;

/// A private key, RSA or ECDSA, with its public half. It is wiped from memory when dropped.
pub struct KeyPair(rcgen::KeyPair);

/// Why there is no private key, or no request from it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No key of this kind can be made.
    #[error(
        "{0} is not a kind of key that can be made here: use RSA 2048, 3072 or 4096, or ECDSA 256 or 384"
    )]
    Kind(KeyAlgorithm),
    /// Too large to be a key.
    #[error("the private key is larger than {LONGEST_KEY} bytes")]
    TooLarge,
    /// No PEM, or not all of it.
    #[error("the private key is not PEM: {0}")]
    NotPem(#[from] PemError),
    /// No PEM block of a private key, or more than one.
    #[error(
        "the private key is not PEM of one key: it must hold exactly one block that begins with -----BEGIN … PRIVATE \
         KEY-----, and there are {0}"
    )]
    Blocks(usize),
    /// Protected by a password.
    #[error("the private key is protected by a password; remove that with openssl pkey")]
    Encrypted,
    /// A key of another kind or size, or a broken one.
    #[error(
        "the private key cannot be used: it must be RSA of 2048 to 8192 bits, or ECDSA on P-256 or P-384, in the \
         encoding that its PEM label names"
    )]
    Unusable,
    /// A key of another kind, by its name.
    #[error(
        "the private key cannot be used: it is {0}, which is not supported here, and must be RSA of 2048 to 8192 bits, or ECDSA on P-256 or P-384"
    )]
    Unsupported(String),
    /// The signing library failed.
    #[error("the request could not be signed: {0}")]
    Signing(#[from] rcgen::Error),
    /// The request is not one that an order takes.
    #[error(transparent)]
    Csr(#[from] CsrError),
}

impl KeyPair {
    /// Makes a key. RSA takes its time, up to seconds for 4096 bits: call it where that blocks nobody.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
        let rsa = |size| rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size);
        let key = match algorithm {
            KeyAlgorithm::Rsa(2048) => rsa(RsaKeySize::_2048),
            KeyAlgorithm::Rsa(3072) => rsa(RsaKeySize::_3072),
            KeyAlgorithm::Rsa(4096) => rsa(RsaKeySize::_4096),
            KeyAlgorithm::Ecdsa(256) => rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            KeyAlgorithm::Ecdsa(384) => rcgen::KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            KeyAlgorithm::Rsa(_) | KeyAlgorithm::Ecdsa(_) => return Err(KeyError::Kind(algorithm)),
        };
        Ok(Self(key?))
    }

    /// Reads a key in PEM: PKCS #8 (`PRIVATE KEY`), PKCS #1 (`RSA PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`).
    /// Blocks that hold no key, such as `EC PARAMETERS`, are passed over.
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let (label, der) = read_pem(pem.expose_secret())?;
        let pkcs8 = match label.as_str() {
            "PRIVATE KEY" => rsa_pkcs8(RsaKeyPair::from_pkcs8(&der).ok()).or_else(|| ecdsa_pkcs8(&der)),
            "RSA PRIVATE KEY" => rsa_pkcs8(RsaKeyPair::from_der(&der).ok()),
            "EC PRIVATE KEY" => ecdsa_pkcs8(&der),
            _ => None,
        };
        let pkcs8 = pkcs8.ok_or_else(|| unusable(&der))?;
        rcgen::KeyPair::try_from(pkcs8.as_slice()).map(Self).map_err(|_| KeyError::Unusable)
    }

    /// The key as PEM, always PKCS #8.
    #[must_use]
    pub fn pem(&self) -> SecretString {
        self.0.serialize_pem().into()
    }

    /// Its kind and size.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        let bits = |bits: usize| u32::try_from(bits).unwrap_or_default();
        let spki = self.public_key_der();
        let parsed = SubjectPublicKeyInfo::from_der(&spki).ok();
        match parsed.as_ref().and_then(|(_, spki)| spki.parsed().ok()) {
            Some(PublicKey::RSA(key)) => KeyAlgorithm::Rsa(bits(key.key_size())),
            Some(PublicKey::EC(point)) => KeyAlgorithm::Ecdsa(bits(point.key_size())),
            // Not reached: a key pair is one of these.
            _ => KeyAlgorithm::Rsa(0),
        }
    }

    /// The private key as DER (PKCS #8), for the keystores.
    pub(super) fn pkcs8_der(&self) -> &[u8] {
        self.0.serialized_der()
    }

    /// The public key as DER (X.509's `SubjectPublicKeyInfo`), as a certificate for this key holds it.
    #[must_use]
    pub fn public_key_der(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    /// Signs a request for these names. Two requests of one key ask for the same; ECDSA signatures differ all the
    /// same, since each is salted.
    pub fn csr(&self, subject: &Subject, names: &Names) -> Result<Csr, KeyError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject.0.clone();
        params.distinguished_name.push(DnType::CommonName, names.common_name().as_str());
        params.subject_alt_names = std::iter::once(names.common_name())
            .chain(names.others())
            .map(|name: &DnsName| Ia5String::try_from(name.as_str()).map(SanType::DnsName))
            .collect::<Result<_, _>>()?;
        Ok(Csr::parse(&params.serialize_request(&self.0)?.pem()?)?)
    }
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

/// Who asks for a certificate: the subject of a request without its common name. Empty for a person.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Subject(DistinguishedName);

impl From<&Organization> for Subject {
    /// Takes C, ST, L, O and OU. A value that X.509 cannot hold (RFC 5280, appendix A.1: O and OU take 64
    /// characters, L and ST 128, C two letters) is left out, not cut: the CA certifies what the application says.
    fn from(organization: &Organization) -> Self {
        let mut name = DistinguishedName::new();
        if let Some(country) = organization.country.as_deref().and_then(country) {
            name.push(DnType::CountryName, DnValue::PrintableString(country));
        }
        let texts = [
            (DnType::StateOrProvinceName, &organization.region, 128),
            (DnType::LocalityName, &organization.city, 128),
            (DnType::OrganizationName, &organization.name, 64),
            (DnType::OrganizationalUnitName, &organization.division, 64),
        ];
        for (type_, text, longest) in texts {
            let text = text.as_deref().unwrap_or_default().trim();
            if (1..=longest).contains(&text.chars().count()) {
                name.push(type_, text);
            }
        }
        Self(name)
    }
}

fn country(code: &str) -> Option<PrintableString> {
    let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    is_code.then(|| PrintableString::try_from(code).ok()).flatten()
}

fn read_pem(text: &str) -> Result<(String, Zeroizing<Vec<u8>>), KeyError> {
    if text.len() > LONGEST_KEY {
        return Err(KeyError::TooLarge);
    }
    let blocks = match pem::read(text) {
        Err(PemError::NoBlock) => Vec::new(),
        blocks => blocks?,
    };
    let mut keys: Vec<_> = blocks.into_iter().filter(|block| block.label.ends_with("PRIVATE KEY")).collect();
    // The first is PKCS #8's way to say so, the second that of the older formats.
    if keys.iter().any(|key| key.label == "ENCRYPTED PRIVATE KEY" || key.is_encrypted) {
        return Err(KeyError::Encrypted);
    }
    let count = keys.len();
    match keys.pop() {
        Some(key) if count == 1 => Ok((key.label, key.der)),
        _ => Err(KeyError::Blocks(count)),
    }
}

/// Why a key is not taken: its kind, where it can be told.
fn unusable(der: &[u8]) -> KeyError {
    match kind(der) {
        Ok(Some(KeyKind::Other(name))) => KeyError::Unsupported(name),
        _ => KeyError::Unusable,
    }
}

/// The kind of a key in PKCS #8, where its algorithm is the second field, or in SEC 1, where the curve is the third.
fn kind(der: &[u8]) -> asn1_rs::Result<Option<KeyKind>> {
    let (_, key) = Any::from_der(der)?;
    let (second, _version) = Any::from_der(key.data)?;
    if let Ok((_, algorithm)) = AlgorithmIdentifier::from_der(second) {
        return Ok(KeyKind::of_algorithm(&algorithm));
    }
    let (third, _private_key) = Any::from_der(second)?;
    let (_, curve) = Any::from_der(third)?;
    let curve = Oid::from_der(curve.data).ok().map(|(_, curve)| curve.to_id_string());
    Ok(Some(KeyKind::on_curve(curve.as_deref())))
}

fn rsa_pkcs8(key: Option<RsaKeyPair>) -> Option<Zeroizing<Vec<u8>>> {
    let der = key?.as_der().ok()?;
    Some(Zeroizing::new(der.as_ref().to_vec()))
}

/// Takes SEC 1 and PKCS #8 alike.
fn ecdsa_pkcs8(der: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING].into_iter().find_map(|curve| {
        let der = EcdsaKeyPair::from_private_key_der(curve, der).ok()?.to_pkcs8v1().ok()?;
        Some(Zeroizing::new(der.as_ref().to_vec()))
    })
}

#[cfg(test)]
mod tests;
