//! Checks `TC3-HMAC-SHA256`, from the vendor's description of the method and not from any client.
//!
//! Everything is computed from what came over the wire: the raw body, the raw query and the raw header values.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, tz::TimeZone};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{account::Credential, error::Refusal};
use crate::cloud::request::Received;

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SERVICE: &str = "ssl";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// How far `X-TC-Timestamp` may be from the server's time, in seconds.
const MAX_SKEW: u64 = 300;

/// The parts of the `Authorization` header.
struct Authorization<'a> {
    secret_id: &'a str,
    date: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let fields = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let mut fields = fields.split(',').map(str::trim_start);
        let credential = fields.next()?.strip_prefix("Credential=")?;
        let signed_headers = fields.next()?.strip_prefix("SignedHeaders=")?;
        let signature = fields.next()?.strip_prefix("Signature=")?;
        let mut scope = credential.rsplitn(4, '/');
        let (end, service, date, secret_id) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        let complete = fields.next().is_none() && end == "tc3_request";
        complete.then_some(Self { secret_id, date, service, signed_headers, signature })
    }
}

/// Who sent the request, or why the gateway does not believe it.
///
/// Inferred: the order of the checks (header shape, key, clock, signature, token).
pub(super) fn verify<'c>(
    request: Received<'_>,
    now: Timestamp,
    find: impl FnOnce(&str) -> Option<&'c Credential>,
) -> Result<&'c Credential, Refusal> {
    let timestamp = timestamp(request)?;
    let header = request.header("authorization").ok_or_else(invalid_authorization)?;
    let authorization = Authorization::parse(header).ok_or_else(invalid_authorization)?;
    let credential = find(authorization.secret_id)
        .ok_or_else(|| Refusal::new("AuthFailure.SecretIdNotFound", "The SecretId is not found."))?;
    check_clock(timestamp, now)?;
    check_signature(request, &authorization, timestamp, credential.secret_key.expose_secret()).ok_or_else(
        || {
            let text =
                "The provided credentials could not be validated. Please check your signature is correct.";
            Refusal::new("AuthFailure.SignatureFailure", text)
        },
    )?;
    if !credential.accepts_token(request.header("x-tc-token"), now) {
        return Err(Refusal::bad_token());
    }
    Ok(credential)
}

fn timestamp(request: Received<'_>) -> Result<Timestamp, Refusal> {
    let text = request.header("x-tc-timestamp").ok_or_else(|| Refusal::missing("Timestamp"))?;
    let seconds = text.parse().map_err(|_| Refusal::wrong_type("Timestamp"))?;
    Timestamp::from_second(seconds).map_err(|_| Refusal::wrong_type("Timestamp"))
}

fn invalid_authorization() -> Refusal {
    Refusal::new("AuthFailure.InvalidAuthorization", "The Authorization header is missing or not valid.")
}

fn check_clock(timestamp: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let server = now.as_second();
    if timestamp.as_second().abs_diff(server) <= MAX_SKEW {
        return Ok(());
    }
    // The message ends with the server's time: clients use it to tell how far their clock is off.
    let message = format!(
        "Signature expired: X-TC-Timestamp differs by more than {MAX_SKEW} s from the server time {server}"
    );
    Err(Refusal::new("AuthFailure.SignatureExpire", message))
}

/// `Some` if the signature is that of the request.
fn check_signature(
    request: Received<'_>,
    authorization: &Authorization<'_>,
    timestamp: Timestamp,
    secret_key: &str,
) -> Option<()> {
    let date = timestamp.to_zoned(TimeZone::UTC).date().to_string();
    if authorization.date != date || authorization.service != SERVICE {
        return None;
    }
    let canonical = canonical_request(request, authorization.signed_headers)?;
    let to_sign = string_to_sign(timestamp, &date, &canonical);
    let key = signing_key(secret_key, &date)?;
    let signature = hex::decode(authorization.signature).ok()?;
    mac(&key, &to_sign)?.verify_slice(&signature).ok()
}

/// The six parts of the canonical request; `None` if the list of signed headers is not a legal one.
pub(super) fn canonical_request(request: Received<'_>, signed_headers: &str) -> Option<String> {
    let names: Vec<&str> = signed_headers.split(';').collect();
    let legal = names.is_sorted_by(|a, b| a < b)
        && !names.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()))
        && ["content-type", "host"].iter().all(|name| names.contains(name));
    if !legal {
        return None;
    }
    let mut headers = String::new();
    for name in names {
        let value = request.header(name)?.trim().to_lowercase();
        headers.extend([name, ":", &value, "\n"]);
    }
    let Received { method, query, .. } = request;
    let payload = payload_hash(request);
    Some(format!("{method}\n/\n{query}\n{headers}\n{signed_headers}\n{payload}"))
}

pub(super) fn payload_hash(request: Received<'_>) -> String {
    let unsigned = request.header("x-tc-content-sha256") == Some(UNSIGNED);
    let payload = match request.method {
        _ if unsigned => UNSIGNED.as_bytes(),
        "GET" => &[],
        _ => request.body,
    };
    hex::encode(Sha256::digest(payload))
}

pub(super) fn string_to_sign(timestamp: Timestamp, date: &str, canonical: &str) -> String {
    let seconds = timestamp.as_second();
    let hash = hex::encode(Sha256::digest(canonical));
    format!("{ALGORITHM}\n{seconds}\n{date}/{SERVICE}/tc3_request\n{hash}")
}

/// The key of one day and service: three HMACs from the secret key.
pub(super) fn signing_key(secret_key: &str, date: &str) -> Option<Vec<u8>> {
    let seed = format!("TC3{secret_key}").into_bytes();
    [date, SERVICE, "tc3_request"].iter().try_fold(seed, |key, part| {
        let mac = mac(&key, part)?;
        Some(mac.finalize().into_bytes().to_vec())
    })
}

fn mac(key: &[u8], data: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(data.as_bytes());
    Some(mac)
}
