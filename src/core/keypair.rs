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
mod tests {
    use aws_lc_rs::signature::EcdsaSigningAlgorithm;
    use proptest::prelude::*;
    use x509_parser::certification_request::X509CertificationRequest;
    use x509_parser::der_parser::asn1_rs::{FromDer, OctetString, Sequence, Tag};

    use super::*;

    const ALL: [KeyAlgorithm; 5] = [
        KeyAlgorithm::Rsa(2048),
        KeyAlgorithm::Rsa(3072),
        KeyAlgorithm::Rsa(4096),
        KeyAlgorithm::Ecdsa(256),
        KeyAlgorithm::Ecdsa(384),
    ];

    fn names() -> Names {
        Names::parse("www.acme.example", &["*.acme.example".into(), "api.acme.example".into()]).unwrap()
    }

    fn acme() -> Organization {
        Organization {
            name: Some("示例科技有限公司".into()),
            division: Some("Plattform & Größe".into()),
            city: Some("广州".into()),
            region: Some("广东".into()),
            country: Some("CN".into()),
            ..Organization::default()
        }
    }

    /// The subject's attributes in order: type, ASN.1 string type, text.
    fn subject(csr: &Csr) -> Vec<(String, Tag, String)> {
        let (_, request) = X509CertificationRequest::from_der(csr.der()).unwrap();
        let attributes = request.certification_request_info.subject.iter_attributes();
        let read = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
            let text = attribute.as_str().unwrap().to_owned();
            (attribute.attr_type().to_id_string(), attribute.attr_value().tag(), text)
        };
        attributes.map(read).collect()
    }

    #[test]
    fn every_kind_of_key_can_be_made_kept_and_used() {
        for algorithm in ALL {
            let key = KeyPair::generate(algorithm).unwrap();
            let kept = KeyPair::from_pem(&key.pem()).unwrap();
            assert_eq!(kept.pkcs8_der(), key.pkcs8_der(), "{algorithm}");
            assert_eq!(kept.public_key_der(), key.public_key_der(), "{algorithm}");
            let csr = kept.csr(&Subject::default(), &names()).unwrap();
            assert_eq!(csr.check_names(&names()), Ok(()), "{algorithm}");
        }
    }

    #[test]
    fn other_kinds_are_not_made() {
        for algorithm in [KeyAlgorithm::Rsa(1024), KeyAlgorithm::Rsa(2049), KeyAlgorithm::Ecdsa(521)] {
            assert!(matches!(KeyPair::generate(algorithm), Err(KeyError::Kind(kind)) if kind == algorithm));
        }
    }

    #[test]
    fn the_older_encodings_are_read_as_the_same_key() {
        let rsa = KeyPair::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let pkcs1 = pem_of("RSA PRIVATE KEY", &inner_key(&rsa));
        assert_eq!(KeyPair::from_pem(&pkcs1.into()).unwrap().pkcs8_der(), rsa.pkcs8_der());

        let curves: [(u32, &'static EcdsaSigningAlgorithm); 2] =
            [(256, &ECDSA_P256_SHA256_ASN1_SIGNING), (384, &ECDSA_P384_SHA384_ASN1_SIGNING)];
        for (size, curve) in curves {
            let key = KeyPair::generate(KeyAlgorithm::Ecdsa(size)).unwrap();
            let sec1 = EcdsaKeyPair::from_pkcs8(curve, key.pkcs8_der()).unwrap();
            let sec1 = pem_of("EC PRIVATE KEY", sec1.private_key().as_der().unwrap().as_ref());
            // As `openssl ecparam -genkey` writes it.
            let sec1 = pem_of("EC PARAMETERS", b"\x06\x05") + &sec1;
            assert_eq!(KeyPair::from_pem(&sec1.into()).unwrap().pkcs8_der(), key.pkcs8_der());
        }
    }

    #[test]
    fn a_key_is_read_whatever_stands_around_it() {
        let plain = include_str!("../../tests/vectors/pem/key/plain.pem");
        let expected = KeyPair::from_pem(&plain.into()).unwrap().public_key_der();
        let texts = [
            include_str!("../../tests/vectors/pem/key/bag-attributes.pem").to_owned(),
            include_str!("../../tests/vectors/pem/key/parameters.pem").to_owned(),
            include_str!("../../tests/vectors/pem/key/certtool.pem").to_owned(),
            format!("\u{feff}{}", plain.replace('\n', "\r\n")),
            plain.replace('\n', " "),
            include_str!("../../tests/vectors/pem/csr/plain.pem").to_owned() + plain,
        ];
        for text in texts {
            assert_eq!(KeyPair::from_pem(&text.clone().into()).unwrap().public_key_der(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused_with_the_reason() {
        let key = KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap().pem();
        let key = key.expose_secret();
        let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
        let p521 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap().serialize_pem();
        let cases = [
            (String::new(), "not PEM"),
            ("x".repeat(1024 * 1024), "larger than 16384 bytes"),
            (format!("{key}{key}"), "exactly one block"),
            (key.replace("PRIVATE", "PUBLIC"), "not PEM"),
            (key.replace("PRIVATE", "ENCRYPTED PRIVATE"), "protected by a password"),
            (key.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n"), "protected by a password"),
            (key.replace("PRIVATE", "RSA PRIVATE"), "cannot be used"),
            (pem_of("PRIVATE KEY", b"nonsense"), "cannot be used"),
            (ed25519, "cannot be used: it is Ed25519, which is not supported here"),
            (p521, "cannot be used: it is ECDSA on P-521, which is not supported here"),
            (
                include_str!("../../tests/vectors/pem/key/sm2.pem").to_owned(),
                "cannot be used: it is SM2, which",
            ),
            (
                include_str!("../../tests/vectors/pem/key/secp256k1-sec1.pem").to_owned(),
                "used: it is ECDSA on secp256k1,",
            ),
            (include_str!("../../tests/vectors/pem/key/encrypted.pem").to_owned(), "protected by a password"),
            (
                include_str!("../../tests/vectors/pem/key/encrypted-of-old.pem").to_owned(),
                "protected by a password",
            ),
            (
                key.replace("-----END PRIVATE KEY-----", ""),
                "not PEM: the block PRIVATE KEY that begins in line 1 has no",
            ),
            (
                key.replace('\n', r"\n"),
                "not PEM: line 1 has the character '\\\\', which is no base 64: a line break",
            ),
        ];
        for (text, reason) in cases {
            let error = KeyPair::from_pem(&text.into()).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_request_carries_the_organisation_whatever_its_script() {
        let key = KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap();
        let csr = key.csr(&Subject::from(&acme()), &names()).unwrap();
        let expected = [
            ("2.5.4.6", Tag::PrintableString, "CN"),
            ("2.5.4.8", Tag::Utf8String, "广东"),
            ("2.5.4.7", Tag::Utf8String, "广州"),
            ("2.5.4.10", Tag::Utf8String, "示例科技有限公司"),
            ("2.5.4.11", Tag::Utf8String, "Plattform & Größe"),
            ("2.5.4.3", Tag::Utf8String, "www.acme.example"),
        ];
        assert_eq!(subject(&csr), expected.map(|(oid, tag, text)| (oid.to_owned(), tag, text.to_owned())));
        assert_eq!(csr.dns_names(), ["www.acme.example", "*.acme.example", "api.acme.example"]);
    }

    #[test]
    fn what_x509_cannot_hold_stays_out_of_the_request() {
        let organization = Organization {
            name: Some("长".repeat(65)),
            division: Some("  ".into()),
            city: Some("c".repeat(128)),
            region: None,
            country: Some("China".into()),
            ..Organization::default()
        };
        let key = KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap();
        let csr = key.csr(&Subject::from(&organization), &names()).unwrap();
        let types: Vec<_> = subject(&csr).into_iter().map(|(oid, ..)| oid).collect();
        assert_eq!(types, ["2.5.4.7", "2.5.4.3"]);
    }

    #[test]
    fn a_later_request_of_the_same_key_asks_for_the_same() {
        for algorithm in [KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ecdsa(384)] {
            let key = KeyPair::generate(algorithm).unwrap();
            let asked =
                |key: &KeyPair| key.csr(&Subject::from(&acme()), &names()).unwrap().request_info().to_vec();
            assert_eq!(asked(&key), asked(&KeyPair::from_pem(&key.pem()).unwrap()));
        }
    }

    #[test]
    fn the_largest_order_has_a_request() {
        let long = |i: usize| format!("{i:03}.{}example", "abcdefghi.".repeat(24));
        let others: Vec<_> = (0..100).map(long).collect();
        let names = Names::parse("www.acme.example", &others).unwrap();
        let key = KeyPair::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let csr = key.csr(&Subject::from(&acme()), &names).unwrap();
        assert_eq!(csr.dns_names().len(), 101);
    }

    #[test]
    fn a_key_prints_nothing() {
        assert_eq!(format!("{:?}", KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap()), "KeyPair { .. }");
    }

    fn pem_of(label: &str, der: &[u8]) -> String {
        pem::encode(label, der)
    }

    /// The key in its own format (PKCS #1 for RSA), which is the third field of PKCS #8.
    fn inner_key(key: &KeyPair) -> Vec<u8> {
        let (_, pkcs8) = Sequence::from_der(key.pkcs8_der()).unwrap();
        let (rest, _version) = u8::from_der(&pkcs8.content).unwrap();
        let (rest, _algorithm) = Sequence::from_der(rest).unwrap();
        OctetString::from_der(rest).unwrap().1.as_cow().to_vec()
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            der in proptest::collection::vec(any::<u8>(), 0..512),
            label in prop::sample::select(vec!["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]),
            text in "(-----BEGIN [A-Z ]{0,12}-----\n?)?\\PC{0,200}",
        ) {
            let _ = KeyPair::from_pem(&pem_of(label, &der).into());
            let _ = KeyPair::from_pem(&text.into());
        }
    }
}
