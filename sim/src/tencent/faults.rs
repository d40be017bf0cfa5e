//! The faults that only this cloud's codes can tell.

use super::error::Refusal;
use crate::cloud::Fault;

impl Fault<Refusal> {
    /// The service answers with an error code. The call is not carried out, unless [`Fault::acting`] says so.
    #[must_use]
    pub fn error(code: &str, message: &str) -> Self {
        Self::refused(Refusal::new(code.to_owned(), message))
    }

    /// The service says that calls come too fast.
    #[must_use]
    pub fn throttled() -> Self {
        Self::refused(Refusal::too_many_requests(10))
    }

    /// The service says that the temporary credentials are expired.
    #[must_use]
    pub fn expired_credentials() -> Self {
        Self::refused(Refusal::bad_token())
    }
}
