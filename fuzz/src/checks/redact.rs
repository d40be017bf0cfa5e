//! The filter of cloud texts: no sensitive value passes it.

use certorder::core::redact::{CloudText, Filter};

/// The longest text that is shown.
const LONGEST: usize = 1024;
/// Shorter values are blanked only where they are words of their own.
const SHORT: usize = 4;

/// Takes the parts between zero bytes for values and the last one for the text.
pub(crate) fn check(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let mut values: Vec<&str> = input.split('\0').collect();
    let text = values.pop().unwrap_or_default();
    let clean = Filter::new(values.iter().map(|value| (*value).into())).clean(&CloudText::from(text));
    assert!(clean.len() <= LONGEST, "{}", clean.len());
    assert!(!clean.contains(char::is_control), "{clean:?}");
    let shown = clean.to_ascii_lowercase();
    for value in values.into_iter().map(one_line).filter(|value| is_blanked(value)) {
        assert!(!shown.contains(&value.to_ascii_lowercase()), "{value:?} in {clean:?}");
    }
    let _ = CloudText::from(text).as_token();
}

/// The value as it would be shown.
fn one_line(value: &str) -> String {
    let words = value.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether the filter promises to blank it everywhere, and does not write it itself.
fn is_blanked(value: &str) -> bool {
    value.len() >= SHORT && value.chars().count() > 1 && !value.contains(['*', '…'])
}
