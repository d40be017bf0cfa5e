//! What the service keeps: access keys, tokens, and certificates.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    account::{Account, Credential},
    certificate::Certificate,
};

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
