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
    let plain = include_str!("../../../tests/vectors/pem/key/plain.pem");
    let expected = KeyPair::from_pem(&plain.into()).unwrap().public_key_der();
    let texts = [
        include_str!("../../../tests/vectors/pem/key/bag-attributes.pem").to_owned(),
        include_str!("../../../tests/vectors/pem/key/parameters.pem").to_owned(),
        include_str!("../../../tests/vectors/pem/key/certtool.pem").to_owned(),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.replace('\n', " "),
        include_str!("../../../tests/vectors/pem/csr/plain.pem").to_owned() + plain,
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
            include_str!("../../../tests/vectors/pem/key/sm2.pem").to_owned(),
            "cannot be used: it is SM2, which",
        ),
        (
            include_str!("../../../tests/vectors/pem/key/secp256k1-sec1.pem").to_owned(),
            "used: it is ECDSA on secp256k1,",
        ),
        (include_str!("../../../tests/vectors/pem/key/encrypted.pem").to_owned(), "protected by a password"),
        (
            include_str!("../../../tests/vectors/pem/key/encrypted-of-old.pem").to_owned(),
            "protected by a password",
        ),
        (
            key.replace("-----END PRIVATE KEY-----", ""),
            "not PEM: the block PRIVATE KEY that begins in line 1 has no",
        ),
        (key.replace('\n', r"\n"), "not PEM: line 1 has a backslash, which is no base 64: a line break"),
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
