//! The entries of Secrets that hold one line: names and numbers of people, passwords, credentials.
//!
//! There is one rule for all of them. One line end at the end of an entry (LF or CRLF) is not part of it, since `echo`
//! and editors leave it there. Anything else that nobody sees, and that a CA or a keystore would get as part of the
//! value, is refused with the reason: certorder never guesses which of it was meant.

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
    fn white_space_at_an_end_is_kept_in_a_password_and_refused_elsewhere() {
        for text in [" x", "x ", "x \n", "\u{a0}x", "x\u{3000}"] {
            assert_eq!(line(text.as_bytes()), Ok(text.trim_end_matches('\n')));
            assert_eq!(trimmed_line(text.as_bytes()), Err(TextError::WhiteSpace));
        }
    }
}
