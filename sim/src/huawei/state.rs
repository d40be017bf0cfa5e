//! What the service keeps: accounts with their credentials, and certificates.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::certificate::Certificate;
use crate::cloud::credential;

/// An account of the simulated cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// The account id, which the API calls `domain_id`.
    pub domain_id: String,
}

/// One access key of an account.
pub(super) type Credential = credential::Credential<Account>;

/// One token of IAM.
pub(super) struct AuthToken {
    pub(super) account: Account,
    pub(super) expires: Timestamp,
}

#[derive(Default)]
pub(crate) struct State {
    /// How many accounts were opened.
    pub(super) accounts: u64,
    pub(super) credentials: HashMap<String, Credential>,
    pub(super) auth_tokens: HashMap<String, AuthToken>,
    pub(super) certificates: BTreeMap<String, Certificate>,
}

impl State {
    pub(super) fn open_account(&mut self) -> Account {
        self.accounts += 1;
        Account { domain_id: format!("{:032x}", self.accounts) }
    }
}
