//! The certificate authority behind a simulated cloud: a root, one intermediate, and real leaves.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData,
    RsaKeySize, date_time_ymd,
};

/// How long a leaf is valid, in days: what public authorities may give since 2026-03.
pub(crate) const VALID_DAYS: i64 = 199;

/// The authority, with its keys.
pub(crate) struct Authority {
    root: String,
    intermediate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a leaf says.
pub(crate) struct Leaf<'a> {
    pub(crate) names: &'a [&'a str],
    /// The vetted organisation, for OV and EV.
    pub(crate) organization: Option<&'a str>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let root_key = KeyPair::generate()?;
        let root_params = authority_params("Simulated Root CA", BasicConstraints::Unconstrained);
        let root = root_params.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root_params, root_key);
        let key = KeyPair::generate()?;
        let mut params = authority_params("Simulated TLS CA", BasicConstraints::Constrained(0));
        // RFC 5280, 4.2.1.1: strict clients (Python's from 3.13 on) want it in every certificate but the root.
        params.use_authority_key_identifier_extension = true;
        let intermediate = params.signed_by(&key, &root_issuer)?;
        Ok(Self { root: root.pem(), intermediate: intermediate.pem(), issuer: Issuer::new(params, key) })
    }

    /// The root, PEM.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The intermediate, PEM.
    pub(crate) fn intermediate(&self) -> &str {
        &self.intermediate
    }

    /// Signs a leaf for a public key; PEM.
    pub(crate) fn sign(&self, leaf: &Leaf<'_>, key: &impl PublicKeyData) -> Result<String, rcgen::Error> {
        let names: Vec<String> = leaf.names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        if let Some(common_name) = leaf.names.first() {
            params.distinguished_name.push(DnType::CommonName, *common_name);
        }
        if let Some(organization) = leaf.organization {
            params.distinguished_name.push(DnType::OrganizationName, organization);
        }
        let epoch = date_time_ymd(1970, 1, 1);
        params.not_before = epoch + since_epoch(leaf.not_before);
        params.not_after = epoch + since_epoch(leaf.not_after);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

/// The kinds of keys that a cloud makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
}

/// A new key pair.
pub(crate) fn make_key(kind: KeyKind) -> Result<KeyPair, rcgen::Error> {
    match kind {
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
        KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
    }
}

fn authority_params(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn since_epoch(time: Timestamp) -> Duration {
    Duration::from_secs(time.as_second().unsigned_abs())
}
