//! The entries of the Secret that holds an account's credentials.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::SecretString;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::text::{TextError, trimmed_line};

/// The name of an entry, and then its usual name as an environment variable.
pub type Names = &'static [&'static str];

/// The data of a Secret.
pub type Data = BTreeMap<String, ByteString>;

/// Why a Secret holds no usable credentials. The text follows "Secret NAME: ".
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// An entry is missing.
    #[error("it has no entry {}; {needs}", one_of(.entry))]
    Missing {
        /// Which one.
        entry: Names,
        /// What the cloud needs, as text for the user.
        needs: &'static str,
    },
    /// An entry is not one line of text.
    #[error("its entry {0} {1}")]
    Text(&'static str, TextError),
    /// An entry has characters that no key has.
    #[error("its entry {0} has characters that no API key has: copy it from the console anew")]
    NotAKey(&'static str),
    /// Two entries that exclude each other.
    #[error("it has {0} and {1}, and only one of them can be used: remove the other")]
    Both(&'static str, &'static str),
}

impl CredentialsError {
    /// The reason for the condition.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing { .. } | Self::Text(_, TextError::Empty) => Reason::SecretKeyMissing,
            Self::Text(..) | Self::NotAKey(_) | Self::Both(..) => Reason::CredentialsRefused,
        }
    }
}

fn one_of(names: Names) -> String {
    match names {
        [name] => (*name).to_owned(),
        [name, others @ ..] => format!("{name} (or {})", others.join(", ")),
        [] => String::new(),
    }
}

/// A required entry; the error for a missing one quotes `needs`.
pub fn required(data: &Data, names: Names, needs: &'static str) -> Result<SecretString, CredentialsError> {
    entry(data, names)?.ok_or(CredentialsError::Missing { entry: names, needs })
}

/// An entry, by the rule of [`crate::core::text`].
pub fn entry(data: &Data, names: Names) -> Result<Option<SecretString>, CredentialsError> {
    let found = names.iter().find_map(|name| Some((*name, data.get(*name)?)));
    found.map(|(name, value)| check(name, &value.0)).transpose()
}

fn check(name: &'static str, value: &[u8]) -> Result<SecretString, CredentialsError> {
    let text = trimmed_line(value).map_err(|error| CredentialsError::Text(name, error))?;
    // The values become header values, so other characters could not be sent either.
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err(CredentialsError::NotAKey(name))
    }
}
