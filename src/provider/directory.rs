//! The organisations and people that an account has saved at its cloud, so that applications can name them by id.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::api::Personal;
use crate::core::product::Level;

use super::Error;

/// What one account has saved. It is read only: people save it in the cloud's console.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Every saved organisation.
    async fn organizations(&self) -> Result<Vec<SavedOrganization>, Error>;

    /// Everybody who may answer for one of them.
    async fn administrators(&self, organization: u64) -> Result<Vec<SavedAdministrator>, Error>;

    /// The number of the account, by which other keys of the same account show; `None` where the cloud does not tell.
    async fn owner(&self) -> Result<Option<String>, Error>;

    /// Whose directory it is.
    fn account(&self) -> Account;

    /// The cloud's names of the three calls, in the order of their methods.
    fn calls(&self) -> [&'static str; 3];

    /// Credentials that must not show up in any text.
    fn sensitive(&self) -> Vec<SecretString>;
}

/// Names an account, for comparison only.
#[derive(Clone)]
pub struct Account(SecretString);

impl Account {
    /// The account of an access key at a cloud.
    #[must_use]
    pub fn new(cloud: &'static str, key_id: &str) -> Self {
        Self(format!("{cloud}/{key_id}").into())
    }

    /// The name itself, as a key of a map in memory.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An organisation as the cloud has it.
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

/// A person as the cloud has them.
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
    /// How far their review is.
    pub review: Review,
}

impl SavedAdministrator {
    /// Every value that must not come back in a text of the cloud.
    pub fn sensitive(&self) -> impl Iterator<Item = SecretString> {
        let Self { first_name, last_name, email, phone, title, .. } = self;
        let data = [first_name, last_name, email, phone, title];
        data.into_iter().flatten().map(|datum| datum.expose().into())
    }
}

/// The review of a person and of the organisation behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Where it stands.
    pub state: ReviewState,
    /// The cloud's word for that.
    pub word: String,
    /// How far it is for each kind of product, in the cloud's words.
    pub levels: Vec<LevelReview>,
    /// When the approval ends.
    pub ends: Option<Timestamp>,
}

/// The review for one kind of product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelReview {
    /// Which kind.
    pub level: Level,
    /// The cloud's word.
    pub word: String,
    /// Whether it is passed, and still holds.
    pub passed: bool,
}

/// Where a review stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReviewState {
    /// Passed.
    Approved,
    /// Passed; it has to be renewed soon.
    Expiring,
    /// At the cloud or at the CA.
    InReview,
    /// Saved, and nobody asked for a review.
    NotSubmitted,
    /// A word that this version does not know.
    Unrecognised,
    /// Passed once, and over.
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
