//! `list`: the account's certificates.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{action::Action, show};
use crate::{
    cloud::Answer,
    huawei::{
        certificate::{Certificate, Status},
        error::Refusal,
        invocation::Invocation,
    },
};

pub(super) const ACTION: Action = Action {
    name: "list",
    method: "GET",
    path: "/v3/scm/certificates",
    query: &[
        "limit",
        "offset",
        "sort_dir",
        "sort_key",
        "status",
        "enterprise_project_id",
        "deploy_support",
        "owned_by_self",
        "expired_days_since",
        "content",
    ],
    params: &[],
    run,
};

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    if call.query("expired_days_since").is_some() {
        // Refused, so that no caller takes an unfiltered list for a filtered one.
        return Err(Refusal::bad_parameter("The filter expired_days_since is not simulated."));
    }
    let (offset, limit) = page(call)?;
    let mut matching: Vec<&Certificate> = Vec::new();
    for certificate in call.state.certificates.values().filter(|one| one.owner == *call.account) {
        if is_wanted(call, certificate)? {
            matching.push(certificate);
        }
    }
    sort(&mut matching, call)?;
    let shown: Vec<Value> = matching.iter().skip(offset).take(limit).map(|one| item(one, call)).collect();
    Ok(Answer::read(json!({ "certificates": shown, "total_count": matching.len() })))
}

/// What lies beyond is to be found by filters only.
const MOST_OFFSET: usize = 100;

/// Inferred: the page without a limit, and that a limit which the documents do not list is refused.
fn page(call: &Invocation<'_>) -> Result<(usize, usize), Refusal> {
    let limit = match call.query("limit") {
        None | Some("10") => 10,
        Some("20") => 20,
        Some("50") => 50,
        Some(_) => return Err(Refusal::bad_parameter("limit must be 10, 20 or 50.")),
    };
    let offset = call.query("offset").unwrap_or("0").parse();
    let offset = offset.map_err(|_| Refusal::bad_parameter("offset is not a number."))?;
    if offset > MOST_OFFSET {
        return Err(Refusal::bad_parameter(format!("offset must not be greater than {MOST_OFFSET}.")));
    }
    Ok((offset, limit))
}

fn is_wanted(call: &Invocation<'_>, certificate: &Certificate) -> Result<bool, Refusal> {
    let found = |content: &str| {
        let domain = certificate.names().first().copied().unwrap_or_default();
        certificate.name.contains(content) || domain.contains(content)
    };
    // Inferred: the list has what others share only where owned_by_self is false; nobody shares anything here.
    flag(call, "owned_by_self")?;
    let deployable = flag(call, "deploy_support")?;
    Ok(has_status(call, certificate)?
        && is_in_project(call)?
        && call.query("content").is_none_or(found)
        && deployable.is_none_or(|wanted| wanted == is_deployable(certificate)))
}

fn flag(call: &Invocation<'_>, name: &str) -> Result<Option<bool>, Refusal> {
    let flag = call.query(name).map(str::parse).transpose();
    flag.map_err(|_| Refusal::bad_parameter(format!("{name} must be true or false.")))
}

/// Inferred: that a word which the documents do not list is refused.
fn has_status(call: &Invocation<'_>, certificate: &Certificate) -> Result<bool, Refusal> {
    match call.query("status") {
        None | Some("ALL") => Ok(true),
        Some(word) if Status::DOCUMENTED.iter().any(|status| status.0 == word) => {
            Ok(certificate.status.0 == word)
        }
        Some(_) => Err(Refusal::bad_parameter("status is not a status.")),
    }
}

/// Every certificate is in the default project.
fn is_in_project(call: &Invocation<'_>) -> Result<bool, Refusal> {
    match call.query("enterprise_project_id") {
        None | Some("all" | "0") => Ok(true),
        Some(id) if is_project_id(id) => Ok(false),
        Some(_) => Err(Refusal::bad_parameter("enterprise_project_id is not valid.")),
    }
}

fn is_project_id(id: &str) -> bool {
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let parts: Vec<&str> = id.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| is_part(part))
}

/// A certificate whose key the cloud lacks cannot be deployed.
fn is_deployable(certificate: &Certificate) -> bool {
    let issued = certificate.issued.as_ref().filter(|_| certificate.status == Status::ISSUED);
    issued.is_some_and(|issued| issued.private_key.is_some())
}

/// Inferred: the order without a key, newest first, and that certificates which are not issued come last by expiry.
fn sort(certificates: &mut [&Certificate], call: &Invocation<'_>) -> Result<(), Refusal> {
    let end = |one: &&Certificate| one.issued.as_ref().map_or(Timestamp::MAX, |issued| issued.not_after);
    match call.query("sort_key") {
        Some("certExpiredTime") => certificates.sort_by_key(end),
        Some("certStatus") => certificates.sort_by_key(|one| one.status),
        None | Some("certUpdateTime") => certificates.sort_by_key(|one| one.updated_at()),
        Some(_) => return Err(Refusal::bad_parameter("sort_key is not valid.")),
    }
    match call.query("sort_dir") {
        Some("ASC") => {}
        None | Some("DESC") => certificates.reverse(),
        Some(_) => return Err(Refusal::bad_parameter("sort_dir must be ASC or DESC.")),
    }
    Ok(())
}

fn item(certificate: &Certificate, call: &Invocation<'_>) -> Value {
    let mut fields = show::common_fields(certificate);
    let own = json!({
        "deploy_support": is_deployable(certificate),
        "expire_time": show::issued_time(certificate, |issued| issued.not_after),
        "domain_id": call.account.domain_id,
    });
    fields.extend(Answer::read(own).fields);
    Value::Object(fields)
}
