//! Who applies: the organisation, the applicant, and a technical contact.

use super::params::wanted;
use crate::{
    cloud::{names::is_mail_address, params::Params},
    huawei::{error::Refusal, product::Product},
};

/// What is vetted for OV and EV.
const ORGANIZATION: [&str; 4] = ["company_name", "company_province", "company_city", "country"];

pub(super) fn check(params: &Params, product: Product) -> Result<(), Refusal> {
    if !product.is_dv() {
        for name in ORGANIZATION {
            wanted(params, name)?;
        }
    }
    let is_country = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    if params.text("country").is_some_and(|code| !is_country(code)) {
        return Err(Refusal::bad_parameter("country must be a code of two letters."));
    }
    check_applicant_name(wanted(params, "applicant_name")?)?;
    wanted(params, "applicant_phone")?;
    wanted(params, "applicant_email")?;
    check_mail_addresses(params)
}

/// Inferred: that the bytes are those of UTF-8, and which letters are Chinese ones. No space is in the list of what may
/// stand in a name.
fn check_applicant_name(name: &str) -> Result<(), Refusal> {
    if !(4..=100).contains(&name.len()) {
        return Err(Refusal::bad_parameter("applicant_name must have 4 to 100 bytes."));
    }
    let is_legal = |letter: char| {
        letter.is_ascii_alphabetic()
            || "_-,.".contains(letter)
            || matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
    };
    if name.chars().all(is_legal) {
        return Ok(());
    }
    let text =
        "applicant_name may have Chinese and English letters, underscores, hyphens, commas and periods only.";
    Err(Refusal::bad_parameter(text))
}

/// Inferred: that the addresses are checked; an example of the documents has none with an `@`.
fn check_mail_addresses(params: &Params) -> Result<(), Refusal> {
    let is_wrong = |name: &&&str| params.text(name).is_some_and(|address| !is_mail_address(address));
    match ["applicant_email", "contact_email"].iter().find(is_wrong) {
        Some(name) => Err(Refusal::bad_parameter(format!("{name} is not an email address."))),
        None => Ok(()),
    }
}
