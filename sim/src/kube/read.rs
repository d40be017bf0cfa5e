//! Get and list.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::object::Object;
use super::registry::Target;
use super::resource::Resource;
use super::selector::Selector;
use super::state::State;
use super::status::Failure;
use super::view::ListMeta;

/// One page of a list, and the metadata that says where the next begins.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Value>>,
    pub(crate) metadata: ListMeta,
}

/// Where the next page begins. It keeps the version of the first page, so that a watch from there misses nothing
/// that changed between the pages.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    version: u64,
    namespace: String,
    name: String,
}

impl State {
    /// The objects of a collection that a selector matches, at most `limit` of them; 0 means all.
    pub(crate) fn list(
        &self,
        target: &Target,
        selector: &Selector,
        limit: usize,
        continue_token: &str,
    ) -> Result<Page, Failure> {
        let resource = &target.resource;
        let token = if continue_token.is_empty() { None } else { Some(Token::decode(continue_token)?) };
        let version = token.as_ref().map_or(self.store.version(), |token| token.version);
        let start = token.map(|token| (token.namespace, token.name));
        let mut matching = self
            .store
            .list(&resource.collection, &target.namespace, start)
            .filter(|object| selects(resource, selector, object));
        let limit = if limit == 0 { usize::MAX } else { limit };
        let items: Vec<Arc<Value>> = matching.by_ref().take(limit).cloned().collect();
        let remaining = matching.count();
        let next = items.last().filter(|_| remaining > 0).map(|last| Token {
            version,
            namespace: last.namespace().to_owned(),
            name: last.name().to_owned(),
        });
        let metadata = ListMeta {
            resource_version: version.to_string(),
            continue_token: next.map(|token| token.encode()),
            // The API server does not count what a selector would leave.
            remaining_item_count: (remaining > 0 && selector.is_empty()).then_some(remaining),
        };
        Ok(Page { items, metadata })
    }

    /// Refuses a read "not older than" a version that does not exist yet.
    pub(crate) fn check_version(&self, asked: u64) -> Result<(), Failure> {
        let current = self.store.version();
        if asked > current { Err(Failure::too_large_version(asked, current)) } else { Ok(()) }
    }

    /// 410 for a list at an older version: only the present state can be listed.
    pub(crate) fn check_exact_version(&self, asked: u64) -> Result<(), Failure> {
        let current = self.store.version();
        if asked == current { Ok(()) } else { Err(Failure::expired(asked, current)) }
    }
}

/// Whether a stored object matches, judged in the form of the request's version.
pub(crate) fn selects(resource: &Resource, selector: &Selector, stored: &Arc<Value>) -> bool {
    selector.is_empty() || selector.matches(&resource.present(stored))
}

impl Token {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_string(self).unwrap_or_default())
    }

    fn decode(text: &str) -> Result<Self, Failure> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        decoded.ok_or_else(|| Failure::bad_request("invalid continue token: continue key is not valid"))
    }
}
