//! What people do in the console: they save profiles, ask for their review, prove who they are, and see to what follows a
//! certificate.

use jiff::{SignedDuration, Timestamp};

use super::{
    account::Account,
    following,
    profile::{Company, Manager, Review},
    simulated::{MoveError, TencentCloud},
    state::Holdings,
    succession::{Succession, Way},
    term::{Plan, Term},
};
use crate::cloud::{UnknownCertificate, time::text_time};

/// The most profiles that an account holds, by the page on adding them.
pub const MOST_PROFILES: usize = 10;

/// The console refuses another profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("up to {MOST_PROFILES} organization profiles can be added")]
pub struct TooManyProfiles;

impl TencentCloud {
    /// Saves a company in the console, which takes no more than [`MOST_PROFILES`].
    ///
    /// Inferred: that the limit counts companies, and does not hinder a change of one.
    pub fn add_company(&self, account: &Account, company: Company) -> Result<(), TooManyProfiles> {
        let mut world = self.cloud.world();
        let companies = &mut world.state.holdings.entry(account.clone()).or_default().companies;
        if companies.len() >= MOST_PROFILES && !companies.contains_key(&company.id) {
            return Err(TooManyProfiles);
        }
        companies.insert(company.id, company);
        Ok(())
    }

    /// Removes a company in the console, with its managers.
    pub fn remove_company(&self, account: &Account, id: u64) {
        let mut world = self.cloud.world();
        if let Some(holdings) = world.state.holdings.get_mut(account) {
            holdings.companies.remove(&id);
            holdings.managers.retain(|_, manager| manager.company_id != id);
        }
    }

    /// Submits a saved manager for review, which takes this long by the cloud's clock. Says whether there is one.
    #[must_use = "a review of nobody never ends"]
    pub fn submit_for_review(
        &self,
        account: &Account,
        manager: u64,
        takes: SignedDuration,
        passes: bool,
    ) -> bool {
        let mut world = self.cloud.world();
        let began = world.now();
        let ends = began.saturating_add(takes).unwrap_or(Timestamp::MAX);
        let holdings = world.state.holdings.get_mut(account);
        let Some(manager) = holdings.and_then(|holdings| holdings.managers.get_mut(&manager)) else {
            return false;
        };
        manager.review = Some(Review { began, ends, passes });
        manager.submit_audit_time = Some(text_time(began));
        true
    }

    /// Says whether the account's owner passed the identity check; true until said otherwise.
    pub fn set_identity_verified(&self, account: &Account, verified: bool) {
        self.with_holdings(account, |holdings| holdings.identity_unverified = !verified);
    }

    /// Saves a company, or changes it, whatever the limit of the console (see [`TencentCloud::add_company`]).
    pub fn save_company(&self, account: &Account, company: Company) {
        self.with_holdings(account, |holdings| drop(holdings.companies.insert(company.id, company)));
    }

    /// Saves a manager in the console, or changes it.
    pub fn save_manager(&self, account: &Account, manager: Manager) {
        self.with_holdings(account, |holdings| drop(holdings.managers.insert(manager.id, manager)));
    }

    /// Makes a certificate that follows an issued one, at once: the next one of a plan, a paid renewal, or a reissue, which
    /// goes by [`Options::reissue`](super::Options::reissue). Returns its id.
    pub fn make_successor(
        &self,
        certificate_id: &str,
        way: Way,
        succession: &Succession,
    ) -> Result<String, MoveError> {
        let mut world = self.cloud.world();
        let (now, options) = (world.now(), &self.cloud.options);
        let unknown = || UnknownCertificate(certificate_id.to_owned());
        let old = world.state.certificates.get(certificate_id).ok_or_else(unknown)?;
        if !old.is_valid() {
            return Err(MoveError::WrongStatus(certificate_id.to_owned(), old.status));
        }
        let made = following::follow(&mut world.state, certificate_id, way, succession, options, now);
        Ok(made.ok_or_else(unknown)?)
    }

    /// Says for how many years a certificate was bought, and who makes the next one within them.
    pub fn set_term(&self, certificate_id: &str, years: u16, plan: Plan) -> Result<(), UnknownCertificate> {
        self.set(certificate_id, |certificate| {
            certificate.term = Term { years, plan, began: certificate.term.began };
        })
    }

    /// Sets the flag by which the cloud buys the next certificate; where nothing was submitted yet, nothing happens.
    pub fn set_automatic_renewal(&self, certificate_id: &str, on: bool) -> Result<(), UnknownCertificate> {
        self.set(certificate_id, |certificate| {
            if let Some(submission) = &mut certificate.submission {
                submission.set("AutoRenewFlag", Some(i64::from(on).into()));
            }
        })
    }

    /// Deletes a certificate in the console: the cloud does not know it any more.
    pub fn delete(&self, certificate_id: &str) -> Result<(), UnknownCertificate> {
        let removed = self.cloud.world().state.certificates.remove(certificate_id);
        removed.map(drop).ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))
    }

    fn with_holdings(&self, account: &Account, change: impl FnOnce(&mut Holdings)) {
        change(self.cloud.world().state.holdings.entry(account.clone()).or_default());
    }
}
