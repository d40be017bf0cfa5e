//! The kinds that every cluster has, as far as an operator and `kubectl` use them.
//!
//! Their shape comes from `k8s-openapi`; what a type cannot say is in one file for each kind.

mod config_map;
mod custom_resource_definition;
mod data;
mod describe;
mod event;
mod installation;
mod lease;
mod namespace;
mod secret;

pub(crate) use namespace::NAMESPACES;

use super::resource::Resource;

/// All built-in kinds.
pub(crate) fn resources() -> Vec<Resource> {
    let mut resources = vec![
        namespace::resource(),
        secret::resource(),
        config_map::resource(),
        event::core_resource(),
        event::events_resource(),
        lease::resource(),
        custom_resource_definition::resource(),
    ];
    resources.extend(installation::resources());
    resources
}
