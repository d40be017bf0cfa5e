//! Why no saved profile is used, and what to do about it: the messages of Resolved. Pure.

use crate::api::v1alpha1::TencentCloudProfile;
use crate::api::v1alpha1::conditions::Reason;
use crate::profile::console;
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
            let message = format!(
                "no saved company has the name of spec.organization. {}",
                console::how_to_save(profiles)
            );
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
                console::how_to_add_manager(company)
            );
            (Reason::NotFound, message)
        }
    }
}

fn not_among(field: &str, id: i64, what: &str, profiles: usize) -> String {
    format!(
        "spec.tencentCloud.{field} {id} is not among the {what} that the account has saved ({profiles} of {} profiles): \
         correct it as the console shows it under My Profile, or remove it to have the profile found by its data",
        console::LIMIT
    )
}

fn list(ids: &[u64]) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
