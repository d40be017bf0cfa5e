//! Reads what the account has saved of a profile. Never writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::profile::lookups::{Ask, Lookups};
use crate::profile::matching::{self, Found, Wanted};
use crate::provider::Error;
use crate::provider::directory::SavedAdministrator;

/// What the account has saved of a profile.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The number of the account.
    pub owner: Option<String>,
    /// How many organisations the account holds.
    pub profiles: usize,
    /// The profile's organisation.
    pub organization: Found,
    /// The profile's administrator.
    pub administrator: Found,
    /// The saved administrator that matches.
    pub manager: Option<SavedAdministrator>,
}

/// A read that failed.
#[derive(Debug)]
pub struct ReadFailure {
    /// The call that failed.
    pub action: &'static str,
    /// Why.
    pub error: Error,
}

/// Looks for the profile in what the account has saved. People are listed for one organisation at a time.
pub async fn observe(lookups: &Lookups, ask: Ask<'_>, wanted: &Wanted<'_>) -> Result<Observed, ReadFailure> {
    let [companies, managers, certificates] = ask.directory.calls();
    let failed = |action| move |error| ReadFailure { action, error };
    let saved = lookups.organizations(ask).await.map_err(failed(companies))?;
    let organization = matching::organization(wanted, &saved);
    // A manager belongs to one company, so the id of the manager identifies the company.
    let by_manager = wanted.organization_id.is_none() && wanted.administrator_id.is_some();
    let candidates: Vec<u64> = match organization.id() {
        _ if by_manager => saved.iter().map(|one| one.id).collect(),
        Some(id) => vec![id],
        None => Vec::new(),
    };
    let mut people: BTreeMap<u64, Arc<Vec<SavedAdministrator>>> = BTreeMap::new();
    for id in candidates {
        let of_this = lookups.administrators(ask, id).await.map_err(failed(managers))?;
        people.insert(id, of_this);
    }
    let theirs = |id: u64| people.get(&id).map(|list| list.as_slice()).unwrap_or_default();
    let employer = people.iter().find(|(_, list)| matching::administrator(wanted, list).id().is_some());
    let organization = match employer {
        Some((id, _)) if by_manager => Found::One(*id),
        _ => organization,
    };
    let own = organization.id().map(theirs).unwrap_or_default();
    let administrator = matching::administrator(wanted, own);
    let manager = own.iter().find(|one| Some(one.id) == administrator.id()).cloned();
    let owner = lookups.owner(ask).await.map_err(failed(certificates))?;
    Ok(Observed { owner, profiles: saved.len(), organization, administrator, manager })
}
