//! The part of `kubectl`'s `JSONPath` that printer columns and selectable fields use, as
//! <https://kubernetes.io/docs/reference/kubectl/jsonpath/> says: `.a.b`, `['a']`, `[0]`, `[*]`,
//! `[?(@.type=="Ready")]`. An absent field gives no result.

use serde_json::Value;

/// A path that parsed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// A negative index counts from the end.
    Index(isize),
    All,
    Filter(Filter),
}

/// `[?(@.path=="value")]`: the items for which the comparison holds.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    path: JsonPath,
    equal: bool,
    value: Value,
}

impl JsonPath {
    /// Reads a path that begins with a dot; `None` if it uses anything else of `JSONPath`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let step;
            (step, rest) =
                if let Some(tail) = rest.strip_prefix('[') { bracket(tail)? } else { field(rest)? };
            steps.extend(step);
        }
        text.starts_with(['.', '[']).then_some(Self(steps))
    }

    /// Everything in `object` that the path leads to.
    pub(crate) fn find<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        self.0
            .iter()
            .fold(vec![object], |found, step| found.into_iter().flat_map(|value| step.apply(value)).collect())
    }
}

impl Step {
    fn apply<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::Index(i), Value::Array(items)) => {
                let i = if *i < 0 { items.len().checked_add_signed(*i) } else { usize::try_from(*i).ok() };
                i.and_then(|i| items.get(i)).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(fields)) => fields.values().collect(),
            (Self::Filter(filter), Value::Array(items)) => {
                items.iter().filter(|item| filter.holds(item)).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Filter {
    fn holds(&self, item: &Value) -> bool {
        self.path.find(item).first().is_some_and(|found| (**found == self.value) == self.equal)
    }
}

/// `.name`, in which `\.` is a dot of the name; a lone `.` is the object itself.
fn field(text: &str) -> Option<(Option<Step>, &str)> {
    let text = text.strip_prefix('.')?;
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '.' | '[' => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    let rest = text.get(end..)?;
    match name.as_str() {
        "" => Some((None, rest)),
        "*" => Some((Some(Step::All), rest)),
        _ => Some((Some(Step::Field(name)), rest)),
    }
}

/// What follows an opening bracket.
fn bracket(text: &str) -> Option<(Option<Step>, &str)> {
    if let Some(text) = text.strip_prefix("?(@") {
        let (filter, rest) = text.split_once(")]")?;
        return Some((Some(Step::Filter(parse_filter(filter)?)), rest));
    }
    for quote in ['\'', '"'] {
        if let Some(text) = text.strip_prefix(quote) {
            let (name, rest) = text.split_once(&format!("{quote}]"))?;
            return Some((Some(Step::Field(name.replace("\\.", "."))), rest));
        }
    }
    let (inner, rest) = text.split_once(']')?;
    let step = if inner == "*" { Step::All } else { Step::Index(inner.trim().parse().ok()?) };
    Some((Some(step), rest))
}

fn parse_filter(text: &str) -> Option<Filter> {
    let (equal, (path, value)) = match text.split_once("==") {
        Some(parts) => (true, parts),
        None => (false, text.split_once("!=")?),
    };
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = match quoted('"').or_else(|| quoted('\'')) {
        Some(text) => Value::from(text),
        None => serde_json::from_str(value).ok()?,
    };
    Some(Filter { path: JsonPath::parse(path.trim())?, equal, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_printer_columns_find_what_kubectl_finds() {
        let object = json!({
            "metadata": {"name": "a", "annotations": {"a.b/c": "d"}},
            "spec": {"list": [1, 2, 3]},
            "status": {"conditions": [{"type": "Issued", "status": "False"}, {"type": "Ready", "status": "True", "n": 1}]},
        });
        let cases = [
            (".metadata.name", vec![json!("a")]),
            (".metadata['name']", vec![json!("a")]),
            (r".metadata.annotations.a\.b/c", vec![json!("d")]),
            (".metadata.annotations[\"a.b/c\"]", vec![json!("d")]),
            (r".metadata.annotations['a\.b/c']", vec![json!("d")]),
            (".spec.list[0]", vec![json!(1)]),
            (".spec.list[-1]", vec![json!(3)]),
            (".spec.list[*]", vec![json!(1), json!(2), json!(3)]),
            (".spec.list[7]", vec![]),
            (".spec.nothing.at.all", vec![]),
            (".status.conditions[?(@.type==\"Ready\")].status", vec![json!("True")]),
            (".status.conditions[?(@.type=='Ready')].status", vec![json!("True")]),
            (".status.conditions[?(@.type != \"Ready\")].status", vec![json!("False")]),
            (".status.conditions[?(@.n==1)].type", vec![json!("Ready")]),
            (".status.conditions[*].type", vec![json!("Issued"), json!("Ready")]),
        ];
        for (path, expected) in cases {
            let found: Vec<Value> =
                JsonPath::parse(path).unwrap().find(&object).into_iter().cloned().collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for path in ["metadata.name", ".a[", ".a[x]", ".a[?(@.b)]", ""] {
            assert_eq!(JsonPath::parse(path), None, "{path}");
        }
    }
}
