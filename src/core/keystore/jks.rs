//! The file format `JKS` of Java, as the JDK's `sun.security.provider.JavaKeyStore` and `KeyProtector` define it.

use aws_lc_rs::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use yasna::models::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::core::keystore::content::{Keystore, utf16};

const MAGIC: u32 = 0xFEED_FEED;
const VERSION: u32 = 2;
const PRIVATE_KEY_ENTRY: u32 = 1;
const KEY_PROTECTOR: [u64; 11] = [1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1];
/// Hashed between the password and the content. The JDK's own joke.
const WHITENER: &[u8] = b"Mighty Aphrodite";

type Salt = [u8; 20];

/// Writes a file with one private key entry, dated to the begin of the certificate's validity.
pub(super) fn write(store: &Keystore<'_>) -> Vec<u8> {
    encode(store, &store.derive("JKS salt"), store.chain.leaf_not_before())
}

pub(super) fn encode(store: &Keystore<'_>, salt: &Salt, created: Timestamp) -> Vec<u8> {
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(utf16(store.password.0.expose_secret()).collect());
    let mut file = Vec::new();
    for number in [MAGIC, VERSION, 1, PRIVATE_KEY_ENTRY] {
        file.extend(number.to_be_bytes());
    }
    put_text(&mut file, &store.alias.0);
    file.extend(created.as_millisecond().to_be_bytes());
    put_bytes(&mut file, &protect(store.key.pkcs8_der(), &password, salt));
    file.extend(length(store.chain.ders().len()));
    for certificate in store.chain.ders() {
        put_text(&mut file, "X.509");
        put_bytes(&mut file, certificate);
    }
    let digest = sha1(&[&password, WHITENER, &file]);
    file.extend(digest.as_ref());
    file
}

/// The key as an `EncryptedPrivateKeyInfo`: salt, key XOR a chain of hashes, and a hash to know the password by.
fn protect(key: &[u8], password: &[u8], salt: &Salt) -> Vec<u8> {
    let mut protected = salt.to_vec();
    let mut pad = sha1(&[password, salt]);
    for block in key.chunks(pad.as_ref().len()) {
        protected.extend(block.iter().zip(pad.as_ref()).map(|(byte, mask)| byte ^ mask));
        pad = sha1(&[password, pad.as_ref()]);
    }
    protected.extend(sha1(&[password, key]).as_ref());
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&ObjectIdentifier::from_slice(&KEY_PROTECTOR));
                writer.next().write_null();
            });
            writer.next().write_bytes(&protected);
        });
    })
}

fn sha1(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

/// Java's `writeUTF`, which for ASCII is the text after its length.
fn put_text(file: &mut Vec<u8>, ascii: &str) {
    let [_, _, short @ ..] = length(ascii.len());
    file.extend(short);
    file.extend(ascii.as_bytes());
}

fn put_bytes(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend(length(bytes.len()));
    file.extend(bytes);
}

/// A length in four bytes. All that is written here was capped far below that when it was read.
fn length(length: usize) -> [u8; 4] {
    let [_, _, _, _, low @ ..] = (length as u64).to_be_bytes();
    low
}
