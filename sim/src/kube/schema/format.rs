//! `format` of strings and numbers. Formats that are not listed here are not checked, as on an API server, which
//! ignores the ones it does not know; of those it knows, the ones that no schema of this project uses
//! (`isbn`, `creditcard`, `ssn`, colours, `bsonobjectid`) are left out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

/// Formats that an API server knows, of those that this module checks.
const KNOWN: [&str; 17] = [
    "byte",
    "cidr",
    "date",
    "date-time",
    "datetime",
    "double",
    "duration",
    "email",
    "float",
    "hostname",
    "int32",
    "int64",
    "ipv4",
    "ipv6",
    "mac",
    "uri",
    "uuid",
];

/// Whether the format means anything to an API server.
pub(super) fn is_known(format: &str) -> bool {
    KNOWN.contains(&format)
}

/// Whether `text` has the string format.
pub(super) fn matches(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.parse::<Timestamp>().is_ok() && text.contains(['T', 't']),
        "date" => text.len() == 10 && text.parse::<Date>().is_ok(),
        "byte" => !text.is_empty() && STANDARD.decode(text).is_ok(),
        "uri" => uri(text),
        "email" => email(text),
        "hostname" => hostname(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => cidr(text),
        "mac" => mac(text),
        "uuid" => text.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && Uuid::try_parse(text).is_ok(),
        "duration" => duration(text),
        _ => true,
    }
}

/// The numeric type and format that `n` does not fit, in the API server's words.
pub(super) fn exceeded(type_: &str, format: Option<&str>, n: f64) -> Option<String> {
    const I64: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    let (fits, format) = match (type_, format) {
        ("integer", Some("int32")) => {
            ((f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&n), "with format int32")
        }
        ("integer", Some("int64")) => (I64.contains(&n), "with format int64"),
        ("integer", _) => (I64.contains(&n), "(default format)"),
        ("number", Some("float")) => (n.abs() <= f64::from(f32::MAX), "with format float"),
        _ => return None,
    };
    let fits = fits && (type_ == "number" || n.fract() == 0.0);
    (!fits).then(|| format!("type {type_} {format}"))
}

/// What Go's `url.ParseRequestURI` takes: an absolute URI or an absolute path.
fn uri(text: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
    };
    let absolute = text.starts_with('/') || text.split_once(':').is_some_and(|(name, _)| scheme(name));
    absolute && !text.contains(|c: char| c.is_ascii_control() || c == ' ')
}

/// `a@b.example`, or `A Name <a@b.example>`.
fn email(text: &str) -> bool {
    let address =
        text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, inner)| inner);
    let spaced = address.chars().any(char::is_whitespace);
    !spaced
        && address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !local.contains('@') && !domain.is_empty())
}

/// A single label, or labels whose last is of two letters or more.
fn hostname(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top =
        text.rsplit_once('.').is_none_or(|(_, top)| top.len() > 1 && top.chars().all(char::is_alphabetic));
    top && text.len() <= 255 && text.split('.').all(label)
}

/// Six or eight bytes in hexadecimal.
fn mac(text: &str) -> bool {
    let bytes: Vec<&str> = text.split([':', '-']).collect();
    let byte = |byte: &&str| byte.len() == 2 && byte.chars().all(|c| c.is_ascii_hexdigit());
    matches!(bytes.len(), 6 | 8) && bytes.iter().all(byte)
}

/// Go's `time.ParseDuration`, or numbers with the names of units: `22 ns`, `2 weeks`.
fn duration(text: &str) -> bool {
    const UNITS: [&str; 12] =
        ["nano", "micro", "milli", "sec", "min", "hour", "hr", "day", "week", "wk", "d", "w"];
    let named = |text: &str| {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let unit_name = unit.trim_start();
        let known = UNITS.iter().any(|name| unit_name.starts_with(name));
        let short = ["ns", "us", "µs", "ms", "s", "m", "h"].contains(&unit_name);
        unit.len() < text.len() && (known || short)
    };
    super::cel_value::go_duration(text).is_some() || named(text)
}

fn cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let max = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= max)
    })
}
