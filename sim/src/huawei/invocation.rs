//! One call of an action.

use jiff::Timestamp;

use super::{account::Account, certificate::Certificate, error::Refusal, options::Options, state::State};
use crate::cloud::params::Params;

/// One call of an action, with all that it may see and change.
pub(super) struct Invocation<'a> {
    pub(super) state: &'a mut State,
    pub(super) options: &'a Options,
    pub(super) account: &'a Account,
    /// The certificate in the path; empty for an action without one.
    pub(super) certificate_id: &'a str,
    pub(super) params: &'a Params,
    pub(super) query: &'a [(String, String)],
    pub(super) now: Timestamp,
}

impl Invocation<'_> {
    /// The certificate in the path, if it is this account's.
    ///
    /// Inferred: which code each case gets, and the statuses.
    pub(super) fn certificate(&self) -> Result<&Certificate, Refusal> {
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
    pub(super) fn certificate_mut(&mut self) -> Result<&mut Certificate, Refusal> {
        self.certificate()?;
        // Only a certificate that was just found gets here.
        self.state.certificates.get_mut(self.certificate_id).ok_or_else(Refusal::not_allowed)
    }

    /// A value of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
