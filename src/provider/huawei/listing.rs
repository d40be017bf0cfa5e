//! The list of the account's certificates: its pages, and what distinguishes a deleted certificate from a wrong address.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::provider::Error;
use crate::provider::error_class::Call;
use crate::provider::lenient::{id, list, text};

use super::client::{CERTIFICATES, Huawei, LIST};
use super::errors;

/// The largest page.
pub(super) const PAGE: usize = 50;

/// The cloud refuses a higher offset than 100. Its list begins with what changed last.
pub(super) const MOST_PAGES: usize = 3;

/// A page, with as much of each certificate as `R` reads.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "R: Default + DeserializeOwned"))]
pub(super) struct Page<R> {
    /// How many certificates there are in all; a number.
    #[serde(deserialize_with = "text")]
    total_count: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(super) certificates: Vec<R>,
}

impl<R> Page<R> {
    /// How many certificates there are in all, if the cloud says so.
    pub(super) fn total(&self) -> Option<usize> {
        self.total_count.as_ref()?.parse().ok()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "id")]
    id: Option<String>,
}

/// Whether `show` answered "not found" without a code that names the object.
pub(super) fn may_be_deleted(error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| refusal.code == "HTTP 404")
}

impl Huawei {
    /// `show` answered "not found" without a code of SCM, which a wrong address does too. The certificate is deleted if
    /// a complete list does not have it.
    pub(super) async fn not_found(&self, error: Error) -> Error {
        match self.is_listed().await {
            Ok(false) => {
                let message = "the account has no certificate with this id";
                let request_id = error.refusal().and_then(|refusal| refusal.request_id.clone());
                errors::error(Call::Read, 404, "SCM.0020", message, request_id)
            }
            Ok(true) | Err(_) => error,
        }
    }

    async fn is_listed(&self) -> Result<bool, Error> {
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let query = format!("limit={PAGE}&offset={offset}");
            let (page, _) = self.get::<Page<Entry>>(LIST, CERTIFICATES.to_owned(), query).await?;
            let is_this = |entry: &Entry| entry.id.as_deref() == Some(self.order.certificate_id.as_str());
            if page.certificates.iter().any(is_this) {
                return Ok(true);
            }
            offset += page.certificates.len();
            if page.certificates.is_empty() || page.total().is_some_and(|total| offset >= total) {
                return Ok(false);
            }
        }
        // There may be more than can be listed: it proves nothing.
        Ok(true)
    }
}
