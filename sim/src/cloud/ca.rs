//! The certificate authority behind a simulated cloud: a root with its intermediates, and real leaves.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256,
    PublicKeyData, RsaKeySize, date_time_ymd,
};

use super::shape::Shape;

/// The authority, with its keys.
pub(crate) struct Authority {
    root: String,
    /// The root that was there before it.
    older_root: String,
    /// The root's key, certified by that one.
    crossed: String,
    /// The issuer of most leaves.
    usual: Intermediate,
    /// Another one, below `upper`.
    lower: Intermediate,
    upper: String,
}

/// A CA that issues leaves.
struct Intermediate {
    pem: String,
    params: CertificateParams,
    key: KeyPair,
}

/// What a leaf says.
pub(crate) struct Leaf<'a> {
    pub(crate) names: &'a [&'a str],
    /// The vetted organisation, for OV and EV.
    pub(crate) organization: Option<&'a str>,
    pub(crate) shape: Shape,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let [root_key, older_key, upper_key] =
            [KeyPair::generate()?, KeyPair::generate()?, KeyPair::generate()?];
        let root = authority_params("Simulated Root CA", BasicConstraints::Unconstrained);
        let older = authority_params("Simulated Older Root CA", BasicConstraints::Unconstrained);
        let upper = below_params("Simulated Policy CA", BasicConstraints::Constrained(1));
        let mut crossed = root.clone();
        crossed.use_authority_key_identifier_extension = true;
        let (by_root, by_older) =
            (Issuer::from_params(&root, &root_key), Issuer::from_params(&older, &older_key));
        Ok(Self {
            root: root.self_signed(&root_key)?.pem(),
            older_root: older.self_signed(&older_key)?.pem(),
            crossed: crossed.signed_by(&root_key, &by_older)?.pem(),
            usual: Intermediate::below(&by_root, "Simulated TLS CA")?,
            lower: Intermediate::below(&Issuer::from_params(&upper, &upper_key), "Simulated Issuing CA")?,
            upper: upper.signed_by(&upper_key, &by_root)?.pem(),
        })
    }

    /// The root, PEM.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The certificates of CAs that come with a leaf, PEM, from its issuer up.
    pub(crate) fn above(&self, shape: Shape) -> Vec<&str> {
        let usual = self.usual.pem.as_str();
        match shape {
            Shape::LeafAlone => vec![],
            Shape::WithRoot | Shape::UpsideDown | Shape::Repeated => vec![usual, &self.root],
            Shape::CrossSigned => vec![usual, &self.crossed],
            Shape::CrossSignedWithRoots => vec![usual, &self.root, &self.crossed, &self.older_root],
            Shape::TwoIntermediates => vec![&self.lower.pem, &self.upper],
            Shape::Usual
            | Shape::CarriageReturns
            | Shape::RunTogether
            | Shape::OtherStringType
            | Shape::Apart => vec![usual],
        }
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
        let issuer = if leaf.shape == Shape::TwoIntermediates { &self.lower } else { &self.usual };
        let mut issuer_params = issuer.params.clone();
        if leaf.shape == Shape::OtherStringType {
            issuer_params.distinguished_name = in_another_type(&issuer_params.distinguished_name)?;
        }
        Ok(params.signed_by(key, &Issuer::from_params(&issuer_params, &issuer.key))?.pem())
    }
}

impl Intermediate {
    fn below(issuer: &Issuer<'_, &KeyPair>, name: &str) -> Result<Self, rcgen::Error> {
        let params = below_params(name, BasicConstraints::Constrained(0));
        let key = KeyPair::generate()?;
        Ok(Self { pem: params.signed_by(&key, issuer)?.pem(), params, key })
    }
}

/// The same name with `PrintableString` in the place of `UTF8String`.
fn in_another_type(name: &DistinguishedName) -> Result<DistinguishedName, rcgen::Error> {
    let mut other = DistinguishedName::new();
    for (type_, value) in name.iter() {
        let value = match value {
            DnValue::Utf8String(text) => DnValue::PrintableString(text.as_str().try_into()?),
            value => value.clone(),
        };
        other.push(type_.clone(), value);
    }
    Ok(other)
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

/// Of an authority that another one certifies. RFC 5280, 4.2.1.1: strict clients (Python's from 3.13 on) want the issuer's
/// key identifier in every certificate but the root.
fn below_params(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = authority_params(name, constraints);
    params.use_authority_key_identifier_extension = true;
    params
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
