//! One request to the API server: bounded in time, and in whose name it writes.

use std::time::Duration;

/// The field manager of everything that certorder writes.
pub const FIELD_MANAGER: &str = "certorder";

/// The longest that one call to the API server may take. kube bounds watches only.
const CALL: Duration = Duration::from_secs(30);

/// One call to the API server, bounded in time.
pub async fn bounded<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    tokio::time::timeout(CALL, call).await.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))
}
