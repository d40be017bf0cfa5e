//! PKCS #12 (RFC 7292), written by the crate `p12-keystore`.

use p12_keystore::error::Error;
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::core::keystore::content::Keystore;

/// Rounds of each key derivation: what the JDK takes.
const ROUNDS: u32 = 10_000;

/// Writes a file with one private key and its certificates. Salts are random, so no two files are alike.
pub(super) fn write(store: &Keystore<'_>) -> Result<Vec<u8>, Error> {
    // Ties the leaf to the key; readers find the other certificates by their subjects.
    let id = Sha256::digest(store.chain.ders().next().unwrap_or_default());
    let key = PrivateKey::from_der(store.key.pkcs8_der())?;
    let certificates = store.chain.ders().map(Certificate::from_der).collect::<Result<Vec<_>, _>>()?;
    let mut file = KeyStore::new();
    let chain = PrivateKeyChain::new(id.as_slice(), key, certificates);
    file.add_entry(&store.alias.0, KeyStoreEntry::PrivateKeyChain(chain));
    file.writer(store.password.0.expose_secret())
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ROUNDS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ROUNDS)
        .write()
}
