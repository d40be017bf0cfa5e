//! An API key of Tencent Cloud, from the data of a Secret.

use secrecy::SecretString;

use crate::provider::Account;
use crate::provider::credentials::{CredentialsError, Data, Names, Table, Unread, digest};

const SECRET_ID: Names = &["secretId", "TENCENTCLOUD_SECRET_ID"];
const SECRET_KEY: Names = &["secretKey", "TENCENTCLOUD_SECRET_KEY"];
// The last is that of the vendor's Terraform provider.
const TOKEN: Names = &["token", "TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"];

const TABLE: Table = Table {
    entries: &[
        (SECRET_ID, &["secretid", "secretidentifier", "accesskeyid", "accesskey", "accessid", "ak"]),
        (SECRET_KEY, &["secretkey", "secretaccesskey", "accesskeysecret", "sk"]),
        (TOKEN, &["token", "securitytoken", "sessiontoken", "ststoken", "temporarytoken"]),
    ],
    clouds: &["tencentcloud", "tencent", "qcloud", "tc"],
    needs: "Tencent Cloud needs secretId and secretKey, and token with a temporary key",
};

/// An API key. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Names the key.
    pub secret_id: SecretString,
    /// Signs requests.
    pub secret_key: SecretString,
    /// Belongs to a temporary key.
    pub token: Option<SecretString>,
    /// What looks like a part of it in its Secret, and is not read.
    pub unread: Unread,
}

impl Credentials {
    /// Reads the data of a Secret.
    pub fn from_secret(data: &Data) -> Result<Self, CredentialsError> {
        Ok(Self {
            secret_id: TABLE.required(data, SECRET_ID)?,
            secret_key: TABLE.required(data, SECRET_KEY)?,
            token: TABLE.entry(data, TOKEN)?,
            unread: TABLE.unread(data),
        })
    }

    /// The account of this key. A key belongs to one site, so the site is no part of it.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::new("TencentCloud", &[&self.secret_id, &self.secret_key])
    }

    /// Identifies these credentials with their token, for a map in memory.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let parts = [Some(&self.secret_id), Some(&self.secret_key), self.token.as_ref()];
        digest(&parts.into_iter().flatten().collect::<Vec<_>>())
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
        let Credentials { secret_id, secret_key, token, .. } = credentials;
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
        let [id, key, _] = long;
        for token in ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"] {
            assert_eq!(read(&[id, key, (token, "t==")]).unwrap()[2].as_deref(), Some("t=="), "{token}");
        }
    }

    #[test]
    fn an_empty_entry_counts_as_absent() {
        let [id, key] = [("secretId", "AKID1"), ("secretKey", "key")];
        for empty in ["", "\n", "\r\n"] {
            assert_eq!(read(&[id, key, ("token", empty)]).unwrap()[2], None);
            let beside = [id, key, ("token", empty), ("TENCENTCLOUD_TOKEN", "t==")];
            assert_eq!(read(&beside).unwrap()[2].as_deref(), Some("t=="));
            let other = [("secretId", empty), ("TENCENTCLOUD_SECRET_ID", "AKID2"), key];
            assert_eq!(read(&other).unwrap()[0].as_deref(), Some("AKID2"));
        }
    }

    fn unread(data: &[(&str, &str)]) -> String {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        TABLE.unread(&data.collect()).note().unwrap_or_default()
    }

    #[test]
    fn what_looks_like_an_entry_and_is_not_read_is_named() {
        let alike = [
            ("secret_id", "secretId"),
            ("SECRETID", "secretId"),
            ("TENCENTCLOUD_SECRETID", "secretId"),
            ("tencentcloud-secret-id", "secretId"),
            ("QCLOUD_ACCESS_KEY", "secretId"),
            ("secret.key", "secretKey"),
            ("TENCENT_SECRET_KEY", "secretKey"),
            ("Token", "token"),
            ("TENCENTCLOUD_SESSION_TOKEN", "token"),
            ("sessionToken", "token"),
        ];
        for (name, wanted) in alike {
            let note = format!("Of the same Secret entry {name} is not read: name it {wanted}.");
            assert_eq!(unread(&[("secretId", "AKID1"), ("secretKey", "key"), (name, "x")]), note);
            assert_eq!(unread(&[(name, "\n")]), "", "an empty one");
        }
        let both = [("secretId", "AKID1"), ("TENCENTCLOUD_SECRET_ID", "AKID2"), ("secretKey", "key")];
        let note = "Of the same Secret entry TENCENTCLOUD_SECRET_ID is not read, since there is secretId.";
        assert_eq!(unread(&both), note);
        for other in ["note", "TENCENTCLOUD_REGION", "HUAWEICLOUD_SDK_AK", "ALIBABA_ACCESS_KEY", "kubeconfig"]
        {
            assert_eq!(unread(&[("secretId", "AKID1"), ("secretKey", "key"), (other, "x")]), "", "{other}");
        }
        let same = [("secretId", "AKID1"), ("TENCENTCLOUD_SECRET_ID", "AKID1")];
        assert_eq!(unread(&same), "");
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
    fn an_account_is_told_by_the_whole_key_and_not_by_a_token_that_changes() {
        let read = |parts: [&str; 3]| {
            let data = ["secretId", "secretKey", "token"].into_iter().zip(parts);
            let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
            Credentials::from_secret(&data.collect()).unwrap()
        };
        let key = read(["AKID1", "key", "t1"]);
        let renewed = read(["AKID1", "key", "t2"]);
        assert_eq!(key.account(), renewed.account());
        assert_ne!(key.fingerprint(), renewed.fingerprint());
        for other in [["AKID1", "guessed", "t1"], ["AKID2", "key", "t1"], ["AKID1k", "ey", "t1"]] {
            assert_ne!(key.account(), read(other).account(), "{other:?}");
        }
        assert_eq!(format!("{:?}", key.account()), "***");
    }

    #[test]
    fn a_missing_entry_is_named_with_all_that_is_accepted() {
        let error = read(&[("secretId", "AKID1"), ("secret_key", "key")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has no entry secretKey (or TENCENTCLOUD_SECRET_KEY); entry secret_key is not read: name it secretKey; \
             Tencent Cloud needs secretId and secretKey, and token with a temporary key"
        );
        let error = read(&[("secretId", "AKID1")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has no entry secretKey (or TENCENTCLOUD_SECRET_KEY); Tencent Cloud needs secretId and secretKey, and \
             token with a temporary key"
        );
    }
}
