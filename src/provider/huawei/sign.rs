//! Huawei Cloud's request signature, SDK-HMAC-SHA256, stage by stage.
//!
//! The guide to API signing (<https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html>)
//! describes it. Everything here is a pure function: the time and the credentials are parameters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::provider::hmac::hmac;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The header that carries the time of the signature.
pub const DATE: &str = "x-sdk-date";

/// The signed parts of a request. Every text must be byte for byte what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as it stands in the URL, percent-encoded.
    pub path: &'a str,
    /// The query string, without `?`: sorted by name and percent-encoded, as it stands in the URL.
    pub query: &'a str,
    /// The header `Host`: with a port where it is not the scheme's own.
    pub host: &'a str,
    /// The further headers, with lower-case names. `X-Sdk-Date` is added.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub payload: &'a [u8],
}

/// The three stages of a signature, and their time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The value of the header `X-Sdk-Date`.
    pub date: String,
    /// The request in the form that both sides hash.
    pub canonical_request: String,
    /// Its hash, bound to a time.
    pub string_to_sign: String,
    /// The value of the header `Authorization`.
    pub authorization: String,
}

/// Signs a request at a time.
#[must_use]
pub fn sign(
    request: &Signable<'_>,
    at: Timestamp,
    access_key: &SecretString,
    secret_key: &SecretString,
) -> Signed {
    let date = date(at);
    let (canonical_request, names) = canonical_request(request, &date);
    let digest = hex::encode(Sha256::digest(&canonical_request));
    let string_to_sign = format!("{ALGORITHM}\n{date}\n{digest}");
    // The secret key signs directly: unlike other clouds, this one derives no key from date and region.
    let signature = hex::encode(hmac(secret_key.expose_secret().as_bytes(), string_to_sign.as_bytes()));
    let access_key = access_key.expose_secret();
    let authorization =
        format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}");
    Signed { date, canonical_request, string_to_sign, authorization }
}

const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime(DATE_FORMAT).to_string()
}

/// Reads a time in the form of `X-Sdk-Date`.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(DATE_FORMAT, text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The canonical request, and the names of the signed headers in it.
fn canonical_request(request: &Signable<'_>, date: &str) -> (String, String) {
    let Signable { method, path, query, host, headers, payload } = *request;
    // The signed path ends in a slash, also if that of the URL does not.
    let slash = if path.ends_with('/') { "" } else { "/" };
    let all: BTreeMap<&str, &str> = headers.iter().copied().chain([("host", host), (DATE, date)]).collect();
    // Values keep their case.
    let lines: String = all.iter().flat_map(|(name, value)| [name, ":", value.trim(), "\n"]).collect();
    let names = all.into_keys().collect::<Vec<_>>().join(";");
    let digest = hex::encode(Sha256::digest(payload));
    (format!("{method}\n{path}{slash}\n{query}\n{lines}\n{names}\n{digest}"), names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize;

    use super::*;
    use crate::provider::fixtures::vectors;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Case {
        access_key: String,
        secret_key: String,
        timestamp: i64,
        method: String,
        host: String,
        path: String,
        query: String,
        headers: BTreeMap<String, String>,
        payload: String,
    }

    #[test]
    fn every_stage_of_every_vector_is_reproduced() {
        let cases = vectors("huawei");
        assert_eq!(cases.len(), 8, "a vector was added or lost");
        for folder in cases {
            let expected = |file: &str| fs::read_to_string(folder.join(file)).unwrap().trim_end().to_owned();
            let case: Case = serde_json::from_str(&expected("request.json")).unwrap();
            let headers: Vec<_> =
                case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let request = Signable {
                method: &case.method,
                path: &case.path,
                query: &case.query,
                host: &case.host,
                headers: &headers,
                payload: case.payload.as_bytes(),
            };
            let at = Timestamp::from_second(case.timestamp).unwrap();
            let signed = sign(&request, at, &case.access_key.into(), &case.secret_key.into());

            let folder = folder.display();
            assert_eq!(signed.canonical_request, expected("canonical-request.txt"), "{folder}");
            assert_eq!(signed.string_to_sign, expected("string-to-sign.txt"), "{folder}");
            assert_eq!(signed.authorization, expected("authorization.txt"), "{folder}");
            assert_eq!(parse_date(&signed.date), Some(at), "{folder}");
        }
    }

    #[test]
    fn header_values_keep_their_case_and_lose_the_space_around_them() {
        let request = Signable {
            method: "GET",
            path: "/",
            query: "",
            host: "scm.example",
            headers: &[("x-domain-id", " AbC ")],
            payload: b"",
        };
        let (canonical, names) = canonical_request(&request, "20231114T221320Z");
        assert!(
            canonical.starts_with("GET\n/\n\nhost:scm.example\nx-domain-id:AbC\nx-sdk-date:"),
            "{canonical}"
        );
        assert_eq!(names, "host;x-domain-id;x-sdk-date");
    }
}
