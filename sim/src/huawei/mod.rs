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

use std::time::Duration;

use jiff::Timestamp;

pub use self::{
    certificate::{Certificate, DomainAuth, Status},
    error::Refusal,
    product::Product,
    state::Account,
    submission::Submission,
};
use self::{service::Scm, state::AuthToken};
use crate::cloud;
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

/// The simulated cloud, serving on a loopback port until its last clone is dropped. The API is below `/v3/scm`.
///
/// A certificate is bought in the status `PAID`. The API refuses ids that do not have 16 letters and digits.
pub type HuaweiCloud = cloud::Simulated<Scm>;

impl HuaweiCloud {
    /// Gives an account a token of IAM, which is sent as `X-Auth-Token` in place of a signature.
    pub fn add_auth_token(&self, account: &Account, token: &str, expires: Timestamp) {
        let entry = AuthToken { account: account.clone(), expires };
        self.cloud.world().state.auth_tokens.insert(token.to_owned(), entry);
    }
}
