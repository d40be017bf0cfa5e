//! What is wrong with one field, in the API server's own words.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

/// How the API server names the object itself.
const ROOT: &str = "<nil>";

/// One refused field of an object or of a `CustomResourceDefinition`'s schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldError {
    /// Path of the field (`spec.dnsNames[0]`); `<nil>` for the object itself, as the API server has it.
    pub(crate) field: String,
    /// What kind of error it is; decides the words before the value and the cause's reason.
    pub(crate) kind: FieldErrorKind,
    /// The refused value; `None` where the API server leaves it out.
    pub(crate) value: Option<Value>,
    /// What is expected instead; may be empty.
    pub(crate) detail: String,
}

/// The kinds of `metav1.CauseType` that validation against a schema gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldErrorKind {
    /// A required field is absent.
    Required,
    /// The value breaks a rule.
    Invalid,
    /// The value has another JSON type than the schema names.
    TypeInvalid,
    /// The value is none of an enumeration.
    NotSupported,
    /// A string is longer than `maxLength`.
    TooLong,
    /// A list or map holds more entries than allowed.
    TooMany,
    /// An entry of a set, or the key of an entry of a map list, appears twice.
    Duplicate,
    /// Not permitted here, whatever the value.
    Forbidden,
}

impl FieldErrorKind {
    /// The words that begin the message.
    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Duplicate => "Duplicate value",
            Self::Forbidden => "Forbidden",
        }
    }

    /// The `reason` of a `metav1.StatusCause`.
    fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden => "FieldValueForbidden",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::TooLong | Self::Forbidden)
    }

    /// Errors after which the API server does not run CEL rules, since rules are written for objects of the
    /// declared shape.
    pub(super) fn hides_rules(self) -> bool {
        matches!(
            self,
            Self::NotSupported | Self::Required | Self::TooLong | Self::TooMany | Self::TypeInvalid
        )
    }
}

impl FieldError {
    pub(super) fn new(
        path: &str,
        kind: FieldErrorKind,
        value: Option<Value>,
        detail: impl Into<String>,
    ) -> Self {
        let field = if path.is_empty() { ROOT } else { path }.to_owned();
        Self { field, kind, value, detail: detail.into() }
    }

    pub(super) fn required(path: &str, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Required, None, detail)
    }

    pub(super) fn invalid(path: &str, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Invalid, Some(value.into()), detail)
    }

    pub(super) fn forbidden(path: &str, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Forbidden, None, detail)
    }

    pub(super) fn duplicate(path: &str, value: Value) -> Self {
        Self::new(path, FieldErrorKind::Duplicate, Some(value), "")
    }

    pub(super) fn not_supported(path: &str, value: Value, supported: &[Value]) -> Self {
        let names: Vec<String> = supported.iter().map(|v| json!(plain(v)).to_string()).collect();
        let detail = format!("supported values: {}", names.join(", "));
        Self::new(path, FieldErrorKind::NotSupported, Some(value), detail)
    }

    /// The path of the field, when the value it was found in stands at `base`.
    pub(super) fn within(&self, base: &str) -> String {
        if self.field == ROOT { base.to_owned() } else { child(base, &self.field) }
    }

    /// The `metav1.StatusCause` that a `Status` of reason `Invalid` lists for this error.
    pub(crate) fn cause(&self) -> Value {
        json!({ "reason": self.kind.reason(), "message": self.body(), "field": self.field })
    }

    /// The message without the field.
    fn body(&self) -> String {
        let mut text = self.kind.words().to_owned();
        if let Some(value) = self.value.as_ref().filter(|_| self.kind.shows_value()) {
            let _ = write!(text, ": {value}");
        }
        if !self.detail.is_empty() {
            let _ = write!(text, ": {}", self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A string without quotes; anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `base.name`.
pub(super) fn child(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") }
}

/// `base[0]`.
pub(super) fn index(base: &str, index: usize) -> String {
    format!("{base}[{index}]")
}

/// `base[key]`.
pub(super) fn key(base: &str, key: &str) -> String {
    format!("{base}[{key}]")
}

/// The path of a property within a schema.
pub(super) fn property(path: &str, name: &str) -> String {
    key(&child(path, "properties"), name)
}
