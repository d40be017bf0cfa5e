//! What a `CustomResourceDefinition`'s `openAPIV3Schema` means for its objects: pruning, defaulting and validation,
//! without IO.
//!
//! Written from the Kubernetes documentation, with the API server's words in the errors:
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>.
//!
//! - `keywords`, `structural`, `defaults`: which schemas a definition may have at all.
//! - `prune`, `default`: how an object is changed before it is stored.
//! - `validate`, `values`, `format`, `lists`: which values are allowed.
//! - `rule`, `rules`, `rule_check`, `rule_scope`, `cel_value`: `x-kubernetes-validations`, run by the `cel` crate with
//!   kube's Kubernetes functions.
//!
//! Where a real API server is stricter or knows more:
//! - It refuses a rule whose estimated cost is too high, and stops one that runs too long. Costs are not estimated
//!   here, so a new rule must also be tried on a real API server.
//! - It checks the types of a whole CEL expression. Here the names of variables, functions and fields are checked
//!   when the schema is parsed; a wrong operand shows up when the rule runs, as an error of that object.
//! - `cel.bind`, `sortBy`, `type`, `optMap` and two-variable comprehensions are not available, and refused when the
//!   schema is parsed.
//! - Lists of type set or map compare in order in CEL.
//! - The metadata of embedded resources is not validated.
//!
//! Where this is stricter:
//! - Functions that Kubernetes 1.32 does not have are refused in rules.
//! - An unknown keyword is refused, whatever the request's `fieldValidation`.
//! - Everything that a junctor restricts must be described outside of it, as the documentation demands; an API
//!   server checks that for junctors of the root only.

mod cel_value;
mod default;
mod defaults;
mod error;
mod format;
mod junctor;
mod keywords;
mod lists;
mod node;
mod pattern;
mod prune;
mod rule;
mod rule_check;
mod rule_scope;
mod rules;
mod structural;
#[cfg(test)]
mod tests;
mod validate;
mod values;

use serde_json::Value;

pub(crate) use error::{FieldError, FieldErrorKind};
use node::Node;

/// The schema of one version of a custom resource.
#[derive(Debug)]
pub(crate) struct Schema {
    root: Node,
}

impl Schema {
    /// Reads an `openAPIV3Schema`.
    ///
    /// # Errors
    ///
    /// What an API server would refuse the definition for, with paths that begin at `openAPIV3Schema`: a schema
    /// that is not structural, an unknown keyword, a default that its own schema refuses, a pattern or a CEL rule
    /// that does not compile.
    pub(crate) fn parse(open_api_v3_schema: &Value) -> Result<Self, Vec<FieldError>> {
        const ROOT: &str = "openAPIV3Schema";
        fail_if_any(keywords::check(open_api_v3_schema, ROOT))?;
        let mut root: Node = serde_json::from_value(open_api_v3_schema.clone())
            .map_err(|error| vec![FieldError::invalid(ROOT, "", error.to_string())])?;
        fail_if_any(structural::check(&root, ROOT))?;
        let mut errors = Vec::new();
        pattern::compile(&mut root, ROOT, &mut errors);
        rule_check::compile(&mut root, ROOT, &mut errors);
        fail_if_any(errors)?;
        fail_if_any(defaults::check(&root, ROOT))?;
        Ok(Self { root })
    }

    /// Removes fields that the schema does not name and returns their paths (`spec.foo`), sorted. `apiVersion`,
    /// `kind` and `metadata` stay at the root and in embedded resources.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(object, &self.root)
    }

    /// Fills in defaults, for absent fields and for nulls that may not be null.
    pub(crate) fn default(&self, object: &mut Value) {
        default::default(object, &self.root);
    }

    /// Everything that is wrong with `object`. `old` is the stored object of an update: values that did not change
    /// are not refused again, and transition rules run.
    ///
    /// CEL rules run only on objects whose shape is right, as on an API server, which then says so in an error of
    /// its own.
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        validate::validate(object, old, &self.root, "", true)
    }
}

fn fail_if_any(errors: Vec<FieldError>) -> Result<(), Vec<FieldError>> {
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
