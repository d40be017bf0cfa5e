//! Request parameters: what an action declares, and the gateway's check of a body against it.

use std::fmt;

use serde_json::{Map, Value};

/// The declared type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Integer,
    Boolean,
    Strings,
    Integers,
    Objects,
}

impl Kind {
    fn holds(self, value: &Value) -> bool {
        let list = |holds: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(holds));
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64(),
            Self::Boolean => value.is_boolean(),
            Self::Strings => list(Value::is_string),
            Self::Integers => list(Value::is_i64),
            Self::Objects => list(Value::is_object),
        }
    }
}

/// One declared parameter of an action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    name: &'static str,
    kind: Kind,
    required: bool,
}

pub(crate) const fn required(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: true }
}

pub(crate) const fn optional(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: false }
}

/// How a body breaks an action's declaration. Each cloud has its own codes for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The body is no JSON object.
    NotAnObject,
    /// A key that the action does not declare.
    Unknown(String),
    /// A value of another type than the declared one.
    WrongType(&'static str),
    /// A list without items.
    EmptyList(&'static str),
    /// A required parameter that is absent.
    Missing(&'static str),
}

/// The parameters of one call, checked against the action's declaration.
#[derive(Clone)]
pub(crate) struct Params(Map<String, Value>);

/// Prints the names only: the values are personal data.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Params {
    /// Checks names first, then types, then what is required.
    ///
    /// With `lenient_integers` a decimal string stands for an integer.
    pub(crate) fn check(body: &[u8], declared: &[Param], lenient_integers: bool) -> Result<Self, Flaw> {
        let Ok(Value::Object(mut sent)) = serde_json::from_slice(body) else {
            return Err(Flaw::NotAnObject);
        };
        let known = |name: &str| declared.iter().find(|param| param.name == name);
        if let Some(name) = sent.keys().find(|name| known(name).is_none()) {
            return Err(Flaw::Unknown(name.clone()));
        }
        for (name, value) in &mut sent {
            if let Some(param) = known(name) {
                check_type(param, value, lenient_integers)?;
            }
        }
        match declared.iter().find(|param| param.required && !sent.contains_key(param.name)) {
            Some(param) => Err(Flaw::Missing(param.name)),
            None => Ok(Self(sent)),
        }
    }

    /// The value of a String parameter. An empty string counts as absent: the vendor's own examples send `""` for
    /// fields that they do not use.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// The items of an array of String; none if it was not sent.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.items(name).filter_map(Value::as_str).collect()
    }

    /// The items of an array of Integer; none if it was not sent.
    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        self.items(name).filter_map(Value::as_i64).collect()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten()
    }
}

fn check_type(param: &Param, value: &mut Value, lenient_integers: bool) -> Result<(), Flaw> {
    if lenient_integers && param.kind == Kind::Integer {
        let number = value.as_str().and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number {
            *value = number.into();
        }
    }
    // Inferred: null is a value of the wrong type; the vendor's clients leave unset fields out.
    if !param.kind.holds(value) {
        return Err(Flaw::WrongType(param.name));
    }
    if value.as_array().is_some_and(Vec::is_empty) {
        return Err(Flaw::EmptyList(param.name));
    }
    Ok(())
}
