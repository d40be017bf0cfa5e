//! People, as `apply` wants them: one name, a phone number, an e-mail address.

use crate::api::Personal;
use crate::core::application::Contact;
use crate::core::conditions::Problem;
use crate::provider::profile::incomplete;

const LONGEST_TEXT: usize = 63;

/// How long the name of an applicant is, in bytes. The older page allowed up to 63 characters, and none.
const NAME_LENGTHS: std::ops::RangeInclusive<usize> = 4..=100;

/// Joins first and last name. Chinese names are joined without a separator, the family name first. Others get a dot in
/// between: the page on `apply` allows no space in the name of an applicant.
#[must_use]
pub fn full_name(contact: &Contact) -> Personal {
    let text = |datum: &Option<Personal>| {
        datum.as_ref().map(|datum| datum.expose().trim().to_owned()).filter(|text| !text.is_empty())
    };
    let (first, last) = (text(&contact.first_name), text(&contact.last_name));
    let is_chinese = [&first, &last].into_iter().flatten().all(|name| name.chars().all(is_han));
    let parts = if is_chinese { [last, first] } else { [first, last] };
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(if is_chinese { "" } else { "." });
    name.split_whitespace().collect::<Vec<_>>().join(".").into()
}

/// Chinese characters: the unified ideographs and their extensions.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The required fields that this applicant lacks, by their paths in the profile.
#[must_use]
pub fn missing(administrator: &Contact) -> Vec<String> {
    let Contact { first_name, last_name, phone, email, path, .. } = administrator;
    let fields = [("firstName", first_name), ("lastName", last_name), ("phone", phone), ("email", email)];
    let is_blank =
        |datum: &Option<Personal>| datum.as_ref().is_none_or(|datum| datum.expose().trim().is_empty());
    let blank = fields.into_iter().filter(|(_, datum)| is_blank(datum));
    blank.map(|(field, _)| format!("{path}.{field}")).collect()
}

/// Checks the name of an applicant by the rules of the page on `apply`. The name is not repeated: it is personal.
pub fn check_applicant(name: &Personal, administrator: &Contact) -> Result<(), Problem> {
    let (name, path) = (name.expose(), administrator.path);
    if !NAME_LENGTHS.contains(&name.len()) {
        return Err(incomplete(format!(
            "the name of the profile's {path} has {} bytes, first and last name together, and Huawei Cloud takes 4 to \
             100 of an applicant",
            name.len()
        )));
    }
    let is_allowed = |c: char| c.is_ascii_alphabetic() || is_han(c) || matches!(c, '_' | '-' | ',' | '.');
    if name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(incomplete(format!(
        "the name of the profile's {path} has characters that Huawei Cloud does not take of an applicant: write it with \
         English or Chinese letters, _ - , and ."
    )))
}

/// Checks the name of the technical contact by the rule of the page on `apply`.
pub fn check_contact(name: &Personal, contact: &Contact) -> Result<(), Problem> {
    check_length(name.expose(), &format!("{}.firstName and lastName", contact.path))
}

/// Checks the form of an e-mail address; the CA decides whether it is valid.
pub fn check_address(contact: &Contact) -> Result<(), Problem> {
    let is_address = |email: &str| {
        email.trim().split_once('@').is_some_and(|(who, host)| {
            !who.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !email.trim().contains(char::is_whitespace)
        })
    };
    match &contact.email {
        Some(email) if !email.expose().trim().is_empty() && !is_address(email.expose()) => {
            Err(incomplete(format!("the profile's {}.email is not an e-mail address", contact.path)))
        }
        _ => Ok(()),
    }
}

/// The page limits what people and organisations are called.
pub(super) fn check_length(text: &str, path: &str) -> Result<(), Problem> {
    let length = text.trim().chars().count();
    if length <= LONGEST_TEXT {
        return Ok(());
    }
    Err(incomplete(format!(
        "the profile's {path} has {length} characters, and Huawei Cloud takes {LONGEST_TEXT}: shorten it"
    )))
}
