//! Refusals: the error codes of Tencent Cloud API 3.0 with the wording of its gateway.

use std::{borrow::Cow, fmt};

use serde_json::{Value, json};

use crate::cloud::params::Flaw;

/// An error answer of the service: HTTP 200 with `Response.Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code, for example `FailedOperation.CertificateNotFound`.
    pub code: Cow<'static, str>,
    /// The text for people; its wording may change, so nobody may branch on it.
    pub message: String,
}

impl Refusal {
    /// A refusal with a code and a message of one's own.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// A JSON value of another type than the declared one.
    pub(super) fn wrong_type(parameter: &str) -> Self {
        Self::new("InvalidParameter", format!("The value type of parameter `{parameter}` is not valid."))
    }

    /// A required parameter or common header that is absent.
    pub(super) fn missing(parameter: &str) -> Self {
        Self::new("MissingParameter", format!("The request is missing a required parameter `{parameter}`."))
    }

    /// A key that the action does not declare.
    pub(super) fn unknown_parameter(parameter: &str) -> Self {
        Self::new("UnknownParameter", format!("The parameter `{parameter}` is not recognized."))
    }

    /// A value outside the documented ones.
    pub(super) fn invalid_value(parameter: &str, value: impl fmt::Display) -> Self {
        let message = format!("The value `{value}` specified in the parameter `{parameter}` is not valid.");
        Self::new("InvalidParameterValue", message)
    }

    /// `FailedOperation.InvalidParam`, the code of the SSL actions for input that breaks a rule.
    ///
    /// Inferred: the documents give no message but "Incorrect parameters."; the detail is ours.
    pub(super) fn invalid_param(detail: impl fmt::Display) -> Self {
        Self::new("FailedOperation.InvalidParam", format!("Incorrect parameters. {detail}"))
    }

    /// An unknown certificate, or one of another account.
    pub(super) fn certificate_not_found() -> Self {
        Self::new("FailedOperation.CertificateNotFound", "The certificate does not exist.")
    }

    /// An order that is not in a state for this action.
    pub(super) fn wrong_status() -> Self {
        Self::new("FailedOperation.InvalidCertificateStatusCode", "The certificate status is incorrect.")
    }

    /// An algorithm that the product does not offer.
    pub(super) fn invalid_algorithm() -> Self {
        Self::new("InvalidParameter.RenewAlgorithmInvalid", "The algorithm is invalid.")
    }

    /// More calls of one action than the account may make in a second.
    pub(super) fn too_many_requests(limit: usize) -> Self {
        let message = format!("Your current request times exceeds the limit of {limit} times a second.");
        Self::new("RequestLimitExceeded", message)
    }

    /// A temporary token that is wrong, missing or expired.
    pub(super) fn bad_token() -> Self {
        Self::new("AuthFailure.TokenFailure", "The token is invalid or has expired.")
    }

    /// The `Error` object of the answer.
    pub(super) fn to_json(&self) -> Value {
        json!({ "Code": self.code, "Message": self.message })
    }
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::NotAnObject => Self::new("InvalidParameter", "The request body is not valid JSON."),
            Flaw::Unknown(name) => Self::unknown_parameter(&name),
            Flaw::WrongType(name) => Self::wrong_type(name),
            Flaw::EmptyList(name) => Self::invalid_value(name, "[]"),
            Flaw::Missing(name) => Self::missing(name),
        }
    }
}
