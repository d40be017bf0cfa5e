//! All profiles of an account share one reading.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::support::{at, company, manager};
use crate::api::v1alpha1::conditions::Reason;
use crate::profile::lookups::{Ask, FRESH, Lookups};
use crate::provider::directory::{Account, Directory, ReviewState, SavedAdministrator, SavedOrganization};
use crate::provider::{Error, Refusal};

/// A directory that counts its calls.
struct Counting {
    key: [&'static str; 2],
    calls: AtomicUsize,
    fails: bool,
}

impl Counting {
    fn new(id: &'static str) -> Self {
        Self { key: [id, "key"], calls: AtomicUsize::new(0), fails: false }
    }

    async fn answer<T>(&self, list: Vec<T>) -> Result<Vec<T>, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.fails { Err(Error::Unknown(None)) } else { Ok(list) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Directory for Counting {
    async fn organizations(&self) -> Result<Vec<SavedOrganization>, Error> {
        self.answer(vec![company(134, ["Acme", "", ""])]).await
    }

    async fn administrators(&self, organization: u64) -> Result<Vec<SavedAdministrator>, Error> {
        let saved =
            manager(organization + 1, ["Ning", "Huang", "pki@acme.example", ""], ReviewState::Approved);
        self.answer(vec![saved]).await
    }

    fn account(&self) -> Account {
        let [id, key] = self.key.map(SecretString::from);
        Account::new("cloud", &[&id, &key])
    }

    async fn owner(&self) -> Result<Option<String>, Error> {
        let denied = || Error::Rejected {
            reason: Reason::PermissionDenied,
            refusal: Refusal {
                code: "UnauthorizedOperation".to_owned(),
                message: "no".into(),
                request_id: None,
                hint: None,
                note: None,
            },
        };
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fails { Err(denied()) } else { Ok(Some("100000000001".to_owned())) }
    }

    fn calls(&self) -> [&'static str; 3] {
        ["companies", "managers", "certificates"]
    }

    fn sensitive(&self) -> Vec<SecretString> {
        Vec::new()
    }
}

fn ask<'a>(
    directory: &'a Counting,
    now: Timestamp,
    report: &'a (dyn Fn(&'static str, Option<&Error>) + Sync),
) -> Ask<'a> {
    Ask { directory, not_before: now - FRESH, now, report }
}

fn silent(_: &'static str, _: Option<&Error>) {}

#[tokio::test]
async fn a_reading_serves_five_minutes_and_every_profile_of_its_account() {
    let (lookups, one, other) = (Lookups::default(), Counting::new("AKID1"), Counting::new("AKID2"));
    let second = |second: i64| at(0) + SignedDuration::from_secs(second);
    let many = (0..20).map(|_| lookups.organizations(ask(&one, second(0), &silent)));
    assert!(join_all(many).await.iter().all(Result::is_ok));
    assert_eq!(one.calls(), 1, "concurrent passes wait for one reading");
    lookups.organizations(ask(&one, second(300), &silent)).await.unwrap();
    assert_eq!(one.calls(), 1);
    lookups.organizations(ask(&one, second(301), &silent)).await.unwrap();
    assert_eq!(one.calls(), 2);

    lookups.organizations(ask(&other, second(301), &silent)).await.unwrap();
    assert_eq!(other.calls(), 1, "another account");
    for company in [134, 135, 134] {
        lookups.administrators(ask(&one, second(310), &silent), company).await.unwrap();
    }
    assert_eq!(one.calls(), 4, "people are listed for one company at a time");

    let at_once = Ask { not_before: second(310), ..ask(&one, second(310), &silent) };
    lookups.organizations(at_once).await.unwrap();
    assert_eq!(one.calls(), 5, "a reconciliation is requested");

    lookups.organizations(ask(&one, second(-3000), &silent)).await.unwrap();
    assert_eq!(one.calls(), 6, "the clock was set back, and nobody knows how old the reading is");
    lookups.organizations(ask(&one, second(-2900), &silent)).await.unwrap();
    assert_eq!(one.calls(), 6);
}

#[tokio::test]
async fn a_failure_is_reported_and_not_cached() {
    let (lookups, reports) = (Lookups::default(), Mutex::new(Vec::new()));
    let report = |action: &'static str, error: Option<&Error>| {
        reports.lock().unwrap().push((action, error.is_some()));
    };
    let mut directory = Counting { fails: true, ..Counting::new("AKID1") };
    assert!(lookups.organizations(ask(&directory, at(0), &report)).await.is_err());
    directory.fails = false;
    assert!(lookups.organizations(ask(&directory, at(0), &report)).await.is_ok());
    assert!(lookups.organizations(ask(&directory, at(0), &report)).await.is_ok());
    assert_eq!(*reports.lock().unwrap(), [("companies", true), ("companies", false)]);
}

#[tokio::test]
async fn people_that_were_read_are_filtered_until_their_account_is_idle() {
    let (lookups, directory) = (Lookups::default(), Counting::new("AKID1"));
    let known = || {
        let values = lookups.sensitive(&directory.account());
        values.iter().map(|value| value.expose_secret().to_owned()).collect::<Vec<_>>()
    };
    assert!(known().is_empty());
    lookups.organizations(ask(&directory, at(0), &silent)).await.unwrap();
    lookups.administrators(ask(&directory, at(0), &silent), 134).await.unwrap();
    assert_eq!(known(), ["Ning", "Huang", "pki@acme.example"]);
    lookups.organizations(ask(&Counting::new("AKID2"), at(2), &silent)).await.unwrap();
    assert!(known().is_empty(), "two days later");
}

#[tokio::test]
async fn the_owner_of_a_key_is_read_once_a_day_and_a_key_without_the_permission_has_none() {
    let (lookups, directory) = (Lookups::default(), Counting::new("AKID1"));
    let hour = |hour: i64| at(0) + SignedDuration::from_hours(hour);
    for now in [hour(0), hour(24)] {
        let owner = lookups.owner(ask(&directory, now, &silent)).await.unwrap();
        assert_eq!((owner.as_deref(), directory.calls()), (Some("100000000001"), 1));
    }
    lookups.owner(ask(&directory, hour(25), &silent)).await.unwrap();
    assert_eq!(directory.calls(), 2);
    let denied = Counting { fails: true, ..Counting::new("AKID2") };
    assert_eq!(lookups.owner(ask(&denied, hour(0), &silent)).await, Ok(None));
}

#[tokio::test]
async fn a_wrong_key_with_the_id_of_another_reads_nothing_of_its_account() {
    let (lookups, owner) = (Lookups::default(), Counting::new("AKID1"));
    let guest = Counting { key: ["AKID1", "guessed"], fails: true, ..Counting::new("AKID1") };
    lookups.organizations(ask(&owner, at(0), &silent)).await.unwrap();
    lookups.administrators(ask(&owner, at(0), &silent), 134).await.unwrap();
    lookups.owner(ask(&owner, at(0), &silent)).await.unwrap();
    let of_guest = ask(&guest, at(0), &silent);
    assert!(lookups.organizations(of_guest).await.is_err());
    assert!(lookups.administrators(of_guest, 134).await.is_err());
    assert_eq!(lookups.owner(of_guest).await, Ok(None));
    assert_eq!(guest.calls(), 3, "each was asked of the cloud, with the wrong key");
    assert!(lookups.sensitive(&guest.account()).is_empty());
    assert_eq!(lookups.sensitive(&owner.account()).len(), 3);
}

#[tokio::test]
async fn those_who_wait_for_a_reading_share_its_failure_and_the_next_ones_read_anew() {
    let (lookups, mut directory) = (Lookups::default(), Counting::new("AKID1"));
    directory.fails = true;
    let many = (0..20).map(|_| lookups.organizations(ask(&directory, at(0), &silent)));
    assert!(join_all(many).await.iter().all(Result::is_err));
    assert_eq!(directory.calls(), 1);
    assert!(lookups.administrators(ask(&directory, at(0), &silent), 134).await.is_err());
    assert_eq!(directory.calls(), 2, "another reading");
    directory.fails = false;
    assert!(lookups.organizations(ask(&directory, at(0), &silent)).await.is_ok());
    assert_eq!(directory.calls(), 3);
}
