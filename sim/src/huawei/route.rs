//! Which API a request is for, by its method and path.

use super::{
    actions::{
        self,
        action::{Action, ID},
    },
    encoding::decode,
    error::Refusal,
};
use crate::cloud::Request;

/// An action and the certificate that the path names; `None` if no API has this path and method.
pub(super) fn route(request: &Request) -> Option<(&'static Action, Option<String>)> {
    let segments: Option<Vec<String>> = request.path.split('/').map(text).collect();
    let segments = segments?;
    actions::ALL.iter().filter(|action| action.method == request.method.as_str()).find_map(|action| {
        let mut certificate_id = None;
        let pattern: Vec<&str> = action.path.split('/').collect();
        let fits = pattern.len() == segments.len()
            && pattern.iter().zip(&segments).all(|(wanted, sent)| {
                let is_id = *wanted == ID && !sent.is_empty();
                if is_id {
                    certificate_id = Some(sent.clone());
                }
                is_id || wanted == sent
            });
        fits.then_some((action, certificate_id))
    })
}

fn text(encoded: &str) -> Option<String> {
    String::from_utf8(decode(encoded)?).ok()
}

/// Inferred: an API that exists but is not simulated (buy, push, tags, ...) is answered like one that does not exist.
pub(super) fn find_action(request: &Request) -> Result<(&'static Action, Option<String>), Refusal> {
    let message = "The API does not exist or has not been published in the environment";
    route(request).ok_or_else(|| Refusal::new(404, "APIGW.0101", message))
}
