//! One call of an action.

use jiff::Timestamp;

use super::{
    account::Account,
    certificate::Certificate,
    error::Refusal,
    options::{Options, Site},
    state::State,
};
use crate::cloud::params::Params;

/// One call of an action, with all that it may see and change.
pub(super) struct Invocation<'a> {
    pub(super) state: &'a mut State,
    pub(super) options: &'a Options,
    pub(super) account: &'a Account,
    pub(super) params: &'a Params,
    pub(super) now: Timestamp,
}

impl Invocation<'_> {
    /// The certificate that a parameter names, if it is this account's.
    pub(super) fn certificate(&self, parameter: &str) -> Result<&Certificate, Refusal> {
        let id = self.params.text(parameter).unwrap_or_default();
        self.state.owned(self.account, id).ok_or_else(Refusal::certificate_not_found)
    }

    /// The same, to change it.
    pub(super) fn certificate_mut(&mut self, parameter: &str) -> Result<&mut Certificate, Refusal> {
        let id = self.params.text(parameter).unwrap_or_default();
        self.state.owned_mut(self.account, id).ok_or_else(Refusal::certificate_not_found)
    }

    /// Counts that an answer showed these certificates.
    pub(super) fn count_reads(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(certificate) = self.state.certificates.get_mut(id) {
                certificate.links.count_read();
            }
        }
    }

    /// Whether this is the site in China.
    pub(super) fn in_china(&self) -> bool {
        self.options.site == Site::China
    }

    /// Refuses an account whose owner did not pass the identity check.
    pub(super) fn check_identity(&self) -> Result<(), Refusal> {
        let holdings = self.state.holdings.get(self.account);
        if holdings.is_some_and(|holdings| holdings.identity_unverified) {
            let message = "You have not completed the identity verification.";
            return Err(Refusal::new("FailedOperation.NoRealNameAuth", message));
        }
        Ok(())
    }

    /// Adds a line to the account's operation log.
    pub(super) fn log(&mut self, certificate_id: &str, action: &'static str, kind: &'static str) {
        self.state.record(self.account, certificate_id, action, kind, self.now);
    }
}
