//! `DescribeCertificates`: the account's certificates. The deadline of domain validation is to be seen here only.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    describe_certificate::{self, NEAR_DAYS},
    page::{LIMIT, OFFSET, Page},
};
use crate::cloud::{
    Answer,
    params::{Kind, Param, Params, optional},
    time::text_time,
};
use crate::tencent::{
    certificate::{Certificate, Status},
    error::Refusal,
    invocation::Invocation,
    reissue,
    submission::Submission,
    term::Plan,
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

/// What only the China site declares.
pub(super) const CHINA: &[Param] = &[optional("ServiceId", Kind::String)];

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
    let shown: Vec<(String, Value)> =
        page.cut(&matching).map(|one| (one.id.clone(), to_json(call, one))).collect();
    let total = matching.len();
    let (ids, shown): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
    call.count_reads(&ids);
    Ok(Answer::read(json!({ "TotalCount": total, "Certificates": shown })))
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
        && params.text("ServiceId").is_none_or(|id| certificate.term.service_id() == Some(id))
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

fn to_json(call: &Invocation<'_>, certificate: &Certificate) -> Value {
    let mut fields: Map<String, Value> = describe_certificate::common_fields(call, certificate);
    fields.extend(describe_certificate::summary_fields(certificate));
    fields.extend(list_fields(certificate));
    fields.extend(Answer::read(chain_fields(call, certificate)).fields);
    if call.in_china() {
        fields.extend(Answer::read(service_fields(call, certificate)).fields);
    }
    fields.retain(|name, _| !NOT_LISTED.contains(&name.as_str()));
    Value::Object(fields)
}

/// What only the list shows. Fields about resources stay null: nothing of that is simulated.
fn list_fields(certificate: &Certificate) -> Map<String, Value> {
    let submission = certificate.submission.as_ref();
    let fields = json!({
        "ProjectInfo": null,
        "BoundResource": null,
        "IsIgnore": false,
        "IsSM": certificate.product.is_sm2(),
        "EncryptAlgorithm": describe_certificate::encrypt_algorithm(certificate),
        "AutoRenewFlag": submission.and_then(|submission| submission.get("AutoRenewFlag")).unwrap_or(&json!(0)),
        "HostingStatus": describe_certificate::NOT_HOSTED,
        "HostingCompleteTime": null,
        "HostingRenewCertId": certificate.successors.hosting_renew,
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

/// What the list shows of the certificates before and after.
///
/// Inferred: that an issued certificate is expiring or is not, that the original of a reissue is deleted or is not, and
/// that both are null elsewhere.
fn chain_fields(call: &Invocation<'_>, certificate: &Certificate) -> Value {
    let Certificate { term, successors, predecessors, .. } = certificate;
    let manager = certificate.submission.as_ref().and_then(Submission::manager);
    let original = predecessors.reissued_from.as_ref();
    let is_valid = certificate.is_valid();
    json!({
        "PreAuditInfo": {
            "TotalPeriod": if term.plan == Plan::MultiYear { term.years } else { 1 },
            "NowPeriod": if term.plan == Plan::MultiYear { term.year(call.now) } else { 1 },
            "ManagerId": manager.map(|manager| manager.id.to_string()),
        },
        "HasRenewOrder": describe_certificate::forward_link(certificate, successors.renew_order.as_ref()),
        "ReplaceOriCertIsDelete": original.map(|id| !call.state.certificates.contains_key(id)),
        "IsExpiring": is_valid.then(|| reissue::is_barred(certificate, NEAR_DAYS, call.now)),
    })
}

/// What the list of the China site shows of the subscription service; null where there is none.
///
/// Inferred: that a service is activated once its first certificate is issued, and nears its end 30 days before.
fn service_fields(call: &Invocation<'_>, certificate: &Certificate) -> Value {
    let Certificate { term, .. } = certificate;
    let service = term.service_id();
    let time = |time: Option<Timestamp>| service.and(time).map(text_time);
    let is_of_it = |one: &&Certificate| one.owner == certificate.owner && one.term.service_id() == service;
    let valid = call.state.certificates.values().filter(is_of_it).filter(|one| one.is_valid()).count();
    json!({
        "ServiceId": service,
        "ServiceStatus": service.map(|_| service_status(certificate, call.now)),
        "CertServiceBeginTime": time(term.began),
        "CertServiceEndTime": time(term.ends()),
        "CertServiceShareEnabled": service.map(|_| false),
        "CertServiceValidCertificateCount": service.map(|_| valid),
        "IsHostingUploadRenewCert": certificate.renewal_is_managed,
    })
}

fn service_status(certificate: &Certificate, now: Timestamp) -> &'static str {
    let left = certificate.term.ends().map(|ends| ends.duration_since(now));
    match left {
        _ if certificate.status == Status::REFUNDED => "refunded",
        None => "initing",
        Some(left) if left <= SignedDuration::ZERO => "expired",
        Some(left) if left <= SignedDuration::from_hours(24 * i64::from(NEAR_DAYS)) => "nearExpire",
        Some(_) => "running",
    }
}
