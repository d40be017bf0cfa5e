//! PKCS #12 (RFC 7292), put together from the types and the encryption of the crates `pkcs12` and `pkcs5`.
//!
//! The crate `p12-keystore`, which reads what is written here in the tests, writes such files in one call, but gives
//! the leaf its subject as its name, and readers that go by the certificate's name (NSS, many of Node.js) then look
//! for the alias in vain. It also salts each file at random: here the same content makes the same file.

use aws_lc_rs::hmac;
use pkcs5::pbes2;
use pkcs12::cms::cert::x509::attr::{Attribute, AttributeValue, Attributes};
use pkcs12::cms::cert::x509::der::asn1::{BmpString, ObjectIdentifier, OctetString, SetOfVec};
use pkcs12::cms::cert::x509::der::{self, Any, Decode, Encode};
use pkcs12::cms::cert::x509::spki::AlgorithmIdentifierOwned;
use pkcs12::cms::content_info::{CmsVersion, ContentInfo};
use pkcs12::cms::encrypted_data::EncryptedData;
use pkcs12::cms::enveloped_data::EncryptedContentInfo;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use pkcs12::pfx::{Pfx, Version};
use pkcs12::safe_bag::SafeBag;
use pkcs12::{CertBag, DigestInfo, MacData};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::core::keystore::content::{Keystore, KeystoreError};

/// Rounds of each key derivation: what the JDK takes.
const ROUNDS: u16 = 10_000;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

type Result<T> = std::result::Result<T, Pkcs12Error>;

/// What can go wrong in the libraries.
#[derive(Debug, thiserror::Error)]
pub(super) enum Pkcs12Error {
    #[error(transparent)]
    Der(#[from] der::Error),
    #[error("{0}")]
    Encryption(pkcs5::Error),
}

impl From<Pkcs12Error> for KeystoreError {
    fn from(error: Pkcs12Error) -> Self {
        Self::Pkcs12(error.to_string())
    }
}

/// Writes a file with one private key and its certificates.
pub(super) fn write(store: &Keystore<'_>) -> Result<Vec<u8>> {
    let safes = vec![certificates(store)?, key(store)?].to_der()?;
    let mac = mac(store, &safes)?;
    let auth_safe = ContentInfo { content_type: DATA, content: Any::encode_from(&OctetString::new(safes)?)? };
    Ok(Pfx { version: Version::V3, auth_safe, mac_data: Some(mac) }.to_der()?)
}

fn certificates(store: &Keystore<'_>) -> Result<ContentInfo> {
    let bags = store.chain.ders().enumerate().map(|(at, der)| {
        let bag = CertBag { cert_id: pkcs12::PKCS_12_X509_CERT_OID, cert_value: OctetString::new(der)? };
        // The leaf has the name and the id of the key; readers find the others by their subjects.
        let bag_attributes = if at == 0 { Some(attributes(store)?) } else { None };
        Ok(SafeBag { bag_id: pkcs12::PKCS_12_CERT_BAG_OID, bag_value: bag.to_der()?, bag_attributes })
    });
    let bags = bags.collect::<Result<Vec<_>>>()?;
    let (content_enc_alg, encrypted) = encrypt(store, "certificates", &bags.to_der()?)?;
    let data = EncryptedData {
        version: CmsVersion::V0,
        enc_content_info: EncryptedContentInfo {
            content_type: DATA,
            content_enc_alg,
            encrypted_content: Some(encrypted),
        },
        unprotected_attrs: None,
    };
    Ok(ContentInfo { content_type: ENCRYPTED_DATA, content: Any::encode_from(&data)? })
}

fn key(store: &Keystore<'_>) -> Result<ContentInfo> {
    let (encryption_algorithm, encrypted_data) = encrypt(store, "key", store.key.pkcs8_der())?;
    let bag = SafeBag {
        bag_id: pkcs12::PKCS_12_PKCS8_KEY_BAG_OID,
        bag_value: EncryptedPrivateKeyInfo { encryption_algorithm, encrypted_data }.to_der()?,
        bag_attributes: Some(attributes(store)?),
    };
    let bags = OctetString::new(vec![bag].to_der()?)?;
    Ok(ContentInfo { content_type: DATA, content: Any::encode_from(&bags)? })
}

/// The entry's name, and what says that key and leaf belong together.
fn attributes(store: &Keystore<'_>) -> Result<Attributes> {
    let id = Sha256::digest(store.chain.ders().next().unwrap_or_default());
    let mut attributes = Attributes::new();
    attributes.insert(attribute(FRIENDLY_NAME, &BmpString::from_utf8(&store.alias.0)?)?)?;
    attributes.insert(attribute(LOCAL_KEY_ID, &OctetString::new(id.as_slice())?)?)?;
    Ok(attributes)
}

fn attribute(oid: ObjectIdentifier, value: &impl Encode) -> Result<Attribute> {
    let value = AttributeValue::from_der(&value.to_der()?)?;
    Ok(Attribute { oid, values: SetOfVec::from_iter([value])? })
}

/// PBES2 (RFC 8018).
fn encrypt(
    store: &Keystore<'_>,
    what: &str,
    plain: &[u8],
) -> Result<(AlgorithmIdentifierOwned, OctetString)> {
    let salt: [u8; 16] = store.derive(&format!("{what} salt"));
    let iv = store.derive(&format!("{what} IV"));
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(u32::from(ROUNDS), &salt, iv)
        .map_err(Pkcs12Error::Encryption)?;
    let encrypted =
        parameters.encrypt(store.password.0.expose_secret(), plain).map_err(Pkcs12Error::Encryption)?;
    let parameters = Some(Any::encode_from(&parameters)?);
    Ok((AlgorithmIdentifierOwned { oid: PBES2, parameters }, OctetString::new(encrypted)?))
}

fn mac(store: &Keystore<'_>, data: &[u8]) -> Result<MacData> {
    let salt: [u8; 16] = store.derive("MAC salt");
    let rounds = i32::from(ROUNDS);
    let password = store.password.0.expose_secret();
    let key = Zeroizing::new(derive_key_utf8::<Sha256>(password, &salt, Pkcs12KeyType::Mac, rounds, 32)?);
    let digest = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), data);
    let algorithm = AlgorithmIdentifierOwned { oid: SHA256, parameters: None };
    let mac = DigestInfo { algorithm, digest: OctetString::new(digest.as_ref())? };
    Ok(MacData { mac, mac_salt: OctetString::new(salt)?, iterations: rounds })
}
