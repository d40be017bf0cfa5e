//! Running `x-kubernetes-validations`, as
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>
//! says.

use std::sync::{Arc, LazyLock};

use kube::core::cel::{
    KubeCelExt,
    cel::{
        Context, ExecutionError, FunctionContext, Value as Cel, extractors::This, functions,
        objects::OptionalValue,
    },
};
use serde_json::Value;

use super::{
    cel_value::to_cel,
    error::{FieldError, FieldErrorKind, child, index, key},
    node::Node,
    rule::CompiledRule,
};

/// CEL's own functions and those of Kubernetes.
pub(super) static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(|| {
    let mut context = Context::default().with_all();
    context.add_function("size", size);
    context
});

/// Strings are counted in characters; the `cel` crate counts bytes.
fn size(context: &FunctionContext<'_, '_>, this: This<Cel>) -> Result<i64, ExecutionError> {
    match this {
        This(Cel::String(text)) => Ok(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)),
        other => functions::size(context, other),
    }
}

/// Whether `node` or anything below it carries a rule.
pub(super) fn has_rules(node: &Node) -> bool {
    !node.compiled.is_empty()
        || node.properties.values().any(has_rules)
        || node.items.as_deref().is_some_and(has_rules)
        || node.additional().is_some_and(has_rules)
}

/// Runs the rules of `node` on `value` and those below it. `old` is what `value` replaces, if that is known.
/// Rules are not for nulls: what a null means is up to the node around it.
pub(super) fn validate(
    value: &Value,
    old: Option<&Value>,
    node: &Node,
    path: &str,
    is_root: bool,
) -> Vec<FieldError> {
    let old = old.filter(|old| !old.is_null());
    if value.is_null() {
        return Vec::new();
    }
    let mut errors =
        if node.compiled.is_empty() { Vec::new() } else { here(value, old, node, path, is_root) };
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let old = old.and_then(|old| old.get(name));
                match (node.properties.get(name), node.additional()) {
                    (Some(sub), _) => {
                        errors.extend(validate(field, old, sub, &child(path, name), sub.embedded));
                    }
                    (None, Some(sub)) => {
                        errors.extend(validate(field, old, sub, &key(path, name), sub.embedded));
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(sub) = node.items.as_deref() else { return errors };
            for (i, item) in items.iter().enumerate() {
                errors.extend(validate(item, node.old_item(old, item), sub, &index(path, i), sub.embedded));
            }
        }
        _ => {}
    }
    errors
}

fn here(value: &Value, old: Option<&Value>, node: &Node, path: &str, is_root: bool) -> Vec<FieldError> {
    let this = to_cel(value, node, is_root);
    let old_cel = old.map(|old| to_cel(old, node, is_root));
    let unchanged = old == Some(value);
    let failed = node.compiled.iter().filter_map(|rule| {
        let context = context(rule, &this, old_cel.as_ref())?;
        match context.resolve(&rule.expression) {
            Ok(Cel::Bool(true)) => None,
            // An update that leaves the value alone is not refused for a rule that came later.
            Ok(Cel::Bool(false)) if unchanged && !rule.uses_old => None,
            Ok(Cel::Bool(false)) => Some(failure(rule, &context, value, node, path)),
            Ok(_) => Some(broken(rule, "expression must evaluate to a bool, in", node, path)),
            Err(error) => Some(broken(rule, &words(&error), node, path)),
        }
    });
    failed.collect()
}

/// The variables of one rule; `None` for a transition rule when there was nothing before.
fn context(rule: &CompiledRule, this: &Cel, old: Option<&Cel>) -> Option<Context<'static>> {
    let mut context = FUNCTIONS.new_inner_scope();
    context.add_variable_from_value("self", this.clone());
    if rule.source.optional_old_self == Some(true) {
        let old = old.cloned().map_or_else(OptionalValue::none, OptionalValue::of);
        context.add_variable_from_value("oldSelf", Cel::Opaque(Arc::new(old)));
    } else if rule.uses_old {
        context.add_variable_from_value("oldSelf", old?.clone());
    }
    Some(context)
}

fn failure(rule: &CompiledRule, context: &Context<'_>, value: &Value, node: &Node, path: &str) -> FieldError {
    let path = if rule.field.is_empty() { path.to_owned() } else { child(path, &rule.field) };
    let detail = computed_message(rule, context).unwrap_or_else(|| match rule.source.message.trim() {
        "" => format!("failed rule: {}", name_of(rule)),
        message => message.to_owned(),
    });
    // The API server leaves out values that may be large.
    let value = (!node.is("object") && !node.is("array")).then(|| value.clone());
    let kind = match rule.source.reason.as_deref() {
        Some("FieldValueForbidden") => FieldErrorKind::Forbidden,
        Some("FieldValueRequired") => FieldErrorKind::Required,
        Some("FieldValueDuplicate") => return FieldError::new(&path, FieldErrorKind::Duplicate, value, ""),
        _ => FieldErrorKind::Invalid,
    };
    FieldError::new(&path, kind, value, detail)
}

/// The text of `messageExpression`, unless it fails or gives nothing that can be shown on one line.
fn computed_message(rule: &CompiledRule, context: &Context<'_>) -> Option<String> {
    const MAX_BYTES: usize = 5 * 1024;
    let Ok(Cel::String(text)) = context.resolve(rule.message.as_ref()?) else { return None };
    let text = text.trim();
    (!text.is_empty() && text.len() <= MAX_BYTES && !text.contains('\n')).then(|| text.to_owned())
}

/// A rule that could not be evaluated on this value.
fn broken(rule: &CompiledRule, why: &str, node: &Node, path: &str) -> FieldError {
    let type_ = node.type_.clone().unwrap_or_default();
    FieldError::invalid(path, type_, format!("{why} rule: {}", name_of(rule)))
}

/// What errors call a rule.
fn name_of(rule: &CompiledRule) -> &str {
    match rule.source.message.trim() {
        "" => rule.source.expression.trim(),
        message => message,
    }
}

/// The API server's words for what went wrong, up to the word "rule".
fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("no such key: {name} evaluating"),
        ExecutionError::IndexOutOfBounds(Cel::Int(at)) => format!("index out of bounds: {at} evaluating"),
        ExecutionError::DivisionByZero(_) => "division by zero evaluating".to_owned(),
        ExecutionError::NoSuchOverload => {
            "'no such overload': call arguments did not match a supported operator, \
                                           function or macro signature for"
                .to_owned()
        }
        other => format!("{other} evaluating"),
    }
}
