//! Private keys: one that was read is written and read again as the same key, and signs.

use certorder::core::application::KeyAlgorithm;
use certorder::core::keypair::{KeyPair, Subject};
use certorder::core::names::Names;

use super::pem;

/// The labels of the formats that are read.
const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// Reads a key in each format.
pub(crate) fn check(data: &[u8]) {
    for label in LABELS {
        if let Ok(key) = KeyPair::from_pem(&pem::text(data, label).into()) {
            check_key(&key);
        }
    }
}

fn check_key(key: &KeyPair) {
    let again = KeyPair::from_pem(&key.pem()).map(|key| key.public_key_der()).ok();
    assert_eq!(again, Some(key.public_key_der()), "read again");
    match key.algorithm() {
        KeyAlgorithm::Rsa(bits) => assert!((2048..=8192).contains(&bits), "{bits}"),
        KeyAlgorithm::Ecdsa(bits) => {
            assert!([256, 384].contains(&bits), "{bits}");
            let names = Names::parse("www.acme.example", &[]).ok();
            let csr = names.map(|names| key.csr(&Subject::default(), &names));
            assert!(csr.is_some_and(|csr| csr.is_ok()), "the key does not sign");
        }
    }
}
