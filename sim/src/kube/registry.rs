//! The kinds that the API serves at present, and what a path names among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::builtin;
use super::resource::Resource;
use super::status::Failure;
use super::store::Collection;

/// What a path names: a collection, an object in it, or a part of that object.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) resource: Arc<Resource>,
    /// Empty for all namespaces, and for kinds without.
    pub(crate) namespace: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

/// All kinds by group, version and plural.
#[derive(Debug)]
pub(crate) struct Registry {
    resources: BTreeMap<(String, String, String), Arc<Resource>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let mut registry = Self { resources: BTreeMap::new() };
        registry.add(builtin::resources());
        registry
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.resources.get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// The versions of each group.
    pub(crate) fn groups(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for resource in self.iter() {
            groups.entry(&resource.group).or_default().insert(&resource.version);
        }
        groups
    }

    /// The kinds of one group and version.
    pub(crate) fn kinds<'a>(
        &'a self,
        group: &'a str,
        version: &'a str,
    ) -> impl Iterator<Item = &'a Resource> {
        self.iter().map(AsRef::as_ref).filter(move |r| r.group == group && r.version == version)
    }

    /// Puts the versions of a custom kind in place of those served before.
    pub(crate) fn replace(&mut self, collection: &Collection, versions: Vec<Resource>) {
        self.resources.retain(|_, resource| resource.collection != *collection);
        self.add(versions);
    }

    fn add(&mut self, resources: Vec<Resource>) {
        for resource in resources {
            let key = (resource.group.clone(), resource.version.clone(), resource.plural.clone());
            self.resources.insert(key, Arc::new(resource));
        }
    }

    /// What `/api/v1/...` or `/apis/group/version/...` names; 404 when no such kind is served.
    pub(crate) fn resolve(&self, path: &str) -> Result<Target, Failure> {
        let segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(percent_decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Failure::no_such_path()),
        };
        let (namespace, rest) = match rest {
            // `status` and `finalize` are parts of a Namespace, anything else is a kind inside it.
            ["namespaces", namespace, inner @ ..] if !matches!(inner, [] | ["status" | "finalize", ..]) => {
                (*namespace, inner)
            }
            rest => ("", rest),
        };
        let [plural, tail @ ..] = rest else { return Err(Failure::no_such_path()) };
        let resource = self.find(group, version, plural).ok_or_else(Failure::no_such_path)?;
        let scoped = resource.namespaced;
        if (!namespace.is_empty() && !scoped) || (namespace.is_empty() && scoped && !tail.is_empty()) {
            return Err(Failure::no_such_path());
        }
        let (name, subresource) = match tail {
            [] => (None, None),
            [name] => (Some((*name).to_owned()), None),
            [name, subresource] => (Some((*name).to_owned()), Some((*subresource).to_owned())),
            _ => return Err(Failure::no_such_path()),
        };
        Ok(Target { resource: Arc::clone(resource), namespace: namespace.to_owned(), name, subresource })
    }
}

/// Names may hold colons and the like, which some clients escape.
fn percent_decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
