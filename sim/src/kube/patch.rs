//! Patches: how each media type changes an object.

use std::sync::Arc;

use serde_json::Value;

use super::registry::Target;
use super::resource::Resource;
use super::state::State;
use super::status::Failure;
use super::strategic;
use super::write::{WriteOptions, Written};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH: &str = "application/strategic-merge-patch+json";

/// A patch, read from a request.
#[derive(Debug)]
pub(crate) enum Patch {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' own, for built-in kinds.
    Strategic(Value),
}

/// The media types of patches to a kind; custom ones have no strategic merge.
pub(crate) fn accepted(resource: &Resource) -> &'static [&'static str] {
    match resource.custom() {
        Some(_) => &[JSON_PATCH, MERGE_PATCH],
        None => &[JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH],
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
        if force {
            return Some(Err(Failure::bad_request(
                "force: Forbidden: may not be specified for non-apply patch",
            )));
        }
        Some(match content_type {
            JSON_PATCH => serde_json::from_slice(body)
                .map(Self::Json)
                .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}"))),
            MERGE_PATCH => json(body).map(Self::Merge),
            _ => json(body).map(Self::Strategic),
        })
    }

    fn apply(&self, object: &Value) -> Result<Value, Failure> {
        let mut patched = object.clone();
        match self {
            Self::Json(patch) => json_patch::patch(&mut patched, patch).map_err(|error| {
                Failure::unprocessable(format!(
                    "the server rejected our request due to an error in our request: {error}"
                ))
            })?,
            Self::Merge(patch) => json_patch::merge(&mut patched, patch),
            Self::Strategic(patch) => strategic::merge(&mut patched, patch)?,
        }
        Ok(patched)
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
        let old = Arc::clone(self.get(target)?);
        let patched = patch.apply(&target.resource.present(&old))?;
        self.replace(target, &old, patched, options)
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
