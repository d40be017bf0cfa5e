//! A cache of what the accounts have saved at their clouds: all profiles of an account share one reading.
//!
//! It is in memory only. An account is told by its whole key, so that nobody reads what he could not read at the cloud. A
//! failed reading is not cached; those who waited for it share its failure.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::core::age::age;
use crate::provider::Error;
use crate::provider::directory::{Account, Directory, SavedAdministrator, SavedOrganization};

/// How long a reading is valid.
pub const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// An account that was not read for this long is removed, with the personal data in it: every profile is reconciled
/// more often than that.
const IDLE: Duration = Duration::from_hours(24);

/// The owner of a key does not change.
const OWNER_IS_FRESH: SignedDuration = SignedDuration::from_hours(24);

/// What each account has saved.
#[derive(Default)]
pub struct Lookups(Mutex<HashMap<Account, Arc<Entry>>>);

#[derive(Default)]
struct Entry {
    /// Held while the cloud is read, so that concurrent passes wait for one reading.
    reading: tokio::sync::Mutex<Option<Failure>>,
    cached: Mutex<Cached>,
}

/// The last reading that failed: which call, for which organisation, when, and why.
struct Failure {
    of: Subject,
    at: Instant,
    error: Error,
}

/// What is read: the call, and the organisation if it is about one.
type Subject = (&'static str, Option<u64>);

#[derive(Default)]
struct Cached {
    organizations: Option<Reading<SavedOrganization>>,
    administrators: HashMap<u64, Reading<SavedAdministrator>>,
    owner: Option<Reading<String>>,
}

struct Reading<T> {
    at: Timestamp,
    list: Arc<Vec<T>>,
}

impl<T> Reading<T> {
    /// The reading, if it is new enough. One of the future is none: the clock was set back, and nobody knows how old it is.
    fn since(&self, not_before: Timestamp, now: Timestamp) -> Option<Arc<Vec<T>>> {
        (self.at >= not_before && self.at <= now).then(|| Arc::clone(&self.list))
    }
}

/// A query to the directory of an account.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The directory to read if the cache has no valid reading.
    pub directory: &'a dyn Directory,
    /// Readings before this time are not valid.
    pub not_before: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Called with every call and its error.
    pub report: &'a (dyn Fn(&'static str, Option<&Error>) + Sync),
}

impl Lookups {
    /// The organisations of the account.
    pub async fn organizations(&self, ask: Ask<'_>) -> Result<Arc<Vec<SavedOrganization>>, Error> {
        let entry = self.entry(ask.directory.account(), ask.now);
        let [action, ..] = ask.directory.calls();
        let kept = |kept: &Cached| kept.organizations.as_ref()?.since(ask.not_before, ask.now);
        let keep = |kept: &mut Cached, reading| kept.organizations = Some(reading);
        let read = reported(ask, action, ask.directory.organizations());
        entry.answer((action, None), ask.now, read, kept, keep).await
    }

    /// The people of one organisation.
    pub async fn administrators(
        &self,
        ask: Ask<'_>,
        organization: u64,
    ) -> Result<Arc<Vec<SavedAdministrator>>, Error> {
        let entry = self.entry(ask.directory.account(), ask.now);
        let [_, action, _] = ask.directory.calls();
        let kept = |kept: &Cached| kept.administrators.get(&organization)?.since(ask.not_before, ask.now);
        let keep = |kept: &mut Cached, reading| drop(kept.administrators.insert(organization, reading));
        let read = reported(ask, action, ask.directory.administrators(organization));
        entry.answer((action, Some(organization)), ask.now, read, kept, keep).await
    }

    /// The number of the account; `None` for a key without the permission to read it.
    pub async fn owner(&self, ask: Ask<'_>) -> Result<Option<String>, Error> {
        let entry = self.entry(ask.directory.account(), ask.now);
        let [.., action] = ask.directory.calls();
        let not_before = ask.now.checked_sub(OWNER_IS_FRESH).unwrap_or(ask.now);
        let read = async {
            match reported(ask, action, ask.directory.owner()).await {
                Err(Error::Rejected { .. }) => Ok(Vec::new()),
                read => read.map(|owner| owner.into_iter().collect()),
            }
        };
        let kept = |kept: &Cached| kept.owner.as_ref()?.since(not_before, ask.now);
        let keep = |kept: &mut Cached, reading| kept.owner = Some(reading);
        let owner = entry.answer((action, None), ask.now, read, kept, keep).await?;
        Ok(owner.first().cloned())
    }

    /// The data of the people that an account has saved, as far as they are cached: a message of the cloud may contain
    /// them, also if the profile gives only an id.
    #[must_use]
    pub fn sensitive(&self, account: &Account) -> Vec<SecretString> {
        let Some(entry) = self.lock().get(account).map(Arc::clone) else { return Vec::new() };
        let cached = entry.cached();
        let people = cached.administrators.values().flat_map(|reading| reading.list.iter());
        people.flat_map(SavedAdministrator::sensitive).collect()
    }

    fn entry(&self, account: Account, now: Timestamp) -> Arc<Entry> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(&account) {
            return Arc::clone(entry);
        }
        // A new account is rare, so this is a cheap time to remove the idle ones.
        entries.retain(|_, entry| {
            let last = entry.cached().organizations.as_ref().map(|reading| reading.at);
            // One that never had a reading, of a wrong key most often, is needed while somebody reads it.
            last.map_or(Arc::strong_count(entry) > 1, |last| age(now, last) < IDLE)
        });
        let entry = Arc::new(Entry::default());
        entries.insert(account, Arc::clone(&entry));
        entry
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Account, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a call and reports its outcome.
async fn reported<T>(
    ask: Ask<'_>,
    action: &'static str,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let answer = call.await;
    (ask.report)(action, answer.as_ref().err());
    answer
}

impl Entry {
    /// The cached reading, or else a new one. Of those who wait for one reading, all get its failure: each trying in its turn
    /// would wait for all before it.
    async fn answer<T>(
        &self,
        of: Subject,
        now: Timestamp,
        read: impl Future<Output = Result<Vec<T>, Error>>,
        kept: impl Fn(&Cached) -> Option<Arc<Vec<T>>>,
        keep: impl FnOnce(&mut Cached, Reading<T>),
    ) -> Result<Arc<Vec<T>>, Error> {
        if let Some(list) = kept(&self.cached()) {
            return Ok(list);
        }
        let asked_at = Instant::now();
        let mut failure = self.reading.lock().await;
        if let Some(list) = kept(&self.cached()) {
            return Ok(list);
        }
        if let Some(Failure { error, .. }) =
            failure.as_ref().filter(|last| last.of == of && last.at >= asked_at)
        {
            return Err(error.clone());
        }
        let list = match read.await {
            Ok(list) => Arc::new(list),
            Err(error) => {
                *failure = Some(Failure { of, at: Instant::now(), error: error.clone() });
                return Err(error);
            }
        };
        keep(&mut self.cached(), Reading { at: now, list: Arc::clone(&list) });
        Ok(list)
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
