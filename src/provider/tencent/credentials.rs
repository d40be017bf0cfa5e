//! An API key of Tencent Cloud, from the data of a Secret.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::provider::credentials::{CredentialsError, Data, Names, entry, required};

const SECRET_ID: Names = &["secretId", "TENCENTCLOUD_SECRET_ID"];
const SECRET_KEY: Names = &["secretKey", "TENCENTCLOUD_SECRET_KEY"];
const TOKEN: Names = &["token", "TENCENTCLOUD_TOKEN"];

const NEEDS: &str = "Tencent Cloud needs secretId and secretKey, and token with a temporary key";

/// An API key. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Names the key.
    pub secret_id: SecretString,
    /// Signs requests.
    pub secret_key: SecretString,
    /// Belongs to a temporary key.
    pub token: Option<SecretString>,
}

impl Credentials {
    /// Reads the data of a Secret.
    pub fn from_secret(data: &Data) -> Result<Self, CredentialsError> {
        Ok(Self {
            secret_id: required(data, SECRET_ID, NEEDS)?,
            secret_key: required(data, SECRET_KEY, NEEDS)?,
            token: entry(data, TOKEN)?,
        })
    }

    /// Identifies these credentials, for a map in memory.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in [Some(&self.secret_id), Some(&self.secret_key), self.token.as_ref()].into_iter().flatten()
        {
            let part = part.expose_secret();
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(data: &[(&str, &str)]) -> Result<[Option<String>; 3], CredentialsError> {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let credentials = Credentials::from_secret(&data.collect())?;
        assert!(!format!("{credentials:?}").contains("AKID"));
        let Credentials { secret_id, secret_key, token } = credentials;
        Ok([Some(secret_id), Some(secret_key), token]
            .map(|value| value.map(|value| value.expose_secret().to_owned())))
    }

    #[test]
    fn both_sets_of_names_are_read() {
        let short = [("secretId", "AKID1"), ("secretKey", "key"), ("token", "t==/+")];
        let long = [
            ("TENCENTCLOUD_SECRET_ID", "AKID1\n"),
            ("TENCENTCLOUD_SECRET_KEY", "key\r\n"),
            ("TENCENTCLOUD_TOKEN", "t==/+"),
        ];
        for data in [short, long] {
            assert_eq!(read(&data).unwrap(), ["AKID1", "key", "t==/+"].map(|value| Some(value.to_owned())));
        }
        assert_eq!(read(&short[..2]).unwrap()[2], None);
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_entry_that_has_it() {
        let cases = [
            ("", "key", "its entry secretId is empty"),
            ("AKID1", "\n", "its entry secretKey is empty"),
            (" AKID1", "key", "its entry secretId begins or ends with white space: remove it"),
            ("AKID1", "key ", "its entry secretKey begins or ends with white space: remove it"),
            ("AKID1", "key\n\n", "its entry secretKey has a line break in it: it must be one line"),
            (
                "\u{feff}AKID1",
                "key",
                "its entry secretId has a byte order mark: save it as UTF-8 without one (BOM)",
            ),
            ("AKID1", "k\tey", "its entry secretKey has a control character in it, such as a tab: remove it"),
            (
                "AKID1",
                "k ey",
                "its entry secretKey has characters that no API key has: copy it from the console anew",
            ),
            (
                "AKÍD1",
                "key",
                "its entry secretId has characters that no API key has: copy it from the console anew",
            ),
        ];
        for (id, key, message) in cases {
            assert_eq!(read(&[("secretId", id), ("secretKey", key)]).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_missing_entry_is_named_with_all_that_is_accepted() {
        let error = read(&[("secretId", "AKID1"), ("secret_key", "key")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has no entry secretKey (or TENCENTCLOUD_SECRET_KEY); Tencent Cloud needs secretId and secretKey, and \
             token with a temporary key"
        );
    }
}
