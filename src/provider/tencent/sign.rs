//! Tencent Cloud's request signature, TC3-HMAC-SHA256, stage by stage.
//!
//! <https://www.tencentcloud.com/document/product/1007/36576> describes it. Everything here is a pure function:
//! the time and the credentials are parameters.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::provider::hmac::hmac;

const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// The least that must be signed; the other headers are not part of the signature.
const SIGNED_HEADERS: &str = "content-type;host";

/// The signed parts of a request. Every text must be byte for byte what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The query string, without `?`; empty for POST.
    pub query: &'a str,
    /// The header `Content-Type`.
    pub content_type: &'a str,
    /// The header `Host`: with a port where it is not the scheme's own.
    pub host: &'a str,
    /// The body.
    pub payload: &'a [u8],
}

/// The three stages of a signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The request in the form that both sides hash.
    pub canonical_request: String,
    /// Its hash, bound to a time and a service.
    pub string_to_sign: String,
    /// The value of the header `Authorization`.
    pub authorization: String,
}

/// Signs a request to `service` (`ssl`) at a time, which must also be sent, as Unix seconds, in the header
/// `X-TC-Timestamp`.
#[must_use]
pub fn sign(
    request: &Signable<'_>,
    service: &str,
    at: Timestamp,
    secret_id: &str,
    secret_key: &SecretString,
) -> Signed {
    // The date in UTC of the same timestamp: a second reading of the clock could give another date at midnight.
    let date = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string();
    let scope = format!("{date}/{service}/tc3_request");
    let canonical_request = canonical_request(request);
    let digest = hex::encode(Sha256::digest(&canonical_request));
    let string_to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", at.as_second());
    let key = signing_key(secret_key, &date, service);
    let signature = hex::encode(hmac(&*key, string_to_sign.as_bytes()));
    let authorization = format!(
        "{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
    );
    Signed { canonical_request, string_to_sign, authorization }
}

fn canonical_request(request: &Signable<'_>) -> String {
    let Signable { method, query, content_type, host, payload } = request;
    let headers = format!(
        "content-type:{}\nhost:{}\n",
        content_type.trim().to_ascii_lowercase(),
        host.trim().to_ascii_lowercase()
    );
    let digest = hex::encode(Sha256::digest(payload));
    format!("{method}\n/\n{query}\n{headers}\n{SIGNED_HEADERS}\n{digest}")
}

fn signing_key(secret_key: &SecretString, date: &str, service: &str) -> Zeroizing<[u8; 32]> {
    let first = Zeroizing::new(format!("TC3{}", secret_key.expose_secret()));
    let dated = hmac(first.as_bytes(), date.as_bytes());
    let for_service = hmac(&*dated, service.as_bytes());
    hmac(&*for_service, b"tc3_request")
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
        secret_id: String,
        secret_key: String,
        service: String,
        timestamp: i64,
        method: String,
        host: String,
        content_type: String,
        query: String,
        payload: String,
    }

    #[test]
    fn every_stage_of_every_vector_is_reproduced() {
        let cases = vectors("tencent");
        assert_eq!(cases.len(), 10, "a vector was added or lost");
        for folder in cases {
            let expected = |file: &str| fs::read_to_string(folder.join(file)).unwrap().trim_end().to_owned();
            let case: Case = serde_json::from_str(&expected("request.json")).unwrap();
            let request = Signable {
                method: &case.method,
                query: &case.query,
                content_type: &case.content_type,
                host: &case.host,
                payload: case.payload.as_bytes(),
            };
            let at = Timestamp::from_second(case.timestamp).unwrap();
            let signed = sign(&request, &case.service, at, &case.secret_id, &case.secret_key.into());

            let folder = folder.display();
            assert_eq!(signed.canonical_request, expected("canonical-request.txt"), "{folder}");
            assert_eq!(signed.string_to_sign, expected("string-to-sign.txt"), "{folder}");
            assert_eq!(signed.authorization, expected("authorization.txt"), "{folder}");
        }
    }

    #[test]
    fn header_values_are_signed_in_lower_case() {
        let upper = Signable {
            method: "POST",
            query: "",
            content_type: "application/json; charset=UTF-8",
            host: "SSL.intl.tencentcloudapi.com",
            payload: b"{}",
        };
        let lower = Signable {
            content_type: "application/json; charset=utf-8",
            host: "ssl.intl.tencentcloudapi.com",
            ..upper
        };
        assert_eq!(canonical_request(&upper), canonical_request(&lower));
    }
}
