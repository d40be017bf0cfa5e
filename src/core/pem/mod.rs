//! PEM (RFC 7468), read whole or refused with the reason: certificates, requests and keys all come through here.
//!
//! The readers of the libraries are made for files that a program wrote. They pass over what they do not understand: a
//! block without an end, or one that begins behind the end of another in the same line, is lost without a word. What
//! people paste and clouds hand over looks like that, and a chain that was cut in silence fails at the clients.
//!
//! Nothing that was read is sent on as it came: [`encode`] writes it anew.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// What stands before and after the words of a marker.
const DASHES: &str = "-----";
/// Typographic dashes, which word processors and web pages make of two hyphens or more.
const OTHER_DASHES: [char; 5] = ['\u{2010}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}'];
/// The longest label. The longest that anybody writes, `NEW CERTIFICATE REQUEST`, has 23 characters.
const LONGEST_LABEL: usize = 64;
/// A line of base 64 as long as this is no word of a comment. Writers of PEM break it after 64 or 76 characters.
const SHORTEST_STRAY: usize = 60;

/// One block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// What it says that it is, such as `CERTIFICATE`.
    pub label: String,
    /// Its content, which may be a private key: it is wiped from memory when dropped.
    pub der: Zeroizing<Vec<u8>>,
    /// Whether its header says that the content is encrypted (RFC 1421, `Proc-Type: 4,ENCRYPTED`).
    pub is_encrypted: bool,
}

/// Why a text cannot be read as PEM. Nothing of the text is repeated but labels that
/// tools write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PemError {
    /// Nothing in it.
    #[error("there is no line -----BEGIN …----- in it")]
    NoBlock,
    /// The text ends within a block, or another block begins there.
    #[error(
        "the block {label} that begins in line {line} has no end: copy it again, to its line -----END {label}-----"
    )]
    NoEnd {
        /// Of the block.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// An end of nothing.
    #[error(
        "line {line} ends a block {label} that does not begin: copy it again, from its line -----BEGIN {label}-----"
    )]
    NoBegin {
        /// Of the block.
        label: String,
        /// Where it ends.
        line: usize,
    },
    /// The end of something else.
    #[error("the block {label} that begins in line {line} ends as {end}")]
    OtherEnd {
        /// At the begin.
        label: String,
        /// Where that is.
        line: usize,
        /// At the end.
        end: String,
    },
    /// A line that is nearly a marker.
    #[error("line {0} must be -----BEGIN …----- or -----END …-----, with five hyphens at either end")]
    Marker(usize),
    /// Base 64 outside of a block.
    #[error(
        "line {0} is the content of a block, and stands outside of one: copy its line -----BEGIN …----- too"
    )]
    Stray(usize),
    /// Something in a block that does not belong there.
    #[error("line {line} has {}, which is no base 64{}", name(*found), hint(*found))]
    NotBase64 {
        /// Where it is.
        line: usize,
        /// What it is.
        found: char,
    },
    /// A content that no encoder writes.
    #[error(
        "the content of the block {label} that begins in line {line} is not whole base 64: copy it again"
    )]
    Content {
        /// Of the block.
        label: String,
        /// Where it begins.
        line: usize,
    },
}

/// What a character is called. Of those that people write none is repeated: it may be one of a password that stands
/// where it does not belong.
fn name(found: char) -> String {
    match found {
        '\\' => "a backslash".to_owned(),
        _ if found.is_ascii_graphic() => "a sign".to_owned(),
        _ => format!("the character U+{:04X}", u32::from(found)),
    }
}

/// The labels that tools write. Of any other one nothing is repeated.
const LABELS: [&str; 17] = [
    "CERTIFICATE",
    "CERTIFICATE REQUEST",
    "CMS",
    "DH PARAMETERS",
    "DSA PRIVATE KEY",
    "EC PARAMETERS",
    "EC PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "NEW CERTIFICATE REQUEST",
    "OPENSSH PRIVATE KEY",
    "PKCS7",
    "PRIVATE KEY",
    "PUBLIC KEY",
    "RSA PRIVATE KEY",
    "TRUSTED CERTIFICATE",
    "X509 CERTIFICATE",
    "X509 CRL",
];

/// A label as a message may show it.
#[must_use]
pub fn shown_label(label: &str) -> String {
    LABELS.iter().find(|known| **known == label).map_or("of another kind", |known| *known).to_owned()
}

fn hint(found: char) -> &'static str {
    match found {
        '\\' => r": a line break that is written as \n must be a real one",
        _ => "",
    }
}

/// Reads all blocks of a text. Byte order marks, line ends of every kind, white space in and around the lines, and
/// other text before, between and after the blocks are passed over.
pub fn read(text: &str) -> Result<Vec<Block>, PemError> {
    let mut blocks = Vec::new();
    let mut place = Place { text, at: 0, line: 1 };
    loop {
        let outside = place.skip_to_marker();
        refuse_broken_markers(&outside)?;
        refuse_stray(&outside)?;
        let Some(begin) = place.marker()? else { break };
        if begin.kind == Kind::End {
            return Err(PemError::NoBegin { label: shown_label(&begin.label), line: begin.line });
        }
        let content = place.skip_to_marker();
        refuse_broken_markers(&content)?;
        let no_end = || PemError::NoEnd { label: shown_label(&begin.label), line: begin.line };
        let end = place.marker()?.filter(|end| end.kind == Kind::End).ok_or_else(no_end)?;
        if end.label != begin.label {
            let (label, end) = (shown_label(&begin.label), shown_label(&end.label));
            return Err(PemError::OtherEnd { label, line: begin.line, end });
        }
        blocks.push(block(begin, &content)?);
    }
    if blocks.is_empty() { Err(PemError::NoBlock) } else { Ok(blocks) }
}

/// Writes one block, in lines of 64 characters that end with a newline.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

/// Where the reader stands.
struct Place<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

/// A part of the text, and the number of its first line.
struct Part<'t> {
    text: &'t str,
    line: usize,
}

impl<'t> Part<'t> {
    /// Each line with its number.
    fn lines(&self) -> impl Iterator<Item = (usize, &'t str)> + Clone + use<'t> {
        (self.line..).zip(self.text.split('\n'))
    }
}

/// A line of dashes and words.
struct Marker {
    kind: Kind,
    label: String,
    line: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Begin,
    End,
}

impl<'t> Place<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes over so many bytes.
    fn take(&mut self, length: usize) -> Part<'t> {
        let text = self.rest().get(..length).unwrap_or_default();
        let part = Part { text, line: self.line };
        self.at += text.len();
        self.line += text.matches('\n').count();
        part
    }

    /// Goes to the next marker, or to the end.
    fn skip_to_marker(&mut self) -> Part<'t> {
        let rest = self.rest();
        let markers = ["-----BEGIN ", "-----END "].into_iter().filter_map(|marker| rest.find(marker));
        self.take(markers.min().unwrap_or(rest.len()))
    }

    /// Reads the marker that begins here; `None` at the end of the text.
    fn marker(&mut self) -> Result<Option<Marker>, PemError> {
        let line = self.line;
        let Some(words) = self.rest().strip_prefix(DASHES) else { return Ok(None) };
        let broken = PemError::Marker(line);
        let Some((words, _)) = words.split_once(DASHES) else { return Err(broken) };
        let (kind, label) = match words.split_once(' ') {
            Some(("BEGIN", label)) => (Kind::Begin, label),
            Some(("END", label)) => (Kind::End, label),
            _ => return Err(broken),
        };
        let is_label = label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ');
        if !is_label || !(1..=LONGEST_LABEL).contains(&label.len()) {
            return Err(broken);
        }
        self.take(DASHES.len() + words.len() + DASHES.len());
        Ok(Some(Marker { kind, label: label.to_owned(), line }))
    }
}

fn refuse_broken_markers(part: &Part<'_>) -> Result<(), PemError> {
    match part.lines().find(|(_, text)| is_broken_marker(text)) {
        Some((line, _)) => Err(PemError::Marker(line)),
        None => Ok(()),
    }
}

/// Refuses what a block may have left behind outside of one.
fn refuse_stray(outside: &Part<'_>) -> Result<(), PemError> {
    match outside.lines().find(|(_, text)| is_content(text.trim_matches(is_space))) {
        Some((line, _)) => Err(PemError::Stray(line)),
        None => Ok(()),
    }
}

/// Whether a line has the words of a marker between dashes, too few of them or others.
fn is_broken_marker(line: &str) -> bool {
    let is_dash = |c: char| c == '-' || OTHER_DASHES.contains(&c);
    let line = line.trim_matches(is_space);
    let words = line.trim_start_matches(is_dash);
    let dashes = line.len() - words.len();
    let words = words.trim_start();
    dashes > 1
        && words.ends_with(is_dash)
        && (words.starts_with("BEGIN ") || words.starts_with("END "))
        // As SSH and PGP write their own formats, which are none of ours.
        && !line.starts_with("---- ")
}

fn is_content(line: &str) -> bool {
    let digits = line.trim_end_matches('=');
    line.len() - digits.len() <= 2
        && line.len() >= SHORTEST_STRAY
        && digits.bytes().all(is_digit)
        // A digest in hexadecimal has letters of one case only.
        && digits.bytes().any(|b| b.is_ascii_uppercase())
        && digits.bytes().any(|b| b.is_ascii_lowercase())
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/".contains(&byte)
}

/// A byte order mark stands wherever two files were joined.
fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn block(begin: Marker, content: &Part<'_>) -> Result<Block, PemError> {
    let headers = content.lines().skip_while(|(_, text)| text.chars().all(is_space));
    let headers = headers.take_while(|(_, text)| text.contains(':'));
    let last_header = headers.clone().last().map_or(0, |(line, _)| line);
    let is_encrypted = headers.into_iter().any(|(_, text)| {
        let header = text.split_once(':').map(|(name, value)| (name.trim_matches(is_space), value));
        header.is_some_and(|(name, value)| name == "Proc-Type" && value.contains("ENCRYPTED"))
    });
    if is_encrypted {
        // Nobody here can use what is in it.
        return Ok(Block { label: begin.label, der: Zeroizing::default(), is_encrypted });
    }
    // Never grown: a growing buffer leaves copies of a key behind.
    let mut base64 = Zeroizing::new(String::with_capacity(content.text.len()));
    for (line, text) in content.lines().filter(|(line, _)| *line > last_header) {
        for c in text.chars().filter(|c| !is_space(*c)) {
            if !u8::try_from(c).is_ok_and(|byte| is_digit(byte) || byte == b'=') {
                return Err(PemError::NotBase64 { line, found: c });
            }
            base64.push(c);
        }
    }
    match BASE64_STANDARD.decode(base64.as_bytes()) {
        Ok(der) if !der.is_empty() => {
            Ok(Block { label: begin.label, der: Zeroizing::new(der), is_encrypted })
        }
        _ => Err(PemError::Content { label: shown_label(&begin.label), line: begin.line }),
    }
}

#[cfg(test)]
mod tests;
