//! The authority's side of an application, and the console's, which tests and the tryout play. Nothing here leaves a
//! line in the ledger.

use jiff::Timestamp;

use super::{
    certificate::{Certificate, Status},
    simulated::{HuaweiCloud, MoveError},
};
use crate::cloud::{IssueError, UnknownCertificate};

impl HuaweiCloud {
    /// Moves a running application one step on: through domain validation (its proofs count as found), the
    /// organisation's review, and at last to the issued certificate; a withdrawal or revocation to its end. Other
    /// states stay as they are.
    pub fn advance(&self, certificate_id: &str) -> Result<Status, IssueError> {
        let now = self.cloud.world().now();
        let options = &self.cloud.options;
        let issue_next = self.set(certificate_id, |certificate| certificate.step(options, now))?;
        if issue_next {
            self.issue(certificate_id)?;
        }
        Ok(self.certificate(certificate_id)?.status)
    }

    /// Lets the authority refuse a running application, for a reason that the API does not show.
    pub fn reject(&self, certificate_id: &str, message: &str) -> Result<(), MoveError> {
        self.set(certificate_id, |certificate| {
            if !certificate.status.is_running() && !certificate.renews_in_place() {
                return Err(MoveError::WrongStatus(certificate_id.to_owned(), certificate.status));
            }
            certificate.refuse(message);
            Ok(())
        })?
    }

    /// Lets the authority find the proof of one name; with the last one domain validation is passed.
    pub fn validate_domain(&self, certificate_id: &str, name: &str) -> Result<(), MoveError> {
        let now = self.cloud.world().now();
        let no_such_name = || MoveError::NoSuchName(certificate_id.to_owned(), name.to_owned());
        self.set(certificate_id, |certificate| {
            let auth = certificate.auths.iter_mut().find(|auth| auth.name == name && !auth.seen);
            auth.ok_or_else(no_such_name)?.seen = true;
            if certificate.auths.iter().all(|auth| auth.seen) {
                certificate.pass_validation(now);
            }
            Ok(())
        })?
    }

    /// Lets the authority find the proofs of all names.
    pub fn pass_validation(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_pending = |status| matches!(status, Status::CHECKING | Status::CHECKING_DOMAIN);
        self.shift(certificate_id, is_pending, Certificate::pass_validation)
    }

    /// Lets the authority confirm the organisation.
    pub fn pass_organization(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_pending = |status| status == Status::CHECKING_ORG;
        self.shift(certificate_id, is_pending, |certificate, _| certificate.status = Status::ISSUING)
    }

    /// Lets the authority confirm a withdrawal.
    pub fn finish_cancel(&self, certificate_id: &str) -> Result<(), MoveError> {
        let options = &self.cloud.options;
        let is_ending = |status| matches!(status, Status::CANCELCHECKING | Status::CANCELSUPPLEMENTING);
        self.shift(certificate_id, is_ending, |certificate, _| certificate.end_withdrawal(options))
    }

    /// Revokes an issued certificate in the console. This API has no call for it.
    pub fn revoke(&self, certificate_id: &str, reason: &str) -> Result<(), MoveError> {
        self.shift(certificate_id, is_issued, |certificate, _| {
            certificate.status = Status::REVOKING;
            reason.clone_into(&mut certificate.revoke_reason);
        })
    }

    /// Takes a revocation that runs back, in the console.
    pub fn cancel_revocation(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_revoking = |status| status == Status::REVOKING;
        self.shift(certificate_id, is_revoking, |certificate, _| certificate.status = Status::CANCLEREVOKING)
    }

    /// Lets the authority revoke.
    pub fn finish_revocation(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_revoking = |status| status == Status::REVOKING;
        self.shift(certificate_id, is_revoking, |certificate, _| certificate.status = Status::REVOKED)
    }

    /// Adds domains to an issued certificate in the console. This API has no call for it.
    pub fn supplement(&self, certificate_id: &str) -> Result<(), MoveError> {
        self.shift(certificate_id, is_issued, |certificate, _| {
            certificate.status = Status::SUPPLEMENTCHECKING;
        })
    }

    /// Ends the validity of an issued certificate now, as far as the cloud tells: the leaf is signed and stays valid.
    pub fn expire(&self, certificate_id: &str) -> Result<(), MoveError> {
        self.shift(certificate_id, is_issued, |certificate, now| {
            certificate.status = Status::EXPIRED;
            if let Some(issued) = &mut certificate.issued {
                issued.not_after = now;
            }
        })
    }

    /// Gives a certificate back in the console: the cloud does not know it any more.
    pub fn unsubscribe(&self, certificate_id: &str) -> Result<(), UnknownCertificate> {
        let removed = self.cloud.world().state.certificates.remove(certificate_id);
        removed.map(drop).ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))
    }

    fn shift(
        &self,
        certificate_id: &str,
        is_possible_in: impl FnOnce(Status) -> bool,
        change: impl FnOnce(&mut Certificate, Timestamp),
    ) -> Result<(), MoveError> {
        self.cloud.shift(certificate_id, |certificate| certificate.status, is_possible_in, change)
    }
}

fn is_issued(status: Status) -> bool {
    status == Status::ISSUED
}
