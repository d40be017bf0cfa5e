//! What a new cluster has before its first request.

use serde_json::json;

use super::builtin::NAMESPACES;
use super::registry::Registry;
use super::state::State;
use super::status::Failure;
use super::store::Store;
use super::write::WriteOptions;

impl State {
    /// A new cluster, with the usual namespaces.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut state = Self { store: Store::new(), registry: Registry::new() };
        let target = state.registry.resolve("/api/v1/namespaces")?;
        for name in NAMESPACES {
            let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            state.create(&target, body, &WriteOptions::internal())?;
        }
        Ok(state)
    }
}
