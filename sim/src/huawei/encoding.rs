//! Percent encoding, as the signature and the query need it.

use std::fmt::Write as _;

/// Encodes everything but letters, digits and `-._~`.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `None` if a `%` is not followed by two hexadecimal digits.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            decoded.extend(hex::decode(digits).ok()?);
            rest = after;
        } else {
            decoded.push(*first);
        }
    }
    Some(decoded)
}

/// The pairs of a query, decoded, in the order in which they were sent.
///
/// Inferred: a plus is a space, as in forms.
pub(super) fn pairs(query: &str) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let part = |text: &str| decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((part(name)?, part(value)?))
        })
        .collect()
}
