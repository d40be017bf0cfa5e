//! `DescribeCertificates`: the account's certificates. The deadline of domain validation is to be seen here only.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    describe_certificate,
    page::{LIMIT, OFFSET, Page},
};
use crate::cloud::{
    Answer,
    params::{Kind, Params, optional},
    time::text_time,
};
use crate::tencent::{
    certificate::Certificate, error::Refusal, invocation::Invocation, submission::Submission,
};

pub(super) const ACTION: Action = Action {
    name: "DescribeCertificates",
    params: &[
        OFFSET,
        LIMIT,
        optional("SearchKey", Kind::String),
        optional("CertificateType", Kind::String),
        optional("ProjectId", Kind::Integer),
        optional("ExpirationSort", Kind::String),
        optional("CertificateStatus", Kind::Integers),
        optional("Deployable", Kind::Integer),
        optional("Upload", Kind::Integer),
        optional("Renew", Kind::Integer),
        optional("FilterSource", Kind::String),
        optional("IsSM", Kind::Integer),
        optional("FilterExpiring", Kind::Integer),
        optional("Hostable", Kind::Integer),
        optional("Tags", Kind::Objects),
        optional("IsPendingIssue", Kind::Integer),
        optional("CertIds", Kind::Strings),
    ],
    run,
};

/// Declared by the service, but not simulated: refused, so that no caller takes an unfiltered list for a filtered one.
const UNSUPPORTED: [&str; 11] = [
    "CertificateType",
    "ProjectId",
    "Deployable",
    "Upload",
    "Renew",
    "FilterSource",
    "IsSM",
    "FilterExpiring",
    "Hostable",
    "Tags",
    "IsPendingIssue",
];

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    if let Some(name) = UNSUPPORTED.iter().find(|name| call.params.contains(name)) {
        let message = format!("The filter {name} is not simulated.");
        return Err(Refusal::new("UnsupportedOperation", message));
    }
    let page = Page::of(call.params, 10)?;
    let mut matching = candidates(call);
    matching.retain(|certificate| is_wanted(call.params, certificate));
    sort(&mut matching, call.params)?;
    let shown: Vec<Value> = page.cut(&matching).map(|certificate| to_json(certificate)).collect();
    Ok(Answer::read(json!({ "TotalCount": matching.len(), "Certificates": shown })))
}

fn candidates<'a>(call: &'a Invocation<'_>) -> Vec<&'a Certificate> {
    let ids = call.params.texts("CertIds");
    if ids.is_empty() {
        return call
            .state
            .certificates
            .values()
            .filter(|certificate| certificate.owner == *call.account)
            .collect();
    }
    ids.into_iter().filter_map(|id| call.state.owned(call.account, id)).collect()
}

fn is_wanted(params: &Params, certificate: &Certificate) -> bool {
    let statuses = params.integers("CertificateStatus");
    let found = |key: &str| {
        let domain = certificate.names().first().copied().unwrap_or_default();
        [certificate.id.as_str(), &certificate.alias, domain].iter().any(|text| text.contains(key))
    };
    (statuses.is_empty() || statuses.contains(&certificate.status.0))
        && params.text("SearchKey").is_none_or(found)
}

/// Newest first, unless the caller wants them by their end.
fn sort(certificates: &mut [&Certificate], params: &Params) -> Result<(), Refusal> {
    // Inferred: certificates that are not issued come last in either order.
    let end = |certificate: &&Certificate| certificate.issued.as_ref().map(|issued| issued.not_after);
    match params.text("ExpirationSort") {
        None => certificates.sort_by_key(|certificate| Reverse(certificate.bought_at)),
        Some("ASC") => certificates.sort_by_key(|certificate| end(certificate).unwrap_or(Timestamp::MAX)),
        Some("DESC") => certificates.sort_by_key(|certificate| Reverse(end(certificate))),
        Some(other) => return Err(Refusal::invalid_value("ExpirationSort", other)),
    }
    Ok(())
}

/// Fields of the Describe actions that the list does not have.
const NOT_LISTED: [&str; 2] = ["OrderId", "VulnerabilityReport"];

fn to_json(certificate: &Certificate) -> Value {
    let mut fields: Map<String, Value> = describe_certificate::common_fields(certificate);
    fields.extend(describe_certificate::summary_fields(certificate));
    fields.extend(list_fields(certificate));
    fields.retain(|name, _| !NOT_LISTED.contains(&name.as_str()));
    Value::Object(fields)
}

/// What only the list shows. Fields about resources stay null: nothing of that is simulated.
fn list_fields(certificate: &Certificate) -> Map<String, Value> {
    let submission = certificate.submission.as_ref();
    let manager = submission.and_then(Submission::manager);
    let fields = json!({
        "ProjectInfo": null,
        "BoundResource": null,
        "IsIgnore": false,
        "IsSM": certificate.product.is_sm2(),
        "EncryptAlgorithm": describe_certificate::encrypt_algorithm(certificate),
        "PreAuditInfo": {
            "TotalPeriod": 1,
            "NowPeriod": 1,
            "ManagerId": manager.map(|manager| manager.id.to_string()),
        },
        "AutoRenewFlag": submission.and_then(|submission| submission.get("AutoRenewFlag")).unwrap_or(&json!(0)),
        "HostingStatus": -1,
        "HostingCompleteTime": null,
        "HostingRenewCertId": certificate.successors.hosting_renew,
        "HasRenewOrder": null,
        "ReplaceOriCertIsDelete": null,
        "IsExpiring": null,
        "DVAuthDeadline": certificate.validation_deadline.map(text_time),
        "ValidationPassedTime": certificate.validation_passed.map(text_time),
        "CertSANs": describe_certificate::names(certificate),
        "AwaitingValidationMsg": certificate.validation_message,
        "AllowDownload": certificate.issued.is_some(),
        "IsDNSPODResolve": null,
        "IsPackage": false,
        "KeyPasswordCustomFlag": submission.is_some_and(|submission| submission.text("KeyPass").is_some()),
        "SupportDownloadType": null,
        "CertRevokedTime": certificate.revoked_at.map(text_time),
        "HostingResourceTypes": null,
        "HostingConfig": null,
    });
    Answer::read(fields).fields
}
