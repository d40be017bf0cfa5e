//! Text of others: [`shown`] for what is shown of it, [`line`] for the entries of Secrets that hold one line (names and
//! numbers of people, passwords, credentials).
//!
//! There is one rule for all entries. One line end at the end of an entry (LF or CRLF) is not part of it, since `echo`
//! and editors leave it there. Anything else that nobody sees, and that a CA or a keystore would get as part of the
//! value, is refused with the reason: certorder never guesses which of it was meant.

/// A text of a cloud, a CA, a certificate, an annotation or the API server, as it may stand in a log, an Event, a status or
/// on a terminal: one line of at most `longest` bytes, without characters that control a terminal, turn the direction of
/// the text around or are invisible. Any other text stays as it is.
#[must_use]
pub fn shown(text: &str, longest: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.map(|word| word.replace(is_invisible, "")).filter(|word| !word.is_empty());
    truncate(&words.collect::<Vec<_>>().join(" "), longest)
}

/// Whether a text is the same when it is shown, whatever its length.
#[must_use]
pub fn is_shown_whole(text: &str) -> bool {
    shown(text, usize::MAX) == text
}

/// The format characters of Unicode 16 (general category Cf) and the letters that are blank by definition
/// (`Default_Ignorable_Code_Point`), except variation selectors, which say how the character before looks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}')
}

/// At most `longest` bytes of the text, cut at a character boundary and marked with `…` where something was cut.
#[must_use]
pub fn truncate(text: &str, longest: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(longest.saturating_sub(MARK.len()));
    format!("{}{MARK}", text.get(..end).unwrap_or_default())
}

/// What begins a text in UTF-8 that some editors and PowerShell write.
const MARK: char = '\u{feff}';

/// Why an entry is not one line of text. It goes on where "entry NAME " ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// No content.
    #[error("is empty")]
    Empty,
    /// Another encoding: PowerShell's `>` writes UTF-16.
    #[error("is not text in UTF-8: save it in that encoding")]
    NotUtf8,
    /// A byte order mark.
    #[error("has a byte order mark: save it as UTF-8 without one (BOM)")]
    Mark,
    /// More than one line.
    #[error("has a line break in it: it must be one line")]
    Lines,
    /// A control character, which nobody sees.
    #[error("has a control character in it, such as a tab: remove it")]
    Control,
    /// White space at an end, where it must not be.
    #[error("begins or ends with white space: remove it")]
    WhiteSpace,
}

/// The one line that an entry holds, as it is but for its line end. For passwords, which may end in a blank.
pub fn line(entry: &[u8]) -> Result<&str, TextError> {
    let text = std::str::from_utf8(entry).map_err(|_| TextError::NotUtf8)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.contains(MARK) {
        Err(TextError::Mark)
    } else if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        Err(TextError::Lines)
    } else if text.contains(char::is_control) {
        Err(TextError::Control)
    } else {
        Ok(text)
    }
}

/// The same without white space at its ends. For what others read: names, numbers, credentials.
pub fn trimmed_line(entry: &[u8]) -> Result<&str, TextError> {
    let text = line(entry)?;
    if text.trim().len() < text.len() { Err(TextError::WhiteSpace) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_read_without_its_end_and_nothing_else_is_cut() {
        let taken = ["x", "x\n", "x\r\n", "x\r", "密码", "a b", "Zo\u{308}e"];
        for text in taken {
            let expected = text.trim_end_matches(['\r', '\n']);
            assert_eq!((line(text.as_bytes()), trimmed_line(text.as_bytes())), (Ok(expected), Ok(expected)));
        }
        let refused: [(&[u8], TextError); 14] = [
            (b"", TextError::Empty),
            (b"\n", TextError::Empty),
            (b"\r\n", TextError::Empty),
            (b"\xff\xfex\0", TextError::NotUtf8),
            (b"\xef\xbb\xbfx", TextError::Mark),
            (b"\xef\xbb\xbf", TextError::Mark),
            (b"x\xef\xbb\xbf", TextError::Mark),
            (b"x\n\n", TextError::Lines),
            (b"x\r\n\r\n", TextError::Lines),
            (b"\nx", TextError::Lines),
            (b"x\ny", TextError::Lines),
            ("x\u{2028}y".as_bytes(), TextError::Lines),
            (b"x\ty", TextError::Control),
            (b"x\0", TextError::Control),
        ];
        for (bytes, error) in refused {
            assert_eq!((line(bytes), trimmed_line(bytes)), (Err(error), Err(error)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_shown_is_one_line_without_what_nobody_sees() {
        let cases = [
            ("plain text, 公司 “Zo\u{308}e” ☂\u{fe0f}", "plain text, 公司 “Zo\u{308}e” ☂\u{fe0f}"),
            ("two\r\n lines\u{2028}and\ttabs ", "two lines and tabs"),
            ("\u{1b}[2Jcleared\u{7}\u{9b}31m", "[2Jcleared 31m"),
            ("acme\u{202e}elpmaxe\u{202c}", "acmeelpmaxe"),
            ("a\u{200b}c\u{2060}m\u{feff}e\u{ad}\u{e0041}", "acme"),
            ("\u{2066}a\u{2069} \u{3164} b", "a b"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, 100), expected);
            assert_eq!(is_shown_whole(text), text == expected, "{text:?}");
        }
        assert_eq!(shown("公公公", 7), "公…");
        assert_eq!(shown("\u{202e}\u{202e}公公", 6), "公公", "what is left out does not count");
    }

    proptest::proptest! {
        #[test]
        fn what_was_shown_is_shown_the_same_again(text in ".*|[\\p{Cf}\\p{Cc}\\p{Z}a]*", longest in 4_usize..64) {
            let once = shown(&text, longest);
            proptest::prop_assert!(once.len() <= longest);
            proptest::prop_assert!(!once.contains(|c: char| c.is_control() || is_invisible(c)));
            proptest::prop_assert_eq!(shown(&once, longest), once);
        }
    }

    #[test]
    fn white_space_at_an_end_is_kept_in_a_password_and_refused_elsewhere() {
        for text in [" x", "x ", "x \n", "\u{a0}x", "x\u{3000}"] {
            assert_eq!(line(text.as_bytes()), Ok(text.trim_end_matches('\n')));
            assert_eq!(trimmed_line(text.as_bytes()), Err(TextError::WhiteSpace));
        }
    }
}
