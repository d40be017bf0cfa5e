//! How an order moves: sent, reviewed, validated, issued or cancelled. Nothing here runs by itself.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{
    UnknownCertificate,
    ca::{self, Authority, Leaf},
    certificate::{Certificate, DomainAuth, Finding, Issued, Status, progress},
    csr::Csr,
    product::Level,
    submission::Submission,
};

/// Why the authority could not issue a certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is no such certificate.
    #[error(transparent)]
    Unknown(#[from] UnknownCertificate),
    /// Nothing was submitted for it.
    #[error("certificate {0} has no stored information; call CertificateInfoSubmit first")]
    NothingSubmitted(String),
    /// Its CSR does not hold a usable key.
    #[error("the stored CSR is not usable: {0}")]
    Csr(&'static str),
    /// A key or signature could not be made.
    #[error("the simulated authority could not sign")]
    Sign(#[from] rcgen::Error),
}

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
        self.issued = Some(issued);
        self.status = Status::ISSUED;
        self.status_message.clear();
    }

    /// Signs what was submitted: with the caller's key behind a CSR, or with a key that the cloud makes.
    pub(super) fn sign(&self, authority: &Authority, now: Timestamp) -> Result<Issued, IssueError> {
        let submission =
            self.submission.as_ref().ok_or_else(|| IssueError::NothingSubmitted(self.id.clone()))?;
        let not_after =
            now.checked_add(SignedDuration::from_hours(24 * ca::VALID_DAYS)).unwrap_or(Timestamp::MAX);
        let names = submission.names();
        let organization = (!self.product.is_dv()).then(|| submission.organization()).flatten();
        let leaf = Leaf { names: &names, organization, not_before: now, not_after };
        let (leaf, private_key) = match submission.text("Csr") {
            Some(csr) if submission.text("GenCsrType") == Some("parse") => {
                let csr = Csr::parse(csr).map_err(IssueError::Csr)?;
                (authority.sign(&leaf, &rcgen::SubjectPublicKeyInfo::from_der(&csr.public_key)?)?, None)
            }
            _ => {
                let wanted = |name| submission.text(name).unwrap_or_default();
                let key = ca::make_key(wanted("CsrEncryptAlgo"), wanted("CsrKeyParameter"))?;
                (authority.sign(&leaf, &key)?, Some(SecretString::from(key.serialize_pem())))
            }
        };
        let intermediate = authority.intermediate().to_owned();
        Ok(Issued { leaf, intermediate, private_key, not_before: now, not_after })
    }
}

impl Issued {
    /// The leaf, then the intermediate, PEM.
    pub(super) fn chain(&self) -> String {
        [self.leaf.as_str(), &self.intermediate].map(|pem| format!("{}\n", pem.trim_end())).concat()
    }

    /// The private key, PEM, where the cloud made it.
    #[must_use]
    pub fn private_key_pem(&self) -> Option<&str> {
        self.private_key.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// The proof that the authority wants for one name.
///
/// Inferred: the names of records and files. The registered domain is taken to be the last two labels.
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
    let start = host.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
    let (prefix, domain) = host.split_at_checked(start).unwrap_or(("", host));
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
