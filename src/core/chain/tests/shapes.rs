//! What becomes of each shape of bundle; docs/pem.md has the same as a table.

use proptest::prelude::*;

use super::{Ca, four, normal};
use crate::core::chain::Chain;

/// Files that tools wrote, see `tests/vectors/pem/make`.
macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/vectors/pem/chain/", $name, ".pem"))
    };
}

/// The subjects of the delivered chain without `CN=`, then the root's in brackets; or the error.
fn shown(bundle: &str) -> String {
    match Chain::parse(bundle) {
        Ok(chain) => {
            let ders = chain.ders().map(<[u8]>::to_vec).chain(chain.root.clone());
            let names = ders.map(|der| {
                let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
                let name =
                    certificate.subject().iter_common_name().next().unwrap().as_str().unwrap().to_owned();
                if chain.root.as_ref() == Some(&der) { format!("({name})") } else { name }
            });
            names.collect::<Vec<_>>().join(" < ")
        }
        Err(error) => error.to_string(),
    }
}

fn all(certificates: &[&String]) -> String {
    certificates.iter().map(|pem| pem.as_str()).collect()
}

const WHOLE: &str = "www.acme.example < Issuing < Middle < (Root)";
const WITHOUT_ROOT: &str = "www.acme.example < Issuing < Middle";

#[test]
fn blocks_are_found_however_they_are_joined() {
    let four = four();
    let bundle = all(&four.each_ref());
    let bundles = [
        four.each_ref().map(|pem| pem.trim()).concat(),
        four.each_ref().map(|pem| pem.trim()).join(" "),
        bundle.replace('\n', "\r\n"),
        bundle.replace('\n', " \n"),
        bundle.replace('\n', ""),
        four.each_ref().map(|pem| format!("\u{feff}{pem}")).concat(),
        four.each_ref().map(|pem| format!("subject=x\n\nissuer: y\n{pem}")).concat(),
        bundle.replace("CERTIFICATE-----", "X509 CERTIFICATE-----"),
    ];
    for bundle in bundles {
        assert_eq!(shown(&bundle), WHOLE, "{bundle}");
    }
}

#[test]
fn a_bundle_that_was_cut_is_refused_and_says_where() {
    let [leaf, issuing, middle, _] = &four();
    let end = "-----END CERTIFICATE-----\n";
    let cases = [
        (leaf.clone() + &issuing.replace(end, ""), "has no end: copy it again"),
        (leaf.replace(end, "") + issuing, "that begins in line 1 has no end"),
        (leaf.clone() + &issuing.replace("-----BEGIN CERTIFICATE-----\n", ""), "stands outside of one"),
        (leaf.clone() + &issuing.replace("-----", "----"), "with five hyphens at either end"),
        (leaf.trim().to_owned() + &issuing[2..] + middle, "with five hyphens at either end"),
    ];
    for (bundle, expected) in cases {
        let error = shown(&bundle);
        assert!(
            error.starts_with("the certificate bundle is not PEM: ") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn certificates_that_have_no_place_are_left_out_of_a_complete_chain() {
    let [leaf, issuing, middle, root] = &four();
    let stray = &normal(&Ca::new("Stray").self_signed());
    let same_name = &normal(&Ca::new("Issuing").self_signed());
    let same_root = &normal(&Ca::new("Root").self_signed());
    let signed_stray = &normal(&Ca::new("Stray").signed_by(&Ca::new("Other")));
    let cases = [
        (all(&[leaf, root, issuing, middle]), WHOLE),
        (all(&[root, leaf, middle, issuing]), WHOLE),
        (all(&[leaf, issuing, issuing, middle, middle, leaf, root, root]), WHOLE),
        (all(&[leaf, stray, issuing, middle, root]), WHOLE),
        (all(&[signed_stray, leaf, issuing, middle, root]), WHOLE),
        (all(&[leaf, same_name, issuing, middle, root]), WHOLE),
        (all(&[leaf, issuing, middle, same_root, root]), WHOLE),
        (all(&[leaf, same_name, issuing, middle]), WITHOUT_ROOT),
        (all(&[leaf, issuing, middle, same_name]), WITHOUT_ROOT),
        (all(&[leaf, issuing, middle]), WITHOUT_ROOT),
    ];
    for (at, (bundle, expected)) in cases.iter().enumerate() {
        assert_eq!(shown(bundle), *expected, "case {at}");
    }
}

#[test]
fn what_may_be_a_part_of_the_chain_is_in_the_way_and_named() {
    let [leaf, issuing, middle, root] = &four();
    let stray = &normal(&Ca::new("Stray").self_signed());
    let same_name = &normal(&Ca::new("Issuing").self_signed());
    let same_root = &normal(&Ca::new("Root").self_signed());
    let named_as_the_leaf = &normal(&Ca::new("www.acme.example").signed_by(&Ca::new("Other")));
    let cases = [
        (
            all(&[leaf, stray]),
            "CN=Stray is not part of the chain of the server certificate, which ends at CN=www",
        ),
        (all(&[leaf, middle]), "CN=Middle is not part of the chain"),
        (all(&[leaf, root]), "CN=Root is not part of the chain"),
        (all(&[leaf, issuing, root]), "a certificate of its issuer, CN=Middle, is not in the bundle"),
        (all(&[leaf, issuing, middle, stray]), "CN=Stray is not part of the chain"),
        (
            all(&[leaf, same_name]),
            "CN=www.acme.example names CN=Issuing as its issuer, but the signature is not",
        ),
        (all(&[leaf, same_name, middle, root]), "CN=www.acme.example names CN=Issuing as its issuer, but"),
        (
            all(&[leaf, issuing, middle, same_root]),
            "CN=Middle names CN=Root as its issuer, but the signature is",
        ),
        (all(&[leaf, named_as_the_leaf]), "CN=www.acme.example is not part of the chain"),
    ];
    for (bundle, expected) in cases {
        let error = shown(&bundle);
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn of_several_ways_up_the_longest_that_fits_is_delivered() {
    let [old, new, issuing] = ["Old", "New", "Issuing"].map(Ca::new);
    let leaf = &normal(&issuing.leaf(&["www.acme.example"]));
    let [by_new, by_old] = &[&new, &old].map(|ca| normal(&issuing.signed_by(ca)));
    let [new_root, old_root, cross] =
        &[new.self_signed(), old.self_signed(), new.signed_by(&old)].map(|pem| normal(&pem));
    let impostor = &normal(&Ca::new("Old").self_signed());
    let cases = [
        (vec![leaf, by_new, new_root, cross, old_root], "www.acme.example < Issuing < New < (Old)"),
        (vec![leaf, by_new, new_root], "www.acme.example < Issuing < (New)"),
        (vec![leaf, by_new, cross], "www.acme.example < Issuing < New"),
        (vec![leaf, by_new, new_root, cross], "www.acme.example < Issuing < New"),
        // The issuing CA is certified by both.
        (vec![leaf, by_old, by_new, cross], "www.acme.example < Issuing < New"),
        (vec![leaf, by_old, by_new, new_root], "www.acme.example < Issuing < (New)"),
        // The way over the old root ends at an impostor, so the other one is taken.
        (vec![leaf, by_new, new_root, cross, impostor], "www.acme.example < Issuing < (New)"),
    ];
    for (at, (bundle, expected)) in cases.iter().enumerate() {
        assert_eq!(shown(&all(bundle)), *expected, "case {at}");
        let mut reversed = bundle.clone();
        reversed.reverse();
        assert_eq!(shown(&all(&reversed)), *expected, "case {at}, reversed");
    }
}

#[test]
fn cas_that_all_sign_each_other_take_no_time() {
    let cas: Vec<_> = (0..5).map(|at| Ca::new(&format!("CA {at}"))).collect();
    let mut bundle = cas[0].leaf(&["www.acme.example"]);
    for one in 0..cas.len() {
        for step in 1..=3 {
            bundle += &cas[one].signed_by(&cas[(one + step) % cas.len()]);
        }
    }
    let chain = Chain::parse(&bundle).unwrap();
    assert_eq!(chain.ders().len(), 6);
}

#[test]
fn chains_of_all_tools_are_read() {
    let rolled = "www.acme.example < Acme Root";
    let vectors = [
        (
            "an issuer of another string type",
            vector!("other-string-type"),
            "www.acme.example < Issuing CA 1 < (Root)",
        ),
        // The second certificate is self-issued, and no root: clients know the key that signed it.
        ("a CA with a new key", vector!("key-rollover"), "www.acme.example < Acme Root < (Acme Root)"),
        ("bag attributes of OpenSSL", vector!("bag-attributes"), rolled),
        ("the text of certtool", vector!("certtool-text"), rolled),
        ("the list of keytool", vector!("keytool-list"), rolled),
        ("P-256 and SHA-512", vector!("signed-p256-sha512"), "www.acme.example < (CA P-256)"),
        ("P-384 and SHA-512", vector!("signed-p384-sha512"), "www.acme.example < (CA P-384)"),
        ("P-521", vector!("signed-by-p521"), "www.acme.example < (CA p521)"),
        ("RSA", vector!("signed-by-rsa"), "www.acme.example < (CA rsa)"),
        ("RSA-PSS", vector!("signed-pss"), "www.acme.example < (CA rsa)"),
        ("Ed25519", vector!("signed-by-ed25519"), "www.acme.example < (CA ed25519)"),
        ("secp256k1", vector!("signed-by-secp256k1"), "www.acme.example < (CA secp256k1)"),
    ];
    for (what, bundle, expected) in vectors {
        assert_eq!(shown(bundle), expected, "{what}");
    }
}

#[test]
fn a_signature_that_cannot_be_checked_is_told_from_a_wrong_one() {
    let vectors = [
        (
            vector!("signed-by-sm2"),
            "CN=CA sm2 as its issuer and is signed with SM2 and SM3 by a key of the kind SM2, which",
        ),
        (
            vector!("signed-by-brainpool"),
            "ECDSA and SHA-256 by a key of the kind ECDSA on brainpoolP256r1, which is not",
        ),
        (
            vector!("signed-by-rsa1024"),
            "SHA-256 and RSA by a key of the kind RSA of 1024 bits, which is not supported here",
        ),
        (
            vector!("signed-pss-salt"),
            "signed with RSA-PSS by a key of the kind RSA of 2048 bits, which is not supported",
        ),
    ];
    for (bundle, expected) in vectors {
        let error = shown(bundle);
        assert!(error.starts_with("CN=www.acme.example names ") && error.contains(expected), "{error}");
        // Where the issuer is not there, nothing has to be checked.
        let leaf = bundle.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
        assert_eq!(shown(leaf), "www.acme.example");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bundle_that_lost_a_part_is_never_a_shorter_chain(at in 0..2000usize, length in 1..300usize) {
        let bundle = vector!("key-rollover");
        let at = at.min(bundle.len());
        let end = (at + length).min(bundle.len());
        let cut = [&bundle[..at], &bundle[end..]].concat();
        // What is lost without a trace may be white space, or the root and the ones below it, whole.
        if let Ok(chain) = Chain::parse(&cut) {
            prop_assert!(Chain::parse(bundle).unwrap().pem().starts_with(&chain.pem()));
            let whole = cut.split_whitespace().collect::<String>();
            let lost_blocks = 3 - whole.matches("-----BEGINCERTIFICATE-----").count();
            prop_assert_eq!(chain.ders().len() + usize::from(chain.root_pem().is_some()), 3 - lost_blocks);
        }
    }
}
