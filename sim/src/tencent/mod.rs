//! Tencent Cloud SSL (API version 2019-12-05), simulated from its documentation.
//!
//! A request goes `server` → `exchange` (faults, ledger) → `gateway` (`sign`, `params`, `rate`) → `actions`.
//! Tests and the tryout play the authority: [`TencentCloud::advance`], [`TencentCloud::issue`],
//! [`TencentCloud::reject`] and their like in `moves`, and [`TencentCloud::set`] for everything else.
//!
//! It is strict: what the documents do not allow is refused. A comment that starts with "Inferred:" marks what they
//! leave open and this simulator had to decide. Error messages are English, whatever `X-TC-Language` asks for.

mod actions;
mod ca;
mod certificate;
mod connection;
mod csr;
mod error;
mod exchange;
mod faults;
mod gateway;
mod ledger;
mod lifecycle;
mod moves;
mod params;
mod product;
mod profile;
mod rate;
mod review;
mod server;
mod sign;
mod state;
mod submission;
#[cfg(test)]
mod tests;
mod world;

use std::{io, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use self::{
    ca::Authority,
    server::Server,
    state::{Credential, Token},
    world::Cloud,
};
pub use self::{
    certificate::{Certificate, DomainAuth, Finding, Issued, Status, Successors},
    error::Refusal,
    faults::Fault,
    ledger::{Call, Pace, RequestBody},
    lifecycle::IssueError,
    moves::MoveError,
    product::{Coverage, Level, Product},
    profile::{Company, Manager, ManagerLevel},
    review::{MOST_PROFILES, Review, TooManyProfiles},
    state::Account,
    submission::Submission,
};

/// How the cloud behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often an account may call one action in any window of one second; `None` lifts the limit.
    pub calls_per_second: Option<usize>,
    /// Take a decimal string where an integer is declared. The vendor's own examples do so; no document allows it.
    pub lenient_integers: bool,
    /// How long after an order a second one is told that the first is still being processed.
    pub order_processing: Duration,
    /// `DescribeCertificateDetail` gives the leaf alone. The documents do not say whether it gives the chain.
    pub detail_lacks_chain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_second: Some(10),
            lenient_integers: false,
            order_processing: Duration::from_secs(5),
            detail_lacks_chain: false,
        }
    }
}

/// No certificate has this id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated cloud has no certificate {0}; buy it first")]
pub struct UnknownCertificate(pub String);

/// The simulated cloud, serving on a loopback port until its last clone is dropped.
#[derive(Clone)]
pub struct TencentCloud {
    cloud: Arc<Cloud>,
    server: Arc<Server>,
}

impl TencentCloud {
    /// Starts a cloud without accounts.
    pub async fn start(options: Options) -> io::Result<Self> {
        let authority = Authority::new().map_err(io::Error::other)?;
        let cloud = Arc::new(Cloud::new(options, authority));
        let server = Arc::new(Server::start(Arc::clone(&cloud)).await?);
        Ok(Self { cloud, server })
    }

    /// Where it serves, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url.clone()
    }

    /// Opens an account with a permanent access key. A key id that another account holds moves to the new one.
    #[must_use = "certificates are bought for an account"]
    pub fn account(&self, secret_id: &str, secret_key: &str) -> Account {
        let mut world = self.cloud.world();
        let number = world.state.holdings.len() as u64 + 1;
        let account = Account { uin: (100_000_000_000 + number).to_string(), app_id: 1_250_000_000 + number };
        world.state.holdings.insert(account.clone(), state::Holdings::default());
        drop(world);
        self.add_credential(&account, secret_id, secret_key);
        account
    }

    /// Gives an account one more permanent access key, or replaces the key of this id.
    pub fn add_credential(&self, account: &Account, secret_id: &str, secret_key: &str) {
        self.insert_credential(account, secret_id, secret_key, None);
    }

    /// Gives an account a temporary access key: it works with this token only, and until it expires.
    pub fn add_temporary_credential(
        &self,
        account: &Account,
        secret_id: &str,
        secret_key: &str,
        token: &str,
        expires: Timestamp,
    ) {
        self.insert_credential(account, secret_id, secret_key, Some(Token { value: token.into(), expires }));
    }

    /// Deletes an access key.
    pub fn remove_credential(&self, secret_id: &str) {
        self.cloud.world().state.credentials.remove(secret_id);
    }

    fn insert_credential(&self, account: &Account, secret_id: &str, secret_key: &str, token: Option<Token>) {
        let credential = Credential { account: account.clone(), secret_key: secret_key.into(), token };
        self.cloud.world().state.credentials.insert(secret_id.to_owned(), credential);
    }

    /// Says whether the account's owner passed the identity check; true until said otherwise.
    pub fn set_identity_verified(&self, account: &Account, verified: bool) {
        self.with_holdings(account, |holdings| holdings.identity_unverified = !verified);
    }

    /// Saves a company, or changes it, whatever the limit of the console (see [`TencentCloud::add_company`]).
    pub fn save_company(&self, account: &Account, company: Company) {
        self.with_holdings(account, |holdings| drop(holdings.companies.insert(company.id, company)));
    }

    /// Saves a manager in the console, or changes it.
    pub fn save_manager(&self, account: &Account, manager: Manager) {
        self.with_holdings(account, |holdings| drop(holdings.managers.insert(manager.id, manager)));
    }

    fn with_holdings(&self, account: &Account, change: impl FnOnce(&mut state::Holdings)) {
        change(self.cloud.world().state.holdings.entry(account.clone()).or_default());
    }

    /// Buys a certificate; its status is 5, or 13 for a free one.
    pub fn buy(&self, account: &Account, certificate_id: &str, product: Product) {
        let mut world = self.cloud.world();
        let certificate = Certificate::bought(certificate_id, account.clone(), product, world.now());
        world.state.certificates.insert(certificate_id.to_owned(), certificate);
    }

    /// A snapshot of a certificate.
    pub fn certificate(&self, certificate_id: &str) -> Result<Certificate, UnknownCertificate> {
        self.set(certificate_id, |certificate| certificate.clone())
    }

    /// Changes a certificate from the authority's side, at once and without a trace in the ledger.
    ///
    /// The cloud stands still meanwhile: `change` must not call it.
    pub fn set<R>(
        &self,
        certificate_id: &str,
        change: impl FnOnce(&mut Certificate) -> R,
    ) -> Result<R, UnknownCertificate> {
        let mut world = self.cloud.world();
        let certificate = world.state.certificates.get_mut(certificate_id);
        certificate.map(change).ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))
    }

    /// The root of the authority, PEM.
    #[must_use]
    pub fn root_certificate(&self) -> &str {
        self.cloud.authority.root()
    }

    /// Every call so far, in the order in which they took effect.
    #[must_use]
    pub fn ledger(&self) -> Vec<Call> {
        self.cloud.world().ledger.clone()
    }

    /// How fast an account called an action.
    #[must_use]
    pub fn pace(&self, account: &Account, action: &str) -> Pace {
        let world = self.cloud.world();
        let is_theirs = |call: &&Call| call.account.as_ref() == Some(account) && call.action == action;
        Pace::of(world.ledger.iter().filter(is_theirs))
    }

    /// Adds a rule by which calls fail.
    pub fn fault(&self, fault: Fault) {
        self.cloud.world().faults.add(fault);
    }

    /// Takes all such rules back.
    pub fn clear_faults(&self) {
        self.cloud.world().faults.clear();
    }

    /// Sets how far the cloud's clock is ahead of the machine's; negative is behind.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.cloud.world().clock_ahead = ahead;
    }
}
