//! Accounts and their access keys.

use crate::cloud::credential;

/// An account of the simulated cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// The account id, which the API calls `domain_id`.
    pub domain_id: String,
}

/// One access key of an account.
pub(super) type Credential = credential::Credential<Account>;
