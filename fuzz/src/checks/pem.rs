//! PEM around bytes: base 64 would keep the fuzzer away from the ASN.1 within.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The bytes as they are if they are PEM, else as a block of each DER element among them.
pub(crate) fn text(data: &[u8], label: &str) -> String {
    match std::str::from_utf8(data) {
        Ok(text) if text.contains("-----BEGIN") => text.to_owned(),
        _ => elements(data).map(|der| block(label, der)).collect(),
    }
}

/// One block.
pub(crate) fn block(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Splits at the lengths that the elements state. The last one has what is left.
fn elements(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (element, rest) = data.split_at_checked(length(data)).unwrap_or((data, &[]));
        data = rest;
        (!element.is_empty()).then_some(element)
    })
}

/// The length of the first DER element with its head, as it states it.
fn length(data: &[u8]) -> usize {
    match *data {
        [_, short @ 0..=0x7f, ..] => 2 + usize::from(short),
        [_, 0x81, length, ..] => 3 + usize::from(length),
        [_, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => data.len(),
    }
}
