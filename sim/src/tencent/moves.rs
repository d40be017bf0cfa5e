//! The authority's side of an order, which tests and the tryout play. Nothing here leaves a line in the ledger.

use jiff::Timestamp;

use super::{
    certificate::{Certificate, Finding, Status, progress},
    chain, reissue,
    simulated::{MoveError, TencentCloud},
    state::{CA_EVENT, State},
    succession::Way,
};
use crate::cloud::{IssueError, UnknownCertificate};

impl TencentCloud {
    /// Moves a running order one step on: through its review, domain validation (its proofs count as found), and at
    /// last to the issued certificate; a cancellation or revocation to its end. Other states stay as they are.
    pub fn advance(&self, certificate_id: &str) -> Result<Status, IssueError> {
        let now = self.cloud.world().now();
        let was_validated = self.certificate(certificate_id)?.validation_passed;
        let issue_next = self.set(certificate_id, |certificate| certificate.step(now))?;
        if issue_next {
            self.issue(certificate_id)?;
        }
        let certificate = self.certificate(certificate_id)?;
        if certificate.validation_passed != was_validated {
            self.record(&certificate, "domainValidationPassed", now);
        }
        Ok(certificate.status)
    }

    /// Lets a running review fail, for a reason in words (`StatusMsg`).
    pub fn reject(&self, certificate_id: &str, message: &str) -> Result<(), MoveError> {
        self.set(certificate_id, |certificate| {
            if !certificate.is_reviewed() {
                return Err(MoveError::WrongStatus(certificate_id.to_owned(), certificate.status));
            }
            certificate.status = Status::REVIEW_FAILED;
            message.clone_into(&mut certificate.status_message);
            Ok(())
        })?
    }

    /// Sets what a look for the proof of one name finds, and whether the authority has seen the proof.
    pub fn set_finding(
        &self,
        certificate_id: &str,
        name: &str,
        finding: Finding,
        seen: bool,
    ) -> Result<(), MoveError> {
        let no_such_name = || MoveError::NoSuchName(certificate_id.to_owned(), name.to_owned());
        self.set(certificate_id, |certificate| {
            let auth =
                certificate.auths.iter_mut().find(|auth| auth.name == name).ok_or_else(no_such_name)?;
            (auth.finding, auth.seen) = (finding, seen);
            Ok(())
        })?
    }

    /// Lets the authority confirm that a review is stopped.
    pub fn finish_cancel(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_cancelling = |status| status == Status::CANCELLING;
        self.shift(certificate_id, is_cancelling, |certificate, _| certificate.status = Status::CANCELLED)
    }

    /// Lets the authority ask for a letter before it revokes.
    pub fn want_revocation_letter(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_revoking = |status| status == Status::REVOKING;
        self.shift(certificate_id, is_revoking, |certificate, _| {
            certificate.status = Status::AWAITING_REVOCATION_LETTER;
        })
    }

    /// Lets the authority revoke; where it wants a letter, that has come.
    pub fn finish_revocation(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_revoking = |status| matches!(status, Status::REVOKING | Status::AWAITING_REVOCATION_LETTER);
        self.shift(certificate_id, is_revoking, Certificate::end_revocation)
    }

    /// Reissues an issued certificate, as its owner may in the console: a new one with the same information, which only
    /// waits to be issued. [`TencentCloud::make_successor`] does the same by all the rules of [`Options::reissue`].
    ///
    /// [`Options::reissue`]: super::Options::reissue
    pub fn reissue(&self, certificate_id: &str, new_id: &str) -> Result<(), MoveError> {
        let options = &self.cloud.options;
        let mut world = self.cloud.world();
        let now = world.now();
        let old = find(&world.state, certificate_id)?;
        if old.status != Status::ISSUED {
            return Err(MoveError::WrongStatus(certificate_id.to_owned(), old.status));
        }
        let mut new = reissue::successor(old, new_id, &reissue::Request::unchanged(), options, now);
        new.order_id.clone_from(&old.order_id);
        new.status = Status::UNDER_REVIEW;
        progress::WAIT_ISSUE.clone_into(&mut new.status_message);
        chain::join(&mut world.state, new, Way::Reissue, &options.reissue.links);
        Ok(())
    }

    /// Ends the validity of an issued certificate now, as far as the cloud tells: the leaf is signed and stays valid.
    pub fn expire(&self, certificate_id: &str) -> Result<(), MoveError> {
        let is_issued = |status| status == Status::ISSUED;
        self.shift(certificate_id, is_issued, |certificate, now| {
            certificate.status = Status::EXPIRED;
            if let Some(issued) = &mut certificate.issued {
                issued.not_after = now;
            }
        })
    }

    fn shift(
        &self,
        certificate_id: &str,
        is_possible_in: impl FnOnce(Status) -> bool,
        change: impl FnOnce(&mut Certificate, Timestamp),
    ) -> Result<(), MoveError> {
        self.cloud.shift(certificate_id, |certificate| certificate.status, is_possible_in, change)
    }

    /// Adds a line to the operation log that no call of the account caused.
    fn record(&self, certificate: &Certificate, kind: &'static str, now: Timestamp) {
        self.cloud.world().state.record(&certificate.owner, &certificate.id, CA_EVENT, kind, now);
    }
}

fn find<'a>(state: &'a State, certificate_id: &str) -> Result<&'a Certificate, UnknownCertificate> {
    state.certificates.get(certificate_id).ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))
}
