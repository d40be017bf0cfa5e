//! An object of a list or a watch, whether this version of certorder can read it or not.

use std::borrow::Cow;

use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, de};
use serde_json::Value;

use crate::cluster::cache::{Cached, Target};

/// An object; `Err` where this version of certorder cannot read it.
#[derive(Clone, Debug)]
pub struct Listed<K>(pub Result<K, Unreadable>);

/// What can be read of an object that was written for another version.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// The certificate that it names, if that can be read.
    pub certificate: Option<Target>,
}

impl<K> Listed<K> {
    /// Its metadata.
    pub fn metadata(&self) -> &ObjectMeta
    where
        K: Resource,
    {
        self.0.as_ref().map_or_else(|unreadable| &unreadable.metadata, Resource::meta)
    }
}

impl<'de, K: Cached + DeserializeOwned> Deserialize<'de> for Listed<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(deserializer)?;
        if let Ok(readable) = K::deserialize(&object) {
            return Ok(Self(Ok(readable)));
        }
        let certificate = K::certificate_in(&object);
        let metadata = object.get_mut("metadata").map(Value::take).unwrap_or_default();
        // No value is quoted.
        let metadata =
            serde_json::from_value(metadata).map_err(|_| de::Error::custom("an object has no metadata"))?;
        Ok(Self(Err(Unreadable { metadata, certificate })))
    }
}

impl<K: Resource> Resource for Listed<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        self.metadata()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => object.meta_mut(),
            Err(unreadable) => &mut unreadable.metadata,
        }
    }
}
