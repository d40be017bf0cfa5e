//! The names a CEL expression may use: variables, functions, and the fields of the schema it is written for.

use std::collections::HashMap;

use kube::core::cel::cel::{
    ExecutionError,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators},
    parser::Expression,
};

use super::{
    cel_value::{escape, is_exposed},
    node::Node,
    rules::FUNCTIONS,
};

/// What is known about the type of an expression.
#[derive(Clone, Copy)]
enum Known<'a> {
    Nothing,
    /// It has the type of this node; the root of a resource has metadata too.
    Node(&'a Node, bool),
    /// The `metadata` that rules may see of a resource.
    Metadata,
}

/// The variables of an expression, by name.
pub(super) struct Scope<'a>(HashMap<String, Known<'a>>);

type Checked<'a> = Result<Known<'a>, String>;

impl<'a> Scope<'a> {
    /// The scope of a rule of `node`. An optional `oldSelf` is checked only when it runs.
    pub(super) fn new(node: &'a Node, is_root: bool, optional_old: bool) -> Self {
        let this = Known::Node(node, is_root);
        let old = if optional_old { Known::Nothing } else { this };
        Self([("self".to_owned(), this), ("oldSelf".to_owned(), old)].into())
    }

    /// Refuses an unknown variable, function or field.
    pub(super) fn check(&self, expression: &Expression) -> Result<(), String> {
        self.known(expression).map(|_| ())
    }

    fn known(&self, expression: &Expression) -> Checked<'a> {
        match &expression.expr {
            Expr::Ident(name) => self
                .0
                .get(name)
                .copied()
                .ok_or_else(|| format!("undeclared reference to '{name}' (in container '')")),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(all) => self.comprehension(all),
            Expr::List(list) => self.each(&list.elements),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.check(&entry.key)?;
                        self.check(&entry.value)?;
                    }
                }
                Ok(Known::Nothing)
            }
            Expr::Struct(new) => {
                Err(format!("undeclared reference to '{}' (in container '')", new.type_name))
            }
            Expr::Literal(_) | Expr::Unspecified => Ok(Known::Nothing),
        }
    }

    fn each(&self, expressions: &[Expression]) -> Checked<'a> {
        expressions.iter().try_for_each(|expression| self.check(expression))?;
        Ok(Known::Nothing)
    }

    fn select(&self, select: &SelectExpr) -> Checked<'a> {
        field(self.known(&select.operand)?, &select.field)
    }

    fn call(&self, call: &CallExpr) -> Checked<'a> {
        let mut name = call.func_name.clone();
        if let Some(target) = &call.target {
            match &target.expr {
                // `sets.contains(a, b)` parses like a method of a variable `sets`.
                Expr::Ident(space) if !self.0.contains_key(space) => name = format!("{space}.{name}"),
                _ => self.check(target)?,
            }
        }
        if !is_function(&name) {
            return Err(format!("undeclared reference to '{name}' (in container '')"));
        }
        let known = match (name.as_str(), call.args.as_slice()) {
            (operators::INDEX | operators::OPT_INDEX, [of, at]) => {
                self.check(at)?;
                let of = entry(self.known(of)?, &name)?;
                if name == operators::INDEX { of } else { Known::Nothing }
            }
            (operators::OPT_SELECT, [of, at]) => {
                let of = self.known(of)?;
                if let Expr::Literal(LiteralValue::String(name)) = &at.expr {
                    field(of, name.inner())?;
                }
                Known::Nothing
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.check(condition)?;
                self.check(no)?;
                self.known(yes)?
            }
            (_, args) => self.each(args)?,
        };
        Ok(known)
    }

    fn comprehension(&self, all: &ComprehensionExpr) -> Checked<'a> {
        let item = match self.known(&all.iter_range)? {
            Known::Node(node, _) if node.is("array") => entry(Known::Node(node, false), operators::INDEX)?,
            _ => Known::Nothing,
        };
        self.check(&all.accu_init)?;
        let mut inner = Self(self.0.clone());
        inner.0.insert(all.accu_var.clone(), Known::Nothing);
        inner.0.insert(all.iter_var.clone(), item);
        for part in [&all.loop_cond, &all.loop_step, &all.result] {
            inner.check(part)?;
        }
        Ok(Known::Nothing)
    }
}

/// The type of a field of something.
fn field<'a>(of: Known<'a>, name: &str) -> Checked<'a> {
    let undefined = || Err(format!("undefined field '{name}'"));
    match of {
        Known::Nothing => Ok(Known::Nothing),
        Known::Metadata if matches!(name, "name" | "generateName") => Ok(Known::Nothing),
        Known::Metadata => undefined(),
        Known::Node(_, true) if matches!(name, "apiVersion" | "kind") => Ok(Known::Nothing),
        Known::Node(_, true) if name == "metadata" => Ok(Known::Metadata),
        Known::Node(node, _) if node.int_or_string => Ok(Known::Nothing),
        Known::Node(node, _) if !node.is("object") => {
            let type_ = node.type_.as_deref().unwrap_or("unknown");
            Err(format!("type '{type_}' does not support field selection"))
        }
        Known::Node(node, _) => {
            let named = |(raw, _): &(&String, &Node)| escape(raw).as_deref() == Some(name);
            let property = node.properties.iter().find(named).map(|(_, sub)| sub);
            match property.or_else(|| node.additional()).filter(|sub| is_exposed(sub)) {
                Some(sub) => Ok(Known::Node(sub, sub.embedded)),
                None => undefined(),
            }
        }
    }
}

/// The type of an item of a list or of a value of a map. Objects have fields, which are not found by `operator`.
fn entry<'a>(of: Known<'a>, operator: &str) -> Checked<'a> {
    let Known::Node(node, _) = of else { return Ok(Known::Nothing) };
    match node.items.as_deref().or_else(|| node.additional()) {
        Some(sub) => Ok(Known::Node(sub, sub.embedded)),
        None if node.is("object") => {
            Err(format!("found no matching overload for '{operator}' applied to an object"))
        }
        None => Ok(Known::Nothing),
    }
}

/// Of kube's functions, those that Kubernetes 1.32, the oldest supported version, does not offer to rules.
fn is_too_new(name: &str) -> bool {
    let spaces = ["base64.", "jsonpatch.", "lists.", "math."];
    let names = [
        "distinct", "first", "flatten", "isSemver", "last", "major", "minor", "patch", "reverse", "semver",
        "slice", "sort",
    ];
    spaces.iter().any(|space| name.starts_with(space)) || names.contains(&name)
}

/// Whether there is a function of that name: an operator, or one that does not turn out to be undeclared.
fn is_function(name: &str) -> bool {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return true;
    }
    let call = Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args: Vec::new() });
    let probe = FUNCTIONS.resolve(&Expression { id: 0, expr: call });
    let undeclared = matches!(probe, Err(ExecutionError::UndeclaredReference(found)) if *found == name);
    !undeclared && !is_too_new(name)
}
