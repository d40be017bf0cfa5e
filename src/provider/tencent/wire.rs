//! The JSON of Tencent Cloud SSL, version 2019-12-05: the envelope
//! (<https://www.tencentcloud.com/document/product/1007/36577>) and `DescribeCertificate`.
//!
//! Nearly every field of an answer may be missing or null, and the documentation contradicts itself about some types,
//! so an unexpected field counts as absent: a new kind of answer must not stop an order.

use reqwest::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::provider::lenient::{flag, id, lenient, list, secret, text, text_of, texts, texts_of, token};
use crate::provider::transport::Answer;

/// The request of every action that takes a certificate and nothing else.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfCertificate<'a> {
    /// Which certificate.
    pub certificate_id: &'a str,
}

/// The request of `CertificateOrderSubmit`. `VerifyType` is left out: the application has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CertificateOrderSubmit<'a> {
    /// Which certificate.
    pub cert_id: &'a str,
}

/// The request of `RevokeCertificate`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeCertificate<'a> {
    /// Which certificate.
    pub certificate_id: &'a str,
    /// Why, in words.
    pub reason: &'a str,
}

/// The request of `UploadConfirmLetter`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadConfirmLetter<'a> {
    /// Which certificate.
    pub certificate_id: &'a str,
    /// The file in base 64.
    pub confirm_letter: &'a str,
}

/// The request of `ReplaceCertificate`. Names and data are those of the certificate that it names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReplaceCertificate<'a> {
    /// Which certificate.
    pub certificate_id: &'a str,
    /// `DNS` or `FILE`.
    pub valid_type: &'a str,
    /// `original`: the same CSR, or `upload`. One page capitalises the words; the others do not.
    pub csr_type: &'a str,
    /// The CSR, PEM, with `upload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csr_content: Option<&'a str>,
}

/// The answer of `ReplaceCertificate`.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct Reissued {
    /// The new certificate.
    #[serde(deserialize_with = "id")]
    pub certificate_id: Option<String>,
}

/// The answer of `CertificateOrderSubmit`, as far as it is used.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ordered {
    /// The CA's number.
    #[serde(deserialize_with = "id")]
    pub order_id: Option<String>,
}

/// The answer of `CancelAuditCertificate`.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct Withdrawn {
    /// Whether the review is being stopped.
    #[serde(deserialize_with = "flag")]
    pub result: Option<bool>,
}

/// The answer of `UploadConfirmLetter`.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct LetterSent {
    /// Whether the letter was taken.
    #[serde(deserialize_with = "flag")]
    pub is_success: Option<bool>,
}

/// An answer of the service, taken out of its envelope.
#[derive(Debug)]
pub enum Reply<T> {
    /// The action was carried out.
    Done {
        /// The fields of the answer.
        fields: T,
        /// The id of the call.
        request_id: String,
    },
    /// The action was refused.
    Refused {
        /// `Class` or `Class.Detail`.
        code: String,
        /// The reason in words.
        message: String,
        /// The id of the call.
        request_id: Option<String>,
    },
    /// Not an answer of the service, but of a proxy or gateway before it.
    Foreign,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "Response")]
    response: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    error: Option<Fault>,
    #[serde(default, deserialize_with = "id")]
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fault {
    #[serde(deserialize_with = "id")]
    code: Option<String>,
    #[serde(default, deserialize_with = "text")]
    message: Option<String>,
}

/// Reads an answer, whatever its content type. An `Error` means failure, whatever the other fields and the status
/// are. A success has the status 200 and a `RequestId`, which every call that reached the service has.
#[must_use]
pub fn read<T: DeserializeOwned>(answer: &Answer) -> Reply<T> {
    let Ok(Envelope { response: head }) = serde_json::from_slice::<Envelope<Head>>(&answer.body) else {
        return Reply::Foreign;
    };
    let request_id = head.request_id;
    if let Some(Fault { code, message }) = head.error {
        let message = message.unwrap_or_default();
        return code.map_or(Reply::Foreign, |code| Reply::Refused { code, message, request_id });
    }
    let fields = serde_json::from_slice::<Envelope<T>>(&answer.body);
    match (answer.status, fields, request_id) {
        (StatusCode::OK, Ok(Envelope { response: fields }), Some(request_id)) => {
            Reply::Done { fields, request_id }
        }
        _ => Reply::Foreign,
    }
}

/// The answer of an action that returns nothing but the id of the call.
pub type Nothing = IgnoredAny;

/// The answer of `DescribeCertificate`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Certificate {
    /// The number of the account.
    #[serde(deserialize_with = "id")]
    pub owner_uin: Option<String>,
    /// A number from 0 to 15 today.
    #[serde(deserialize_with = "id")]
    pub status: Option<String>,
    /// While under review a token such as `PENDING-DCV`; after a failure the reason in words.
    #[serde(deserialize_with = "text")]
    pub status_msg: Option<String>,
    /// The primary name.
    #[serde(deserialize_with = "text")]
    pub domain: Option<String>,
    /// All names, the primary one among them.
    #[serde(deserialize_with = "texts")]
    pub subject_alt_name: Vec<String>,
    /// The CA's number.
    #[serde(deserialize_with = "id")]
    pub order_id: Option<String>,
    /// The product's name.
    #[serde(deserialize_with = "text")]
    pub product_zh_name: Option<String>,
    /// The product's number, as text.
    #[serde(deserialize_with = "text")]
    pub package_type: Option<String>,
    /// The product's type in words.
    #[serde(deserialize_with = "text")]
    pub package_type_name: Option<String>,
    /// Whether it is a DV product.
    #[serde(deserialize_with = "flag")]
    pub is_dv: Option<bool>,
    /// Whether it is a wildcard product.
    #[serde(deserialize_with = "flag")]
    pub is_wildcard: Option<bool>,
    /// Whether it uses the Chinese algorithms; in the list only.
    #[serde(rename = "IsSM", deserialize_with = "flag")]
    pub is_sm: Option<bool>,
    /// The algorithm of its key, in the list only.
    #[serde(deserialize_with = "text")]
    pub encrypt_algorithm: Option<String>,
    /// More about the product.
    #[serde(deserialize_with = "lenient")]
    pub certificate_extra: Option<CertificateExtra>,
    /// Begin of validity, `YYYY-MM-DD hh:mm:ss`.
    #[serde(deserialize_with = "text")]
    pub cert_begin_time: Option<String>,
    /// End of validity, `YYYY-MM-DD hh:mm:ss`.
    #[serde(deserialize_with = "text")]
    pub cert_end_time: Option<String>,
    /// The proofs of control that the CA checks.
    #[serde(deserialize_with = "lenient")]
    pub dv_auth_detail: Option<AuthDetail>,
    /// The proofs of control that the CA checks before it revokes.
    #[serde(deserialize_with = "list")]
    pub dv_revoke_auth_detail: Vec<Auth>,
    /// The application that the cloud holds, under the names of the older action `SubmitCertificateInformation`.
    /// It may hold a key password, so this type has no `Debug`.
    #[serde(deserialize_with = "lenient")]
    pub submitted_data: Option<Map<String, Value>>,
}

/// More about the product.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct CertificateExtra {
    /// How many names it covers.
    #[serde(deserialize_with = "text")]
    pub domain_number: Option<String>,
    /// Whether it uses the Chinese algorithms.
    #[serde(rename = "SMCert", deserialize_with = "flag")]
    pub is_sm: Option<bool>,
    /// The certificate that this one was reissued from ("Original ID of the new certificate"), whatever the name says.
    #[serde(deserialize_with = "id")]
    pub replaced_by: Option<String>,
    /// The certificate that this one was reissued to ("Reissue certificate id").
    #[serde(deserialize_with = "id")]
    pub replaced_for: Option<String>,
    /// The certificate that was ordered to renew this one.
    #[serde(deserialize_with = "id")]
    pub renew_order: Option<String>,
}

/// The proofs of control that the CA checks.
#[derive(Default, Deserialize, Debug)]
#[serde(default)]
pub struct AuthDetail {
    /// The first record; older answers have only this one.
    #[serde(flatten)]
    pub first: Auth,
    /// All records.
    #[serde(rename = "DvAuths", deserialize_with = "list")]
    pub all: Vec<Auth>,
}

/// One record or file.
#[derive(Default, Deserialize, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub struct Auth {
    /// The name of the record, or of the file.
    #[serde(deserialize_with = "text")]
    pub dv_auth_key: Option<String>,
    /// The value of the record, or the content of the file.
    #[serde(deserialize_with = "text")]
    pub dv_auth_value: Option<String>,
    /// The zone of the record, or the host of the file.
    #[serde(deserialize_with = "text")]
    pub dv_auth_domain: Option<String>,
    /// The folder of the file.
    #[serde(deserialize_with = "text")]
    pub dv_auth_path: Option<String>,
    /// The name of the record within its zone.
    #[serde(alias = "DvAuthKeySubDomain", deserialize_with = "text")]
    pub dv_auth_sub_domain: Option<String>,
    /// `TXT`, `CNAME` or `FILE`.
    #[serde(deserialize_with = "text")]
    pub dv_auth_verify_type: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply<T: DeserializeOwned>(status: u16, body: &str) -> Reply<T> {
        let status = StatusCode::from_u16(status).unwrap();
        read(&Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.into() })
    }

    fn certificate(fields: &Value) -> Certificate {
        let mut response = fields.clone();
        response["RequestId"] = json!("54c73858");
        match reply(200, &json!({ "Response": response }).to_string()) {
            Reply::Done { fields, .. } => fields,
            _ => panic!("not done"),
        }
    }

    #[test]
    fn a_success_needs_the_status_and_the_id_of_the_call() {
        let body = r#"{"Response": {"RequestId": "54c73858", "DeprecatedWarning": "…"}}"#;
        assert!(matches!(
            reply::<Nothing>(200, body),
            Reply::Done { request_id, .. } if request_id == "54c73858"
        ));
        for (status, body) in [(502, body), (204, body), (200, r#"{"Response": {}}"#)] {
            assert!(matches!(reply::<Nothing>(status, body), Reply::Foreign), "{status} {body}");
        }
    }

    #[test]
    fn an_error_is_an_error_whatever_the_status_and_whatever_stands_beside_it() {
        let body = r#"{"Response": {"Status": 5, "Error": {"Code": "InternalError", "Message": "m"}, "RequestId": "r"}}"#;
        for status in [200, 400, 502] {
            let Reply::Refused { code, message, request_id } = reply::<Certificate>(status, body) else {
                panic!("{status} is not refused");
            };
            assert_eq!(
                (code.as_str(), message.as_str(), request_id.as_deref()),
                ("InternalError", "m", Some("r"))
            );
        }
    }

    #[test]
    fn what_is_no_envelope_is_foreign() {
        let bodies = [
            "",
            "<html>502 Bad Gateway</html>",
            "[]",
            "null",
            r#"{"Response": null}"#,
            r#"{"Response": []}"#,
            r#"{"Response": {"Error": {"Message": "no code"}, "RequestId": "r"}}"#,
            r#"{"Response": {"Error": {"Code": "", "Message": "no code"}, "RequestId": "r"}}"#,
            r#"{"Response": {"RequestId": "not an id"}}"#,
            r#"{"Response": {"RequestId": "r"}} and more"#,
            "\u{feff}",
        ];
        for body in bodies {
            assert!(matches!(reply::<Nothing>(200, body), Reply::Foreign), "{body}");
        }
    }

    #[test]
    fn a_field_may_be_missing_null_or_of_another_type() {
        let empty = certificate(&json!({}));
        assert!(
            empty.status.is_none() && empty.subject_alt_name.is_empty() && empty.submitted_data.is_none()
        );

        let nulls = certificate(&json!({
            "Status": null, "SubjectAltName": null, "IsDv": null, "CertificateExtra": null, "SubmittedData": null,
        }));
        assert!(nulls.status.is_none() && nulls.is_dv.is_none() && nulls.certificate_extra.is_none());

        let long = certificate(&json!({"Status": "5 or so", "OrderId": "1".repeat(65)}));
        assert_eq!((long.status, long.order_id), (None, None));

        let odd = certificate(&json!({
            "Status": "5", "OrderId": 17, "IsDv": 1, "IsWildcard": "false", "SubjectAltName": ["", "a.example"],
            "CertificateExtra": {"DomainNumber": 3}, "SubmittedData": "none", "NewField": [1, 2],
        }));
        assert_eq!((odd.status.as_deref(), odd.order_id.as_deref()), (Some("5"), Some("17")));
        assert_eq!((odd.is_dv, odd.is_wildcard), (Some(true), Some(false)));
        assert_eq!(odd.subject_alt_name, ["a.example"]);
        assert_eq!(odd.certificate_extra.unwrap().domain_number.as_deref(), Some("3"));
        assert!(odd.submitted_data.is_none());
    }
}
