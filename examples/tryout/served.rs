//! Whether an API server serves a kind.

use std::fmt;
use std::time::Duration;

use kube::api::ListParams;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the API server serves a kind.
pub(crate) async fn is_served<K>(client: &Client) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(client.clone());
    loop {
        match api.list(&ListParams::default().limit(1)).await {
            Ok(_) => return Ok(()),
            // The API server answers 404 in plain text for a kind that is new, which `is_not_found` of kube 5.0 does not count.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 429 | 500..) => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
