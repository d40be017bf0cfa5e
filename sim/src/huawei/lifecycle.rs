//! How an application moves: filed, validated, reviewed, issued, refused or withdrawn.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{
    certificate::{Certificate, DomainAuth, InPlace, Status},
    options::Options,
    submission::Submission,
};
use crate::cloud::{
    IssueError, Issued,
    ca::{Authority, KeyKind},
    csr::Csr,
    issue::{KeySource, Wanted},
};

impl Certificate {
    /// Files an application and sends it to the authority.
    pub(super) fn apply(&mut self, submission: Submission, status: Status, now: Timestamp) {
        self.applications += 1;
        self.applied_at = Some(now);
        self.validation_passed = None;
        self.refusal_reason.clear();
        // Inferred: where no DNS record is wanted, there is nothing to list.
        let names = if submission.method() == "DNS" { submission.names() } else { Vec::new() };
        let seed = format!("{} {}", self.id, self.applications);
        self.auths = names.into_iter().map(|name| auth(&seed, name)).collect();
        self.submission = Some(submission);
        self.status = status;
    }

    /// Asks the authority to stop what is running. Returns whether there was something to stop.
    ///
    /// Inferred: that an order which is about to be issued cannot be stopped; the documents name the waits for domain
    /// and organisation, and the addition of domains.
    pub(super) fn withdraw(&mut self, now: Timestamp) -> bool {
        self.status = match self.status {
            Status::CHECKING | Status::CHECKING_DOMAIN | Status::CHECKING_ORG => Status::CANCELCHECKING,
            Status::SUPPLEMENTCHECKING => Status::CANCELSUPPLEMENTING,
            _ => return false,
        };
        self.withdrawal_asked_at = Some(now);
        true
    }

    /// Lets a withdrawal end whose time has come.
    pub(super) fn settle(&mut self, options: &Options, now: Timestamp) {
        let (Some(asked), Some(takes)) = (self.withdrawal_asked_at, options.withdrawal_takes) else { return };
        let takes = SignedDuration::try_from(takes).unwrap_or(SignedDuration::MAX);
        if now.duration_since(asked) >= takes {
            self.end_withdrawal(options);
        }
    }

    /// The certificate can be applied for again, or holds the names that it had.
    pub(super) fn end_withdrawal(&mut self, options: &Options) {
        self.withdrawal_asked_at = None;
        match self.status {
            Status::CANCELCHECKING => {
                self.status = Status::PAID;
                self.auths.clear();
                if !options.withdrawal_keeps_application {
                    self.submission = None;
                }
            }
            Status::CANCELSUPPLEMENTING => self.status = Status::ISSUED,
            // The authority was faster.
            _ => {}
        }
    }

    /// Moves one step on, short of issuing. Returns whether the next step is to issue.
    pub(super) fn step(&mut self, options: &Options, now: Timestamp) -> bool {
        match self.status {
            _ if self.renews_in_place() => return self.validate_in_place(now),
            Status::CHECKING | Status::CHECKING_DOMAIN if self.validation_passed.is_none() => {
                self.pass_validation(now);
            }
            Status::CHECKING | Status::CHECKING_DOMAIN | Status::CHECKING_ORG => {
                self.status = Status::ISSUING;
            }
            Status::ISSUING => return true,
            Status::CANCELCHECKING | Status::CANCELSUPPLEMENTING => self.end_withdrawal(options),
            Status::SUPPLEMENTCHECKING | Status::CANCLEREVOKING => self.status = Status::ISSUED,
            Status::REVOKING => self.status = Status::REVOKED,
            _ => {}
        }
        false
    }

    /// Moves the next leaf of the same id one step on. Returns whether the next step is to issue.
    fn validate_in_place(&mut self, now: Timestamp) -> bool {
        let was_validated = self.validation_passed.is_some();
        self.auths.iter_mut().for_each(|auth| auth.seen = true);
        self.validation_passed = Some(now);
        was_validated
    }

    /// The authority has found all proofs: the organisation is next, where there is one to vet.
    pub(super) fn pass_validation(&mut self, now: Timestamp) {
        if self.lacks_primary_domain() {
            self.refuse("review failed: primary domain empty");
            return;
        }
        self.auths.iter_mut().for_each(|auth| auth.seen = true);
        self.validation_passed = Some(now);
        self.status = if self.product.is_dv() { Status::ISSUING } else { Status::CHECKING_ORG };
    }

    /// A CSR without a common name is taken, and refused by the authority later.
    fn lacks_primary_domain(&self) -> bool {
        let csr = self.submission.as_ref().and_then(|submission| submission.text("csr"));
        csr.is_some_and(|csr| Csr::parse(csr).is_ok_and(|csr| csr.common_name.is_none()))
    }

    /// The authority refuses. What was filed stays to be read.
    pub(super) fn refuse(&mut self, reason: &str) {
        reason.clone_into(&mut self.refusal_reason);
        self.auths.clear();
        // Inferred: that the old leaf stays what it was.
        if self.renews_in_place() {
            self.in_place = Some(InPlace::Refused);
        } else {
            self.status = Status::UNPASSED;
            self.in_place = None;
        }
    }

    /// Puts what the authority delivered into place.
    pub(super) fn deliver(&mut self, issued: Issued) {
        self.term.began.get_or_insert(issued.not_before);
        self.in_place = None;
        self.issued = Some(issued);
        self.status = Status::ISSUED;
        self.auths.clear();
        self.withdrawal_asked_at = None;
    }

    /// Inferred: that a leaf is never longer than the paid term, and has no days of the one before it. One that is issued
    /// after the term is as long as any.
    fn leaf_ends(&self, options: &Options, now: Timestamp) -> Timestamp {
        let longest = options.life.end(now);
        self.term.ends().filter(|term| *term > now).map_or(longest, |term| term.min(longest))
    }

    /// Ends its validity once its leaf is over.
    pub(super) fn expire_by(&mut self, now: Timestamp) {
        if self.ends().is_some_and(|ends| ends <= now) {
            self.status = Status::EXPIRED;
        }
    }

    /// Signs what was filed: with the caller's key behind a CSR, or with a key that the cloud makes.
    pub(super) fn sign(
        &self,
        authority: &Authority,
        options: &Options,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        let filed = self.submission.as_ref();
        let submission = filed.ok_or_else(|| IssueError::NothingSubmitted(self.id.clone()))?;
        let organization = submission.text("company_name").filter(|_| !self.product.is_dv());
        let key =
            submission.text("csr").map_or_else(|| KeySource::Made(key_kind(submission)), KeySource::Csr);
        let (names, ends) = (submission.names(), self.leaf_ends(options, now));
        authority.issue(&Wanted { names: &names, organization, key, shape: self.shape, ends }, now)
    }
}

/// The kinds of keys that the cloud makes (`key_algorithm`). It also knows `SM2`, for SM2 products, which is not
/// simulated: what is handed over for one is a certificate of another kind.
pub(super) const KEY_ALGORITHMS: [(&str, KeyKind); 5] = [
    ("RSA_2048", KeyKind::Rsa2048),
    ("RSA_3072", KeyKind::Rsa3072),
    ("RSA_4096", KeyKind::Rsa4096),
    ("EC_P256", KeyKind::P256),
    ("EC_P384", KeyKind::P384),
];

fn key_kind(submission: &Submission) -> KeyKind {
    let wanted = submission.text("key_algorithm").unwrap_or_default();
    let known = KEY_ALGORITHMS.iter().find(|(name, _)| *name == wanted);
    known.map_or(KeyKind::Rsa2048, |(_, kind)| *kind)
}

/// The proof that the authority wants for one name.
///
/// Inferred: that a wildcard is proven at the domain below it, and the form of the value.
fn auth(seed: &str, name: &str) -> DomainAuth {
    let host = name.strip_prefix("*.").unwrap_or(name);
    DomainAuth {
        name: name.to_owned(),
        record_name: format!("_dnsauth.{host}"),
        record_type: "TXT".to_owned(),
        record_value: hex::encode(Sha256::digest(format!("{seed} {host}"))).chars().take(40).collect(),
        seen: false,
    }
}
