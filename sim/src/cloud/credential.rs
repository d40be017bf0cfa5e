//! Access keys.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

/// One access key of an account.
pub(crate) struct Credential<A> {
    pub(crate) account: A,
    pub(crate) secret_key: SecretString,
    /// Set for temporary keys, which are worth nothing without their token.
    pub(crate) token: Option<Token>,
}

pub(crate) struct Token {
    pub(crate) value: SecretString,
    pub(crate) expires: Timestamp,
}

impl<A> Credential<A> {
    pub(crate) fn permanent(account: A, secret_key: &str) -> Self {
        Self { account, secret_key: secret_key.into(), token: None }
    }

    pub(crate) fn temporary(account: A, secret_key: &str, token: &str, expires: Timestamp) -> Self {
        let token = Some(Token { value: token.into(), expires });
        Self { account, secret_key: secret_key.into(), token }
    }

    /// Inferred: a token beside a permanent key is refused, too.
    pub(crate) fn accepts_token(&self, sent: Option<&str>, now: Timestamp) -> bool {
        match (&self.token, sent) {
            (None, None) => true,
            (Some(token), Some(sent)) => token.value.expose_secret() == sent && now < token.expires,
            _ => false,
        }
    }
}
