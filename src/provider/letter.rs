//! The signed letter by which an organisation confirms its order.

use secrecy::{ExposeSecret, SecretSlice};

/// The smallest letter, in bytes (Tencent Cloud SSL, `UploadConfirmLetter`).
pub const SMALLEST: usize = 1024;

/// The largest letter, in bytes: what a Secret can hold. Tencent Cloud accepts 1.4 MB.
pub const LARGEST: usize = 1024 * 1024;

/// The first bytes of the formats that clouds accept: PDF, JPEG, PNG.
const FORMATS: [&[u8]; 3] = [b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"];

/// A letter that a cloud accepts: a PDF, JPEG or PNG of a valid size. It bears a signature, so `Debug` prints nothing
/// of it.
#[derive(Clone, Debug)]
pub struct Letter(SecretSlice<u8>);

/// Why bytes are not a [`Letter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LetterError {
    /// Too few bytes.
    #[error("the letter has {0} bytes and must have at least {SMALLEST}: is it the whole file?")]
    TooSmall(usize),
    /// Too many bytes.
    #[error("the letter has {0} bytes and may have {LARGEST}: scan it with a lower resolution")]
    TooLarge(usize),
    /// Not one of the formats.
    #[error("the letter is no PDF, JPEG or PNG file: scan it as one of these")]
    Format,
}

impl Letter {
    /// Checks size and format. The format is recognised by the first bytes, since a Secret's key need not be a file name.
    pub fn parse(bytes: &[u8]) -> Result<Self, LetterError> {
        match bytes.len() {
            size if size < SMALLEST => Err(LetterError::TooSmall(size)),
            size if size > LARGEST => Err(LetterError::TooLarge(size)),
            _ if FORMATS.iter().any(|format| bytes.starts_with(format)) => Ok(Self(bytes.to_vec().into())),
            _ => Err(LetterError::Format),
        }
    }

    /// The file, for the cloud.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(begin: &[u8], size: usize) -> Vec<u8> {
        let mut file = begin.to_vec();
        file.resize(size, b' ');
        file
    }

    #[test]
    fn a_letter_is_one_of_three_formats_and_of_a_fitting_size() {
        let cases = [
            (file(b"%PDF-1.7", SMALLEST), None),
            (file(b"\xff\xd8\xff\xe0", 2000), None),
            (file(b"\x89PNG\r\n\x1a\n", LARGEST), None),
            (file(b"%PDF-1.7", SMALLEST - 1), Some(LetterError::TooSmall(1023))),
            (file(b"%PDF-1.7", LARGEST + 1), Some(LetterError::TooLarge(1_048_577))),
            (file(b"PK\x03\x04", 2000), Some(LetterError::Format)),
            (file(b" %PDF-1.7", 2000), Some(LetterError::Format)),
            (Vec::new(), Some(LetterError::TooSmall(0))),
        ];
        for (file, error) in cases {
            assert_eq!(Letter::parse(&file).err(), error, "{} bytes", file.len());
        }
    }

    #[test]
    fn a_letter_is_not_printed() {
        let letter = Letter::parse(&file(b"%PDF-signature", 2000)).unwrap();
        assert!(!format!("{letter:?}").contains("37, 80") && letter.expose().starts_with(b"%PDF-signature"));
    }
}
