//! Errors about one field, as the API server words them.

use serde_json::Value;

use super::schema::{FieldError, FieldErrorKind};

pub(crate) fn invalid(field: &str, value: impl Into<Value>, detail: &str) -> FieldError {
    error(field, FieldErrorKind::Invalid, Some(value.into()), detail)
}

pub(crate) fn required(field: &str, detail: &str) -> FieldError {
    error(field, FieldErrorKind::Required, None, detail)
}

pub(crate) fn forbidden(field: &str, detail: &str) -> FieldError {
    error(field, FieldErrorKind::Forbidden, None, detail)
}

pub(crate) fn too_long(field: &str, bytes: usize) -> FieldError {
    error(field, FieldErrorKind::TooLong, None, &format!("may not be more than {bytes} bytes"))
}

fn error(field: &str, kind: FieldErrorKind, value: Option<Value>, detail: &str) -> FieldError {
    FieldError { field: field.into(), kind, value, detail: detail.into() }
}
