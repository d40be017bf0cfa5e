//! `pattern`: Go's regular expressions (RE2 syntax), run by the crate `regex`.

use regex::Regex;

use super::{
    error::{FieldError, child, index, property},
    node::{Additional, Node},
};

/// Compiles the patterns of `node` and of everything below it.
pub(super) fn compile(node: &mut Node, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(pattern) = node.pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
        match Regex::new(&from_go(pattern)) {
            Ok(regex) => node.regex = Some(regex),
            Err(error) => {
                let detail = format!("must be a valid regular expression, but isn't: {error}");
                errors.push(FieldError::invalid(&child(path, "pattern"), pattern, detail));
            }
        }
    }
    for (name, sub) in &mut node.properties {
        compile(sub, &property(path, name), errors);
    }
    if let Some(Additional::Schema(sub)) = &mut node.additional_properties {
        compile(sub, &child(path, "additionalProperties"), errors);
    }
    if let Some(sub) = &mut node.items {
        compile(sub, &child(path, "items"), errors);
    }
    let junctors = [("allOf", &mut node.all_of), ("anyOf", &mut node.any_of), ("oneOf", &mut node.one_of)];
    for (keyword, nodes) in junctors {
        for (i, sub) in nodes.iter_mut().enumerate() {
            compile(sub, &index(&child(path, keyword), i), errors);
        }
    }
    if let Some(sub) = &mut node.not {
        compile(sub, &child(path, "not"), errors);
    }
}

/// Rewrites what means something else in Go: `\d`, `\w`, `\s` and `\b` know ASCII only, and within a class `[`,
/// `&&`, `--` and `~~` are plain characters.
fn from_go(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut in_class, mut in_name) = (false, false);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) => out.push_str(&escape(escaped, in_class)),
                None => out.push('\\'),
            },
            '[' if in_class && begins_name(chars.clone()) => {
                in_name = true;
                out.push('[');
            }
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if let Some('^') = chars.peek() {
                    out.extend(chars.next());
                }
                // A bracket in the first place is a member, not the end.
                if let Some(']') = chars.peek() {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' => {
                // That of a name as in `[[:alpha:]]` does not end the class.
                in_class = in_class && in_name;
                in_name = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '-' if in_class && chars.peek() == Some(&'-') => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    out
}

/// Whether this, after `[`, is a class with a name: `:alpha:]`.
fn begins_name(rest: impl Iterator<Item = char>) -> bool {
    let rest: String = rest.collect();
    let name = rest.strip_prefix(':').and_then(|rest| rest.split_once(":]"));
    name.is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '^'))
}

fn escape(c: char, in_class: bool) -> String {
    let (open, close) = if in_class { ("", "") } else { ("[", "]") };
    match c {
        'd' => format!("{open}0-9{close}"),
        'w' => format!("{open}0-9A-Za-z_{close}"),
        's' => format!("{open}\\t\\n\\f\\r {close}"),
        'D' => "[^0-9]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        'S' => "[^\\t\\n\\f\\r ]".to_owned(),
        'b' if !in_class => "(?-u:\\b)".to_owned(),
        c => format!("\\{c}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let cases = [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^[\w-]+$", "a-b_1", true),
            (r"^[\w-]+$", "é", false),
            (r"^[[]x[]]$", "[x]", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[:alpha:]]+$", "ab", true),
            (r"^[[:alpha:]0]+$", "a0", true),
            (r"^[[:alpha:]:]+$", "a:", true),
            (r"^[a,:]b$", ":b", true),
            (r"^[a-z]([a-z,:]*[a-z])?$", "pending", true),
            (r"^[^\s]+$", "a b", false),
            (r"^\S+@\S+$", "a@b", true),
            (r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "*.a-b", true),
            (r"a\b", "a b", true),
            ("^a$", "a\n", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Regex::new(&from_go(pattern)).unwrap().is_match(text), expected, "{pattern} {text}");
        }
    }
}
