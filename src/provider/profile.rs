//! What a cloud needs of a profile.

use std::collections::BTreeSet;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::conditions::Problem;

/// Refuses a profile in which these fields are empty, and names all their paths. `why` follows "and"; without it, the
/// reason is that the cloud needs them.
pub fn complete(
    cloud: &str,
    missing: impl IntoIterator<Item = String>,
    why: Option<&str>,
) -> Result<(), Problem> {
    // If the administrator is also the technical contact, the same field is missing twice.
    let missing: BTreeSet<String> = missing.into_iter().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (verb, pronoun) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
    let fields = missing.into_iter().collect::<Vec<_>>().join(", ");
    let why = why.map_or_else(|| format!("{cloud} needs {pronoun}"), str::to_owned);
    Err(incomplete(format!("the profile's {fields} {verb} empty, and {why}")))
}

/// The user must fix the profile.
#[must_use]
pub fn incomplete(message: impl Into<String>) -> Problem {
    Problem::new(Reason::ProfileIncomplete, message)
}
