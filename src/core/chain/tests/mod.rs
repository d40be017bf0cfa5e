use jiff::Timestamp;
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, PublicKeyData};

use super::*;
use crate::core::application::KeyAlgorithm;
use crate::core::chain::bundle::{pem_of, read_pem};
use crate::core::keypair::KeyPair;
use crate::core::names::Names;

mod shapes;

/// A CA with one key and any number of certificates.
struct Ca {
    params: CertificateParams,
    key: rcgen::KeyPair,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { params, key: rcgen::KeyPair::generate().unwrap() }
    }

    fn self_signed(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    fn signed_by(&self, issuer: &Self) -> String {
        issuer.sign(&self.params, &self.key)
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> String {
        params.signed_by(key, &Issuer::from_params(&self.params, &self.key)).unwrap().pem()
    }

    fn leaf(&self, names: &[&str]) -> String {
        self.sign(&params("www.acme.example", names), &rcgen::KeyPair::generate().unwrap())
    }
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2025, 2, 3);
    params
}

fn error(bundle: &[&str]) -> String {
    Chain::parse(&bundle.concat()).unwrap_err().to_string()
}

fn normal(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

/// Leaf, two intermediates, root.
fn four() -> [String; 4] {
    let (root, middle, issuing) = (Ca::new("Root"), Ca::new("Middle"), Ca::new("Issuing"));
    let leaf = issuing.leaf(&["www.acme.example"]);
    [leaf, issuing.signed_by(&middle), middle.signed_by(&root), root.self_signed()].map(|pem| normal(&pem))
}

#[test]
fn a_bundle_in_any_order_becomes_the_chain_without_its_root() {
    let four = four();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let bundle = order.map(|at| format!("# a comment\n{}", four[at])).concat();
        let chain = Chain::parse(&(bundle.clone() + &bundle)).unwrap();
        assert_eq!(chain.pem(), four[..3].concat());
        assert_eq!(chain.root_pem().as_ref(), Some(&four[3]));
        assert_eq!(chain.ders().len(), 3);
        assert_eq!(Chain::parse(&chain.pem()).unwrap().pem(), chain.pem());
    }
    let without_root = Chain::parse(&four[..3].concat()).unwrap();
    assert_eq!((without_root.pem(), without_root.root_pem()), (four[..3].concat(), None));
    assert_eq!(Chain::parse(&four[0]).unwrap().pem(), four[0]);
}

#[test]
fn a_cross_signed_ca_is_kept_and_the_other_way_up_is_no_stranger() {
    let (old, new, issuing) = (Ca::new("Old root"), Ca::new("New root"), Ca::new("Issuing"));
    let [leaf, issuing, cross, new, old] = [
        issuing.leaf(&["www.acme.example"]),
        issuing.signed_by(&new),
        new.signed_by(&old),
        new.self_signed(),
        old.self_signed(),
    ]
    .map(|pem| normal(&pem));
    let chain = Chain::parse(&[&new, &leaf, &old, &cross, &issuing].map(String::as_str).concat()).unwrap();
    assert_eq!(chain.pem(), [leaf, issuing, cross].concat());
    assert_eq!(chain.root_pem(), Some(old));
}

#[test]
fn cas_that_sign_each_other_end_the_chain() {
    let (one, other) = (Ca::new("One"), Ca::new("Other"));
    let bundle = [one.leaf(&["www.acme.example"]), one.signed_by(&other), other.signed_by(&one)];
    assert_eq!(Chain::parse(&bundle.concat()).unwrap().ders().len(), 3);
}

#[test]
fn a_bundle_that_is_no_chain_is_refused_with_the_reason() {
    let [leaf, issuing, middle, root] = &four();
    let stranger = &Ca::new("Stranger").self_signed();
    let impostor = &Ca::new("Issuing").self_signed();
    let other_leaf = &Ca::new("Other").leaf(&["other.example"]);
    let key = &rcgen::KeyPair::generate().unwrap().serialize_pem();
    let cases = [
        (error(&[]), "not PEM"),
        (error(&["-----BEGIN CERTIFICATE-----\nMII"]), "not PEM"),
        (error(&["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]), "block 1 of the"),
        (error(&[leaf, key]), "a block \"PRIVATE KEY\""),
        (error(&[issuing, middle, root]), "no server certificate"),
        (error(&[leaf, other_leaf, issuing]), "two server certificates, CN=www.acme.example and CN=www"),
        (error(&[leaf, issuing, middle, stranger]), "CN=Stranger is not part of the chain"),
        (error(&[leaf, middle, root]), "CN=Issuing, is not in the bundle"),
        (error(&[leaf, issuing, root]), "which ends at CN=Issuing: a certificate of its issuer, CN=Middle"),
        (error(&[leaf, impostor, middle]), "names CN=Issuing as its issuer, but the signature is not"),
        (error(&(0..17).map(|_| leaf.as_str()).collect::<Vec<_>>()), "more than 16 certificates"),
        (error(&["x".repeat(1024 * 1024).as_str()]), "larger than 262144 bytes"),
    ];
    for (error, reason) in cases {
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn an_expired_leaf_is_read_and_described() {
    let mut params = params("www.acme.example", &["WWW.acme.example", "api.acme.example"]);
    params.distinguished_name.push(DnType::OrganizationName, "示例科技有限公司");
    params.serial_number = Some(vec![0xAB, 0x01].into());
    let chain = Ca::new("Issuing").sign(&params, &rcgen::KeyPair::generate().unwrap());
    let chain = Chain::parse(&chain).unwrap();
    assert_eq!(chain.leaf_not_before().to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(chain.leaf_not_after().to_string(), "2025-02-03T00:00:00Z");
    assert_eq!(chain.leaf_names(), ["www.acme.example", "api.acme.example"]);
    assert_eq!(chain.leaf_subject(), "CN=www.acme.example, O=示例科技有限公司");
    assert_eq!(chain.leaf_serial(), "AB01");
}

#[test]
fn a_leaf_without_end_is_read() {
    let mut params = params("www.acme.example", &["www.acme.example"]);
    params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    let chain = Ca::new("Issuing").sign(&params, &rcgen::KeyPair::generate().unwrap());
    assert_eq!(Chain::parse(&chain).unwrap().leaf_not_after(), Timestamp::MAX);
}

#[test]
fn every_name_of_the_order_must_be_covered() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&["www.a.example"], &["www.a.example"], &[]),
        (&["WWW.A.example", "b.example"], &["www.a.example", "b.example"], &[]),
        (&["*.a.example"], &["www.a.example", "*.a.example"], &[]),
        (&["*.a.example"], &["a.example", "x.y.a.example"], &["a.example", "x.y.a.example"]),
        (&["www.a.example"], &["*.a.example"], &["*.a.example"]),
        (&["*.a.example"], &["*.b.a.example"], &["*.b.a.example"]),
        (&[], &["www.acme.example"], &["www.acme.example"]),
    ];
    let ca = Ca::new("Issuing");
    for (held, wanted, missing) in cases {
        let chain = Chain::parse(&ca.leaf(held)).unwrap();
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let names = Names::parse(&wanted[0], &wanted[1..]).unwrap();
        let uncovered = chain.covers(&names).err().map(|error| error.missing).unwrap_or_default();
        assert_eq!(uncovered, *missing, "{held:?}");
    }
    let chain = Chain::parse(&ca.leaf(&["www.a.example", "b.example"])).unwrap();
    let error = chain.covers(&Names::parse("c.example", &[]).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the certificate does not cover c.example; it covers www.a.example, b.example"
    );
}

#[test]
fn a_leaf_matches_the_key_it_was_issued_for_and_no_other() {
    let ca = Ca::new("Issuing");
    for algorithm in [KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ecdsa(256), KeyAlgorithm::Ecdsa(384)] {
        let [key, other] = [(); 2].map(|()| KeyPair::generate(algorithm).unwrap());
        let signer = rcgen::KeyPair::from_pem(secrecy::ExposeSecret::expose_secret(&key.pem())).unwrap();
        let chain = ca.sign(&params("www.acme.example", &["www.acme.example"]), &signer);
        let chain = Chain::parse(&chain).unwrap();
        assert!(chain.matches(&key), "{algorithm}");
        assert!(!chain.matches(&other), "{algorithm}");
    }
}

#[test]
fn keys_and_certificates_of_openssl_fit_together() {
    let key = KeyPair::from_pem(&include_str!("../../keystore/testdata/key.pem").into()).unwrap();
    let chain = Chain::parse(include_str!("../../keystore/testdata/chain.pem")).unwrap();
    assert!(chain.matches(&key));
    assert_eq!(chain.covers(&Names::parse("www.acme.example", &["*.acme.example".into()]).unwrap()), Ok(()));
    assert_eq!(chain.ders().len(), 2);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        der in proptest::collection::vec(any::<u8>(), 0..512),
        text in "(-----BEGIN [A-Z ]{0,12}-----\n?)?\\PC{0,200}",
    ) {
        let _ = Chain::parse(&pem_of(&der));
        let _ = Chain::parse(&text);
    }

    #[test]
    fn a_damaged_leaf_or_issuer_is_never_taken(at in 0..1200usize, flip in 1..=255u8) {
        let bundle = include_str!("../../keystore/testdata/chain.pem");
        let mut ders: Vec<_> = read_pem(bundle).unwrap().into_iter().map(|(_, der)| der).collect();
        let Some(byte) = ders.iter_mut().flatten().nth(at) else { return Ok(()) };
        *byte ^= flip;
        if let Ok(damaged) = Chain::parse(&ders.iter().map(|der| pem_of(der)).collect::<String>()) {
            // What the issuer signed is whole; its own signature is not checked without the root.
            let facts = |chain: Chain| (chain.names, chain.serial, chain.not_after, chain.public_key);
            prop_assert_eq!(facts(damaged), facts(Chain::parse(bundle).unwrap()));
        }
    }
}
