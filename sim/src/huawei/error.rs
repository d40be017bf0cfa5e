//! Refusals: the error codes of the certificate manager (`SCM.…`) and of the gateway before it (`APIGW.…`).

use std::{borrow::Cow, fmt};

use serde_json::{Map, Value};

use crate::cloud::{Fault, params::Flaw};

/// An error answer: an HTTP status, a code, and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code, for example `SCM.0010`.
    pub code: Cow<'static, str>,
    /// The text for people; it may change and may be Chinese, so nobody may branch on it.
    pub message: String,
}

impl Refusal {
    /// A refusal with a status, a code and a message of one's own.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// A refusal of the certificate manager.
    ///
    /// Inferred: the texts of all such refusals, of which the documents give only the meaning.
    pub(super) fn scm(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Input that breaks a rule.
    pub(super) fn bad_parameter(detail: impl fmt::Display) -> Self {
        Self::scm("SCM.0005", format!("The parameter is incorrect. {detail}"))
    }

    /// Names that the bought product does not cover.
    pub(super) fn bad_domain(detail: impl fmt::Display) -> Self {
        let message = format!("The number or format of the domain names is incorrect. {detail}");
        Self::scm("SCM.0015", message)
    }

    /// A certificate in a state in which this is not possible.
    pub(super) fn not_allowed() -> Self {
        Self::scm("SCM.0010", "The certificate type or status does not allow the operation.")
    }

    /// A signature, key or token that proves nothing.
    pub(super) fn unauthenticated(detail: impl fmt::Display) -> Self {
        Self::new(401, "APIGW.0301", format!("Incorrect IAM authentication information: {detail}"))
    }

    /// A temporary key with a token that is wrong, missing or expired.
    ///
    /// Inferred: the wording.
    pub(super) fn bad_token() -> Self {
        Self::unauthenticated("the security token is invalid or has expired")
    }

    /// More calls than the account may make.
    ///
    /// Inferred: the wording.
    pub(super) fn too_many_requests(limit: usize) -> Self {
        let message = format!(
            "The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:1 second"
        );
        Self::new(429, "APIGW.0308", message)
    }

    /// The body of the answer. Only the gateway names the call in it.
    pub(super) fn to_json(&self, request_id: &str) -> Value {
        let mut body = Map::from_iter([
            ("error_code".to_owned(), self.code.as_ref().into()),
            ("error_msg".to_owned(), self.message.as_str().into()),
        ]);
        if self.code.starts_with("APIG") {
            body.insert("request_id".to_owned(), request_id.into());
        }
        Value::Object(body)
    }
}

/// Inferred: that unknown keys and wrong types are bad parameters.
impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::NotAnObject => Self::bad_parameter("The body is not a JSON object."),
            Flaw::Unknown(name) => Self::bad_parameter(format!("{name} is not a parameter.")),
            Flaw::WrongType(name) => Self::bad_parameter(format!("The type of {name} is incorrect.")),
            Flaw::EmptyList(name) => Self::bad_parameter(format!("{name} is empty.")),
            Flaw::Missing(name) => Self::bad_parameter(format!("{name} is required.")),
        }
    }
}

impl Fault<Refusal> {
    /// The service answers with an error code, and the status that belongs to it. The call is not carried out,
    /// unless [`Fault::acting`] says so.
    #[must_use]
    pub fn error(code: &str, message: &str) -> Self {
        Self::error_with_status(usual_status(code), code, message)
    }

    /// The same with any HTTP status: 200 hides the error in a success.
    #[must_use]
    pub fn error_with_status(status: u16, code: &str, message: &str) -> Self {
        Self::refused(Refusal::new(status, code.to_owned(), message))
    }

    /// The gateway says that calls come too fast.
    #[must_use]
    pub fn throttled() -> Self {
        Self::refused(Refusal::too_many_requests(5))
    }

    /// The gateway says that the temporary credentials are expired.
    #[must_use]
    pub fn expired_credentials() -> Self {
        Self::refused(Refusal::bad_token())
    }
}

/// The HTTP status with which a code comes.
///
/// Inferred: 400 for codes that the documents give no status for.
fn usual_status(code: &str) -> u16 {
    match code {
        "APIGW.0101" | "APIGW.0103" => 404,
        "APIGW.0301" | "APIGW.0303" => 401,
        "APIGW.0302" => 403,
        "APIGW.0308" | "APIG.0308" => 429,
        "SCM.0091" | "SCM.0093" | "SCM.0095" | "SCM.0097" => 500,
        _ => 400,
    }
}
