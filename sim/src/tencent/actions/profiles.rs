//! `DescribeCompanies` and `DescribeManagers`: the saved organisation profiles, which no action can make or change.

use serde_json::{Value, json};

use super::{
    action::Action,
    page::{LIMIT, OFFSET, Page},
};
use crate::cloud::{
    Answer,
    params::{Kind, Params, optional, required},
};
use crate::tencent::{
    error::Refusal,
    invocation::Invocation,
    profile::{Company, Manager},
};

pub(super) const COMPANIES: Action = Action {
    name: "DescribeCompanies",
    params: &[OFFSET, LIMIT, optional("CompanyId", Kind::Integer)],
    run: companies,
};

pub(super) const MANAGERS: Action = Action {
    name: "DescribeManagers",
    params: &[
        required("CompanyId", Kind::Integer),
        OFFSET,
        LIMIT,
        optional("ManagerName", Kind::String),
        optional("ManagerMail", Kind::String),
        optional("Status", Kind::String),
        optional("SearchKey", Kind::String),
    ],
    run: managers,
};

/// Without `Limit` the answer is empty but for the count: 0 is the documented default.
fn companies(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 0)?;
    let wanted = call.params.integer("CompanyId");
    let saved =
        call.state.holdings.get(call.account).into_iter().flat_map(|holdings| holdings.companies.values());
    let matching: Vec<&Company> =
        saved.filter(|company| wanted.is_none_or(|id| is(id, company.id))).collect();
    let shown: Vec<Value> = page.cut(&matching).map(|company| company.to_json()).collect();
    Ok(Answer::read(json!({ "Companies": shown, "TotalCount": matching.len() })))
}

/// Inferred: an unknown company has no managers, and is no error.
fn managers(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 10)?;
    let saved =
        call.state.holdings.get(call.account).into_iter().flat_map(|holdings| holdings.managers.values());
    let now = call.now;
    let matching: Vec<Manager> =
        saved.map(|manager| manager.as_of(now)).filter(|manager| is_wanted(call.params, manager)).collect();
    let shown: Vec<Value> =
        page.cut(&matching).map(|manager| manager.to_json(certificates_of(call, manager))).collect();
    Ok(Answer::read(json!({ "Managers": shown, "TotalCount": matching.len() })))
}

/// `SearchKey` is matched exactly; the two older fields match a part.
fn is_wanted(params: &Params, manager: &Manager) -> bool {
    let Manager { first_name, last_name, mail, department, .. } = manager;
    let full_name = format!("{first_name}{last_name}");
    let found =
        |key: &str| [last_name, first_name, &full_name, mail, department].iter().any(|text| *text == key);
    params.integer("CompanyId").is_some_and(|id| is(id, manager.company_id))
        && params.text("Status").is_none_or(|status| manager.status == status)
        && params.text("SearchKey").is_none_or(found)
        && params.text("ManagerName").is_none_or(|part| full_name.contains(part))
        && params.text("ManagerMail").is_none_or(|part| mail.contains(part))
}

fn certificates_of(call: &Invocation<'_>, manager: &Manager) -> usize {
    let certificates =
        call.state.certificates.values().filter(|certificate| certificate.owner == *call.account);
    let managers = certificates.filter_map(|certificate| certificate.submission.as_ref()?.manager());
    managers.filter(|used| used.id == manager.id).count()
}

fn is(number: i64, id: u64) -> bool {
    u64::try_from(number).is_ok_and(|number| number == id)
}
