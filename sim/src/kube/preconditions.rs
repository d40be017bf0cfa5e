//! Which object, and which version of it, a client means when it changes or deletes one.

use serde_json::Value;

use super::object::Object;
use super::resource::Resource;
use super::status::Failure;

/// 409 when the client means another object, or another version of it.
pub(crate) fn check(
    resource: &Resource,
    old: &Value,
    uid: &str,
    resource_version: &str,
) -> Result<(), Failure> {
    let name = old.name();
    if !uid.is_empty() && uid != old.uid() {
        let why =
            format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", old.uid());
        return Err(Failure::conflict(resource, name, &why));
    }
    if !resource_version.is_empty() && resource_version != old.resource_version() {
        return Err(Failure::modified(resource, name));
    }
    Ok(())
}
