//! The texts of messages: why no saved profile is used, and what to do about it. Pure.
//!
//! No action of the API creates or changes a saved profile. The messages list the steps in the console of Tencent
//! Cloud, as its page "Adding Organization Profile" describes them.

use crate::api::v1alpha1::TencentCloudProfile;
use crate::api::v1alpha1::conditions::Reason;
use crate::profile::matching::Found;

/// Why there is no company.
#[must_use]
pub fn no_company(spec: &TencentCloudProfile, company: &Found, profiles: usize) -> (Reason, String) {
    match (company, spec.company_id, spec.manager_id) {
        (Found::Several(ids), ..) => {
            let message = format!(
                "the companies {} of the account fit spec.organization equally well: set spec.tencentCloud.companyId \
                 to one of them",
                list(ids)
            );
            (Reason::Ambiguous, message)
        }
        (_, Some(id), _) => (Reason::NotFound, not_among("companyId", id, "companies", profiles)),
        (_, None, Some(id)) => {
            (Reason::NotFound, not_among("managerId", id, "managers of the companies", profiles))
        }
        (Found::NotNamed, ..) => {
            let message = "spec.organization.name is empty, so no saved company can be found by it: set it, or \
                           spec.tencentCloud.companyId";
            (Reason::NotFound, message.to_owned())
        }
        (Found::Nobody | Found::One(_), ..) => {
            let message =
                format!("no saved company has the name of spec.organization. {}", how_to_save(profiles));
            (Reason::NotFound, message)
        }
    }
}

/// Why there is no manager, though there is a company.
#[must_use]
pub fn no_manager(spec: &TencentCloudProfile, company: u64, manager: &Found) -> (Reason, String) {
    let meanwhile = format!("Orders name company {company}, and send the data of the people.");
    match (manager, spec.manager_id) {
        (Found::Several(ids), _) => {
            let message = format!(
                "the managers {} of company {company} fit spec.administrator equally well: set \
                 spec.tencentCloud.managerId to one of them. {meanwhile}",
                list(ids)
            );
            (Reason::Ambiguous, message)
        }
        (_, Some(id)) => {
            let message = format!(
                "spec.tencentCloud.managerId {id} is not among the managers of company {company}: correct it, or remove \
                 it to have the manager found by spec.administrator. {meanwhile}"
            );
            (Reason::NotFound, message)
        }
        (Found::NotNamed, None) => {
            let message = format!(
                "company {company} is found, but spec.administrator has neither an e-mail address nor a first and last \
                 name to find the manager by: set them, or spec.tencentCloud.managerId"
            );
            (Reason::NotFound, message)
        }
        (Found::Nobody | Found::One(_), None) => {
            let message = format!(
                "company {company} is found, but none of its managers has the e-mail address or the name of \
                 spec.administrator. {meanwhile} {}",
                how_to_add_manager(company)
            );
            (Reason::NotFound, message)
        }
    }
}

fn not_among(field: &str, id: i64, what: &str, profiles: usize) -> String {
    format!(
        "spec.tencentCloud.{field} {id} is not among the {what} that the account has saved ({profiles} of {LIMIT} profiles): \
         correct it as the console shows it under My Profile, or remove it to have the profile found by its data"
    )
}

fn list(ids: &[u64]) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// The most profiles that an account holds.
pub const LIMIT: usize = 10;

/// Where profiles are.
const MY_PROFILE: &str = "in the console of Tencent Cloud, open SSL Certificates and click My Profile";

/// What happens after any submission.
const REVIEW: &str = "The review takes about one business day; be sure not to miss the call from the CA.";

/// When the profile is reconciled next.
const RECONCILED: &str = "certorder looks again within 12 hours, or at once with the annotation certorder.dev/reconcile-at \
                    on this profile.";

/// How to save an organisation in an account that holds this many.
#[must_use]
pub fn how_to_save(profiles: usize) -> String {
    let room = format!("The account holds {profiles} of {LIMIT} profiles");
    let steps = match profiles {
        0 => format!(
            "{room}. To save the first one, {MY_PROFILE}; click Create Now, enter the organization (full name, \
             department, city, address, landline) and the administrator (name, position, phone, e-mail) on the page \
             Submit Organization Profile, and click Submit."
        ),
        _ if profiles >= LIMIT => {
            format!("{room}, so one must be removed in the console first. Then {MY_PROFILE}; {}", another())
        }
        _ => format!("{room}. To save another one, {MY_PROFILE}; {}", another()),
    };
    format!("{steps} {REVIEW} {RECONCILED}")
}

fn another() -> &'static str {
    "click Add Organization and, on the tab New Organization, Create Now; enter the organization (full name, department, \
     city, address, landline) on the page Submit Organization Profile, and click Submit."
}

/// How to save an administrator of a saved organisation.
#[must_use]
pub fn how_to_add_manager(company: u64) -> String {
    format!(
        "To add the administrator, {MY_PROFILE}, open company {company}, and submit the data there. {REVIEW} {RECONCILED}"
    )
}

/// How to submit a saved profile for review if it was not, or if its review failed or expired.
#[must_use]
pub fn how_to_submit() -> String {
    format!("{}, and submit it for review. {REVIEW} {RECONCILED}", sentence(MY_PROFILE))
}

/// What happens during a review.
#[must_use]
pub fn in_review() -> String {
    format!("{REVIEW} certorder looks again every 10 minutes.")
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
