//! PKCS #12 (RFC 7292): a bag of certificates and a bag with the key, both encrypted with PBES2 (RFC 8018), under
//! one MAC.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, pbkdf2};
use secrecy::ExposeSecret;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq, Tag, construct_der};
use zeroize::Zeroizing;

use crate::core::keystore::{Keystore, KeystoreError, utf16};

/// Rounds of each key derivation: what the JDK takes. (The unwrap is the compiler's.)
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const ENCRYPTED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 6];
const KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509_CERTIFICATE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const FRIENDLY_NAME: &[u64] = &[1, 2, 840, 113_549, 1, 9, 20];
const LOCAL_KEY_ID: &[u64] = &[1, 2, 840, 113_549, 1, 9, 21];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_WITH_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES_256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const ID_SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// Writes a file with one private key and its certificates.
pub(super) fn write(store: &Keystore<'_>) -> Result<Vec<u8>, KeystoreError> {
    let certificates = Encrypted::new(store, "certificates", &certificate_bags(store))?;
    let key = Encrypted::new(store, "key", store.key.pkcs8_der())?;
    let safe = construct_der(|writer| {
        writer.write_sequence(|writer| {
            content_info(writer.next(), ENCRYPTED_DATA, |writer| certificates.write_data(writer));
            content_info(writer.next(), DATA, |writer| writer.write_bytes(&key_bags(store, &key)));
        });
    });
    let salt: [u8; 16] = store.derive("MAC salt");
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, mac_key(store, salt).as_ref()), &safe);
    Ok(construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(3);
            content_info(writer.next(), DATA, |writer| writer.write_bytes(&safe));
            writer.next().write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    typed(writer.next(), ID_SHA256, null);
                    writer.next().write_bytes(mac.as_ref());
                });
                writer.next().write_bytes(&salt);
                writer.next().write_u32(ROUNDS.get());
            });
        });
    }))
}

fn certificate_bags(store: &Keystore<'_>) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (at, certificate) in store.chain.ders().enumerate() {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&oid(CERTIFICATE_BAG));
                    explicit(writer.next(), |writer| {
                        typed(writer, X509_CERTIFICATE, |writer| {
                            explicit(writer, |writer| writer.write_bytes(certificate));
                        });
                    });
                    // The attributes tie the leaf to the key; readers find the others by their subjects.
                    if at == 0 {
                        attributes(writer.next(), store);
                    }
                });
            }
        });
    })
}

fn key_bags(store: &Keystore<'_>, key: &Encrypted) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&oid(KEY_BAG));
                explicit(writer.next(), |writer| {
                    writer.write_sequence(|writer| {
                        key.write_algorithm(writer.next());
                        writer.next().write_bytes(&key.ciphertext);
                    });
                });
                attributes(writer.next(), store);
            });
        });
    })
}

/// The entry's name, and what says that key and leaf belong together.
fn attributes(writer: DERWriter<'_>, store: &Keystore<'_>) {
    let leaf = store.chain.ders().next().unwrap_or_default();
    let attribute = |writer: DERWriter<'_>, type_, value: &dyn Fn(DERWriter<'_>)| {
        typed(writer, type_, |writer| writer.write_set(|writer| value(writer.next())));
    };
    writer.write_set_of(|writer| {
        attribute(writer.next(), FRIENDLY_NAME, &|writer| writer.write_bmp_string(&store.alias.0));
        attribute(writer.next(), LOCAL_KEY_ID, &|writer| writer.write_bytes(digest(&SHA256, leaf).as_ref()));
    });
}

/// Something encrypted with PBES2.
struct Encrypted {
    salt: [u8; 16],
    iv: [u8; 16],
    ciphertext: Vec<u8>,
}

impl Encrypted {
    fn new(store: &Keystore<'_>, what: &str, plaintext: &[u8]) -> Result<Self, Unspecified> {
        let salt: [u8; 16] = store.derive(&format!("{what} salt"));
        let iv: [u8; 16] = store.derive(&format!("{what} IV"));
        let mut key = Zeroizing::new([0; 32]);
        let password = store.password.0.expose_secret().as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, password, key.as_mut());
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key.as_ref())?)?;
        // With room for the padding: a buffer that grew would leave the plaintext behind in memory.
        let mut ciphertext = Vec::with_capacity(plaintext.len() + AES_256.block_len());
        ciphertext.extend_from_slice(plaintext);
        key.less_safe_encrypt(&mut ciphertext, EncryptionContext::Iv128(FixedLength::from(iv)))?;
        Ok(Self { salt, iv, ciphertext })
    }

    fn write_algorithm(&self, writer: DERWriter<'_>) {
        typed(writer, PBES2, |writer| {
            writer.write_sequence(|writer| {
                typed(writer.next(), PBKDF2, |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_bytes(&self.salt);
                        writer.next().write_u32(ROUNDS.get());
                        typed(writer.next(), HMAC_WITH_SHA256, null);
                    });
                });
                typed(writer.next(), AES_256_CBC, |writer| writer.write_bytes(&self.iv));
            });
        });
    }

    /// As CMS `EncryptedData` (RFC 5652, section 8).
    fn write_data(&self, writer: DERWriter<'_>) {
        writer.write_sequence(|writer: &mut DERWriterSeq<'_>| {
            writer.next().write_u8(0);
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&oid(DATA));
                self.write_algorithm(writer.next());
                writer
                    .next()
                    .write_tagged_implicit(Tag::context(0), |writer| writer.write_bytes(&self.ciphertext));
            });
        });
    }
}

/// The key of the MAC (RFC 7292, appendix B.2). It is as long as one hash, so the first block is all of it.
fn mac_key(store: &Keystore<'_>, salt: [u8; 16]) -> Zeroizing<[u8; 32]> {
    const BLOCK: usize = 64;
    const FOR_A_MAC: u8 = 3;
    let password = store.password.0.expose_secret();
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(utf16(password).chain([0, 0]).collect());
    let password_length = password.len().next_multiple_of(BLOCK);
    let mut input = Zeroizing::new(vec![FOR_A_MAC; BLOCK]);
    input.extend(salt.iter().cycle().take(BLOCK));
    input.extend(password.iter().cycle().take(password_length));
    let mut key = Zeroizing::new([0; 32]);
    let mut hash = digest(&SHA256, &input);
    for _ in 1..ROUNDS.get() {
        hash = digest(&SHA256, hash.as_ref());
    }
    key.iter_mut().zip(hash.as_ref()).for_each(|(byte, digit)| *byte = *digit);
    key
}

fn oid(components: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(components)
}

fn null(writer: DERWriter<'_>) {
    writer.write_null();
}

fn explicit(writer: DERWriter<'_>, value: impl FnOnce(DERWriter<'_>)) {
    writer.write_tagged(Tag::context(0), value);
}

/// A sequence of a type and a value that the type defines: an algorithm, an attribute, a bag.
fn typed(writer: DERWriter<'_>, type_: &[u64], value: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|writer| {
        writer.next().write_oid(&oid(type_));
        value(writer.next());
    });
}

fn content_info(writer: DERWriter<'_>, type_: &[u64], content: impl FnOnce(DERWriter<'_>)) {
    typed(writer, type_, |writer| explicit(writer, content));
}
