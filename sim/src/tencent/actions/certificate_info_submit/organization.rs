//! Who applies: a person or a company, with saved profile ids or with the data inline.

use crate::cloud::params::Params;
use crate::tencent::{
    error::Refusal,
    invocation::Invocation,
    product::Product,
    profile::{Company, Manager},
};

/// The saved profile that the ids name.
#[derive(Default)]
pub(super) struct Profile {
    pub(super) company: Option<Company>,
    pub(super) manager: Option<Manager>,
}

const PERSONAL: i64 = 1;
const COMPANY: i64 = 2;

const ORGANIZATION: [&str; 8] = [
    "OrgOrganization",
    "OrgDivision",
    "OrgAddress",
    "OrgCountry",
    "OrgCity",
    "OrgRegion",
    "OrgPhoneArea",
    "OrgPhoneNumber",
];

/// The people. `TechEmail` is not among them: the documents do not tie it to `ManagerId`.
const PEOPLE: [&str; 9] = [
    "AdminFirstName",
    "AdminLastName",
    "AdminPhone",
    "AdminEmail",
    "AdminTitle",
    "TechFirstName",
    "TechLastName",
    "TechPhone",
    "TechTitle",
];

pub(super) fn check(call: &Invocation<'_>, product: Product) -> Result<Profile, Refusal> {
    if call.params.text("CompanyId").is_none() {
        // Inferred: an empty text is no id; the documents want 0 where there is none.
        return Err(Refusal::invalid_param("CompanyId is required: 0 if there is none."));
    }
    let (company_id, manager_id) = (id(call.params, "CompanyId")?, id(call.params, "ManagerId")?);
    match call.params.integer("CompanyType") {
        Some(PERSONAL) if !product.is_dv() => {
            Err(Refusal::invalid_param("CompanyType 1 (personal) is for DV certificates only."))
        }
        Some(PERSONAL) => check_personal(call.params),
        Some(COMPANY) => check_company(call, company_id, manager_id),
        other => Err(Refusal::invalid_value("CompanyType", other.unwrap_or_default())),
    }
}

fn check_personal(params: &Params) -> Result<Profile, Refusal> {
    match params.text("ContactEmail") {
        Some(_) => Ok(Profile::default()),
        None => Err(Refusal::new(
            "FailedOperation.CertificateInfoSubmitContactEmailEmpty",
            "Mailbox cannot be empty",
        )),
    }
}

/// A manager stands for the company and the people; a company alone for the organisation's own data.
fn check_company(
    call: &Invocation<'_>,
    company_id: Option<u64>,
    manager_id: Option<u64>,
) -> Result<Profile, Refusal> {
    let manager = manager_id.map(|id| find_manager(call, id)).transpose()?;
    let company_id = company_id.or(manager.as_ref().map(|manager| manager.company_id));
    let company = company_id.map(|id| find_company(call, id)).transpose()?;
    if let (Some(company), Some(manager)) = (&company, &manager)
        && manager.company_id != company.id
    {
        // Inferred: the documents do not say what becomes of a manager of another company.
        return Err(Refusal::invalid_param("ManagerId is not a manager of CompanyId."));
    }
    if company.is_none() {
        require(call.params, &ORGANIZATION, "neither CompanyId nor ManagerId")?;
    }
    if manager.is_none() {
        require(call.params, &PEOPLE, "no ManagerId")?;
    }
    Ok(Profile { company, manager })
}

fn require(params: &Params, names: &[&str], without: &str) -> Result<(), Refusal> {
    match names.iter().find(|name| params.text(name).is_none()) {
        Some(name) => Err(Refusal::invalid_param(format!("{name} is required if {without} is given."))),
        None => Ok(()),
    }
}

/// A decimal id; `0` and nothing mean that there is none.
fn id(params: &Params, name: &str) -> Result<Option<u64>, Refusal> {
    match params.text(name).map(str::parse) {
        None | Some(Ok(0)) => Ok(None),
        Some(Ok(id)) => Ok(Some(id)),
        Some(Err(_)) => Err(Refusal::invalid_param(format!("{name} is not a number."))),
    }
}

/// Inferred: the code for a company that the account does not have.
fn find_company(call: &Invocation<'_>, id: u64) -> Result<Company, Refusal> {
    let holdings = call.state.holdings.get(call.account);
    let company = holdings.and_then(|holdings| holdings.companies.get(&id));
    company.cloned().ok_or_else(|| Refusal::invalid_param(format!("The company {id} does not exist.")))
}

/// Inferred: the code for a manager that the account does not have.
fn find_manager(call: &Invocation<'_>, id: u64) -> Result<Manager, Refusal> {
    let holdings = call.state.holdings.get(call.account);
    let manager = holdings.and_then(|holdings| holdings.managers.get(&id));
    manager
        .map(|manager| manager.as_of(call.now))
        .ok_or_else(|| Refusal::invalid_param(format!("The manager {id} does not exist.")))
}
