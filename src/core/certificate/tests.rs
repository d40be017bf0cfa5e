use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rcgen::{CertificateParams, DnType, KeyPair};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag};

use super::*;

fn csr(common_name: Option<&str>, names: &[&str]) -> String {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "示例科技有限公司");
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

fn names() -> Names {
    Names::parse("www.acme.example", &["api.acme.example".to_owned()]).unwrap()
}

#[test]
fn a_csr_for_the_orders_names_is_accepted() {
    for names_in_csr in [&["www.acme.example", "api.acme.example"][..], &["WWW.acme.example"], &[]] {
        let csr = Csr::parse(&csr(Some("www.acme.example"), names_in_csr)).unwrap();
        assert_eq!(csr.check_names(&names()), Ok(()));
    }
}

#[test]
fn a_csr_for_other_names_is_refused() {
    let cases = [
        (csr(None, &[]), "the CSR has no common name; it must be www.acme.example"),
        (csr(Some("acme.example"), &[]), "the CSR's common name is acme.example, spec.commonName is www"),
        (csr(Some("www.acme.example"), &["other.example"]), "the CSR asks for other.example"),
    ];
    for (pem, message) in cases {
        let error = Csr::parse(&pem).unwrap().check_names(&names()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_is_no_csr_is_refused_with_the_reason() {
    let good = csr(Some("www.acme.example"), &[]);
    let flipped = {
        let mut der = Csr::parse(&good).unwrap().der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        pem_of(&der)
    };
    let cases = [
        (String::new(), CsrError::NotPem),
        ("x".repeat(LONGEST_TEXT + 1), CsrError::TooLarge),
        (pem_of(&vec![0x30; LONGEST_CSR * 3 / 4]), CsrError::TooLarge),
        (good.replace("CERTIFICATE REQUEST", "CERTIFICATE"), CsrError::OtherBlock("CERTIFICATE".into())),
        (format!("{good}{good}"), CsrError::OtherBlock(LABEL.into())),
        (pem_of(b"nonsense"), CsrError::NotPkcs10),
        (flipped, CsrError::BadSignature),
    ];
    for (text, error) in cases {
        assert_eq!(Csr::parse(&text), Err(error));
    }
}

fn pem_of(der: &[u8]) -> String {
    pem::encode(LABEL, der)
}

/// Files that tools wrote, see `tests/vectors/pem/make`.
macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../../tests/vectors/pem/csr/", $name, ".pem"))
    };
}

fn reason(text: &str) -> String {
    Csr::parse(text).map_or_else(|error| error.to_string(), |csr| format!("{:?}", csr.common_name))
}

#[test]
fn requests_of_all_tools_are_taken_and_sent_on_as_plain_pem() {
    let vectors = [
        ("OpenSSL", vector!("plain")),
        ("OpenSSL with -text", vector!("text")),
        ("OpenSSL with -newhdr", vector!("newhdr")),
        ("certreq, saved by an editor of Windows", vector!("certreq")),
        ("keytool", vector!("keytool")),
        ("certtool", vector!("certtool")),
        ("a TeletexString", vector!("t61")),
        ("a BMPString", vector!("bmp")),
        ("P-256 and SHA-384", vector!("p256-sha384")),
        ("P-256 and SHA-512", vector!("p256-sha512")),
        ("P-384 and SHA-256", vector!("p384-sha256")),
        ("P-384 and SHA-512", vector!("p384-sha512")),
        ("RSA and SHA-1", vector!("rsa-sha1")),
        ("RSA-PSS", vector!("rsa-pss")),
    ];
    let names = Names::parse("*.acme.example", &[]).unwrap();
    for (tool, text) in vectors {
        let csr = Csr::parse(text).unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert_eq!(csr.check_names(&names), Ok(()), "{tool}");
        let pem = csr.pem();
        assert_eq!(pem, pem::encode("CERTIFICATE REQUEST", csr.der()), "{tool}");
        assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"), "{tool}: {pem}");
        assert!(
            pem.ends_with("\n-----END CERTIFICATE REQUEST-----\n") && !pem.contains('\r'),
            "{tool}: {pem}"
        );
        assert_eq!(Csr::parse(pem), Ok(csr), "{tool}");
    }
    assert!(Csr::parse(vector!("text")).unwrap().pem().len() * 3 < vector!("text").len());
    let same = [vector!("certreq"), vector!("plain")].map(|text| Csr::parse(text).unwrap());
    assert_eq!(same[0], same[1]);
}

#[test]
fn what_is_not_supported_is_told_from_what_is_wrong() {
    let vectors = [
        (vector!("sm2"), "the CSR's key is SM2, which is not supported here; use RSA"),
        (vector!("secp256k1"), "the CSR's key is ECDSA on secp256k1, which is not supported here"),
        (vector!("brainpool"), "the CSR's key is ECDSA on brainpoolP256r1, which is not supported here"),
        (vector!("p521"), "the CSR's key is ECDSA on P-521, which is not supported here"),
        (vector!("explicit"), "the CSR's key is ECDSA on a curve that is given by its numbers, which is not"),
        (vector!("ed25519"), "the CSR's key is Ed25519, which is not supported here"),
        (vector!("rsa1024"), "the CSR's key is RSA of 1024 bits; public CAs take"),
        (
            vector!("p256-sha224"),
            "the CSR is signed with ECDSA and SHA-224 by a key of the kind ECDSA on P-256, which is",
        ),
        (
            vector!("p256-sha3"),
            "the CSR is signed with ECDSA and SHA3-256 by a key of the kind ECDSA on P-256",
        ),
        (
            vector!("rsa-md5"),
            "the CSR is signed with MD5 and RSA by a key of the kind RSA of 2048 bits, which is",
        ),
        (
            vector!("rsa-pss-salt"),
            "the CSR is signed with RSA-PSS by a key of the kind RSA of 2048 bits, which is",
        ),
        (
            vector!("two-common-names"),
            "the CSR has the common names *.acme.example and www.other.example; it must",
        ),
    ];
    for (text, expected) in vectors {
        assert!(reason(text).starts_with(expected), "{}", reason(text));
    }
    for name in [vector!("p256-sha512"), vector!("p384-sha512"), vector!("rsa-pss")] {
        let mut der = Csr::parse(name).unwrap().der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        assert_eq!(Csr::parse(&pem_of(&der)), Err(CsrError::BadSignature));
    }
}

#[test]
fn a_text_around_it_is_no_matter_and_a_second_block_is() {
    let plain = vector!("plain");
    let key = KeyPair::generate().unwrap().serialize_pem();
    let good = [format!("hello\n{plain}goodbye"), plain.replace('\n', " "), plain.replace('\n', "\n  ")];
    for text in good {
        assert_eq!(Csr::parse(&text).unwrap().pem(), plain);
    }
    let bad = [
        (
            format!("{plain}{key}"),
            "there is a block PRIVATE KEY: leave that out, since a private key does not belong",
        ),
        (
            format!("{key}{plain}"),
            "there is a block PRIVATE KEY: leave that out, since a private key does not belong",
        ),
        (
            format!("-----BEGIN EC PARAMETERS-----\nBgg=\n-----END EC PARAMETERS-----\n{plain}"),
            "block EC PARAMETERS: leave",
        ),
        (
            format!("-----BEGIN MY SECRET-----\nQUFB\n-----END MY SECRET-----\n{plain}"),
            "there is a block of another kind: leave",
        ),
        (
            plain.replace("-----END CERTIFICATE REQUEST-----", ""),
            "the CSR is not PEM: the block CERTIFICATE REQUEST that",
        ),
        (plain.replace('\n', r"\n"), "which is no base 64: a line break that is written as \\n"),
        (plain.replacen("MI", "", 1), "is not whole base 64"),
    ];
    for (text, expected) in bad {
        assert!(reason(&text).contains(expected), "{}", reason(&text));
    }
}

#[test]
fn what_a_request_asks_for_can_be_compared_although_it_is_refused() {
    for text in [vector!("text"), vector!("certreq")] {
        assert_eq!(asked_for(text), Some(Csr::parse(text).unwrap().request_info().to_vec()));
    }
    let sm2 = asked_for(vector!("sm2")).unwrap();
    assert!(Csr::parse(vector!("sm2")).is_err() && !sm2.is_empty());
    assert_ne!(Some(sm2), asked_for(vector!("plain")));
    assert_eq!(asked_for("no request"), None);
}

const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
const SAN: &[u64] = &[2, 5, 29, 17];
const EXTENSION_REQUEST: &[u64] = &[1, 2, 840, 113_549, 1, 9, 14];
const OF_MICROSOFT: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 2, 1, 14];

fn oid(writer: DERWriter<'_>, numbers: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(numbers));
}

/// The type of an attribute, and the values in it, each as DER.
type Attribute = (&'static [u64], Vec<Vec<u8>>);

/// A request with these common names (tag and bytes) and these attributes.
fn made(common_names: &[(u64, &[u8])], attributes: &[Attribute]) -> String {
    let subject = common_names.iter().map(|(tag, bytes)| (COMMON_NAME, *tag, *bytes));
    made_for(&subject.collect::<Vec<_>>(), attributes)
}

/// A request with this subject (type, tag and bytes of each part) and these attributes.
fn made_for(subject: &[(&[u64], u64, &[u8])], attributes: &[Attribute]) -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki = pair.public_key().as_der().unwrap();
    let info = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(0);
            writer.next().write_sequence(|writer| {
                for (type_, tag, bytes) in subject {
                    writer.next().write_set(|writer| {
                        writer.next().write_sequence(|writer| {
                            oid(writer.next(), type_);
                            let tag = Tag { tag_class: yasna::TagClass::Universal, tag_number: *tag };
                            writer.next().write_tagged_implicit(tag, |writer| writer.write_bytes(bytes));
                        });
                    });
                }
            });
            writer.next().write_der(spki.as_ref());
            writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                writer.write_set(|writer| {
                    for (type_, values) in attributes {
                        writer.next().write_sequence(|writer| {
                            oid(writer.next(), type_);
                            writer.next().write_set(|writer| {
                                for value in values {
                                    writer.next().write_der(value);
                                }
                            });
                        });
                    }
                });
            });
        });
    });
    let signature = pair.sign(&SystemRandom::new(), &info).unwrap();
    pem_of(&yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&info);
            writer.next().write_sequence(|writer| oid(writer.next(), &[1, 2, 840, 10045, 4, 3, 2]));
            writer.next().write_bitvec_bytes(signature.as_ref(), signature.as_ref().len() * 8);
        });
    }))
}

/// A list of extensions (type and content) as DER.
fn extensions(all: &[(&[u64], &[u8])]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (type_, content) in all {
                writer.next().write_sequence(|writer| {
                    oid(writer.next(), type_);
                    writer.next().write_bytes(content);
                });
            }
        });
    })
}

fn asks_for(name: &str) -> Vec<u8> {
    extensions(&[(SAN, &san(name))])
}

fn san(name: &str) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer
                .next()
                .write_tagged_implicit(Tag::context(2), |writer| writer.write_bytes(name.as_bytes()));
        });
    })
}

#[test]
fn every_string_type_of_a_common_name_is_read() {
    let wide: Vec<u8> = "www".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    for name in [(12, &b"www"[..]), (19, b"www"), (20, b"www"), (22, b"www"), (28, &wide), (30, b"\0w\0w\0w")]
    {
        assert_eq!(reason(&made(&[name], &[])), r#"Some("www")"#);
        let twice = [name, (12, b"other")];
        assert!(reason(&made(&twice, &[])).starts_with("the CSR has the common names www and other"));
    }
    assert_eq!(reason(&made(&[], &[])), "None");
    for broken in [(30, &b"\0ww"[..]), (12, b"\xff"), (2, b"\x01")] {
        assert!(reason(&made(&[broken], &[])).starts_with("the CSR's common name is not a text"));
    }
}

#[test]
fn one_request_for_names_is_read_and_a_second_one_is_refused() {
    let (one, other) = (asks_for("one.example"), asks_for("other.example"));
    for attributes in
        [vec![], vec![(EXTENSION_REQUEST, vec![one.clone()])], vec![(OF_MICROSOFT, vec![one.clone()])]]
    {
        let csr = Csr::parse(&made(&[(12, b"www")], &attributes)).unwrap();
        assert_eq!(csr.dns_names(), if attributes.is_empty() { &[][..] } else { &["one.example"] });
    }
    let twice = [
        vec![(EXTENSION_REQUEST, vec![one.clone(), other.clone()])],
        vec![(EXTENSION_REQUEST, vec![one.clone()]), (EXTENSION_REQUEST, vec![other.clone()])],
        vec![(EXTENSION_REQUEST, vec![one.clone()]), (OF_MICROSOFT, vec![other])],
    ];
    for attributes in twice {
        assert_eq!(Csr::parse(&made(&[(12, b"www")], &attributes)), Err(CsrError::SeveralRequests));
    }
    let nothing = made(&[(12, b"www")], &[(EXTENSION_REQUEST, vec![])]);
    assert_eq!(Csr::parse(&nothing), Err(CsrError::NotPkcs10));
    let san_twice = extensions(&[(SAN, &san("one.example")), (SAN, &san("other.example"))]);
    let said = reason(&made(&[(12, b"www")], &[(EXTENSION_REQUEST, vec![san_twice])]));
    assert!(said.starts_with("the CSR asks for the extension subjectAltName (2.5.29.17)"), "{said}");
    for type_ in [EXTENSION_REQUEST, OF_MICROSOFT] {
        let and_more = [san("one.example"), san("other.example")].concat();
        for content in [&b"\x30\x05nonsense"[..], &and_more, b""] {
            let broken = extensions(&[(SAN, content)]);
            assert_eq!(Csr::parse(&made(&[(12, b"www")], &[(type_, vec![broken])])), Err(CsrError::Names));
        }
    }
}

#[test]
fn a_part_that_is_not_known_is_refused_and_what_tools_write_is_taken() {
    let text = |text: &str| yasna::construct_der(|writer| writer.write_utf8_string(text));
    let (not_a_ca, a_ca) = (&b"\x30\x00"[..], &b"\x30\x03\x01\x01\xff"[..]);
    let attributes: [(Attribute, &str); 6] = [
        ((&[1, 2, 840, 113_549, 1, 9, 7], vec![text("challenge")]), ""),
        ((&[1, 3, 6, 1, 4, 1, 311, 13, 2, 3], vec![text("10.0.20348.2")]), ""),
        ((&[1, 3, 6, 1, 4, 1, 311, 21, 20], vec![text("client")]), ""),
        (
            (&[1, 2, 840, 113_549, 1, 9, 2], vec![text("other.example")]),
            "the CSR has the attribute unstructuredName",
        ),
        (
            (&[1, 3, 6, 1, 4, 1, 311, 13, 2, 1], vec![text("SAN")]),
            "the CSR has the attribute 1.3.6.1.4.1.311.13.2.1",
        ),
        (
            (&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![]),
            "the CSR has the attribute 1.3.6.1.4.1.99999.1, which is not known",
        ),
    ];
    for (attribute, refused) in attributes {
        let said =
            reason(&made(&[(12, b"www")], &[attribute, (EXTENSION_REQUEST, vec![asks_for("one.example")])]));
        let expected = if refused.is_empty() { "Some(\"www\")" } else { refused };
        assert!(said.starts_with(expected), "{said}");
    }
    let extension: [(&[u64], &[u8], &str); 8] = [
        (&[2, 5, 29, 15], b"\x03\x02\x05\xa0", ""),
        (&[2, 5, 29, 37], b"\x30\x00", ""),
        (&[2, 5, 29, 14], b"\x04\x01\x01", ""),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 24], b"\x30\x03\x02\x01\x05", ""),
        (&[2, 5, 29, 19], not_a_ca, ""),
        (&[2, 5, 29, 19], a_ca, "the CSR asks for a certificate of a CA"),
        (&[2, 5, 29, 18], &san("other.example"), "the CSR asks for the extension issuerAltName (2.5.29.18)"),
        (&[2, 5, 29, 30], b"\x30\x00", "the CSR asks for the extension nameConstraints (2.5.29.30)"),
    ];
    for (type_, content, refused) in extension {
        let list = extensions(&[(type_, content), (SAN, &san("one.example"))]);
        let said = reason(&made(&[(12, b"www")], &[(EXTENSION_REQUEST, vec![list])]));
        let expected = if refused.is_empty() { "Some(\"www\")" } else { refused };
        assert!(said.starts_with(expected), "{said}");
    }
    let subject: [(&[u64], &str); 4] = [
        (&[2, 5, 4, 10], ""),
        (&[1, 2, 840, 113_549, 1, 9, 1], ""),
        (&[1, 2, 840, 113_549, 1, 9, 2], "the CSR's subject has unstructuredName"),
        (&[0, 9, 2342, 19_200_300, 100, 1, 25], "the CSR's subject has"),
    ];
    for (type_, refused) in subject {
        let said = reason(&made_for(&[(COMMON_NAME, 12, b"www"), (type_, 12, b"other.example")], &[]));
        let expected = if refused.is_empty() { "Some(\"www\")" } else { refused };
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn names_of_other_kinds_are_refused_by_kind() {
    let kinds: [(u64, &[u8], &str); 4] = [
        (1, b"hostmaster@acme.example", "hostmaster@acme.example"),
        (6, b"https://acme.example", "https://acme.example"),
        (7, &[192, 0, 2, 1], "IPAddress"),
        (8, &[0x2a, 0x03], "RegisteredID"),
    ];
    for (tag, bytes, words) in kinds {
        let names = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_tagged_implicit(Tag::context(tag), |writer| writer.write_bytes(bytes));
            });
        });
        let said = reason(&made(&[(12, b"www")], &[(EXTENSION_REQUEST, vec![extensions(&[(SAN, &names)])])]));
        assert!(said.starts_with("the CSR asks for") && said.contains(words), "{said}");
    }
}
