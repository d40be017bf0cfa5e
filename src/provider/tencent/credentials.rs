//! An API key of Tencent Cloud, from the data of a Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::SecretString;
use zeroize::Zeroizing;

/// The entry of the Secret, and the name under which people already have it, as an environment variable.
type Keys = [&'static str; 2];

const SECRET_ID: Keys = ["secretId", "TENCENTCLOUD_SECRET_ID"];
const SECRET_KEY: Keys = ["secretKey", "TENCENTCLOUD_SECRET_KEY"];
const TOKEN: Keys = ["token", "TENCENTCLOUD_TOKEN"];

/// An API key. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Names the key.
    pub secret_id: SecretString,
    /// Signs requests.
    pub secret_key: SecretString,
    /// Goes with a temporary key.
    pub token: Option<SecretString>,
}

/// Why a Secret holds no usable API key. The text goes on where "Secret NAME: " ends.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// An entry is missing.
    #[error(
        "it has no entry {} (or {}); Tencent Cloud needs secretId and secretKey, and token with a temporary key",
        .0[0], .0[1]
    )]
    Missing([&'static str; 2]),
    /// An entry has no content.
    #[error("its entry {0} is empty")]
    Empty(&'static str),
    /// An entry begins or ends with white space.
    #[error("its entry {0} begins or ends with white space: remove it")]
    WhiteSpace(&'static str),
    /// An entry has other characters than an API key.
    #[error("its entry {0} has characters that no API key has: copy it from the console anew")]
    NotAKey(&'static str),
}

impl Credentials {
    /// Reads the data of a Secret. One newline at the end of a value is dropped, since `echo` and editors leave
    /// it there.
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Self, CredentialsError> {
        Ok(Self {
            secret_id: entry(data, SECRET_ID)?.ok_or(CredentialsError::Missing(SECRET_ID))?,
            secret_key: entry(data, SECRET_KEY)?.ok_or(CredentialsError::Missing(SECRET_KEY))?,
            token: entry(data, TOKEN)?,
        })
    }
}

fn entry(data: &BTreeMap<String, ByteString>, keys: Keys) -> Result<Option<SecretString>, CredentialsError> {
    let found = keys.into_iter().find_map(|key| Some((key, data.get(key)?)));
    found.map(|(key, value)| check(key, &value.0)).transpose()
}

fn check(key: &'static str, value: &[u8]) -> Result<SecretString, CredentialsError> {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    if value.is_empty() {
        return Err(CredentialsError::Empty(key));
    }
    if value.trim_ascii().len() < value.len() {
        return Err(CredentialsError::WhiteSpace(key));
    }
    // The values become header values, so other characters could not be sent either.
    if !value.iter().all(u8::is_ascii_graphic) {
        return Err(CredentialsError::NotAKey(key));
    }
    let text = Zeroizing::new(value.iter().copied().map(char::from).collect::<String>());
    Ok(text.as_str().into())
}

#[cfg(test)]
mod tests {
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
            ("AKID1", "key\n\n", "its entry secretKey begins or ends with white space: remove it"),
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
