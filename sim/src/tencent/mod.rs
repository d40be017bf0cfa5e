//! Tencent Cloud SSL (API version 2019-12-05), simulated from its documentation.
//!
//! A request goes through the parts that all clouds share ([`crate::cloud`]) → `gateway` (`sign`) → `actions`.
//! Tests and the tryout play the authority: [`TencentCloud::advance`], [`TencentCloud::issue`],
//! [`TencentCloud::reject`] and their like in `moves`, and [`TencentCloud::set`] for everything else.
//!
//! It is strict: what the documents do not allow is refused. A comment that starts with "Inferred:" marks what they
//! leave open and this simulator had to decide. Error messages are English, whatever `X-TC-Language` asks for.

mod actions;
mod certificate;
mod error;
mod faults;
mod gateway;
mod lifecycle;
mod moves;
mod product;
mod profile;
mod review;
mod service;
mod sign;
mod state;
mod submission;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::service::Tencent;
pub use self::{
    certificate::{Certificate, DomainAuth, Finding, Status, Successors},
    error::Refusal,
    product::Product,
    profile::{Company, Manager, ManagerLevel},
    review::{MOST_PROFILES, Review, TooManyProfiles},
    state::Account,
    submission::Submission,
};
use crate::cloud::{self, params};
pub use crate::cloud::{Coverage, IssueError, Issued, Level, Pace, RequestBody, UnknownCertificate};

/// A line of the ledger.
pub type Call = cloud::Call<Account>;
/// A rule by which calls fail.
///
/// ```
/// # use certorder_sim::tencent::Fault;
/// // The second submission of this certificate is stored, but its reply never arrives.
/// let fault = Fault::reply_lost().action("CertificateInfoSubmit").certificate("J2lX2maH").after(1);
/// ```
pub type Fault = cloud::Fault<Refusal>;
/// Why the authority cannot do something with a certificate.
pub type MoveError = cloud::MoveError<Status>;

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

/// The simulated cloud, serving on a loopback port until its last clone is dropped.
///
/// A certificate is bought in the status 5, or 13 if it is free.
pub type TencentCloud = cloud::Simulated<Tencent>;

impl TencentCloud {
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
}
