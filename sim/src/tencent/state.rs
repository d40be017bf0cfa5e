//! What the service keeps: access keys, what accounts own, certificates, the operation log.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    account::{Account, Credential},
    certificate::Certificate,
    profile::{Company, Manager},
};

/// What an account owns beside certificates.
#[derive(Default)]
pub(super) struct Holdings {
    pub(super) companies: BTreeMap<u64, Company>,
    pub(super) managers: BTreeMap<u64, Manager>,
    /// The account's owner did not pass the identity check.
    pub(super) identity_unverified: bool,
}

/// The action of a line that no call of the account caused.
pub(super) const CA_EVENT: &str = "CAEvent";

/// One line of an account's operation log.
pub(super) struct LogLine {
    pub(super) uin: String,
    pub(super) certificate_id: String,
    /// `submitInfo`, `applyVIP`, `cancel`, `Resubmit`, `issued`, ...
    pub(super) kind: &'static str,
    pub(super) action: &'static str,
    pub(super) time: Timestamp,
}

#[derive(Default)]
pub(crate) struct State {
    pub(super) credentials: HashMap<String, Credential>,
    pub(super) holdings: HashMap<Account, Holdings>,
    pub(super) certificates: BTreeMap<String, Certificate>,
    pub(super) log: Vec<LogLine>,
    /// When something will happen by itself next, or may.
    pub(super) next_event: Option<Timestamp>,
    /// How many orders were sent.
    orders: u64,
    /// How many certificates the cloud named.
    named: u64,
}

impl State {
    pub(super) fn open_account(&mut self) -> Account {
        let number = self.holdings.len() as u64 + 1;
        let account = Account { uin: (100_000_000_000 + number).to_string(), app_id: 1_250_000_000 + number };
        self.holdings.insert(account.clone(), Holdings::default());
        account
    }

    /// A certificate, if this account owns it.
    pub(super) fn owned(&self, account: &Account, id: &str) -> Option<&Certificate> {
        self.certificates.get(id).filter(|certificate| certificate.owner == *account)
    }

    /// A new order number of the authority.
    pub(super) fn next_order_id(&mut self) -> String {
        self.orders += 1;
        (7_000_000_000 + self.orders).to_string()
    }

    /// The id of a certificate that nobody bought by an id.
    pub(super) fn new_certificate_id(&mut self) -> String {
        loop {
            self.named += 1;
            let id = format!("nEw{:05}", self.named);
            if !self.certificates.contains_key(&id) {
                return id;
            }
        }
    }

    /// The certificates that were reissued from one, as the cloud knows it.
    pub(super) fn reissues_of(&self, id: &str) -> impl Iterator<Item = &Certificate> {
        let follows = move |new: &&Certificate| new.reissue.is_some() && new.follows.as_deref() == Some(id);
        self.certificates.values().filter(follows)
    }

    /// Has what happens by itself looked for then, or before.
    pub(super) fn expect_event(&mut self, time: Timestamp) {
        self.next_event = Some(self.next_event.map_or(time, |next| next.min(time)));
    }

    /// Adds a line to an account's operation log.
    pub(super) fn record(
        &mut self,
        account: &Account,
        certificate_id: &str,
        action: &'static str,
        kind: &'static str,
        time: Timestamp,
    ) {
        let (uin, certificate_id) = (account.uin.clone(), certificate_id.to_owned());
        self.log.push(LogLine { uin, certificate_id, kind, action, time });
    }

    /// The same, to change it.
    pub(super) fn owned_mut(&mut self, account: &Account, id: &str) -> Option<&mut Certificate> {
        self.certificates.get_mut(id).filter(|certificate| certificate.owner == *account)
    }
}
