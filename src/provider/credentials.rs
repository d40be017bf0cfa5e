//! The entries of the Secret that holds an account's credentials.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{Error, Refusal};
use crate::api::v1alpha1::conditions::Reason;
use crate::core::text::{TextError, trimmed_line};

/// The name of an entry, and then its usual names as environment variables.
pub type Names = &'static [&'static str];

/// The data of a Secret.
pub type Data = BTreeMap<String, ByteString>;

/// Why a Secret holds no usable credentials. The text follows "Secret NAME: ".
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// An entry is missing.
    #[error("it has no entry {}; {unread}{needs}", one_of(.entry), unread = .unread.then())]
    Missing {
        /// Which one.
        entry: Names,
        /// What the cloud needs, as text for the user.
        needs: &'static str,
        /// What may have been meant for it.
        unread: Unread,
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

/// A digest of parts of credentials, for a map in memory.
#[must_use]
pub fn digest(parts: &[&SecretString]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        let part = part.expose_secret();
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

fn one_of(names: Names) -> String {
    match names {
        [name] => (*name).to_owned(),
        [name, others @ ..] => format!("{name} (or {})", others.join(", ")),
        [] => String::new(),
    }
}

/// What a cloud reads of a Secret.
pub struct Table {
    /// The entries: under which names each is read, and what else people call it, without the cloud's name, in lower
    /// case and without separators.
    pub entries: &'static [(Names, &'static [&'static str])],
    /// What may stand before such a name, in the same spelling.
    pub clouds: &'static [&'static str],
    /// What the cloud needs, for people.
    pub needs: &'static str,
}

/// Entries that look like credentials of a cloud, and are not read; each with what to do about it. Names alone.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Unread(Vec<String>);

impl Unread {
    /// The most that are named.
    const MOST: usize = 4;

    /// As a part of a sentence, if there are any.
    fn then(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("{}; ", self.0.join("; ")) }
    }

    /// As sentences, if there are any.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("Of the same Secret {}.", self.0.join("; ")))
    }
}

impl Table {
    /// An entry that must be there.
    pub fn required(&self, data: &Data, names: Names) -> Result<SecretString, CredentialsError> {
        match self.entry(data, names)? {
            Some(value) => Ok(value),
            None => Err(match names.iter().find(|name| data.contains_key(**name)) {
                Some(empty) => CredentialsError::Text(empty, TextError::Empty),
                None => {
                    CredentialsError::Missing { entry: names, needs: self.needs, unread: self.unread(data) }
                }
            }),
        }
    }

    /// An entry, by the first of its names that has content. An empty one counts as absent.
    pub fn entry(&self, data: &Data, names: Names) -> Result<Option<SecretString>, CredentialsError> {
        let Some((name, value)) = first(data, names) else { return Ok(None) };
        check(name, value).map(Some)
    }

    /// What looks like an entry of this table, and is not read. Nothing of it holds an order up.
    #[must_use]
    pub fn unread(&self, data: &Data) -> Unread {
        let with_content = data.iter().filter(|(_, value)| !is_empty(&value.0));
        let all = with_content.filter_map(|(name, value)| self.why_unread(data, name, &value.0));
        Unread(all.take(Unread::MOST).collect())
    }

    fn why_unread(&self, data: &Data, name: &str, value: &[u8]) -> Option<String> {
        for (names, alike) in self.entries {
            let read = first(data, names);
            if names.contains(&name) {
                let (read, content) = read?;
                // The same twice misleads nobody.
                let is_shadowed = read != name && content != value;
                return is_shadowed.then(|| format!("entry {name} is not read, since there is {read}"));
            }
            if let [wanted, ..] = names
                && self.is_alike(name, alike)
            {
                return Some(format!("entry {name} is not read: name it {wanted}"));
            }
        }
        None
    }

    /// Whether a name is one of these but for case, separators and the name of the cloud.
    fn is_alike(&self, name: &str, alike: &[&str]) -> bool {
        let letters =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let bare = self.clouds.iter().filter_map(|cloud| letters.strip_prefix(cloud));
        bare.chain([letters.as_str()]).any(|name| alike.contains(&name))
    }
}

/// Adds to a refusal of credentials which entries of their Secret were not read.
#[must_use]
pub fn with_unread(error: Error, unread: &Unread) -> Error {
    match error {
        Error::CredentialsRefused(refusal) => {
            Error::CredentialsRefused(Refusal { note: unread.note().map(Into::into), ..refusal })
        }
        error => error,
    }
}

/// The first of these entries that has content.
fn first(data: &Data, names: Names) -> Option<(&'static str, &[u8])> {
    let mut there = names.iter().filter_map(|name| Some((*name, data.get(*name)?.0.as_slice())));
    there.find(|(_, value)| !is_empty(value))
}

fn is_empty(value: &[u8]) -> bool {
    trimmed_line(value) == Err(TextError::Empty)
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
