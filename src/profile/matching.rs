//! Which saved company and manager a profile stands for. Pure.
//!
//! The cloud's texts were typed by people into a web form, so they are compared without what people vary: width and
//! other forms of one character (NFKC), case, white space. Country and phone number have too many spellings to tell
//! anything. Several that fit equally well are never guessed at.

use unicode_normalization::UnicodeNormalization;

use crate::api::Personal;
use crate::core::application::{Contact, Organization, Profile};
use crate::provider::directory::{SavedAdministrator, SavedOrganization};

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The id that the user gives.
    pub organization_id: Option<u64>,
    /// The id that the user gives.
    pub administrator_id: Option<u64>,
    /// What to recognise them by where there is no id.
    pub profile: &'a Profile,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// This one.
    One(u64),
    /// Several that fit equally well.
    Several(Vec<u64>),
    /// None that fits.
    Nobody,
    /// The profile says nothing to look for.
    NotNamed,
}

impl Found {
    /// The id, where there is one.
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
    let bears_the_name = |one: &&SavedAdministrator| {
        is_named
            && is(one.first_name.as_ref(), first_name.as_ref())
            && is(one.last_name.as_ref(), last_name.as_ref())
    };
    let mut fitting: Vec<_> = saved.iter().filter(|one| is(one.email.as_ref(), email.as_ref())).collect();
    if fitting.is_empty() {
        fitting = saved.iter().filter(bears_the_name).collect();
    }
    let by_name: Vec<_> = fitting.iter().copied().filter(bears_the_name).collect();
    let fitting = if by_name.is_empty() { fitting } else { by_name };
    let division =
        wanted.profile.organization.as_ref().and_then(|organization| organization.division.as_deref());
    let fitting = narrowed(fitting, division, |one| one.department.as_deref());
    // Whoever was saved anew after an approval ran out stands there twice.
    let best = fitting.iter().map(|one| one.review.state).min();
    Found::of(fitting.iter().filter(|one| Some(one.review.state) == best).map(|one| one.id).collect())
}

/// Those that also have this text, if there are any: it breaks ties, and is no condition.
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

/// A text without what people vary. Upper case first, since that also writes letters such as ß out.
fn normal(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let text: String = text.to_uppercase().to_lowercase().nfkc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
