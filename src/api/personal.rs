//! What a profile says of people, in a type that no log can print.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A person's datum (a name, a phone number, an e-mail address). `Debug` and `Display` print `***`.
///
/// Serialised as a plain string, since users write it into a profile and a cloud wants it in a request.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// The datum itself, for a request to a cloud.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Personal {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Personal {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
