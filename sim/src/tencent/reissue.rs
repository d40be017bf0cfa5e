//! A reissue: another certificate for the same order, under an id of its own.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use super::{
    certificate::{Certificate, ReissueRun, Source, Status},
    chain,
    error::Refusal,
    options::{Options, ProofRule, ReissueRules, RevocationRule, Side},
    state::State,
    succession::{Succession, Way},
};
use crate::cloud::{csr::Csr, names::split_registered};

/// What is asked for.
pub(super) struct Request {
    pub(super) verify_type: String,
    pub(super) key: NewKey,
}

/// Which key the new certificate gets.
pub(super) enum NewKey {
    /// That of the old one.
    Original,
    /// The caller's own, behind this CSR.
    Csr(String),
    /// A new one, which the cloud makes.
    Made { algorithm: String, parameter: String },
}

impl Request {
    /// What the console asks for, if its user changes nothing.
    pub(super) fn unchanged() -> Self {
        Self { verify_type: "DNS".to_owned(), key: NewKey::Original }
    }
}

/// Whether the certificate may be reissued.
///
/// Inferred: the order of these checks.
pub(super) fn check(
    state: &State,
    rules: &ReissueRules,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<(), Refusal> {
    if certificate.source == Source::Uploaded {
        let message = "The source of the certificate is incorrect.";
        return Err(Refusal::new("FailedOperation.InvalidCertificateSource", message));
    }
    check_other_runs(state, rules, certificate)?;
    if certificate.status != Status::ISSUED || is_barred(certificate, rules.bar_days, now) {
        return Err(Refusal::wrong_status());
    }
    // Inferred: the code, and that the reissued certificate is not reissued either.
    if certificate.product.is_free() && certificate.reissue.is_some() {
        let message = "A free certificate can be reissued once.";
        return Err(Refusal::new("FailedOperation.ExceedsFreeLimit", message));
    }
    Ok(())
}

/// One run per certificate, and nothing after one that succeeded: the new certificate is the one to reissue.
///
/// Inferred: that a link which a test set stands for a run that succeeded.
fn check_other_runs(state: &State, rules: &ReissueRules, certificate: &Certificate) -> Result<(), Refusal> {
    let mut runs = state.reissues_of(&certificate.id).peekable();
    let by_hand = runs.peek().is_none() && certificate.successors.reissued_to.is_some();
    if by_hand || runs.any(|run| !run.has_failed() || !rules.again_after_failure) {
        let message = "The order has already been replaced.";
        return Err(Refusal::new("FailedOperation.OrderAlreadyReplaced", message));
    }
    let is_in_the_way = |other: &Certificate| {
        let is_theirs = other.reissue_runs() && other.owner == certificate.owner;
        is_theirs && shares_registered_domain(other, certificate)
    };
    if rules.one_per_registered_domain && state.certificates.values().any(is_in_the_way) {
        return Err(Refusal::wrong_status());
    }
    Ok(())
}

fn shares_registered_domain(one: &Certificate, other: &Certificate) -> bool {
    let domains = |certificate: &Certificate| -> Vec<String> {
        let host = |name: &str| name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase();
        certificate.names().into_iter().map(|name| split_registered(&host(name)).1.to_owned()).collect()
    };
    let others = domains(other);
    domains(one).iter().any(|domain| others.contains(domain))
}

/// Whether so many days of the leaf are left, or fewer.
pub(super) fn is_barred(certificate: &Certificate, days: u16, now: Timestamp) -> bool {
    let bar = SignedDuration::from_hours(24 * i64::from(days));
    let left = certificate.issued.as_ref().map(|issued| issued.not_after.duration_since(now));
    days > 0 && left.is_some_and(|left| left <= bar)
}

/// Starts a reissue of a certificate that there is, and returns the id of the new one.
pub(super) fn start(
    state: &mut State,
    old_id: &str,
    request: &Request,
    links: &Succession,
    options: &Options,
    now: Timestamp,
) -> Option<String> {
    let (id, order_id) = (state.new_certificate_id(), state.next_order_id());
    let old = state.certificates.get_mut(old_id)?;
    let mut new = successor(old, &id, request, options, now);
    new.order_id = Some(order_id);
    if options.reissue.shows_11 == Some(Side::Old) {
        old.status = Status::REISSUING;
    }
    if options.reissue.shows_11 == Some(Side::New) {
        new.status = Status::REISSUING;
    } else {
        new.review_reissue(now);
    }
    chain::join(state, new, Way::Reissue, links);
    Some(id)
}

/// The new certificate, of which nothing runs yet.
pub(super) fn successor(
    old: &Certificate,
    id: &str,
    request: &Request,
    options: &Options,
    now: Timestamp,
) -> Certificate {
    let mut new = chain::successor_of(old, id, now);
    new.reissue = Some(ReissueRun {
        ends_with: old.issued.as_ref().map_or(now, |issued| issued.not_after),
        verify_type: request.verify_type.clone(),
        wants_proof: wants_proof(old, request, options.reissue.proof),
        kept_key: kept_key(old, request),
    });
    let fields: &[(&str, &str)] = match &request.key {
        NewKey::Original => &[],
        NewKey::Csr(csr) => &[("GenCsrType", "parse"), ("Csr", csr)],
        NewKey::Made { algorithm, parameter } => {
            &[("GenCsrType", "online"), ("CsrEncryptAlgo", algorithm), ("CsrKeyParameter", parameter)]
        }
    };
    if let Some(submission) = &mut new.submission {
        for (name, value) in fields {
            submission.set(name, Some((*value).into()));
        }
    }
    new
}

fn kept_key(old: &Certificate, request: &Request) -> Option<SecretString> {
    let keeps = matches!(request.key, NewKey::Original);
    old.issued.as_ref().filter(|_| keeps)?.private_key.clone()
}

fn wants_proof(old: &Certificate, request: &Request, rule: ProofRule) -> bool {
    match rule {
        ProofRule::Always => true,
        ProofRule::Never => false,
        ProofRule::NewKey => match &request.key {
            NewKey::Original => false,
            NewKey::Csr(csr) => Csr::parse(csr).ok().map(|csr| csr.public_key) != public_key(old),
            NewKey::Made { .. } => true,
        },
    }
}

/// The key of the leaf: `SubjectPublicKeyInfo`, DER.
fn public_key(certificate: &Certificate) -> Option<Vec<u8>> {
    let pem = pem::parse(&certificate.issued.as_ref()?.leaf).ok()?;
    let (_, leaf) = X509Certificate::from_der(pem.contents()).ok()?;
    Some(leaf.public_key().raw.to_vec())
}

/// Ends what a run does to the old certificate, once it is over.
pub(super) fn settle(state: &mut State, rules: &ReissueRules) {
    let runs = state.certificates.values().filter(|new| new.reissue.is_some());
    let over = runs.filter(|new| !new.reissue_runs());
    let over: Vec<_> =
        over.filter_map(|new| Some((new.id.clone(), new.follows.clone()?, new.has_failed()))).collect();
    for (new_id, old_id, has_failed) in over {
        let still_runs = state.reissues_of(&old_id).any(Certificate::reissue_runs);
        let Some(old) = state.certificates.get_mut(&old_id) else { continue };
        if old.status == Status::REISSUING && old.issued.is_some() && !still_runs {
            old.status = Status::ISSUED;
        }
        let link = &mut old.successors.reissued_to;
        if has_failed && rules.failure_clears_link && link.as_ref() == Some(&new_id) {
            *link = None;
        }
    }
}

/// Whether a revocation concerns both certificates of a pair.
pub(super) fn is_tied(rule: RevocationRule, certificate: &Certificate) -> bool {
    match rule {
        RevocationRule::Tied => true,
        RevocationRule::TiedByBrand => !matches!(certificate.product.brand, "WoTrus" | "DNSPod SM2"),
        RevocationRule::Independent => false,
    }
}

/// Revokes what was reissued from certificates that are revoked.
pub(super) fn revoke_tied(state: &mut State, rule: RevocationRule, now: Timestamp) {
    let is_revoked =
        |id: &String| state.certificates.get(id).is_some_and(|one| one.status == Status::REVOKED);
    let tied = state.certificates.values().filter(|new| {
        new.is_valid()
            && new.reissue.is_some()
            && is_tied(rule, new)
            && new.follows.as_ref().is_some_and(is_revoked)
    });
    let tied: Vec<String> = tied.map(|new| new.id.clone()).collect();
    if tied.is_empty() {
        return;
    }
    for id in tied {
        if let Some(new) = state.certificates.get_mut(&id) {
            new.end_revocation(now);
        }
    }
    // What was reissued from these follows.
    revoke_tied(state, rule, now);
}
