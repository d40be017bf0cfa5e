//! Label and field selectors.

use serde_json::Value;

use super::object::{Object, at};
use super::resource::Resource;
use super::status::Failure;

/// What a list or watch asks for; an empty one matches everything.
#[derive(Debug, Default, Clone)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    path: String,
    value: String,
    equal: bool,
}

impl Selector {
    /// Parses `labelSelector` and `fieldSelector`; 400 for bad syntax and for a field that the kind does
    /// not let anybody select by.
    pub(crate) fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, Failure> {
        let labels = split_outside_parentheses(labels)
            .into_iter()
            .map(|text| label_requirement(text).ok_or_else(|| unparsable(text)))
            .collect::<Result<_, _>>()?;
        let fields = split_fields(fields)
            .iter()
            .map(|text| field_requirement(text).ok_or_else(|| unparsable(text)))
            .collect::<Result<Vec<_>, _>>()?;
        for FieldRequirement { path, .. } in &fields {
            let common = path == "metadata.name" || (path == "metadata.namespace" && resource.namespaced);
            if !common && !resource.selectable.contains(path) {
                return Err(Failure::bad_request(format!("field label not supported: {path}")));
            }
        }
        Ok(Self { labels, fields })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object, in the form that the request's version shows, is asked for.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let label = |key: &str| object.meta("labels")?.get(key)?.as_str();
        self.labels.iter().all(|requirement| requirement.test.holds(label(&requirement.key)))
            && self.fields.iter().all(|field| (text_at(object, &field.path) == field.value) == field.equal)
    }
}

impl Test {
    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label?.parse::<i64>().ok();
        match self {
            Self::Exists => label.is_some(),
            Self::Missing => label.is_none(),
            Self::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Self::NotIn(values) => label.is_none_or(|label| !values.iter().any(|value| value == label)),
            Self::Above(bound) => number().is_some_and(|number| number > *bound),
            Self::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn unparsable(text: &str) -> Failure {
    Failure::bad_request(format!("unable to parse requirement: {text}"))
}

/// The value as a selector sees it: an absent field is empty.
fn text_at(object: &Value, path: &str) -> String {
    match at(object, path) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn label_requirement(text: &str) -> Option<Requirement> {
    let of = |key: &str, test: Test| {
        let key = key.trim();
        let simple =
            !key.is_empty() && !key.contains(char::is_whitespace) && !key.contains(['(', ')', '=', '!']);
        simple.then(|| Requirement { key: key.into(), test })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    let is_value = |value: &str| !value.contains(['=', '!', '(', ')', '<', '>']);
    if let Some(list) = text.strip_suffix(')') {
        let (left, values) = list.split_once('(')?;
        let (key, operator) = left.trim().rsplit_once(char::is_whitespace)?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match operator {
            "in" => of(key, Test::In(values)),
            "notin" => of(key, Test::NotIn(values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return of(key, Test::NotIn(one(value))).filter(|_| is_value(value));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return of(key, Test::In(one(value))).filter(|_| is_value(value));
    }
    if let Some((key, value)) = text.split_once('>') {
        return of(key, Test::Above(value.trim().parse().ok()?));
    }
    if let Some((key, value)) = text.split_once('<') {
        return of(key, Test::Below(value.trim().parse().ok()?));
    }
    match text.strip_prefix('!') {
        Some(key) => of(key, Test::Missing),
        None => of(text, Test::Exists),
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Splits at commas; a backslash keeps the character after it.
fn split_fields(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn field_requirement(text: &str) -> Option<FieldRequirement> {
    let (path, value, equal) = if let Some((path, value)) = text.split_once("!=") {
        (path, value, false)
    } else {
        let (path, value) = text.split_once("==").or_else(|| text.split_once('='))?;
        (path, value, true)
    };
    Some(FieldRequirement { path: path.trim().into(), value: unescape(value), equal })
}

fn unescape(value: &str) -> String {
    let mut plain = String::new();
    let mut escaped = false;
    for c in value.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(labels: &str, object: &Value) -> bool {
        let labels = split_outside_parentheses(labels);
        let labels = labels.into_iter().map(|text| label_requirement(text).unwrap()).collect();
        Selector { labels, fields: Vec::new() }.matches(object)
    }

    #[test]
    fn label_selectors_are_equality_and_set_based() {
        let object = json!({ "metadata": { "labels": { "app": "web", "tier": "2" } } });
        let cases = [
            ("app=web", true),
            ("app==web,tier=2", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (api, web)", true),
            ("app notin (api,web)", false),
            ("other notin (x)", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("tier>1", true),
            ("tier<2", false),
        ];
        for (selector, expected) in cases {
            assert_eq!(selects(selector, &object), expected, "{selector}");
        }
    }

    #[test]
    fn a_malformed_label_selector_is_refused() {
        for text in ["=x", "a===b", "a b", "a in x)", "a foo (x)", "tier>many"] {
            assert_eq!(label_requirement(text), None, "{text}");
        }
    }

    #[test]
    fn field_values_may_contain_escaped_commas() {
        let parts = split_fields(r"spec.a=x\,y,metadata.name!=z");
        let parsed: Vec<_> = parts.iter().map(|part| field_requirement(part).unwrap()).collect();
        let of = |path: &str, value: &str, equal| FieldRequirement {
            path: path.into(),
            value: value.into(),
            equal,
        };
        assert_eq!(parsed, [of("spec.a", "x,y", true), of("metadata.name", "z", false)]);
    }
}
