//! What a keystore holds, and what tells whether a stored one is up to date.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::core::chain::Chain;
use crate::core::keypair::KeyPair;

/// The longest password, in bytes. PKCS #12 hashes it once for each of its many rounds.
pub(super) const LONGEST_PASSWORD: usize = 1024;
/// The longest alias, in bytes.
pub(super) const LONGEST_ALIAS: usize = 253;

/// A kind of keystore.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::EnumIter)]
pub enum Format {
    /// PKCS #12 (RFC 7292) with PBES2, AES-256-CBC, PBKDF2 and HMAC, both with SHA-256. Every Java and OpenSSL still
    /// cared for reads it; Java 21 and older only with a password in ASCII.
    Pkcs12,
    /// Java's own format of old. Its protection is weak (SHA-1): the Secret around it is what keeps the key.
    Jks,
}

impl Format {
    /// The file's key in a Secret, as cert-manager names it.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Pkcs12 => "keystore.p12",
            Self::Jks => "keystore.jks",
        }
    }
}

/// What a keystore holds: one entry.
#[derive(Clone, Copy, Debug)]
pub struct Keystore<'a> {
    /// The private key.
    pub key: &'a KeyPair,
    /// The certificate of that key, with its chain.
    pub chain: &'a Chain,
    /// Protects the file and the entry in it.
    pub password: &'a Password,
    /// The entry's name.
    pub alias: &'a Alias,
}

/// Why there is no keystore.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeystoreError {
    /// No password, or an endless one.
    #[error("the keystore's password must have 1 to {LONGEST_PASSWORD} bytes")]
    Password,
    /// A password that Java cannot use.
    #[error(
        "the password of a PKCS #12 keystore must be printable ASCII: with other characters Java 21 and older cannot open \
         the file, and say that the password was incorrect; choose another one, or use spec.keystores.jks"
    )]
    NotAscii,
    /// An alias that Java could not find again.
    #[error("the keystore's alias must be 1 to {LONGEST_ALIAS} printable ASCII characters")]
    Alias,
    /// The library that writes PKCS #12 failed.
    #[error("the PKCS #12 file could not be written: {0}")]
    Pkcs12(String),
}

impl Keystore<'_> {
    /// What tells a file of this content from any other one: an HMAC under the private key, so that nobody can try
    /// passwords on it. It is the same for the same content, and stands beside the file.
    #[must_use]
    pub fn mark(&self, format: Format) -> String {
        let purpose = match format {
            // The second form in which the file is written: the first named the leaf by its subject.
            Format::Pkcs12 => "keystore.p12 2",
            Format::Jks => "keystore.jks",
        };
        hex::encode(self.derive::<16>(purpose))
    }

    /// Bytes that look random, and are the same for the same content and purpose.
    pub(super) fn derive<const N: usize>(&self, purpose: &str) -> [u8; N] {
        const { assert!(N <= 32, "an HMAC with SHA-256 has no more bytes") };
        let mut content = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.key.pkcs8_der()));
        let texts = [purpose.as_bytes(), self.password.0.expose_secret().as_bytes(), self.alias.0.as_bytes()];
        for part in texts.into_iter().chain(self.chain.ders()) {
            content.update(&(part.len() as u64).to_be_bytes());
            content.update(part);
        }
        let mut bytes = [0; N];
        bytes.iter_mut().zip(content.sign().as_ref()).for_each(|(byte, digit)| *byte = *digit);
        bytes
    }
}

/// The password of a keystore.
#[derive(Clone, Debug)]
pub struct Password(pub(super) SecretString);

impl Password {
    /// Takes a text as it is, white space at its ends included, for a keystore of this format.
    ///
    /// Java 21 and older decrypt PKCS #12 with printable ASCII only, and say of anything else that the password was
    /// incorrect (`findings/java-pkcs12-password.sh`); Java's older format takes any text.
    pub fn new(format: Format, text: SecretString) -> Result<Self, KeystoreError> {
        let password = text.expose_secret();
        if !(1..=LONGEST_PASSWORD).contains(&password.len()) {
            Err(KeystoreError::Password)
        } else if format == Format::Pkcs12 && !password.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            Err(KeystoreError::NotAscii)
        } else {
            Ok(Self(text))
        }
    }
}

/// The name of an entry, in lower case: Java ignores the case, by looking for the lower-case name only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alias(pub(super) String);

impl Default for Alias {
    /// `certificate`, as cert-manager has it.
    fn default() -> Self {
        Self("certificate".to_owned())
    }
}

impl Alias {
    /// Reads an alias.
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        let is_printable = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let is_fit = is_printable && (1..=LONGEST_ALIAS).contains(&text.len());
        if is_fit { Ok(Self(text.to_ascii_lowercase())) } else { Err(KeystoreError::Alias) }
    }
}

/// UTF-16 in network order, which both formats hash.
pub(super) fn utf16(text: &str) -> impl Iterator<Item = u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes)
}
