//! The query parameters of a request.

use std::time::Duration;

use axum::extract::Query;
use http::{HeaderMap, Uri, header};
use serde::Deserialize;
use serde_json::Value;

use super::delete::{DeleteOptions, Propagation};
use super::status::Failure;
use super::table::IncludeObject;
use super::watch::Start;
use super::write::{FieldValidation, WriteOptions};

/// All parameters that this server knows, as text; others are ignored, as the API server does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Parameters {
    pub(crate) label_selector: String,
    pub(crate) field_selector: String,
    #[serde(rename = "continue")]
    pub(crate) continue_token: String,
    limit: String,
    watch: String,
    resource_version: String,
    resource_version_match: String,
    allow_watch_bookmarks: String,
    send_initial_events: String,
    timeout_seconds: String,
    include_object: String,
    dry_run: String,
    field_manager: String,
    field_validation: String,
    force: String,
    propagation_policy: String,
    orphan_dependents: String,
}

impl Parameters {
    pub(crate) fn parse(uri: &Uri) -> Result<Self, Failure> {
        Query::try_from_uri(uri)
            .map(|Query(parameters)| parameters)
            .map_err(|rejection| Failure::bad_request(rejection.body_text()))
    }

    pub(crate) fn is_watch(&self) -> bool {
        is_true(&self.watch)
    }

    pub(crate) fn bookmarks(&self) -> bool {
        is_true(&self.allow_watch_bookmarks)
    }

    pub(crate) fn force(&self) -> bool {
        is_true(&self.force)
    }

    pub(crate) fn names_manager(&self) -> bool {
        !self.field_manager.is_empty()
    }

    pub(crate) fn limit(&self) -> Result<usize, Failure> {
        number("limit", &self.limit).map(Option::unwrap_or_default)
    }

    pub(crate) fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds = number("timeoutSeconds", &self.timeout_seconds)?;
        Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }

    /// The version that a read must not be older than; 0 where any will do.
    pub(crate) fn version(&self) -> Result<u64, Failure> {
        number("resourceVersion", &self.resource_version).map(Option::unwrap_or_default)
    }

    pub(crate) fn wants_exact_version(&self) -> bool {
        self.resource_version_match == "Exact"
    }

    /// Refuses combinations of list parameters that the API server refuses.
    pub(crate) fn check_list(&self) -> Result<(), Failure> {
        let matching = self.resource_version_match.as_str();
        if matching.is_empty() {
            return Ok(());
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            return Err(Failure::bad_request(format!(
                "resourceVersionMatch: unsupported value \"{matching}\""
            )));
        }
        if self.resource_version.is_empty() {
            return Err(Failure::bad_request(
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        Ok(())
    }

    pub(crate) fn start(&self) -> Result<Start, Failure> {
        let version = self.version()?;
        if is_true(&self.send_initial_events) {
            if self.resource_version_match != "NotOlderThan" {
                return Err(Failure::bad_request(
                    "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                ));
            }
            return Ok(Start::Existing { announce: true });
        }
        Ok(if version == 0 { Start::Existing { announce: false } } else { Start::After(version) })
    }

    pub(crate) fn include_object(&self) -> Result<IncludeObject, Failure> {
        match self.include_object.as_str() {
            "" | "Metadata" => Ok(IncludeObject::Metadata),
            "None" => Ok(IncludeObject::None),
            "Object" => Ok(IncludeObject::Object),
            other => Err(Failure::bad_request(format!("unrecognized includeObject value: {other}"))),
        }
    }

    pub(crate) fn write_options(&self, headers: &HeaderMap, status: bool) -> Result<WriteOptions, Failure> {
        let validation = match self.field_validation.as_str() {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let supported = ["Ignore", "Strict", "Warn"];
                return Err(Failure::unsupported_option(
                    "PatchOptions",
                    "fieldValidation",
                    other,
                    &supported,
                ));
            }
        };
        let manager =
            if self.field_manager.is_empty() { default_manager(headers) } else { self.field_manager.clone() };
        Ok(WriteOptions { dry_run: dry_run(&self.dry_run)?, validation, manager, status, applies: false })
    }

    /// Options of a delete: those in the body, where given, come before the query.
    pub(crate) fn delete_options(&self, body: &Value) -> Result<DeleteOptions, Failure> {
        let text =
            |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let or = |given: String, otherwise: &str| if given.is_empty() { otherwise.to_owned() } else { given };
        let orphan = body
            .pointer("/orphanDependents")
            .map_or_else(|| self.orphan_dependents.clone(), Value::to_string);
        let propagation = match or(text("/propagationPolicy"), &self.propagation_policy).as_str() {
            "" if orphan == "true" => Propagation::Orphan,
            "" | "Background" => Propagation::Background,
            "Foreground" => Propagation::Foreground,
            "Orphan" => Propagation::Orphan,
            other => {
                let supported = ["Foreground", "Background", "Orphan"];
                return Err(Failure::unsupported_option(
                    "DeleteOptions",
                    "propagationPolicy",
                    other,
                    &supported,
                ));
            }
        };
        Ok(DeleteOptions {
            dry_run: dry_run(&or(text("/dryRun/0"), &self.dry_run))?,
            propagation,
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
        })
    }
}

/// The program's name, as the API server takes it from `User-Agent`.
fn default_manager(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let name = agent.split('/').next().unwrap_or_default();
    if name.is_empty() { "unknown".into() } else { name.chars().take(128).collect() }
}

fn dry_run(value: &str) -> Result<bool, Failure> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        other => Err(Failure::unsupported_option("Options", "dryRun", other, &["All"])),
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "true" | "1")
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<Option<T>, Failure> {
    if value.is_empty() {
        return Ok(None);
    }
    let refused = |_| Failure::bad_request(format!("{name}: Invalid value: \"{value}\": must be a number"));
    value.parse().map(Some).map_err(refused)
}
