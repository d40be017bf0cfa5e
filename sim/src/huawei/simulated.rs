//! The handle of this cloud, and the types that it has in common with other clouds.

use jiff::Timestamp;

use super::{account::Account, certificate::Status, error::Refusal, platform::Scm, state::AuthToken};
use crate::cloud;

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
