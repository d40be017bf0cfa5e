//! Credentials of Huawei Cloud, from the data of a Secret.

use secrecy::SecretString;

use crate::provider::Account;
use crate::provider::credentials::{CredentialsError, Data, Names, Table, Unread, digest};

const ACCESS_KEY: Names = &["accessKey", "HUAWEICLOUD_SDK_AK"];
const SECRET_KEY: Names = &["secretKey", "HUAWEICLOUD_SDK_SK"];
const SECURITY_TOKEN: Names = &["securityToken", "HUAWEICLOUD_SDK_SECURITY_TOKEN"];
const DOMAIN_ID: Names = &["domainId", "HUAWEICLOUD_SDK_DOMAIN_ID"];
const AUTH_TOKEN: Names = &["authToken"];

const TABLE: Table = Table {
    entries: &[
        (ACCESS_KEY, &["accesskey", "accesskeyid", "secretid", "ak"]),
        (SECRET_KEY, &["secretkey", "secretaccesskey", "accesskeysecret", "sk"]),
        (SECURITY_TOKEN, &["securitytoken", "sessiontoken", "ststoken", "token"]),
        (DOMAIN_ID, &["domainid", "accountid"]),
        (AUTH_TOKEN, &["authtoken", "iamtoken", "xauthtoken", "subjecttoken"]),
    ],
    clouds: &["huaweicloudsdk", "huaweicloud", "huawei", "hwcloud", "hwc", "hw", "sdk", "os"],
    needs: "Huawei Cloud needs accessKey and secretKey, and securityToken with a temporary key; or authToken, an IAM \
            token, alone",
};

/// The credentials of the caller. `Debug` shows nothing of them.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// How requests are authenticated.
    pub identity: Identity,
    /// The account, if the Secret names it.
    pub domain_id: Option<SecretString>,
    /// What looks like a part of it in its Secret, and is not read.
    pub unread: Unread,
}

/// How a request is authenticated.
#[derive(Clone, Debug)]
pub enum Identity {
    /// By a signature.
    Key {
        /// Names the key.
        access_key: SecretString,
        /// Signs requests.
        secret_key: SecretString,
        /// Belongs to a temporary key.
        security_token: Option<SecretString>,
    },
    /// By a token of IAM, which is valid for a day.
    Token(SecretString),
}

impl Credentials {
    /// Reads the data of a Secret.
    pub fn from_secret(data: &Data) -> Result<Self, CredentialsError> {
        let domain_id = TABLE.entry(data, DOMAIN_ID)?;
        let identity = match (TABLE.entry(data, AUTH_TOKEN)?, TABLE.entry(data, ACCESS_KEY)?) {
            (Some(_), Some(_)) => return Err(CredentialsError::Both("authToken", "accessKey")),
            (Some(token), None) => Identity::Token(token),
            (None, _) => Identity::Key {
                access_key: TABLE.required(data, ACCESS_KEY)?,
                secret_key: TABLE.required(data, SECRET_KEY)?,
                security_token: TABLE.entry(data, SECURITY_TOKEN)?,
            },
        };
        Ok(Self { identity, domain_id, unread: TABLE.unread(data) })
    }

    /// The account that the rate limit counts for.
    #[must_use]
    pub fn account(&self) -> Account {
        match &self.identity {
            Identity::Key { access_key, secret_key, .. } => {
                Account::new("HuaweiCloud", &[access_key, secret_key])
            }
            Identity::Token(token) => Account::new("HuaweiCloud", &[token]),
        }
    }

    /// Identifies these credentials with their token, for a map in memory.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        digest(&self.sensitive().iter().collect::<Vec<_>>())
    }

    /// Every part that must not appear in any text.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let mut all: Vec<SecretString> = self.domain_id.iter().cloned().collect();
        match &self.identity {
            Identity::Key { access_key, secret_key, security_token } => {
                all.extend([access_key, secret_key].into_iter().chain(security_token).cloned());
            }
            Identity::Token(token) => all.push(token.clone()),
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(data: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        Credentials::from_secret(&data.collect())
    }

    fn texts(data: &[(&str, &str)]) -> Vec<String> {
        let credentials = read(data).unwrap();
        assert!(!format!("{credentials:?}").contains("HWAK"), "{credentials:?}");
        credentials.sensitive().iter().map(|value| value.expose_secret().to_owned()).collect()
    }

    #[test]
    fn both_spellings_are_read_and_all_of_it_is_sensitive() {
        let short =
            [("accessKey", "HWAK1"), ("secretKey", "key"), ("securityToken", "t=="), ("domainId", "d1")];
        assert_eq!(texts(&short), ["d1", "HWAK1", "key", "t=="]);
        assert_eq!(
            texts(&[("HUAWEICLOUD_SDK_AK", "HWAK1\n"), ("HUAWEICLOUD_SDK_SK", "key\r\n")]),
            ["HWAK1", "key"]
        );
        let sdk = [
            ("HUAWEICLOUD_SDK_AK", "HWAK1"),
            ("HUAWEICLOUD_SDK_SK", "key"),
            ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "t=="),
            ("HUAWEICLOUD_SDK_DOMAIN_ID", "d1"),
        ];
        assert_eq!(texts(&sdk), ["d1", "HWAK1", "key", "t=="]);
        assert_eq!(texts(&[("authToken", "MIIFHWAK")]), ["MIIFHWAK"]);
    }

    #[test]
    fn what_is_missing_is_named_with_all_that_is_accepted() {
        let error = read(&[("accessKey", "HWAK1")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has no entry secretKey (or HUAWEICLOUD_SDK_SK); Huawei Cloud needs accessKey and secretKey, and \
             securityToken with a temporary key; or authToken, an IAM token, alone"
        );
        assert!(
            read(&[])
                .unwrap_err()
                .to_string()
                .starts_with("it has no entry accessKey (or HUAWEICLOUD_SDK_AK)")
        );
    }

    #[test]
    fn an_empty_entry_counts_as_absent() {
        let [id, key] = [("accessKey", "HWAK1"), ("secretKey", "key")];
        for name in ["securityToken", "domainId", "authToken", "HUAWEICLOUD_SDK_SECURITY_TOKEN"] {
            for empty in ["", "\n"] {
                assert_eq!(texts(&[id, key, (name, empty)]), ["HWAK1", "key"], "{name}");
            }
        }
        assert_eq!(texts(&[("accessKey", ""), ("secretKey", ""), ("authToken", "MIIFHWAK")]), ["MIIFHWAK"]);
        assert_eq!(read(&[("accessKey", ""), key]).unwrap_err().to_string(), "its entry accessKey is empty");
    }

    #[test]
    fn what_looks_like_an_entry_and_is_not_read_is_named() {
        let alike = [
            ("HW_ACCESS_KEY", "accessKey"),
            ("HUAWEICLOUD_SDK_ak", "accessKey"),
            ("access-key", "accessKey"),
            ("HW_SECRET_KEY", "secretKey"),
            ("HW_SECURITY_TOKEN", "securityToken"),
            ("security_token", "securityToken"),
            ("HW_DOMAIN_ID", "domainId"),
            ("OS_AUTH_TOKEN", "authToken"),
            ("X-Auth-Token", "authToken"),
        ];
        for (name, wanted) in alike {
            let credentials = read(&[("accessKey", "HWAK1"), ("secretKey", "key"), (name, "x")]).unwrap();
            let note = format!("Of the same Secret entry {name} is not read: name it {wanted}.");
            assert_eq!(credentials.unread.note(), Some(note));
        }
        let missing = read(&[("HW_ACCESS_KEY", "HWAK1"), ("secretKey", "key")]).unwrap_err().to_string();
        assert!(
            missing.starts_with(
                "it has no entry accessKey (or HUAWEICLOUD_SDK_AK); entry HW_ACCESS_KEY is not read: name it accessKey; \
                 Huawei Cloud needs"
            ),
            "{missing}"
        );
        for other in ["HW_REGION_NAME", "HUAWEICLOUD_SDK_PROJECT_ID", "TENCENTCLOUD_SECRET_ID", "note"] {
            let credentials = read(&[("accessKey", "HWAK1"), ("secretKey", "key"), (other, "x")]).unwrap();
            assert_eq!(credentials.unread.note(), None, "{other}");
        }
    }

    #[test]
    fn a_token_and_a_key_are_too_much() {
        let error = read(&[("accessKey", "HWAK1"), ("secretKey", "key"), ("authToken", "MIIF")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it has authToken and accessKey, and only one of them can be used: remove the other"
        );
    }

    #[test]
    fn an_account_is_told_by_the_whole_key_and_not_by_a_token_that_changes() {
        let account = |data: &[(&str, &str)]| read(data).unwrap().account();
        let key = [("accessKey", "HWAK1"), ("secretKey", "key"), ("securityToken", "t1")];
        assert_eq!(account(&key), account(&key[..2]));
        for (name, other) in [("accessKey", "HWAK2"), ("secretKey", "guessed")] {
            let data = key.map(|(entry, value)| (entry, if entry == name { other } else { value }));
            assert_ne!(account(&key), account(&data), "{name}");
        }
        assert_ne!(account(&[("authToken", "MIIF")]), account(&[("authToken", "MIIG")]));
        assert_eq!(format!("{:?}", account(&key)), "***");
    }
}
