//! One request to the API server: its timeout and its field manager.

use std::time::Duration;

/// The field manager of everything that certorder writes.
pub const FIELD_MANAGER: &str = "certorder";

/// The timeout of one call to the API server. kube itself limits watches only.
const CALL: Duration = Duration::from_secs(30);

/// One call to the API server, with a timeout.
pub async fn bounded<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    tokio::time::timeout(CALL, call).await.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))
}
