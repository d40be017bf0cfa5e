//! One rule of `x-kubernetes-validations`: as a schema writes it, and compiled.

use kube::core::cel::cel::parser::Expression;
use serde::Deserialize;

/// One entry of `x-kubernetes-validations`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Rule {
    #[serde(rename = "rule")]
    pub(super) expression: String,
    pub(super) message: String,
    pub(super) message_expression: String,
    pub(super) reason: Option<String>,
    pub(super) field_path: String,
    pub(super) optional_old_self: Option<bool>,
}

/// A rule that compiled.
#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) expression: Expression,
    /// What to say on failure, when the rule computes it.
    pub(super) message: Option<Expression>,
    /// A transition rule: it needs the value that was there before.
    pub(super) uses_old: bool,
    /// The field to name instead of the one that carries the rule; empty for that one.
    pub(super) field: String,
    pub(super) source: Rule,
}
