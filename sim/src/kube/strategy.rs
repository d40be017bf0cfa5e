//! How the objects of one built-in kind behave.

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::schema::FieldError;

/// The rules of one built-in kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strategy {
    /// Checks the types of all fields and drops the unknown ones.
    pub(crate) decode: fn(&Value) -> Result<Value, serde_json::Error>,
    /// Fills in what the API server fills in.
    pub(crate) prepare: fn(&mut Value),
    /// What is wrong with an object in its stored form; `None` as the old one means create.
    pub(crate) validate: fn(&Value, Option<&Value>) -> Vec<FieldError>,
    /// The object as the table's columns see it.
    pub(crate) view: fn(&Value) -> Value,
    /// Between this version and the stored one, where they differ.
    pub(crate) conversion: Option<Conversion>,
    /// Whether `metadata.generation` counts the changes of spec.
    pub(crate) counts_generations: bool,
    /// Whether a PUT may create.
    pub(crate) create_on_update: bool,
    /// The schema, for OpenAPI.
    pub(crate) open_api: fn(&mut SchemaGenerator) -> schemars::Schema,
}

/// The way to the stored form of an object and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversion {
    pub(crate) to_storage: fn(Value) -> Value,
    pub(crate) from_storage: fn(Value) -> Value,
}

impl Strategy {
    pub(crate) fn of<T: DeserializeOwned + Serialize + JsonSchema>() -> Self {
        Self {
            decode: typed::<T>,
            prepare: |_| {},
            validate: |_, _| Vec::new(),
            view: Value::clone,
            conversion: None,
            counts_generations: false,
            create_on_update: false,
            open_api: |generator| T::json_schema(generator),
        }
    }
}

fn typed<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(object)?)
}
