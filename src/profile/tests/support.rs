//! Builders for profiles and for what a cloud has saved.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::v1alpha1::OrganizationProfile;
use crate::core::application::{Contact, Organization, Profile, Saved};
use crate::core::product::Level;
use crate::provider::directory::{LevelReview, Review, ReviewState, SavedAdministrator, SavedOrganization};

/// A time on the clock of a test.
pub(super) fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
}

/// A profile of generation 1 with this block `spec.tencentCloud`, and everything else that may be there.
pub(super) fn profile(saved: &Value) -> OrganizationProfile {
    serde_json::from_value(json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "OrganizationProfile",
        "metadata": {"name": "acme", "namespace": "shop", "uid": "u-1", "generation": 1},
        "spec": {"tencentCloud": saved},
    }))
    .unwrap()
}

/// The data of a profile with this organisation: name, city, address.
pub(super) fn data([name, city, address]: [&str; 3], administrator: Contact) -> Profile {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let organization = Organization {
        name: text(name),
        division: text("Platform"),
        city: text(city),
        address: text(address),
        ..Organization::default()
    };
    Profile {
        organization: Some(organization),
        administrator,
        technical_contact: Contact::default(),
        saved: Saved::No,
    }
}

/// A contact: first name, last name, e-mail address.
pub(super) fn contact([first_name, last_name, email]: [&str; 3]) -> Contact {
    let datum = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    Contact {
        first_name: datum(first_name),
        last_name: datum(last_name),
        email: datum(email),
        path: "spec.administrator",
        ..Contact::default()
    }
}

/// A saved company: name, city, address.
pub(super) fn company(id: u64, [name, city, address]: [&str; 3]) -> SavedOrganization {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    SavedOrganization { id, name: name.to_owned(), city: text(city), address: text(address) }
}

/// A saved manager: first name, last name, e-mail address, department.
pub(super) fn manager(
    id: u64,
    [first_name, last_name, email, department]: [&str; 4],
    state: ReviewState,
) -> SavedAdministrator {
    let datum = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    SavedAdministrator {
        id,
        first_name: datum(first_name),
        last_name: datum(last_name),
        email: datum(email),
        phone: None,
        title: None,
        department: Some(department.to_owned()).filter(|text| !text.is_empty()),
        review: review(state, None),
    }
}

/// A review in this state, which ends on this day; passed for OV only.
pub(super) fn review(state: ReviewState, ends: Option<i64>) -> Review {
    let word = match state {
        ReviewState::Approved => "ok",
        ReviewState::Expiring => "expiring",
        ReviewState::InReview => "audit",
        ReviewState::NotSubmitted => "none",
        ReviewState::Unrecognised => "later",
        ReviewState::Expired => "expired",
        ReviewState::Invalid => "invalid",
    };
    let level = |level, word: &str, passed| LevelReview { level, word: word.to_owned(), passed };
    let levels = vec![level(Level::Ov, "completed", true), level(Level::Ev, "pending", false)];
    Review { state, word: word.to_owned(), levels, ends: ends.map(at) }
}
