//! The actions, one file each: what it takes, when it refuses, what it does.

mod apply;
mod cancel_cert;
mod export;
mod list;
mod show;

use super::{
    certificate::Certificate,
    error::Refusal,
    gateway::{Answer, Invocation},
};
use crate::cloud::params::Param;

/// One action of the service.
pub(super) struct Action {
    /// Its name in the ledger.
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// Its path, with [`ID`] where the certificate stands.
    pub(super) path: &'static str,
    /// The keys that its query may have.
    pub(super) query: &'static [&'static str],
    /// What its body may have; without any it takes no body.
    pub(super) params: &'static [Param],
    pub(super) run: fn(&mut Invocation<'_>) -> Result<Answer, Refusal>,
}

/// Stands for the certificate in a path.
pub(super) const ID: &str = "{certificate_id}";

/// Every action that this cloud knows.
pub(super) static ALL: [Action; 5] =
    [apply::ACTION, cancel_cert::ACTION, export::ACTION, list::ACTION, show::ACTION];

impl Invocation<'_> {
    /// The certificate in the path, if it is this account's.
    ///
    /// Inferred: which code each case gets, and the statuses.
    fn certificate(&self) -> Result<&Certificate, Refusal> {
        let id = self.certificate_id;
        if id.len() != 16 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Refusal::scm("SCM.0008", "The certificate ID format is incorrect."));
        }
        let unknown = || {
            let status = self.options.unknown_certificate_status;
            Refusal::new(status, "SCM.0020", "The certificate ID is incorrect.")
        };
        let certificate = self.state.certificates.get(id).ok_or_else(unknown)?;
        if certificate.owner == *self.account {
            return Ok(certificate);
        }
        Err(Refusal::new(403, "SCM.0003", "You do not have the permission to perform this operation."))
    }

    /// The same, to change it.
    fn certificate_mut(&mut self) -> Result<&mut Certificate, Refusal> {
        self.certificate()?;
        // Only a certificate that was just found gets here.
        self.state.certificates.get_mut(self.certificate_id).ok_or_else(Refusal::not_allowed)
    }

    /// A value of the query.
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
