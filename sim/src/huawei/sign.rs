//! Checks `SDK-HMAC-SHA256`, from the vendor's description of the method and not from any client.
//!
//! Everything is computed from what came over the wire: raw method, path, query, header values and body. Which headers
//! count is what `SignedHeaders` says, and no more: the vendor's own tools add some after they signed.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{
    account::Credential,
    encoding::{decode, encode, pairs},
    error::Refusal,
};
use crate::cloud::request::Received;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// The headers that must be signed.
///
/// Inferred: the documents' examples sign more; without these two a request could be replayed elsewhere or later.
const REQUIRED: [&str; 2] = ["host", "x-sdk-date"];
/// How far `X-Sdk-Date` may be from the server's time, in seconds.
const MAX_SKEW: u64 = 15 * 60;

/// The parts of the `Authorization` header.
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let fields = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let mut fields = fields.split(',').map(str::trim_start);
        let access_key = fields.next()?.strip_prefix("Access=")?;
        let signed_headers = fields.next()?.strip_prefix("SignedHeaders=")?;
        let signature = fields.next()?.strip_prefix("Signature=")?;
        fields.next().is_none().then_some(Self { access_key, signed_headers, signature })
    }
}

/// Who sent the request, or why the gateway does not believe it.
///
/// Inferred: the order of the checks (header shape, clock, key, signature, token), and the wording where the header's
/// shape is at fault.
pub(super) fn verify<'c>(
    request: Received<'_>,
    now: Timestamp,
    find: impl FnOnce(&str) -> Option<&'c Credential>,
) -> Result<&'c Credential, Refusal> {
    let header = request.header("authorization").and_then(Authorization::parse);
    let authorization =
        header.ok_or_else(|| Refusal::unauthenticated("the Authorization header is not valid"))?;
    let date = check_clock(request, now)?;
    let access_key = authorization.access_key;
    let credential =
        find(access_key).ok_or_else(|| Refusal::unauthenticated(format!("ak {access_key} not exist")))?;
    check_signature(request, &authorization, date, credential.secret_key.expose_secret())?;
    if !credential.accepts_token(request.header("x-security-token"), now) {
        return Err(Refusal::bad_token());
    }
    Ok(credential)
}

/// The date of the signature, if it is recent.
fn check_clock(request: Received<'_>, now: Timestamp) -> Result<&str, Refusal> {
    let sent = request.header("x-sdk-date").and_then(|date| Some((date, parse_date(date)?)));
    let (date, time) = sent.ok_or_else(|| Refusal::unauthenticated("the header X-Sdk-Date is not valid"))?;
    if time.as_second().abs_diff(now.as_second()) <= MAX_SKEW {
        return Ok(date);
    }
    let server = now.to_zoned(TimeZone::UTC).strftime(DATE_FORMAT);
    Err(Refusal::unauthenticated(format!(
        "calc aksk signature fail:signature expired, signature time:{date},server time:{server}"
    )))
}

fn parse_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::strptime(DATE_FORMAT, text).ok()?;
    let time = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (text.len() == "YYYYMMDDThhmmssZ".len()).then_some(time)
}

fn check_signature(
    request: Received<'_>,
    authorization: &Authorization<'_>,
    date: &str,
    secret_key: &str,
) -> Result<(), Refusal> {
    let canonical = canonical_request(request, authorization.signed_headers).ok_or_else(|| {
        Refusal::unauthenticated("verify aksk signature fail, the list of signed headers is not valid")
    })?;
    if signature(secret_key, &string_to_sign(date, &canonical)).as_deref() == Some(authorization.signature) {
        return Ok(());
    }
    // The gateway shows what it computed, so that a client can be compared with it.
    let shown = canonical.replace('\n', "|");
    Err(Refusal::unauthenticated(format!("verify aksk signature fail, canonicalRequest:{shown}")))
}

/// The six parts of the canonical request; `None` if the list of signed headers is not a legal one.
pub(super) fn canonical_request(request: Received<'_>, signed_headers: &str) -> Option<String> {
    let names: Vec<&str> = signed_headers.split(';').collect();
    let legal = names.is_sorted_by(|a, b| a < b)
        && !names.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()))
        && REQUIRED.iter().all(|name| names.contains(name));
    if !legal {
        return None;
    }
    let mut headers = String::new();
    for name in names {
        headers.extend([name, ":", request.header(name)?.trim(), "\n"]);
    }
    let (method, payload) = (request.method, payload_hash(request));
    let (uri, query) = (canonical_uri(request.path)?, canonical_query(request.query)?);
    Some(format!("{method}\n{uri}\n{query}\n{headers}\n{signed_headers}\n{payload}"))
}

/// The path, encoded anew, with a slash at its end that the path on the wire does not have.
fn canonical_uri(path: &str) -> Option<String> {
    let segments: Option<Vec<String>> =
        path.split('/').map(|segment| Some(encode(&decode(segment)?))).collect();
    let mut uri = segments?.join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    Some(uri)
}

/// The pairs, sorted by name and then by value, encoded anew.
fn canonical_query(query: &str) -> Option<String> {
    let mut pairs = pairs(query)?;
    pairs.sort();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    Some(pairs.join("&"))
}

fn payload_hash(request: Received<'_>) -> String {
    let unsigned = request.header("x-sdk-content-sha256") == Some(UNSIGNED);
    if unsigned && !request.body.is_empty() {
        return UNSIGNED.to_owned();
    }
    hex::encode(Sha256::digest(request.body))
}

pub(super) fn string_to_sign(date: &str, canonical: &str) -> String {
    format!("{ALGORITHM}\n{date}\n{}", hex::encode(Sha256::digest(canonical)))
}

/// The signature in lower-case hexadecimal digits.
pub(super) fn signature(secret_key: &str, to_sign: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).ok()?;
    mac.update(to_sign.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}
