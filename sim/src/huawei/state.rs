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
    /// When something will happen by itself next, or may.
    pub(super) next_event: Option<Timestamp>,
    /// How many certificates the cloud named.
    named: u64,
}

impl State {
    pub(super) fn open_account(&mut self) -> Account {
        self.accounts += 1;
        Account { domain_id: format!("{:032x}", self.accounts) }
    }

    /// The id of a certificate that nobody bought by an id.
    pub(super) fn new_certificate_id(&mut self) -> String {
        loop {
            self.named += 1;
            let id = format!("scs9{:012}", self.named);
            if !self.certificates.contains_key(&id) {
                return id;
            }
        }
    }

    /// Has what happens by itself looked for then, or before.
    pub(super) fn expect_event(&mut self, time: Timestamp) {
        self.next_event = Some(self.next_event.map_or(time, |next| next.min(time)));
    }
}
