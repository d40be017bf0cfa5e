//! Which rules a definition may have: they must parse, name only what exists, and stand where a rule can run.

use kube::core::cel::cel::{
    common::ast::{EntryExpr, Expr, operators},
    parser::{Expression, Parser},
};

use super::{
    error::{FieldError, child, index, key, property},
    node::{Additional, Node},
    rule::{CompiledRule, Rule},
    rule_scope::Scope,
};

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Compiles the rules of the root of a schema and of everything below it.
pub(super) fn compile(root: &mut Node, path: &str, errors: &mut Vec<FieldError>) {
    Compiler { errors }.node(root, path, true, None);
}

struct Compiler<'a> {
    errors: &'a mut Vec<FieldError>,
}

impl Compiler<'_> {
    /// `unmatched`: the list around this node whose items cannot be matched with those of an older object.
    fn node(&mut self, node: &mut Node, path: &str, is_root: bool, unmatched: Option<&str>) {
        let mut compiled = Vec::new();
        for (i, rule) in node.validations.iter().enumerate() {
            let path = index(&child(path, "x-kubernetes-validations"), i);
            match compile_rule(rule, node, is_root, unmatched, &path) {
                Ok(rule) => compiled.push(rule),
                Err(error) => self.errors.push(error),
            }
        }
        node.compiled = compiled;
        for (name, sub) in &mut node.properties {
            self.node(sub, &property(path, name), sub.embedded, unmatched);
        }
        if let Some(Additional::Schema(sub)) = &mut node.additional_properties {
            self.node(sub, &child(path, "additionalProperties"), sub.embedded, unmatched);
        }
        let is_map = node.list_type.as_deref() == Some("map");
        if let Some(sub) = &mut node.items {
            let unmatched = if is_map { unmatched } else { unmatched.or(Some(path)) };
            self.node(sub, &child(path, "items"), sub.embedded, unmatched);
        }
    }
}

fn compile_rule(
    rule: &Rule,
    node: &Node,
    is_root: bool,
    unmatched: Option<&str>,
    path: &str,
) -> Result<CompiledRule, FieldError> {
    texts(rule, path)?;
    let field = if rule.field_path.is_empty() {
        String::new()
    } else {
        field_path(&rule.field_path, node).ok_or_else(|| {
            FieldError::invalid(&child(path, "fieldPath"), rule.field_path.as_str(), "must be a valid path")
        })?
    };
    let rule_path = child(path, "rule");
    let optional = rule.optional_old_self == Some(true);
    let parse = |source: &str, keyword: &str| {
        let path = &child(path, keyword);
        let what = if keyword == "rule" { "" } else { "messageExpression " };
        let refuse = |why: String| {
            FieldError::invalid(path, source, format!("{what}compilation failed: ERROR: {why}"))
        };
        let parser = Parser::new().enable_optional_syntax(true);
        let mut expression =
            parser.parse(source).map_err(|error| refuse(error.to_string().replacen("ERROR: ", "", 1)))?;
        Scope::new(node, is_root, optional).check(&expression).map_err(refuse)?;
        tolerant(&mut expression);
        Ok(expression)
    };
    let expression = parse(&rule.expression, "rule")?;
    let uses_old = expression.references().has_variable("oldSelf");
    if let (true, Some(list)) = (uses_old, unmatched) {
        let detail =
            format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
        return Err(FieldError::invalid(&rule_path, rule.expression.as_str(), detail));
    }
    if let (false, Some(value)) = (uses_old, rule.optional_old_self) {
        let detail = "may not be set if oldSelf is not used in rule";
        return Err(FieldError::invalid(&child(path, "optionalOldSelf"), value, detail));
    }
    let message = Some(rule.message_expression.as_str()).filter(|text| !text.is_empty());
    let message = message.map(|text| parse(text, "messageExpression")).transpose()?;
    Ok(CompiledRule { expression, message, uses_old, field, source: rule.clone() })
}

/// The texts of a rule that are not CEL.
fn texts(rule: &Rule, path: &str) -> Result<(), FieldError> {
    let lines = |text: &str| text.contains(['\n', '\r']);
    let (source, message) = (rule.expression.trim(), rule.message.trim());
    let message_path = child(path, "message");
    if source.is_empty() {
        return Err(FieldError::required(&child(path, "rule"), "rule is not specified"));
    }
    if message.is_empty() && !rule.message.is_empty() {
        let detail = "must be non-empty if specified";
        return Err(FieldError::invalid(&message_path, rule.message.as_str(), detail));
    }
    if lines(message) {
        return Err(FieldError::invalid(
            &message_path,
            rule.message.as_str(),
            "must not contain line breaks",
        ));
    }
    if lines(source) && message.is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        return Err(FieldError::required(&message_path, detail));
    }
    match rule.reason.as_deref() {
        Some(reason) if !REASONS.contains(&reason) => {
            let known = REASONS.map(serde_json::Value::from);
            Err(FieldError::not_supported(&child(path, "reason"), reason.into(), &known))
        }
        _ => Ok(()),
    }
}

/// `.a.b` or `.a['b.c']` as the path of an error; `None` if the schema has no such field.
fn field_path(text: &str, mut node: &Node) -> Option<String> {
    let mut path = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let name;
        if let Some(tail) = rest.strip_prefix("['") {
            (name, rest) = tail.split_once("']")?;
        } else {
            let tail = rest.strip_prefix('.')?;
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            (name, rest) = tail.split_at(end);
        }
        path = if node.properties.is_empty() { key(&path, name) } else { child(&path, name) };
        node = if node.properties.is_empty() { node.additional()? } else { node.properties.get(name)? };
    }
    Some(path)
}

/// `a.?b` of the `cel` crate fails where `b` is absent, while `a[?"b"]` gives none, as both should.
fn tolerant(expression: &mut Expression) {
    match &mut expression.expr {
        Expr::Call(call) => {
            if call.func_name == operators::OPT_SELECT {
                operators::OPT_INDEX.clone_into(&mut call.func_name);
            }
            call.target.iter_mut().for_each(|target| tolerant(target));
            call.args.iter_mut().for_each(tolerant);
        }
        Expr::Comprehension(all) => {
            let parts = [&mut all.iter_range, &mut all.accu_init, &mut all.loop_cond, &mut all.loop_step];
            parts.into_iter().for_each(tolerant);
            tolerant(&mut all.result);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(tolerant),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    tolerant(&mut entry.key);
                    tolerant(&mut entry.value);
                }
            }
        }
        Expr::Select(select) => tolerant(&mut select.operand),
        Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}
