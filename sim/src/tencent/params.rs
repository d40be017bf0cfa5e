//! Request parameters: what an action declares, and the gateway's check of a body against it.

use serde_json::{Map, Value};

use super::error::Refusal;

/// The declared type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Param {
    name: &'static str,
    kind: Kind,
    required: bool,
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: true }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: false }
}

/// The parameters of one call, checked against the action's declaration.
#[derive(Clone)]
pub(super) struct Params(Map<String, Value>);

impl Params {
    /// Checks names first, then types, then what is required.
    ///
    /// With `lenient_integers` a decimal string stands for an integer.
    pub(super) fn check(body: &[u8], declared: &[Param], lenient_integers: bool) -> Result<Self, Refusal> {
        let Ok(Value::Object(mut sent)) = serde_json::from_slice(body) else {
            return Err(Refusal::new("InvalidParameter", "The request body is not valid JSON."));
        };
        let known = |name: &str| declared.iter().find(|param| param.name == name);
        if let Some(name) = sent.keys().find(|name| known(name).is_none()) {
            return Err(Refusal::unknown_parameter(name));
        }
        for (name, value) in &mut sent {
            if let Some(param) = known(name) {
                check_type(param, value, lenient_integers)?;
            }
        }
        match declared.iter().find(|param| param.required && !sent.contains_key(param.name)) {
            Some(param) => Err(Refusal::missing(param.name)),
            None => Ok(Self(sent)),
        }
    }

    /// The value of a String parameter. An empty string counts as absent: the vendor's own examples send `""` for
    /// fields that they do not use.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// The items of an array of String; none if it was not sent.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.items(name).filter_map(Value::as_str).collect()
    }

    /// The items of an array of Integer; none if it was not sent.
    pub(super) fn integers(&self, name: &str) -> Vec<i64> {
        self.items(name).filter_map(Value::as_i64).collect()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten()
    }
}

fn check_type(param: &Param, value: &mut Value, lenient_integers: bool) -> Result<(), Refusal> {
    if lenient_integers && param.kind == Kind::Integer {
        let number = value.as_str().and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number {
            *value = number.into();
        }
    }
    // Inferred: null is a value of the wrong type; the vendor's clients leave unset fields out.
    if !param.kind.holds(value) {
        return Err(Refusal::wrong_type(param.name));
    }
    if value.as_array().is_some_and(Vec::is_empty) {
        return Err(Refusal::invalid_value(param.name, "[]"));
    }
    Ok(())
}
