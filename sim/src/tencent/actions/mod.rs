//! The actions, one file each: what it takes, when it refuses, what it does.

mod audit;
mod certificate_info_submit;
mod certificate_order_submit;
mod check_domain_verification;
mod describe_certificate;
mod describe_certificate_detail;
mod describe_certificates;
mod download_certificate;
mod letter;
mod operate_logs;
mod page;
mod profiles;
mod revoke;

use super::{
    certificate::Certificate,
    error::Refusal,
    gateway::{Answer, Invocation},
    params::Param,
};

/// One action of the service.
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    pub(super) run: fn(&mut Invocation<'_>) -> Result<Answer, Refusal>,
}

/// Every action that this cloud knows; any other answers `InvalidAction`.
pub(super) const ALL: &[Action] = &[
    audit::CANCEL,
    audit::RESUBMIT,
    certificate_info_submit::ACTION,
    certificate_order_submit::ACTION,
    check_domain_verification::ACTION,
    describe_certificate::ACTION,
    describe_certificate_detail::ACTION,
    describe_certificates::ACTION,
    download_certificate::ACTION,
    letter::ACTION,
    operate_logs::ACTION,
    profiles::COMPANIES,
    profiles::MANAGERS,
    revoke::ACTION,
];

impl Invocation<'_> {
    /// The certificate that a parameter names, if it is this account's.
    fn certificate(&self, parameter: &str) -> Result<&Certificate, Refusal> {
        let id = self.params.text(parameter).unwrap_or_default();
        self.state.owned(self.account, id).ok_or_else(Refusal::certificate_not_found)
    }

    /// The same, to change it.
    fn certificate_mut(&mut self, parameter: &str) -> Result<&mut Certificate, Refusal> {
        let id = self.params.text(parameter).unwrap_or_default();
        self.state.owned_mut(self.account, id).ok_or_else(Refusal::certificate_not_found)
    }

    /// Refuses an account whose owner did not pass the identity check.
    fn check_identity(&self) -> Result<(), Refusal> {
        let holdings = self.state.holdings.get(self.account);
        if holdings.is_some_and(|holdings| holdings.identity_unverified) {
            let message = "You have not completed the identity verification.";
            return Err(Refusal::new("FailedOperation.NoRealNameAuth", message));
        }
        Ok(())
    }

    /// Adds a line to the account's operation log.
    fn log(&mut self, certificate_id: &str, action: &'static str, kind: &'static str) {
        self.state.record(self.account, certificate_id, action, kind, self.now);
    }
}
