//! Text that comes from a cloud, and the filter that redacts it before it is shown.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::core::text::{shown, truncate};

/// Free text written by a cloud or a certificate authority. It may echo what was sent to it, so it has no
/// `Display`; [`Filter::clean`] is the only way to read it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CloudText(String);

impl From<String> for CloudText {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for CloudText {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl CloudText {
    /// The text, if it is one word of a fixed vocabulary such as `PENDING-DCV`: those hold no personal data.
    #[must_use]
    pub fn as_token(&self) -> Option<&str> {
        let is_token =
            self.0.len() <= 32 && self.0.bytes().all(|b| b.is_ascii_alphabetic() || b"-_".contains(&b));
        is_token.then_some(self.0.as_str())
    }
}

impl fmt::Debug for CloudText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The longest text of a cloud that is shown, in bytes.
const LONGEST: usize = 1024;

/// Shorter values (a name such as "Li") are blanked only as whole words: blanking them inside other words would make a
/// message unreadable without hiding anything.
const SHORT: usize = 4;

/// Blanks the sensitive values of one request wherever a cloud's text repeats them.
///
/// Whatever the values are, e-mail addresses and long digit runs (phone and identity numbers) are blanked: a text may
/// echo what was sent before a profile was corrected.
#[derive(Clone, Default)]
pub struct Filter(Vec<SecretString>);

/// The shortest run of digits that may be a personal number.
const LONG_RUN: usize = 7;

impl Filter {
    /// A filter for these values; single characters are left out.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = SecretString>) -> Self {
        let lines = values.into_iter().map(|value| SecretString::from(one_line(value.expose_secret())));
        let mut needles: Vec<_> = lines.filter(|value| value.expose_secret().chars().count() > 1).collect();
        // Longest first, so that a value that contains another one is blanked whole.
        needles.sort_by_key(|value| std::cmp::Reverse(value.expose_secret().len()));
        Self(needles)
    }

    /// The text in one line, with every sensitive value replaced by `***`, at most 1 KiB long.
    #[must_use]
    pub fn clean(&self, text: &CloudText) -> String {
        let mut clean = one_line(&text.0);
        for needle in &self.0 {
            clean = replace_ignoring_case(&clean, needle.expose_secret());
        }
        truncate(&blank_patterns(&clean), LONGEST)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({} values)", self.0.len())
    }
}

/// The text as it is shown. Values are searched for in this form too, so that one is found even if the cloud breaks its
/// lines elsewhere.
fn one_line(text: &str) -> String {
    shown(text, usize::MAX)
}

/// Replaces `needle`, whatever the case of its ASCII letters: clouds may lower-case an e-mail address.
fn replace_ignoring_case(text: &str, needle: &str) -> String {
    let (haystack, wanted) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    let mut clean = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in haystack.match_indices(&wanted) {
        if wanted.len() < SHORT && inside_a_word(&haystack, at, found.len()) {
            continue;
        }
        clean.push_str(text.get(rest..at).unwrap_or_default());
        clean.push_str("***");
        rest = at + found.len();
    }
    clean.push_str(text.get(rest..).unwrap_or_default());
    clean
}

/// Blanks e-mail addresses, and digit runs that stand alone. An id of letters and digits stays.
fn blank_patterns(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '@');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (token, after) = if word > 0 {
            rest.split_at(word)
        } else {
            rest.split_at(rest.chars().next().map_or(0, char::len_utf8))
        };
        let is_number = token.chars().filter(char::is_ascii_digit).count() >= LONG_RUN
            && token.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
            && !is_date(token);
        let is_address =
            token.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
        clean.push_str(if is_number || is_address { "***" } else { token });
        rest = after;
    }
    clean
}

/// A date such as 2026-11-22.
fn is_date(token: &str) -> bool {
    let lengths: Vec<usize> = token.split('-').map(str::len).collect();
    lengths == [4, 2, 2]
}

fn inside_a_word(text: &str, at: usize, length: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let after = text.get(at + length..).and_then(|text| text.chars().next());
    [before, after].into_iter().flatten().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Personal;

    fn filter(values: &[&str]) -> Filter {
        Filter::new(values.iter().map(|value| SecretString::from(*value)))
    }

    #[test]
    fn personal_data_and_cloud_text_print_nothing() {
        let person = Personal::from("Ning Huang");
        assert_eq!(format!("{person} {person:?}"), "*** ***");
        assert_eq!(format!("{:?}", CloudText::from("Ning Huang")), "***");
        assert_eq!(format!("{:?}", filter(&["Ning Huang"])), "Filter(1 values)");
    }

    #[test]
    fn every_sensitive_value_is_blanked_longest_first_and_in_any_case() {
        let filter = filter(&["acme", "pki@acme.example", "13112341234", "Li", "李雷", ""]);
        let text =
            CloudText::from("Mail PKI@Acme.Example or call 13112341234\nfor li (李雷先生) at ACME, limits");
        assert_eq!(filter.clean(&text), "Mail *** or call *** for *** (***先生) at ***, limits");
    }

    #[test]
    fn a_value_is_blanked_although_its_lines_are_broken_elsewhere() {
        let filter = filter(&["No. 101,\nExample Road", "Ning Huang"]);
        let text = CloudText::from("No. 101, Example\r\nRoad is not the address of ning\u{1}\thuang");
        assert_eq!(filter.clean(&text), "*** is not the address of ***");
    }

    #[test]
    fn what_looks_like_an_address_or_a_number_of_a_person_is_blanked_without_being_named() {
        let text = "call +86-13112341234 or mail old@acme.example. before 2026-11-22, order scs1590053258704";
        let clean = "call *** or mail *** before 2026-11-22, order scs1590053258704";
        assert_eq!(filter(&[]).clean(&CloudText::from(text)), clean);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = CloudText::from("公".repeat(1000));
        let clean = Filter::default().clean(&text);
        assert!(clean.len() <= LONGEST && clean.ends_with("公…"), "{}", clean.len());
    }
}
