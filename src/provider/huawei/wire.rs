//! The JSON of Huawei Cloud SCM, version 3: errors, and the answers of `show`, `apply`, `cancel-cert` and `export`.
//!
//! Nearly every field of an answer may be missing, null or empty, so an unexpected field counts as absent.

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::provider::lenient::{id, is_id, lenient, list, secret, text, text_of, texts_of};
use crate::provider::transport::Answer;

/// An answer, as far as it is one of the service.
#[derive(Debug)]
pub enum Reply<T> {
    /// The call was carried out.
    Done {
        /// The fields of the answer.
        fields: T,
        /// The id of the call.
        request_id: Option<String>,
    },
    /// The call was refused.
    Refused {
        /// `SCM.nnnn`, `APIGW.nnnn` and the like.
        code: String,
        /// The reason in words, in English or Chinese.
        message: String,
        /// The id of the call.
        request_id: Option<String>,
    },
    /// Not an answer of the service, but of a proxy or gateway before it.
    Foreign,
}

/// The fields of an answer about the call itself. The names are those of SCM and the gateway; the vendor's SDK knows
/// the other spellings too.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(alias = "errorCode", deserialize_with = "id")]
    error_code: Option<String>,
    #[serde(alias = "errorMsg", deserialize_with = "text")]
    error_msg: Option<String>,
    #[serde(deserialize_with = "id")]
    code: Option<String>,
    #[serde(deserialize_with = "text")]
    message: Option<String>,
    #[serde(deserialize_with = "lenient")]
    error: Option<Nested>,
    #[serde(deserialize_with = "id")]
    request_id: Option<String>,
}

/// An error within another object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Nested {
    #[serde(alias = "error_code", deserialize_with = "id")]
    code: Option<String>,
    #[serde(alias = "error_msg", deserialize_with = "text")]
    message: Option<String>,
}

impl Head {
    /// Code and words of an error. `error_code` means one whatever the status; the other spellings may be fields of a
    /// success.
    fn error(self, is_success: bool) -> Option<(String, String)> {
        if let Some(code) = self.error_code {
            return Some((code, self.error_msg.or(self.message).unwrap_or_default()));
        }
        if is_success {
            return None;
        }
        let nested = self.error.unwrap_or_default();
        let code = self.code.or(nested.code)?;
        Some((code, self.message.or(nested.message).or(self.error_msg).unwrap_or_default()))
    }
}

/// Reads an answer, whatever its content type. Success is a status of success without an error in the body.
#[must_use]
pub fn read<T: DeserializeOwned>(answer: &Answer) -> Reply<T> {
    // A list would be read as the fields in their order.
    let is_object = answer.body.trim_ascii_start().starts_with(b"{");
    let head = serde_json::from_slice::<Head>(&answer.body).ok().filter(|_| is_object);
    let Some(mut head) = head else { return Reply::Foreign };
    let request_id = request_id(answer).or(head.request_id.take());
    let is_success = answer.status.is_success();
    if let Some((code, message)) = head.error(is_success) {
        return Reply::Refused { code, message, request_id };
    }
    match serde_json::from_slice(&answer.body) {
        Ok(fields) if is_success => Reply::Done { fields, request_id },
        _ => Reply::Foreign,
    }
}

/// The id of a call, as the gateway writes it beside every answer.
#[must_use]
pub fn request_id(answer: &Answer) -> Option<String> {
    let value = answer.headers.get("x-request-id")?.to_str().ok()?;
    Some(value.to_owned()).filter(|value| is_id(value))
}

/// The answer of `apply` and of `cancel-cert`.
#[derive(Default, Deserialize, Debug)]
#[serde(default)]
pub struct Taken {
    /// Of `apply`. An example writes the name with a space.
    #[serde(alias = "request info", deserialize_with = "text")]
    pub request_info: Option<String>,
    /// Of `cancel-cert`.
    #[serde(deserialize_with = "text")]
    pub message: Option<String>,
}

impl Taken {
    /// Whether the answer reports success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let word = self.request_info.as_ref().or(self.message.as_ref());
        word.is_some_and(|word| word.eq_ignore_ascii_case("success"))
    }
}

/// The answer of `export`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Exported {
    /// Leaf and chain.
    #[serde(deserialize_with = "text")]
    pub entire_certificate: Option<String>,
    /// The leaf.
    #[serde(deserialize_with = "text")]
    pub certificate: Option<String>,
    /// The rest of the chain.
    #[serde(deserialize_with = "text")]
    pub certificate_chain: Option<String>,
    /// In clear, if the cloud made the key.
    #[serde(deserialize_with = "secret")]
    pub private_key: Option<SecretString>,
}

/// The answer of `show`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// A word such as `PAID`.
    #[serde(deserialize_with = "id")]
    pub status: Option<String>,
    /// `DV_SSL_CERT`, `OV_SSL_CERT_PRO` and the like.
    #[serde(rename = "type", deserialize_with = "id")]
    pub type_: Option<String>,
    /// `GEOTRUST` and the like.
    #[serde(deserialize_with = "id")]
    pub brand: Option<String>,
    /// The algorithm of the CA's signature, in words.
    #[serde(deserialize_with = "text")]
    pub signature_algorithm: Option<String>,
    /// `SINGLE_DOMAIN`, `WILDCARD` or `MULTI_DOMAIN`.
    #[serde(deserialize_with = "id")]
    pub domain_type: Option<String>,
    /// How many names it covers; a number.
    #[serde(deserialize_with = "text")]
    pub domain_count: Option<String>,
    /// How many wildcard names it covers; a number.
    #[serde(deserialize_with = "text")]
    pub wildcard_count: Option<String>,
    /// Why it was revoked.
    #[serde(deserialize_with = "text")]
    pub revoke_reason: Option<String>,
    /// Begin of validity; empty until issued.
    #[serde(deserialize_with = "text")]
    pub not_before: Option<String>,
    /// End of validity.
    #[serde(deserialize_with = "text")]
    pub not_after: Option<String>,
    /// The primary name.
    #[serde(deserialize_with = "text")]
    pub domain: Option<String>,
    /// The further names.
    #[serde(deserialize_with = "names")]
    pub sans: Vec<String>,
    /// The application that the cloud holds. It has personal data, so this type has no `Debug`.
    #[serde(deserialize_with = "lenient")]
    pub application_info: Option<Map<String, Value>>,
    /// The proofs of control that the CA checks. The spelling is that of the service.
    #[serde(rename = "authentification", deserialize_with = "list")]
    pub authentication: Vec<Authentication>,
}

/// A record that the CA checks.
#[derive(Default, Deserialize, Debug)]
#[serde(default)]
pub struct Authentication {
    /// Full name.
    #[serde(deserialize_with = "text")]
    pub record_name: Option<String>,
    /// `TXT` and the like.
    #[serde(deserialize_with = "text")]
    pub record_type: Option<String>,
    /// Value.
    #[serde(deserialize_with = "text")]
    pub record_value: Option<String>,
    /// The name that it proves control of.
    #[serde(deserialize_with = "text")]
    pub domain: Option<String>,
}

/// Names as one text with `;` between them, or as a list.
pub fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let joined = text_of(&value).unwrap_or_default();
    let split = joined.split(';').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok(split.chain(texts_of(&value)).collect())
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(status: u16, header: Option<&'static str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|id| {
            (reqwest::header::HeaderName::from_static("x-request-id"), HeaderValue::from_static(id))
        }));
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    fn reply<T: DeserializeOwned>(status: u16, body: &str) -> Reply<T> {
        read(&answer(status, Some("r"), body))
    }

    fn refused(status: u16, body: &str) -> Option<(String, String)> {
        match reply::<Taken>(status, body) {
            Reply::Refused { code, message, .. } => Some((code, message)),
            _ => None,
        }
    }

    #[test]
    fn an_error_is_an_error_whatever_the_status_and_the_spelling() {
        let expected = Some(("SCM.0005".to_owned(), "bad".to_owned()));
        for status in [200, 201, 400, 500] {
            assert_eq!(
                refused(status, r#"{"error_code": "SCM.0005", "error_msg": "bad"}"#),
                expected,
                "{status}"
            );
        }
        for body in [
            r#"{"errorCode": "SCM.0005", "errorMsg": "bad", "encoded_authorization_message": "x"}"#,
            r#"{"code": "SCM.0005", "message": "bad"}"#,
            r#"{"error": {"code": "SCM.0005", "message": "bad"}}"#,
            r#"{"error": {"error_code": "SCM.0005", "error_msg": "bad"}}"#,
        ] {
            assert_eq!(refused(400, body), expected, "{body}");
        }
        assert_eq!(refused(200, r#"{"cert_id": "scs1", "message": "success", "code": "0"}"#), None);
    }

    #[test]
    fn a_call_is_named_by_its_header_or_else_in_the_body() {
        let id = |header, body: &str| match read::<Taken>(&answer(400, header, body)) {
            Reply::Refused { request_id, .. } => request_id,
            _ => panic!("{body} is not refused"),
        };
        let body = r#"{"error_code": "APIGW.0301", "request_id": "of-the-body"}"#;
        assert_eq!(id(Some("of-the-header"), body).as_deref(), Some("of-the-header"));
        assert_eq!(id(None, body).as_deref(), Some("of-the-body"));
        assert_eq!(id(Some("not an id"), r#"{"error_code": "SCM.0005"}"#), None);
    }

    #[test]
    fn what_the_service_did_not_write_is_foreign() {
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "null"),
            (200, "[]"),
            (302, "{}"),
            (404, "{}"),
            (502, r#"{"error_code": "", "message": "bad gateway"}"#),
        ] {
            assert!(matches!(reply::<Taken>(status, body), Reply::Foreign), "{status} {body}");
        }
    }

    #[test]
    fn a_success_says_so() {
        for (body, success) in [
            (r#"{"request_info": "success"}"#, true),
            (r#"{"request info": "success"}"#, true),
            (r#"{"cert_id": "scs1", "message": "success"}"#, true),
            (r#"{"request_info": "pending"}"#, false),
            ("{}", false),
        ] {
            let Reply::Done { fields, request_id } = reply::<Taken>(200, body) else { panic!("{body}") };
            assert_eq!((fields.is_success(), request_id.as_deref()), (success, Some("r")), "{body}");
        }
    }

    #[test]
    fn a_field_may_be_missing_null_or_of_another_type() {
        let read = |body: &str| match reply::<Certificate>(200, body) {
            Reply::Done { fields, .. } => fields,
            _ => panic!("{body}"),
        };
        let nulls = r#"{"status": null, "sans": null, "domain_count": null, "application_info": null, "authentification": null}"#;
        for body in [
            "{}",
            nulls,
            r#"{"status": "NOT A WORD", "application_info": "none", "authentification": "none"}"#,
        ] {
            let empty = read(body);
            assert!(
                empty.status.is_none() && empty.sans.is_empty() && empty.application_info.is_none(),
                "{body}"
            );
            assert!(empty.authentication.is_empty() && empty.domain_count.is_none(), "{body}");
        }
        let odd = read(r#"{"sans": "a.example; b.example;", "domain_count": 3, "wildcard_count": "1"}"#);
        assert_eq!(odd.sans, ["a.example", "b.example"]);
        assert_eq!((odd.domain_count.as_deref(), odd.wildcard_count.as_deref()), (Some("3"), Some("1")));
        assert_eq!(read(r#"{"sans": ["a.example", ""]}"#).sans, ["a.example"]);
    }
}
