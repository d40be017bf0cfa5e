//! Accounts and their access keys.

use crate::cloud::credential;

/// An account of the simulated cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// The account number (`OwnerUin`).
    pub uin: String,
    /// The application id that belongs to it.
    pub app_id: u64,
}

/// One access key of an account.
pub(super) type Credential = credential::Credential<Account>;
