//! Verifies signatures of requests and certificates, and tells what is wrong from what cannot be judged here.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// Why a signature is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// It was made by another key, or over something else.
    #[error("the signature does not fit the key")]
    Wrong,
    /// Nobody here can tell. Names the algorithm.
    #[error("signatures with {0} are not supported here")]
    Unsupported(String),
}

/// A kind of public key, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// RSA, with its size in bits.
    Rsa(usize),
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// Anything else, by its name.
    Other(String),
}

impl KeyKind {
    /// The kind of a public key, by its algorithm and its curve: a size says little, since many curves have 256 bits.
    #[must_use]
    pub fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        match Self::of_algorithm(&key.algorithm) {
            Some(kind) => kind,
            None => match key.parsed() {
                Ok(PublicKey::RSA(rsa)) => Self::Rsa(rsa.key_size()),
                _ => Self::Other("a broken RSA key".to_owned()),
            },
        }
    }

    /// The kind of any key, as far as its algorithm says it; `None` for RSA.
    #[must_use]
    pub fn of_algorithm(algorithm: &AlgorithmIdentifier<'_>) -> Option<Self> {
        match algorithm.algorithm.to_id_string().as_str() {
            RSA => None,
            EC => Some(Self::on_curve(curve(algorithm).as_deref())),
            other => Some(Self::Other(name(other))),
        }
    }

    /// The kind of a key for ECDSA or SM2, by the number of its curve.
    #[must_use]
    pub fn on_curve(curve: Option<&str>) -> Self {
        match curve {
            Some(P256) => Self::P256,
            Some(P384) => Self::P384,
            Some(SM2) => Self::Other("SM2".to_owned()),
            Some(curve) => Self::Other(format!("ECDSA on {}", name(curve))),
            None => Self::Other("ECDSA on a curve that is given by its numbers".to_owned()),
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Rsa(bits) => format!("RSA of {bits} bits"),
            Self::P256 => "ECDSA on P-256".to_owned(),
            Self::P384 => "ECDSA on P-384".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// Verifies what somebody has signed with this key.
pub fn verify(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
    signature: &[u8],
    signed: &[u8],
) -> Result<(), SignatureError> {
    let Some(verifier) = verifier(key, algorithm) else {
        let families = (Family::of(&key.algorithm), Family::of(algorithm));
        return Err(match families {
            // No key makes the signatures of another kind of key.
            (Some(of_key), Some(of_signature)) if of_key != of_signature => SignatureError::Wrong,
            _ => SignatureError::Unsupported(described(key, algorithm)),
        });
    };
    let key = UnparsedPublicKey::new(verifier, &key.subject_public_key.data);
    key.verify(signed, signature).map_err(|_| SignatureError::Wrong)
}

/// What keys and signatures have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    EllipticCurve,
    Ed25519,
}

impl Family {
    fn of(algorithm: &AlgorithmIdentifier<'_>) -> Option<Self> {
        let id = algorithm.algorithm.to_id_string();
        if id.starts_with("1.2.840.113549.1.1.") || id == SHA1_WITH_RSA_OF_OLD {
            Some(Self::Rsa)
        } else if id == EC || id.starts_with("1.2.840.10045.4.") || id == SM2_WITH_SM3 {
            Some(Self::EllipticCurve)
        } else {
            (id == ED25519).then_some(Self::Ed25519)
        }
    }
}

/// The one that knows this algorithm with this key.
fn verifier(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    let id = algorithm.algorithm.to_id_string();
    if id == ED25519 {
        let is_one = key.algorithm.algorithm.to_id_string() == ED25519;
        return is_one.then_some(&signature::ED25519 as _);
    }
    match KeyKind::of(key) {
        KeyKind::Rsa(1024..=8192) if id == SHA1_WITH_RSA || id == SHA1_WITH_RSA_OF_OLD => {
            Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)
        }
        KeyKind::Rsa(2048..=8192) => match id.as_str() {
            SHA256_WITH_RSA => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            SHA384_WITH_RSA => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            SHA512_WITH_RSA => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            RSA_PSS => pss(algorithm),
            _ => None,
        },
        KeyKind::Rsa(_) => None,
        kind => ecdsa(&kind, curve(&key.algorithm).as_deref(), &id),
    }
}

fn ecdsa(kind: &KeyKind, curve: Option<&str>, id: &str) -> Option<&'static dyn VerificationAlgorithm> {
    match (kind, curve, id) {
        (KeyKind::P256, _, ECDSA_WITH_SHA1) => Some(&signature::ECDSA_P256_SHA1_ASN1),
        (KeyKind::P256, _, ECDSA_WITH_SHA256) => Some(&signature::ECDSA_P256_SHA256_ASN1),
        (KeyKind::P256, _, ECDSA_WITH_SHA384) => Some(&signature::ECDSA_P256_SHA384_ASN1),
        (KeyKind::P256, _, ECDSA_WITH_SHA512) => Some(&signature::ECDSA_P256_SHA512_ASN1),
        (KeyKind::P384, _, ECDSA_WITH_SHA256) => Some(&signature::ECDSA_P384_SHA256_ASN1),
        (KeyKind::P384, _, ECDSA_WITH_SHA384) => Some(&signature::ECDSA_P384_SHA384_ASN1),
        (KeyKind::P384, _, ECDSA_WITH_SHA512) => Some(&signature::ECDSA_P384_SHA512_ASN1),
        (_, Some(P521), ECDSA_WITH_SHA256) => Some(&signature::ECDSA_P521_SHA256_ASN1),
        (_, Some(P521), ECDSA_WITH_SHA384) => Some(&signature::ECDSA_P521_SHA384_ASN1),
        (_, Some(P521), ECDSA_WITH_SHA512) => Some(&signature::ECDSA_P521_SHA512_ASN1),
        (_, Some(SECP256K1), ECDSA_WITH_SHA256) => Some(&signature::ECDSA_P256K1_SHA256_ASN1),
        _ => None,
    }
}

/// RSA-PSS with the salt of the usual length, one hash, as every CA makes it. (Any other cannot be verified.)
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) else {
        return None;
    };
    let hash = parameters.hash_algorithm_oid().to_id_string();
    let mask = parameters.mask_gen_algorithm().ok()?;
    if mask.mgf.to_id_string() != MGF1 || mask.hash.to_id_string() != hash {
        return None;
    }
    match (hash.as_str(), parameters.salt_length()) {
        (SHA256, 32) => Some(&signature::RSA_PSS_2048_8192_SHA256),
        (SHA384, 48) => Some(&signature::RSA_PSS_2048_8192_SHA384),
        (SHA512, 64) => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    let parameters = algorithm.parameters.as_ref().filter(|parameters| parameters.tag() == Tag::Oid)?;
    Some(parameters.as_oid().ok()?.to_id_string())
}

fn described(key: &SubjectPublicKeyInfo<'_>, algorithm: &AlgorithmIdentifier<'_>) -> String {
    let signature = name(&algorithm.algorithm.to_id_string());
    let key = KeyKind::of(key).name();
    if key == signature { signature } else { format!("{signature} by a key of the kind {key}") }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const MGF1: &str = "1.2.840.113549.1.1.8";
const SHA1_WITH_RSA: &str = "1.2.840.113549.1.1.5";
const SHA1_WITH_RSA_OF_OLD: &str = "1.3.14.3.2.29";
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const SHA384_WITH_RSA: &str = "1.2.840.113549.1.1.12";
const SHA512_WITH_RSA: &str = "1.2.840.113549.1.1.13";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";
const SECP256K1: &str = "1.3.132.0.10";
const SM2: &str = "1.2.156.10197.1.301";
const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
const ECDSA_WITH_SHA1: &str = "1.2.840.10045.4.1";
const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_WITH_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_WITH_SHA512: &str = "1.2.840.10045.4.3.4";
const ED25519: &str = "1.3.101.112";

/// The name of an algorithm or a curve, for people; its number where it has none here.
fn name(id: &str) -> String {
    let name = match id {
        RSA_PSS => "RSA-PSS",
        "1.2.840.113549.1.1.2" => "MD2 and RSA",
        "1.2.840.113549.1.1.4" => "MD5 and RSA",
        SHA1_WITH_RSA | SHA1_WITH_RSA_OF_OLD => "SHA-1 and RSA",
        SHA256_WITH_RSA => "SHA-256 and RSA",
        SHA384_WITH_RSA => "SHA-384 and RSA",
        SHA512_WITH_RSA => "SHA-512 and RSA",
        "1.2.840.113549.1.1.14" => "SHA-224 and RSA",
        ECDSA_WITH_SHA1 => "ECDSA and SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA and SHA-224",
        ECDSA_WITH_SHA256 => "ECDSA and SHA-256",
        ECDSA_WITH_SHA384 => "ECDSA and SHA-384",
        ECDSA_WITH_SHA512 => "ECDSA and SHA-512",
        "2.16.840.1.101.3.4.3.9" => "ECDSA and SHA3-224",
        "2.16.840.1.101.3.4.3.10" => "ECDSA and SHA3-256",
        "2.16.840.1.101.3.4.3.11" => "ECDSA and SHA3-384",
        "2.16.840.1.101.3.4.3.12" => "ECDSA and SHA3-512",
        SM2_WITH_SM3 => "SM2 and SM3",
        ED25519 => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.840.10040.4.1" => "DSA",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        P521 => "P-521",
        "1.3.132.0.33" => "P-224",
        SECP256K1 => "secp256k1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        _ => return format!("the algorithm {}", crate::core::text::truncate(id, LONGEST_NUMBER)),
    };
    name.to_owned()
}

/// The longest number of an algorithm that a message repeats, in bytes.
const LONGEST_NUMBER: usize = 100;
