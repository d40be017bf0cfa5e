//! `DescribeCertificate`: all about one certificate, save its key.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::action::Action;
use crate::cloud::{
    Answer, Issued, Level,
    params::{Kind, required},
    time::text_time,
};
use crate::tencent::{
    certificate::{Certificate, DomainAuth, Source, Status},
    error::Refusal,
    invocation::Invocation,
    reissue,
    submission::Submission,
};

pub(super) const ACTION: Action =
    Action { name: "DescribeCertificate", params: &[required("CertificateId", Kind::String)], run };

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate("CertificateId")?;
    let can_be_reissued = certificate.status == Status::ISSUED
        && reissue::check(call.state, &call.options.reissue, certificate, call.now).is_ok();
    let mut fields = common_fields(call, certificate);
    fields.extend(application_fields(certificate));
    fields.extend(summary_fields(certificate));
    // Here it is about a reissue; elsewhere about a paid renewal.
    fields.insert("RenewAble".to_owned(), can_be_reissued.into());
    let id = certificate.id.clone();
    call.count_reads(&[id]);
    Ok(Answer::read(Value::Object(fields)))
}

/// The fields of this action and the list that `DescribeCertificateDetail` lacks or fills in another way.
pub(super) fn summary_fields(certificate: &Certificate) -> Map<String, Value> {
    let fields = json!({
        "PackageTypeName": certificate.product.name(),
        "CAEncryptAlgorithms": null,
        "CACommonNames": null,
        "CAEndTimes": null,
        "SubjectAltName": names(certificate),
    });
    Answer::read(fields).fields
}

/// The fields that the Describe actions and the list share.
pub(super) fn common_fields(call: &Invocation<'_>, certificate: &Certificate) -> Map<String, Value> {
    let Certificate { product, status, issued, .. } = certificate;
    let time = |pick: fn(&Issued) -> Timestamp| issued.as_ref().map(pick).map(text_time);
    let fields = json!({
        "OwnerUin": certificate.owner.uin,
        "ProjectId": "0",
        "From": if certificate.source == Source::Uploaded { "upload" } else { "trustasia" },
        "CertificateType": "SVR",
        "PackageType": product.package_type.to_string(),
        "ProductZhName": product.name(),
        "CertificateId": certificate.id,
        "Domain": certificate.names().first(),
        "Alias": certificate.alias,
        "Status": status.0,
        "StatusMsg": certificate.status_message,
        "StatusName": status.name(),
        "VerifyType": certificate.submission.as_ref().and_then(|submission| submission.text("VerifyType")),
        "VulnerabilityStatus": null,
        "VulnerabilityReport": null,
        "CertBeginTime": time(|issued| issued.not_before),
        "CertEndTime": time(|issued| issued.not_after),
        "InsertTime": text_time(certificate.bought_at),
        "ValidityPeriod": "12",
        "OrderId": certificate.order_id,
        "CertificateExtra": extra(certificate, call.in_china()),
        "IsVip": !product.is_free(),
        "IsWildcard": product.is_wildcard(),
        "IsDv": product.level == Level::Dv,
        "IsVulnerability": false,
        "RenewAble": can_be_renewed(certificate, call.now),
        "Deployable": *status == Status::ISSUED,
        "Tags": null,
    });
    Answer::read(fields).fields
}

/// The fields about the application, which the list lacks.
pub(super) fn application_fields(certificate: &Certificate) -> Map<String, Value> {
    // What was submitted cannot be read any more once the certificate is issued.
    let submission = certificate.submission.as_ref().filter(|_| !certificate.is_valid());
    let fields = json!({
        "DvAuthDetail": auth_detail(&certificate.auths),
        "DvRevokeAuthDetail": auths(&certificate.revocation.auths),
        "SubmittedData": submission.map(Submission::to_json),
    });
    Answer::read(fields).fields
}

/// All names with the common name among them; null before there are any.
pub(super) fn names(certificate: &Certificate) -> Value {
    let names = certificate.names();
    if names.is_empty() { Value::Null } else { json!(names) }
}

fn extra(certificate: &Certificate, in_china: bool) -> Value {
    let company_type = certificate.submission.as_ref().and_then(|submission| submission.get("CompanyType"));
    let (back, forward) = (&certificate.predecessors, &certificate.successors);
    let mut fields = json!({
        "DomainNumber": certificate.domain_number.to_string(),
        "OriginCertificateId": back_link(certificate, back.renewal_of.as_ref()),
        "ReplacedBy": back_link(certificate, back.reissued_from.as_ref()),
        "ReplacedFor": forward_link(certificate, forward.reissued_to.as_ref()),
        "RenewOrder": forward_link(certificate, forward.renew_order.as_ref()),
        "SMCert": i32::from(certificate.product.is_sm2()),
        "CompanyType": company_type,
    });
    if in_china && let Some(fields) = fields.as_object_mut() {
        let service = [
            ("ServiceOriginCertificateId", back_link(certificate, back.service_origin.as_ref())),
            ("ServiceRenewCertificateId", forward_link(certificate, forward.service_renew.as_ref())),
        ];
        fields.extend(service.map(|(name, link)| (name.to_owned(), link.into())));
    }
    fields
}

/// A link to what took the place of a certificate, as far as it can be read yet.
pub(super) fn forward_link<'a>(certificate: &Certificate, link: Option<&'a String>) -> Option<&'a str> {
    link.map(String::as_str).filter(|_| certificate.links.forward.shows())
}

fn back_link<'a>(certificate: &Certificate, link: Option<&'a String>) -> Option<&'a str> {
    link.map(String::as_str).filter(|_| certificate.links.back.shows())
}

/// `HostingStatus` of a certificate whose roll-out to other services the cloud does not manage.
pub(super) const NOT_HOSTED: i64 = -1;

/// How long before its end a certificate is close to it.
pub(super) const NEAR_DAYS: u16 = 30;

/// Whether a renewal can be bought.
///
/// Inferred: from 30 days before the end on, as guides say, and once.
fn can_be_renewed(certificate: &Certificate, now: Timestamp) -> bool {
    certificate.status == Status::ISSUED
        && !certificate.successors.is_renewed()
        && reissue::is_barred(certificate, NEAR_DAYS, now)
}

/// `DvAuthDetail`: the first proof at the top, all of them in `DvAuths`.
fn auth_detail(auths: &[DomainAuth]) -> Value {
    let Some(first) = auths.first() else { return Value::Null };
    json!({
        "DvAuthKey": first.key,
        "DvAuthValue": first.value,
        "DvAuthDomain": first.domain,
        "DvAuthPath": first.path,
        "DvAuthKeySubDomain": first.sub_domain,
        "DvAuths": self::auths(auths),
    })
}

/// The algorithm of the key (`EncryptAlgorithm`).
///
/// Inferred: the word for SM2, which is that of other actions.
pub(super) fn encrypt_algorithm(certificate: &Certificate) -> Option<&str> {
    let submission = certificate.submission.as_ref()?;
    if certificate.product.is_sm2() { Some("SM2") } else { submission.text("CsrEncryptAlgo") }
}

/// A list of proofs; null where there is none.
fn auths(auths: &[DomainAuth]) -> Value {
    let all = auths.iter().map(|auth| {
        json!({
            "DvAuthKey": auth.key,
            "DvAuthValue": auth.value,
            "DvAuthDomain": auth.domain,
            "DvAuthPath": auth.path,
            "DvAuthSubDomain": auth.sub_domain,
            "DvAuthVerifyType": auth.kind,
        })
    });
    if auths.is_empty() { Value::Null } else { all.collect() }
}
