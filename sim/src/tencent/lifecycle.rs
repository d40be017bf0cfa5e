//! How an order moves: sent, reviewed, validated, issued or cancelled. Nothing here runs by itself.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{
    certificate::{Certificate, DomainAuth, Finding, Status, progress},
    options::{Options, ReissuedEnd},
    submission::Submission,
};
use crate::cloud::{
    IssueError, Issued, Level,
    ca::{Authority, KeyKind},
    issue::{KeySource, Wanted},
    names::split_registered,
};

impl Certificate {
    /// Sends the stored information to the authority. Returns whether its review comes first (`IsAudited`).
    pub(super) fn order(&mut self, order_id: String, verify_type: &str, now: Timestamp) -> bool {
        // Inferred: where the review starts, and that an approved manager spares its first part.
        let needs_review = !self.product.is_dv() && !self.has_approved_manager();
        let first_step = match self.product.level {
            Level::Dv => progress::PENDING_DCV,
            _ if needs_review => progress::PRE_REVIEWING,
            _ => progress::CA_REVIEWING,
        };
        first_step.clone_into(&mut self.status_message);
        let wants_letter = self.wants_letter && !self.product.is_dv();
        self.status = if wants_letter { Status::AWAITING_LETTER } else { Status::UNDER_REVIEW };
        // Inferred: the days for OV and EV; for DV the documents speak of about three.
        let days = if self.product.is_dv() { 3 } else { 30 };
        self.validation_deadline = now.checked_add(SignedDuration::from_hours(24 * days)).ok();
        self.validation_passed = None;
        self.auths = self.names().iter().map(|name| auth(&order_id, name, verify_type)).collect();
        if let Some(submission) = &mut self.submission {
            submission.set_verify_type(verify_type);
        }
        self.order_id = Some(order_id);
        self.ordered_at = Some(now);
        needs_review
    }

    fn has_approved_manager(&self) -> bool {
        let level = if self.product.level == Level::Ev { "ev" } else { "ov" };
        let manager = self.submission.as_ref().and_then(Submission::manager);
        manager.is_some_and(|manager| manager.is_approved_for(level))
    }

    /// Moves one step on, short of issuing. Returns whether the next step is to issue.
    ///
    /// Inferred: the order of the steps of a review.
    pub(super) fn step(&mut self, now: Timestamp) -> bool {
        match self.status {
            Status::DNS_ADDED => self.pass_validation(now),
            Status::CANCELLING => self.status = Status::CANCELLED,
            Status::REISSUING if self.reissue_runs() => return self.review_reissue(now),
            Status::REVOKING => self.end_revocation(now),
            Status::UNDER_REVIEW => match self.status_message.as_str() {
                progress::PRE_REVIEWING => progress::LEGAL_REVIEWING.clone_into(&mut self.status_message),
                progress::LEGAL_REVIEWING => progress::CA_REVIEWING.clone_into(&mut self.status_message),
                progress::CA_REVIEWING => progress::PENDING_DCV.clone_into(&mut self.status_message),
                progress::PENDING_DCV => self.pass_validation(now),
                _ => return true,
            },
            _ => {}
        }
        false
    }

    /// Begins the review of a reissue. Returns whether the next step is to issue.
    ///
    /// Inferred: that the organisation is not reviewed again, and that a letter is wanted where the first order wanted one.
    pub(super) fn review_reissue(&mut self, now: Timestamp) -> bool {
        let Some(run) = self.reissue.clone() else { return false };
        if !run.wants_proof {
            self.status = Status::UNDER_REVIEW;
            progress::WAIT_ISSUE.clone_into(&mut self.status_message);
            return true;
        }
        let order_id = self.order_id.clone().unwrap_or_default();
        self.order(order_id, &run.verify_type, now);
        self.validation_deadline = now.checked_add(SignedDuration::from_hours(24 * 3)).ok();
        if self.status == Status::UNDER_REVIEW {
            progress::PENDING_DCV.clone_into(&mut self.status_message);
            // Inferred: the zone is at this cloud, and healthy.
            if run.verify_type == "DNS_AUTO" {
                self.status = Status::DNS_ADDED;
            }
        }
        false
    }

    fn pass_validation(&mut self, now: Timestamp) {
        for auth in &mut self.auths {
            auth.finding = Finding::Proof;
            auth.seen = true;
        }
        self.validation_passed = Some(now);
        self.status = Status::UNDER_REVIEW;
        progress::WAIT_ISSUE.clone_into(&mut self.status_message);
    }

    /// Inferred: that the proofs of a revocation look like those of an order.
    pub(super) fn ask_for_revocation_proof(&mut self) {
        if self.revocation.wants_proof {
            let number = format!("{} revoked", self.order_id.as_deref().unwrap_or_default());
            self.revocation.auths = self.names().iter().map(|name| auth(&number, name, "DNS")).collect();
        }
    }

    pub(super) fn end_revocation(&mut self, now: Timestamp) {
        self.status = Status::REVOKED;
        self.revoked_at = Some(now);
    }

    /// Puts what the authority delivered into place.
    pub(super) fn deliver(&mut self, issued: Issued) {
        self.term.began.get_or_insert(issued.not_before);
        self.links.back.once_issued = false;
        self.issued = Some(issued);
        self.status = Status::ISSUED;
        self.status_message.clear();
    }

    /// Signs what was submitted: with the caller's key behind a CSR, or with a key that the cloud makes. SM2 is not
    /// simulated: what is handed over for such a product is a certificate of another kind.
    pub(super) fn sign(
        &self,
        authority: &Authority,
        options: &Options,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        let submission =
            self.submission.as_ref().ok_or_else(|| IssueError::NothingSubmitted(self.id.clone()))?;
        let organization = (!self.product.is_dv()).then(|| submission.organization()).flatten();
        let own = submission.text("Csr").filter(|_| submission.text("GenCsrType") == Some("parse"));
        let kept = self.reissue.as_ref().and_then(|run| run.kept_key.as_ref());
        let key = match (kept, own) {
            (Some(key), _) => KeySource::Kept(key),
            (None, Some(csr)) => KeySource::Csr(csr),
            (None, None) => KeySource::Made(key_kind(submission)),
        };
        let (names, ends) = (submission.names(), self.leaf_ends(options, now));
        authority.issue(&Wanted { names: &names, organization, key, shape: self.shape, ends }, now)
    }

    /// Inferred: that a leaf is never longer than the paid term. One that is issued after it is as long as any.
    fn leaf_ends(&self, options: &Options, now: Timestamp) -> Timestamp {
        let longest = options.life.end(now);
        let bound = match &self.reissue {
            Some(run) if options.reissue.end == ReissuedEnd::SameAsOld => Some(run.ends_with),
            _ => self.term.ends(),
        };
        bound.filter(|bound| *bound > now).map_or(longest, |bound| bound.min(longest))
    }

    /// Ends its validity once its leaf is over.
    pub(super) fn expire_by(&mut self, now: Timestamp) {
        if self.ends().is_some_and(|ends| ends <= now) {
            self.status = Status::EXPIRED;
        }
    }
}

/// The kind of key that `CsrEncryptAlgo` and `CsrKeyParameter` name.
fn key_kind(submission: &Submission) -> KeyKind {
    match (submission.text("CsrEncryptAlgo"), submission.text("CsrKeyParameter")) {
        (Some("ECC"), Some("secp384r1")) => KeyKind::P384,
        (Some("ECC"), _) => KeyKind::P256,
        (_, Some("4096")) => KeyKind::Rsa4096,
        _ => KeyKind::Rsa2048,
    }
}

/// The proof that the authority wants for one name.
///
/// Inferred: the names of records and files.
fn auth(order_id: &str, name: &str, verify_type: &str) -> DomainAuth {
    let host = name.strip_prefix("*.").unwrap_or(name);
    let value = hex::encode(Sha256::digest(format!("{order_id} {host}"))).chars().take(40).collect();
    let name = name.to_owned();
    if verify_type == "FILE" {
        return DomainAuth {
            name,
            domain: host.to_owned(),
            key: "fileauth.txt".to_owned(),
            value,
            path: "/.well-known/pki-validation/".to_owned(),
            sub_domain: String::new(),
            kind: "FILE".to_owned(),
            finding: Finding::Missing,
            seen: false,
        };
    }
    let (prefix, domain) = split_registered(host);
    DomainAuth {
        name,
        domain: domain.to_owned(),
        key: format!("_dnsauth.{host}"),
        value,
        path: String::new(),
        sub_domain: format!("_dnsauth.{prefix}").trim_end_matches('.').to_owned(),
        kind: "TXT".to_owned(),
        finding: Finding::Missing,
        seen: false,
    }
}
