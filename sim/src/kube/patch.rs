//! Patches: how each media type changes an object.

use std::sync::Arc;

use serde_json::Value;

use super::decode::{Decoded, decode};
use super::field::invalid;
use super::managed;
use super::object::Object;
use super::registry::Target;
use super::resource::Resource;
use super::state::State;
use super::status::Failure;
use super::strategic;
use super::write::{WriteOptions, Written};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH: &str = "application/strategic-merge-patch+json";
const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// A patch, read from a request.
#[derive(Debug)]
pub(crate) enum Patch {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' own, for built-in kinds.
    Strategic(Value),
    /// Server-side apply of this configuration.
    Apply { config: Value, force: bool },
}

/// The media types of patches to a kind; custom ones have no strategic merge.
pub(crate) fn accepted(resource: &Resource) -> &'static [&'static str] {
    match resource.custom() {
        Some(_) => &[JSON_PATCH, MERGE_PATCH, APPLY_PATCH],
        None => &[JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH],
    }
}

impl Patch {
    /// Reads a patch; `None` for a media type that the kind does not take.
    pub(crate) fn parse(
        resource: &Resource,
        content_type: &str,
        body: &[u8],
        force: bool,
    ) -> Option<Result<Self, Failure>> {
        if !accepted(resource).contains(&content_type) {
            return None;
        }
        if force && content_type != APPLY_PATCH {
            return Some(Err(Failure::bad_request(
                "force: Forbidden: may not be specified for non-apply patch",
            )));
        }
        Some(match content_type {
            JSON_PATCH => serde_json::from_slice(body)
                .map(Self::Json)
                .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}"))),
            MERGE_PATCH => json(body).map(Self::Merge),
            APPLY_PATCH => yaml(body).map(|config| Self::Apply { config, force }),
            _ => json(body).map(Self::Strategic),
        })
    }

    pub(crate) fn is_apply(&self) -> bool {
        matches!(self, Self::Apply { .. })
    }
}

impl State {
    /// Patches the target.
    pub(crate) fn patch(
        &mut self,
        target: &Target,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Written, Failure> {
        if let Patch::Apply { config, force } = patch {
            return self.apply(target, config, *force, options);
        }
        let old = Arc::clone(self.get(target)?);
        let shown = target.resource.present(&old);
        let mut patched = Value::clone(&shown);
        match patch {
            Patch::Json(patch) => json_patch::patch(&mut patched, patch).map_err(|_| {
                Failure::unprocessable("the server rejected our request due to an error in our request")
            })?,
            Patch::Merge(patch) => json_patch::merge(&mut patched, patch),
            Patch::Strategic(patch) => strategic::merge(&mut patched, patch)?,
            Patch::Apply { .. } => {}
        }
        if !patched.uid().is_empty() && patched.uid() != old.uid() {
            let error = invalid("metadata.uid", patched.uid(), "field is immutable");
            return Err(Failure::invalid(&target.resource, old.name(), &[error]));
        }
        self.replace(target, &old, patched, options)
    }

    /// Server-side apply: creates the object, or lays the configuration over it.
    fn apply(
        &mut self,
        target: &Target,
        config: &Value,
        force: bool,
        options: &WriteOptions,
    ) -> Result<Written, Failure> {
        let resource = &target.resource;
        if config.meta("managedFields").is_some_and(|list| !list.is_null()) {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        let Decoded { object: config, unknown } = decode(resource, config.clone())?;
        if !unknown.is_empty() {
            return Err(Failure::undeclared(resource, &config, &unknown));
        }
        let options = WriteOptions { applies: true, ..options.clone() };
        let old = self.get(target).ok().cloned();
        let shown = old.as_ref().map(|old| resource.present(old));
        let merged = managed::apply(resource, shown.as_deref(), &config, &options.writer(), force)?;
        match &old {
            Some(old) => self.replace(target, old, merged, &options),
            None if options.status => Err(Failure::not_found(resource, config.name())),
            None => self.create(target, merged, &options),
        }
    }
}

pub(crate) fn json(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::bad_request(format!("error decoding body: {error}")))
}

pub(crate) fn yaml(body: &[u8]) -> Result<Value, Failure> {
    serde_saphyr::from_slice(body)
        .map_err(|error| Failure::bad_request(format!("error decoding body: {error}")))
}
