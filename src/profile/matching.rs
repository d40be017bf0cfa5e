//! Finds the saved company and manager of a profile. Pure.
//!
//! People typed the cloud's texts into a web form, so the comparison ignores what people vary: width and other forms of
//! one character (NFKC), case, white space. It does not use country and phone number, which have too many spellings.
//! If several match equally well, none is chosen.

use unicode_normalization::UnicodeNormalization;

use crate::api::Personal;
use crate::core::application::{Contact, Organization, Profile};
use crate::provider::directory::{SavedAdministrator, SavedOrganization};

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The id that the user gives.
    pub organization_id: Option<u64>,
    /// The id that the user gives.
    pub administrator_id: Option<u64>,
    /// The data to match if there is no id.
    pub profile: &'a Profile,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Exactly one match.
    One(u64),
    /// Several that match equally well.
    Several(Vec<u64>),
    /// No match.
    Nobody,
    /// The profile has no data to match.
    NotNamed,
}

impl Found {
    /// The id, if there is exactly one match.
    #[must_use]
    pub fn id(&self) -> Option<u64> {
        match self {
            Self::One(id) => Some(*id),
            _ => None,
        }
    }

    fn of(ids: Vec<u64>) -> Self {
        match ids.as_slice() {
            [] => Self::Nobody,
            [id] => Self::One(*id),
            _ => Self::Several(ids),
        }
    }
}

/// The company, by its id or name.
#[must_use]
pub fn organization(wanted: &Wanted<'_>, saved: &[SavedOrganization]) -> Found {
    if let Some(id) = wanted.organization_id {
        return Found::of(saved.iter().map(|one| one.id).filter(|one| *one == id).collect());
    }
    match &wanted.profile.organization {
        Some(Organization { name: Some(name), city, address, .. }) => {
            let named = saved.iter().filter(|one| same(&one.name, name)).collect();
            let in_city = narrowed(named, city.as_deref(), |one| one.city.as_deref());
            let at_address = narrowed(in_city, address.as_deref(), |one| one.address.as_deref());
            Found::of(at_address.iter().map(|one| one.id).collect())
        }
        _ => Found::NotNamed,
    }
}

/// The manager of a company, by id, e-mail address or name.
#[must_use]
pub fn administrator(wanted: &Wanted<'_>, saved: &[SavedAdministrator]) -> Found {
    if let Some(id) = wanted.administrator_id {
        return Found::of(saved.iter().map(|one| one.id).filter(|one| *one == id).collect());
    }
    let Contact { first_name, last_name, email, .. } = &wanted.profile.administrator;
    let is_named = first_name.is_some() && last_name.is_some();
    if email.is_none() && !is_named {
        return Found::NotNamed;
    }
    let has_the_name = |one: &&SavedAdministrator| {
        is_named
            && is(one.first_name.as_ref(), first_name.as_ref())
            && is(one.last_name.as_ref(), last_name.as_ref())
    };
    let mut fitting: Vec<_> = saved.iter().filter(|one| is(one.email.as_ref(), email.as_ref())).collect();
    if fitting.is_empty() {
        fitting = saved.iter().filter(has_the_name).collect();
    }
    let by_name: Vec<_> = fitting.iter().copied().filter(has_the_name).collect();
    let fitting = if by_name.is_empty() { fitting } else { by_name };
    let division =
        wanted.profile.organization.as_ref().and_then(|organization| organization.division.as_deref());
    let fitting = narrowed(fitting, division, |one| one.department.as_deref());
    // A person who was saved again after an approval expired is listed twice.
    let best = fitting.iter().map(|one| one.review.state).min();
    Found::of(fitting.iter().filter(|one| Some(one.review.state) == best).map(|one| one.id).collect())
}

/// Those that also have this text, if there are any: it breaks ties, and is not required.
fn narrowed<'a, T>(
    fitting: Vec<&'a T>,
    text: Option<&str>,
    of: impl Fn(&'a T) -> Option<&'a str>,
) -> Vec<&'a T> {
    let has_it = |one: &&'a T| text.is_some_and(|text| of(one).is_some_and(|other| same(other, text)));
    if fitting.len() < 2 {
        return fitting;
    }
    let narrowed: Vec<_> = fitting.iter().copied().filter(has_it).collect();
    if narrowed.is_empty() { fitting } else { narrowed }
}

fn is(saved: Option<&Personal>, wanted: Option<&Personal>) -> bool {
    match (saved, wanted) {
        (Some(saved), Some(wanted)) => same(saved.expose(), wanted.expose()),
        _ => false,
    }
}

fn same(one: &str, other: &str) -> bool {
    let (one, other) = (normal(one), normal(other));
    !one.is_empty() && one == other
}

/// A text without what people vary. Upper case first, since that also expands letters such as ß.
fn normal(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let text: String = text.to_uppercase().to_lowercase().nfkc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
