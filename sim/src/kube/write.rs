//! Create and update: what a write must pass before it is stored.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::decode::{Decoded, decode, unreadable};
use super::managed::{self, Writer};
use super::metadata;
use super::object::{Object, equal_except};
use super::preconditions;
use super::registry::Target;
use super::resource::{Nature, Resource};
use super::schema::FieldError;
use super::state::State;
use super::status::Failure;
use super::store::key_of;
use super::time::timestamp;

/// What to do about fields that the kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// How a write is to be carried out.
#[derive(Debug, Clone)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
    /// Who writes, for `managedFields`.
    pub(crate) manager: String,
    /// The write came in through `/status`.
    pub(crate) status: bool,
    /// The write is an apply, which has settled `managedFields` already.
    pub(crate) applies: bool,
}

/// What a write left behind.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) created: bool,
    pub(crate) warnings: Vec<String>,
}

impl WriteOptions {
    /// For the server's own writes.
    pub(crate) fn internal() -> Self {
        Self {
            dry_run: false,
            validation: FieldValidation::Ignore,
            manager: "certorder-sim".into(),
            status: false,
            applies: false,
        }
    }

    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer { manager: &self.manager, through_status: self.status }
    }

    /// The warnings for unknown fields, or the refusal.
    fn judge(&self, resource: &Resource, unknown: &[String]) -> Result<Vec<String>, Failure> {
        let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
        match self.validation {
            FieldValidation::Strict if !texts.is_empty() => {
                let why = format!("strict decoding error: {}", texts.join(", "));
                Err(Failure::bad_request(unreadable(resource, &why)))
            }
            FieldValidation::Warn => Ok(texts),
            FieldValidation::Strict | FieldValidation::Ignore => Ok(Vec::new()),
        }
    }
}

impl State {
    /// Creates the object in `body`.
    pub(crate) fn create(
        &mut self,
        target: &Target,
        body: Value,
        options: &WriteOptions,
    ) -> Result<Written, Failure> {
        let resource = &target.resource;
        let Decoded { object, unknown } = decode(resource, body)?;
        let warnings = options.judge(resource, &unknown)?;
        let object = self.admit_new(target, object, options)?;
        let key = key_of(&resource.collection, &object);
        if self.store.get(&key).is_some() {
            return Err(Failure::already_exists(resource, &key.name));
        }
        if options.dry_run {
            return Ok(Written { object: Arc::new(object), created: true, warnings });
        }
        let object = self.put(&resource.collection, object)?;
        self.collect_if_orphaned(&key)?;
        Ok(Written { object, created: true, warnings })
    }

    /// Puts `body` in place of the stored object.
    pub(crate) fn update(
        &mut self,
        target: &Target,
        body: Value,
        options: &WriteOptions,
    ) -> Result<Written, Failure> {
        let creates = target.resource.strategy().is_some_and(|strategy| strategy.create_on_update);
        let old = match self.get(target) {
            Ok(old) => Arc::clone(old),
            Err(_) if creates => return self.create(target, body, options),
            Err(failure) => return Err(failure),
        };
        self.replace(target, &old, body, options)
    }

    /// Stores `body` over `old` unless it changes nothing.
    pub(crate) fn replace(
        &mut self,
        target: &Target,
        old: &Arc<Value>,
        body: Value,
        options: &WriteOptions,
    ) -> Result<Written, Failure> {
        let resource = &target.resource;
        let Decoded { object, unknown } = decode(resource, body)?;
        let warnings = options.judge(resource, &unknown)?;
        let new = admit_change(target, old, object, options)?;
        if new == **old {
            return Ok(Written { object: Arc::clone(old), created: false, warnings });
        }
        if options.dry_run {
            return Ok(Written { object: Arc::new(new), created: false, warnings });
        }
        let key = key_of(&resource.collection, &new);
        let object = if self.is_released(&key, &new) {
            self.take_away(&key)?;
            Arc::new(new)
        } else {
            let object = self.put(&resource.collection, new)?;
            self.finish_deletion(&key)?;
            object
        };
        Ok(Written { object, created: false, warnings })
    }

    /// A decoded object as it will be stored for the first time.
    fn admit_new(
        &self,
        target: &Target,
        mut object: Value,
        options: &WriteOptions,
    ) -> Result<Value, Failure> {
        let resource = &*target.resource;
        if resource.custom().is_some_and(|custom| custom.terminating) {
            let why = "create not allowed while custom resource definition is terminating";
            return Err(Failure::forbidden(resource, object.name(), why));
        }
        place(target, &mut object)?;
        if !object.resource_version().is_empty() {
            return Err(Failure::versioned_create());
        }
        begin_life(resource, &mut object);
        if resource.namespaced {
            self.check_namespace(resource, object.name(), object.namespace())?;
        }
        let mut object = complete(resource, object);
        let errors = metadata::validate(&object, resource.is_namespace());
        refuse(resource, &object, errors, None)?;
        note_owners(resource, None, &mut object, options);
        Ok(object)
    }
}

/// The namespace of the URL holds; a name in the body must agree with the URL's.
fn place(target: &Target, object: &mut Value) -> Result<(), Failure> {
    if object.namespace().is_empty() && target.resource.namespaced {
        object.set_meta("namespace", target.namespace.clone());
    }
    if object.namespace() != target.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    match &target.name {
        Some(name) if object.name() != name => Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            object.name()
        ))),
        _ => Ok(()),
    }
}

/// Sets what only the server sets.
fn begin_life(resource: &Resource, object: &mut Value) {
    let prefix = object.meta_str("generateName").to_owned();
    if object.name().is_empty() && !prefix.is_empty() {
        object.set_meta("name", format!("{prefix}{}", random_suffix()));
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
        object.remove_meta(field);
    }
    object.set_meta("uid", Uuid::new_v4().to_string());
    object.set_meta("creationTimestamp", timestamp());
    if counts_generations(resource) {
        object.set_meta("generation", 1);
    }
    if resource.has_status {
        object.set("status", None);
    }
}

/// The stored form, with defaults.
fn complete(resource: &Resource, object: Value) -> Value {
    let mut object = resource.store_form(object);
    match &resource.nature {
        Nature::BuiltIn(strategy) => (strategy.prepare)(&mut object),
        Nature::Custom(custom) => custom.schema.default(&mut object),
    }
    object
}

/// A decoded object as it will be stored over `old`.
fn admit_change(
    target: &Target,
    old: &Arc<Value>,
    mut new: Value,
    options: &WriteOptions,
) -> Result<Value, Failure> {
    let resource = &*target.resource;
    place(target, &mut new)?;
    preconditions::check(resource, old, new.uid(), new.resource_version())?;
    if new.resource_version().is_empty() && resource.custom().is_none() {
        new.set_meta("resourceVersion", old.resource_version());
    }
    let new = keep(resource, old, new, options.status);
    let mut new = complete(resource, new);
    if counts_generations(resource) && !equal_except(old, &new, uncounted(resource)) {
        let generation = old.meta("generation").and_then(Value::as_i64).unwrap_or_default();
        new.set_meta("generation", generation + 1);
    }
    let errors = metadata::validate_update(&new, old, resource.is_namespace());
    refuse(resource, &new, errors, Some(old))?;
    note_owners(resource, Some(old), &mut new, options);
    Ok(new)
}

/// Takes from `old` what this write may not touch: the server's metadata, and status or all but status.
fn keep(resource: &Resource, old: &Arc<Value>, new: Value, through_status: bool) -> Value {
    let shown = resource.present(old);
    let managed = managed::starting_point(old, &new);
    let mut kept = if through_status {
        let mut kept = (*shown).clone();
        kept.set("status", new.get("status").cloned());
        kept.set_meta("resourceVersion", new.resource_version());
        kept
    } else {
        new
    };
    if resource.has_status && !through_status {
        kept.set("status", shown.get("status").cloned());
    }
    let server_owned =
        ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];
    for field in server_owned {
        match old.meta(field) {
            Some(value) => kept.set_meta(field, value.clone()),
            None => drop(kept.remove_meta(field)),
        }
    }
    kept.set_meta("managedFields", managed);
    kept
}

/// Brings `managedFields` up to date; an apply has done so before.
fn note_owners(resource: &Resource, old: Option<&Value>, new: &mut Value, options: &WriteOptions) {
    if !options.applies {
        if old.is_none() {
            new.remove_meta("managedFields");
        }
        managed::update(resource, old, new, &options.writer());
    }
    if new.meta("managedFields").is_some_and(|list| *list == json!([])) {
        new.remove_meta("managedFields");
    }
}

fn refuse(
    resource: &Resource,
    new: &Value,
    mut errors: Vec<FieldError>,
    old: Option<&Value>,
) -> Result<(), Failure> {
    errors.extend(match &resource.nature {
        Nature::BuiltIn(strategy) => (strategy.validate)(new, old),
        Nature::Custom(custom) => custom.schema.validate(new, old),
    });
    if errors.is_empty() { Ok(()) } else { Err(Failure::invalid(resource, new.name(), &errors)) }
}

fn counts_generations(resource: &Resource) -> bool {
    resource.strategy().is_none_or(|strategy| strategy.counts_generations)
}

/// The fields whose change is no new generation.
fn uncounted(resource: &Resource) -> &'static [&'static str] {
    if resource.has_status { &["metadata", "status"] } else { &["metadata"] }
}

/// Five characters that spell no words, as the API server appends them to `generateName`.
fn random_suffix() -> String {
    const ALPHABET: [char; 27] = [
        'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'z',
        '2', '4', '5', '6', '7', '8', '9',
    ];
    let random = Uuid::new_v4();
    random.as_bytes().iter().take(5).filter_map(|byte| ALPHABET.get(usize::from(*byte) % 27)).collect()
}
