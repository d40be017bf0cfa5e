//! The archive of `DownloadCertificate`: a folder for each kind of web server, with the certificate, its chain and
//! the key if the cloud made it. The files are not documented, so every text file in it is searched.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::core::chain;
use crate::core::observation::Bundle;
use crate::core::pem::{self, PemError};

/// More files than any archive has.
const MOST_FILES: usize = 64;

/// The most bytes that all texts of an archive may have together, unpacked.
const MOST_BYTES: u64 = 1024 * 1024;

/// The names of files that hold PEM. Others are key stores of web servers.
const TEXTS: [&[u8]; 4] = [b".pem", b".crt", b".cer", b".key"];

const LABEL: &str = "CERTIFICATE";

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No base 64.
    #[error("the downloaded archive is not in base 64")]
    Encoding(#[from] base64::DecodeError),
    /// No ZIP archive.
    #[error("the downloaded archive cannot be unpacked: {0}")]
    Zip(#[from] ZipError),
    /// A file of it is broken.
    #[error("a file of the downloaded archive cannot be unpacked: {0}")]
    File(#[from] std::io::Error),
    /// More than a certificate can need.
    #[error("the downloaded archive is larger than a certificate can need")]
    TooLarge,
    /// A certificate in it, or in the detail, is not whole.
    #[error("a certificate of the download is not whole: {0}")]
    Pem(#[from] PemError),
    /// Nothing in it.
    #[error("the downloaded archive holds no certificate")]
    Empty,
}

/// The certificates in a text, each once, as DER; none where it holds no PEM of one.
pub fn certificates(text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    if !text.contains(LABEL) {
        return Ok(Vec::new());
    }
    match chain::certificates(text) {
        Err(PemError::NoBlock) => Ok(Vec::new()),
        read => read,
    }
}

/// Adds the certificates of an archive, each once, and its key where `bundle` has none.
pub fn complete(mut bundle: Bundle, base64: &str) -> Result<Bundle, ArchiveError> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(base64.trim())?);
    let texts = texts(&bytes)?;
    let all = std::iter::once(bundle.certificate_pem.as_str()).chain(texts.iter().map(|text| text.as_str()));
    let mut seen = BTreeSet::new();
    let mut pem = String::new();
    for text in all {
        for certificate in certificates(text)? {
            if !seen.contains(&certificate) {
                pem.push_str(&pem::encode(LABEL, &certificate));
                seen.insert(certificate);
            }
        }
    }
    if pem.is_empty() {
        return Err(ArchiveError::Empty);
    }
    let key = texts.iter().find(|text| text.contains("PRIVATE KEY-----"));
    bundle.private_key_pem = bundle.private_key_pem.or_else(|| key.map(|key| key.as_str().into()));
    bundle.certificate_pem = pem;
    Ok(bundle)
}

fn texts(archive: &[u8]) -> Result<Vec<Zeroizing<String>>, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    if archive.len() > MOST_FILES {
        return Err(ArchiveError::TooLarge);
    }
    let mut texts = Vec::new();
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let file = archive.by_index(index)?;
        let name = file.name_raw().to_ascii_lowercase();
        if !TEXTS.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        // Allocates no more than the file states that it needs: all of it is wiped afterwards.
        let most = left.min(file.size());
        let text = text(file, most)?;
        left = left.saturating_sub(text.len() as u64);
        texts.push(text);
    }
    Ok(texts)
}

/// Reads a file of `most` bytes at most. The bytes are counted, since the size that the archive states is not trusted.
fn text(file: impl Read, most: u64) -> Result<Zeroizing<String>, ArchiveError> {
    // The buffer never grows: a growing one leaves copies of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(most + 1).unwrap_or_default()));
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ArchiveError::TooLarge);
    }
    // A file in another encoding may have comments in it; PEM itself is ASCII.
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use secrecy::ExposeSecret;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> String {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        BASE64_STANDARD.encode(archive.finish().unwrap().into_inner())
    }

    fn certificate(content: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
    }

    fn empty() -> Bundle {
        Bundle { certificate_pem: String::new(), private_key_pem: None }
    }

    #[test]
    fn every_certificate_is_taken_once_whatever_the_files_are_called() {
        let (leaf, ca) = (certificate("TEVBRg=="), certificate("Q0E="));
        let (bundle, key) =
            (format!("notes\r\n{}{ca}", leaf.replace('\n', "\r\n")), "-----BEGIN PRIVATE KEY-----");
        let archive = archive(&[
            ("Apache/1_root_bundle.CRT", ca.as_bytes()),
            ("Nginx/bundle.pem", bundle.as_bytes()),
            ("Nginx/www.key", key.as_bytes()),
            ("IIS/www.pfx", b"-----BEGIN CERTIFICATE-----nothing-----END CERTIFICATE-----"),
            ("\u{8bc1}\u{4e66}.txt", b"\xff"),
        ]);
        let complete =
            complete(Bundle { certificate_pem: leaf.clone(), private_key_pem: None }, &archive).unwrap();
        assert_eq!(complete.certificate_pem, format!("{leaf}{ca}"));
        assert_eq!(complete.private_key_pem.unwrap().expose_secret(), key);
    }

    #[test]
    fn no_part_of_a_chain_is_lost_without_a_word() {
        let (leaf, ca) = (certificate("TEVBRg=="), certificate("Q0E="));
        let joined = archive(&[
            ("a.pem", (leaf.trim().to_owned() + ca.trim()).as_bytes()),
            ("readme.txt", b"CERTIFICATE"),
        ]);
        assert_eq!(complete(empty(), &joined).unwrap().certificate_pem, leaf.clone() + &ca);
        let of_old = ca.replace("CERTIFICATE-----", "X509 CERTIFICATE-----");
        let of_old = archive(&[("a.pem", leaf.as_bytes()), ("chain.crt", of_old.as_bytes())]);
        assert_eq!(complete(empty(), &of_old).unwrap().certificate_pem, leaf.clone() + &ca);
        let cut = archive(&[("a.pem", leaf.as_bytes()), ("chain.crt", &ca.as_bytes()[..30])]);
        assert!(matches!(complete(empty(), &cut), Err(ArchiveError::Pem(_))));
    }

    #[test]
    fn a_certificate_that_is_there_twice_is_no_chain() {
        let (leaf, ca) = (certificate("TEVBRg=="), certificate("Q0E="));
        let of_old = leaf.replace("CERTIFICATE-----", "X509 CERTIFICATE-----");
        for (text, number) in [(leaf.repeat(2), 1), (leaf.clone() + &of_old, 1), (leaf.clone() + &ca, 2)] {
            assert_eq!(certificates(&text).unwrap().len(), number, "{text}");
        }
        assert_eq!(certificates("no CERTIFICATE").unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn the_key_of_the_detail_stays() {
        let archive =
            archive(&[("a.pem", certificate("Q0E=").as_bytes()), ("a.key", b"-----BEGIN PRIVATE KEY-----")]);
        let bundle = Bundle { private_key_pem: Some("the key".into()), ..empty() };
        assert_eq!(complete(bundle, &archive).unwrap().private_key_pem.unwrap().expose_secret(), "the key");
    }

    #[test]
    fn an_archive_is_bounded_and_must_hold_a_certificate() {
        let half = vec![b' '; usize::try_from(MOST_BYTES).unwrap() / 2 + 1];
        let large = archive(&[("a.pem", &half), ("b.pem", &half)]);
        assert!(large.len() < 10_000, "it is packed well");
        let names: Vec<_> = (0..=MOST_FILES).map(|number| format!("{number}.txt")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let error = |base64: &str| complete(empty(), base64).unwrap_err();
        assert!(matches!(error(&large), ArchiveError::TooLarge));
        assert!(matches!(error(&archive(&many)), ArchiveError::TooLarge));
        assert!(matches!(error(&archive(&[("a.pem", b"none")])), ArchiveError::Empty));
        assert!(matches!(error("UEsDBA=="), ArchiveError::Zip(_)));
        assert!(matches!(error(""), ArchiveError::Zip(_)));
        assert!(matches!(error("no base 64"), ArchiveError::Encoding(_)));
    }
}
