//! What an order records of the application that it sent: a keyed hash.
//!
//! An application includes personal data, and whoever reads an order reads its status: from a plain hash a phone number could
//! be found by trying. So what is stored is an HMAC, and its key stands where users do not read. A hash of another key, or
//! of another scheme, proves nothing; the plain hashes that version 0.1.0 stored can still be compared.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

/// The scheme of a keyed hash: `hmac-sha256:<key id>:<hex>`.
const KEYED: &str = "hmac-sha256:";

/// The scheme of version 0.1.0: `sha256:<hex>`.
const PLAIN: &str = "sha256:";

/// The length of a key, in bytes.
const KEY: usize = 32;

/// The length of the id of a key, in hexadecimal digits.
const ID: usize = 8;

/// The digest of an application. It is stored under a key alone, and never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a stored hash says of an application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// It is this application's.
    Same,
    /// It is another one's.
    Different,
    /// Nothing: it was made with another key, or in another way.
    Unknown,
}

/// The key of the hashes, which all installations of a cluster share.
#[derive(Clone, Debug)]
pub struct HashKey {
    id: String,
    key: SecretSlice<u8>,
}

impl HashKey {
    /// A new key; `None` if the system has no random numbers.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let (mut id, mut key) = ([0; ID / 2], vec![0; KEY]);
        rand::fill(&mut id).and_then(|()| rand::fill(&mut key)).ok()?;
        Some(Self { id: hex::encode(id), key: key.into() })
    }

    /// A key as it is stored; `None` if it is none.
    #[must_use]
    pub fn parse(id: &[u8], key: &[u8]) -> Option<Self> {
        let id = std::str::from_utf8(id).ok()?;
        let is_id = id.len() == ID && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_id && key.len() == KEY).then(|| Self { id: id.to_owned(), key: key.to_vec().into() })
    }

    /// Its id, which every hash names.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.key.expose_secret()
    }
}

impl Fingerprint {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The form that is stored.
    #[must_use]
    pub fn stored(&self, key: &HashKey) -> String {
        let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), &self.0);
        format!("{KEYED}{}:{}", key.id, hex::encode(code))
    }

    /// The form that version 0.1.0 stored. It is compared, and never stored.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{PLAIN}{}", hex::encode(self.0))
    }

    /// What a stored hash says of this application.
    #[must_use]
    pub fn compare(&self, stored: &str, key: Option<&HashKey>) -> Comparison {
        let own = if is_plain(stored) {
            self.plain()
        } else {
            let named = stored.strip_prefix(KEYED).and_then(|rest| rest.split_once(':')).map(|(id, _)| id);
            match key.filter(|key| named == Some(key.id())) {
                Some(key) => self.stored(key),
                None => return Comparison::Unknown,
            }
        };
        if own == stored { Comparison::Same } else { Comparison::Different }
    }
}

/// Whether a stored hash is one of version 0.1.0, from which short values could be guessed.
#[must_use]
pub fn is_plain(stored: &str) -> bool {
    stored.starts_with(PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, byte: u8) -> HashKey {
        HashKey::parse(id.as_bytes(), &[byte; KEY]).unwrap()
    }

    #[test]
    fn a_hash_is_compared_with_its_own_key_alone() {
        let (one, other) = (Fingerprint::of(b"one"), Fingerprint::of(b"other"));
        let (ours, replaced) = (key("0a1b2c3d", 1), key("0a1b2c3e", 2));
        let stored = one.stored(&ours);
        assert!(stored.starts_with("hmac-sha256:0a1b2c3d:") && stored.len() < 128, "{stored}");
        assert_eq!(one.compare(&stored, Some(&ours)), Comparison::Same);
        assert_eq!(other.compare(&stored, Some(&ours)), Comparison::Different);
        for key in [Some(&replaced), None] {
            assert_eq!(one.compare(&stored, key), Comparison::Unknown);
        }
        for unknown in ["", "hmac-sha256:", "hmac-sha256:0a1b2c3d", "sha512:00", "blake3:0a1b2c3d:00"] {
            assert_eq!(one.compare(unknown, Some(&ours)), Comparison::Unknown, "{unknown}");
        }
    }

    #[test]
    fn hashes_of_version_0_1_0_are_compared_as_they_were_made() {
        let one = Fingerprint::of(b"one");
        let stored = format!("sha256:{}", hex::encode(Sha256::digest(b"one")));
        for key in [Some(&key("0a1b2c3d", 1)), None] {
            assert_eq!(one.compare(&stored, key), Comparison::Same);
            assert_eq!(Fingerprint::of(b"other").compare(&stored, key), Comparison::Different);
        }
        assert!(is_plain(&stored) && !is_plain(&one.stored(&key("0a1b2c3d", 1))));
    }

    #[test]
    fn without_the_key_nothing_of_what_is_stored_can_be_tried() {
        let one = Fingerprint::of(b"13112341234");
        let keys = [HashKey::generate().unwrap(), HashKey::generate().unwrap()];
        let [first, second] = keys.each_ref().map(|key| one.stored(key));
        assert_ne!(first.rsplit(':').next(), second.rsplit(':').next());
        assert!(!first.contains(&hex::encode(Sha256::digest(b"13112341234"))));
        assert_eq!(format!("{one:?}"), "***");
        assert!(!format!("{:?}", keys[0]).contains(&format!("{:?}", keys[0].expose())));
    }

    #[test]
    fn what_is_no_key_is_not_taken_for_one() {
        for (id, length) in [("0a1b2c3", 32), ("0A1B2C3D", 32), ("0a1b2c3d", 31), ("0a1b2c3d", 0), ("", 32)] {
            assert!(HashKey::parse(id.as_bytes(), &vec![1; length]).is_none(), "{id} {length}");
        }
        let made = HashKey::generate().unwrap();
        assert_eq!(HashKey::parse(made.id().as_bytes(), made.expose()).unwrap().expose(), made.expose());
    }
}
