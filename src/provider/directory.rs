//! The organisations and people that are saved in an account at a cloud, so that applications can name them by id.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::api::Personal;
use crate::core::product::Level;

use super::Error;
use super::credentials::digest;

/// What is saved in one account. It is read-only: users save it in the cloud's console.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Every saved organisation.
    async fn organizations(&self) -> Result<Vec<SavedOrganization>, Error>;

    /// Every administrator of one of them.
    async fn administrators(&self, organization: u64) -> Result<Vec<SavedAdministrator>, Error>;

    /// The number of the account, by which other keys of the same account are recognised; `None` if the cloud does not
    /// report it.
    async fn owner(&self) -> Result<Option<String>, Error>;

    /// The account of this directory.
    fn account(&self) -> Account;

    /// The cloud's names of the three calls, in the order of their methods.
    fn calls(&self) -> [&'static str; 3];

    /// Credentials that must not appear in any text.
    fn sensitive(&self) -> Vec<SecretString>;
}

/// Names the account of an access key: by a digest of the whole key, for comparison in memory only. The id of a key is no
/// secret, so by the id alone whoever knows it would share the account's rate limit, and read what is cached of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account(&'static str, [u8; 32]);

impl Account {
    /// The account of an access key at a cloud. A token that belongs to the key is no part of it: it changes.
    #[must_use]
    pub fn new(cloud: &'static str, key: &[&SecretString]) -> Self {
        Self(cloud, digest(key))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An organisation as saved at the cloud.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct SavedOrganization {
    /// The cloud's id.
    pub id: u64,
    /// Full name.
    pub name: String,
    /// City.
    pub city: Option<String>,
    /// Street address.
    pub address: Option<String>,
}

/// A person as saved at the cloud.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedAdministrator {
    /// The cloud's id.
    pub id: u64,
    /// Given name.
    pub first_name: Option<Personal>,
    /// Family name.
    pub last_name: Option<Personal>,
    /// E-mail address.
    pub email: Option<Personal>,
    /// Phone number.
    pub phone: Option<Personal>,
    /// Position in the organisation.
    pub title: Option<Personal>,
    /// Department.
    pub department: Option<String>,
    /// The state of their review.
    pub review: Review,
}

impl SavedAdministrator {
    /// Every value that must be redacted in a text of the cloud.
    pub fn sensitive(&self) -> impl Iterator<Item = SecretString> {
        let Self { first_name, last_name, email, phone, title, .. } = self;
        let data = [first_name, last_name, email, phone, title];
        data.into_iter().flatten().map(|datum| datum.expose().into())
    }
}

/// The review of a person and of their organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Its state.
    pub state: ReviewState,
    /// The cloud's word for the state.
    pub word: String,
    /// The state for each kind of product, in the cloud's words.
    pub levels: Vec<LevelReview>,
    /// When the approval expires.
    pub ends: Option<Timestamp>,
}

/// The review for one kind of product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelReview {
    /// Which kind.
    pub level: Level,
    /// The cloud's word.
    pub word: String,
    /// Whether it is passed and still valid.
    pub passed: bool,
}

/// The state of a review.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReviewState {
    /// Passed.
    Approved,
    /// Passed; it must be renewed soon.
    Expiring,
    /// In progress at the cloud or at the CA.
    InReview,
    /// Saved; no review was requested.
    NotSubmitted,
    /// A word that this version does not know.
    Unrecognised,
    /// Passed, but expired.
    Expired,
    /// Failed.
    Invalid,
}

impl ReviewState {
    /// Whether applications may use the id.
    #[must_use]
    pub fn is_passed(self) -> bool {
        matches!(self, Self::Approved | Self::Expiring)
    }
}
