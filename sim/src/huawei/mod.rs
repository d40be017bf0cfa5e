//! Huawei Cloud SCM (the certificate manager of CCM, API v3), simulated from its documentation.
//!
//! A request goes through the parts that all clouds share ([`crate::cloud`]) → `gateway` (`identity`, `sign`) →
//! `actions`. Tests and the tryout play the authority and the console: [`HuaweiCloud::advance`],
//! [`HuaweiCloud::issue`], [`HuaweiCloud::reject`] and their like in `moves`, and [`HuaweiCloud::set`] for everything
//! else.
//!
//! It is strict: what the documents do not allow is refused. A comment that starts with "Inferred:" marks what they
//! leave open and this simulator had to decide.

mod actions;
mod certificate;
mod encoding;
mod error;
mod gateway;
mod identity;
mod lifecycle;
mod moves;
mod product;
mod service;
mod sign;
mod state;
mod submission;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

pub use self::{
    certificate::{Certificate, DomainAuth, Status},
    error::Refusal,
    product::Product,
    state::Account,
    submission::Submission,
};
use self::{
    service::Scm,
    state::{AuthToken, Credential},
};
use crate::cloud::{self, Cloud, ca::Authority, server::Server};
pub use crate::cloud::{Coverage, IssueError, Issued, Level, Pace, RequestBody, UnknownCertificate};

/// A line of the ledger. Its action is `apply`, `show`, `list`, `cancel-cert` or `export`.
pub type Call = cloud::Call<Account>;
/// A rule by which calls fail.
///
/// ```
/// # use certorder_sim::huawei::Fault;
/// // The first application for this certificate is taken, but its reply never arrives.
/// let fault = Fault::reply_lost().action("apply").certificate("scs1590053258704");
/// ```
pub type Fault = cloud::Fault<Refusal>;
/// Why the authority cannot do something with a certificate.
pub type MoveError = cloud::MoveError<Status>;

/// How the cloud behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often an account may call one action in any window of one second; `None` lifts the limit.
    pub calls_per_second: Option<usize>,
    /// What an application is in at once. The documents leave it open between this and [`Status::CHECKING`].
    pub applied_status: Status,
    /// Take another application after the authority refused one. The documents do not say.
    pub takes_application_after_refusal: bool,
    /// How long a withdrawal takes; `None` waits for [`HuaweiCloud::finish_cancel`].
    pub withdrawal_takes: Option<Duration>,
    /// Show the information and the names of an application that was withdrawn. The documents do not say.
    pub withdrawal_keeps_application: bool,
    /// The HTTP status for a certificate that does not exist: 400 or 404. The documents do not say.
    pub unknown_certificate_status: u16,
    /// Answer null where a text has no value yet. The documents show neither.
    pub empty_is_null: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_second: Some(5),
            applied_status: Status::CHECKING_DOMAIN,
            takes_application_after_refusal: true,
            withdrawal_takes: None,
            withdrawal_keeps_application: true,
            unknown_certificate_status: 400,
            empty_is_null: false,
        }
    }
}

/// The simulated cloud, serving on a loopback port until its last clone is dropped.
#[derive(Clone)]
pub struct HuaweiCloud {
    cloud: Arc<Cloud<Scm>>,
    server: Arc<Server>,
}

impl HuaweiCloud {
    /// Starts a cloud without accounts.
    pub async fn start(options: Options) -> io::Result<Self> {
        let authority = Authority::new().map_err(io::Error::other)?;
        let cloud = Arc::new(Cloud::new(options, authority));
        let server = Arc::new(Server::start(Arc::clone(&cloud), None).await?);
        Ok(Self { cloud, server })
    }

    /// Where it serves, as `http://127.0.0.1:PORT`; the API is below `/v3/scm`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url.clone()
    }

    /// Opens an account with a permanent access key. An access key that another account holds moves to the new one.
    #[must_use = "certificates are bought for an account"]
    pub fn account(&self, access_key: &str, secret_key: &str) -> Account {
        let mut world = self.cloud.world();
        world.state.accounts += 1;
        let account = Account { domain_id: format!("{:032x}", world.state.accounts) };
        drop(world);
        self.add_credential(&account, access_key, secret_key);
        account
    }

    /// Gives an account one more permanent access key, or replaces its secret.
    pub fn add_credential(&self, account: &Account, access_key: &str, secret_key: &str) {
        self.insert_credential(access_key, Credential::permanent(account.clone(), secret_key));
    }

    /// Gives an account a temporary access key: it works with this token only, and until it expires.
    pub fn add_temporary_credential(
        &self,
        account: &Account,
        access_key: &str,
        secret_key: &str,
        token: &str,
        expires: Timestamp,
    ) {
        let credential = Credential::temporary(account.clone(), secret_key, token, expires);
        self.insert_credential(access_key, credential);
    }

    /// Deletes an access key.
    pub fn remove_credential(&self, access_key: &str) {
        self.cloud.world().state.credentials.remove(access_key);
    }

    fn insert_credential(&self, access_key: &str, credential: Credential) {
        self.cloud.world().state.credentials.insert(access_key.to_owned(), credential);
    }

    /// Gives an account a token of IAM, which is sent as `X-Auth-Token` in place of a signature.
    pub fn add_auth_token(&self, account: &Account, token: &str, expires: Timestamp) {
        let entry = AuthToken { account: account.clone(), expires };
        self.cloud.world().state.auth_tokens.insert(token.to_owned(), entry);
    }

    /// Buys a certificate; its status is `PAID`. The API refuses ids that do not have 16 letters and digits.
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
        self.cloud.set(certificate_id, change)
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
        self.cloud.pace(account, action)
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
