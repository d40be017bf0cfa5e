//! `show`: all about one certificate, save its key.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::action::Action;
use crate::{
    cloud::{Answer, Issued, time},
    huawei::{
        certificate::{Certificate, DomainAuth},
        error::Refusal,
        invocation::Invocation,
        submission::Submission,
    },
};

pub(super) const ACTION: Action = Action {
    name: "show",
    method: "GET",
    path: "/v3/scm/certificates/{certificate_id}",
    query: &[],
    params: &[],
    run,
};

/// Inferred: that texts without a value yet are empty and not absent. The documents say it of the times only.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate()?;
    let mut fields = common_fields(certificate);
    fields.extend(own_fields(certificate));
    Ok(Answer::read(Value::Object(fields)))
}

/// The fields that the list has, too.
pub(super) fn common_fields(certificate: &Certificate) -> Map<String, Value> {
    let Certificate { product, .. } = certificate;
    let names = certificate.names();
    let fields = json!({
        "id": certificate.id,
        "status": certificate.status.0,
        "name": certificate.name,
        "type": product.kind,
        "brand": product.brand,
        "signature_algorithm": signature_algorithm(certificate),
        "validity_period": 12,
        "domain_type": product.domain_type(),
        "domain": names.first().copied().unwrap_or_default(),
        "sans": names.get(1..).unwrap_or_default().join(";"),
        "domain_count": certificate.domain_count,
        "wildcard_count": certificate.wildcard_count,
        "description": certificate.description,
        "enterprise_project_id": "0",
    });
    Answer::read(fields).fields
}

/// A time of an issued certificate; empty until then.
pub(super) fn issued_time(certificate: &Certificate, pick: fn(&Issued) -> Timestamp) -> String {
    certificate.issued.as_ref().map(pick).map(text_time).unwrap_or_default()
}

/// Inferred: that show writes times as the list does, with a tenth of a second.
fn text_time(time: Timestamp) -> String {
    format!("{}.0", time::text_time(time))
}

/// Inferred: the wording; the simulated authority signs with ECDSA. Also that an SM2 product, which is bought as one,
/// shows its algorithm from the beginning.
fn signature_algorithm(certificate: &Certificate) -> &'static str {
    match &certificate.issued {
        _ if certificate.product.is_sm2 => "SM3withSM2",
        Some(_) => "ECDSA-SHA256",
        None => "",
    }
}

fn own_fields(certificate: &Certificate) -> Map<String, Value> {
    let submission = certificate.submission.as_ref();
    let primary = if certificate.primary_is_wildcard { "primary_wildcard" } else { "primary_single" };
    let several_names = certificate.product.coverage.several_names();
    // Inferred: a certificate that cannot be pushed is OFF; the documents show no other word.
    let fields = json!({
        "order_id": certificate.order_id,
        "push_support": "OFF",
        "revoke_reason": certificate.revoke_reason,
        "issue_time": issued_time(certificate, |issued| issued.not_before),
        "not_before": issued_time(certificate, |issued| issued.not_before),
        "not_after": issued_time(certificate, |issued| issued.not_after),
        "validation_method": submission.map(Submission::method).unwrap_or_default(),
        "multi_domain_type": if several_names { primary } else { "" },
        "fingerprint": certificate.issued.as_ref().map(fingerprint).unwrap_or_default(),
        "shared": false,
        // Inferred: null before an application is filed.
        "application_info": submission.map(Submission::to_json),
        // The spelling is that of the API.
        "authentification": certificate.auths.iter().filter(|auth| !auth.seen).map(record).collect::<Vec<_>>(),
    });
    Answer::read(fields).fields
}

/// Inferred: a name whose proof was seen is not listed any more.
fn record(auth: &DomainAuth) -> Value {
    json!({
        "record_name": auth.record_name,
        "record_type": auth.record_type,
        "record_value": auth.record_value,
        "domain": auth.name,
    })
}

/// SHA-1 over the leaf's DER.
///
/// Inferred: upper-case digits without colons.
fn fingerprint(issued: &Issued) -> String {
    let der = pem::parse(&issued.leaf).map(pem::Pem::into_contents).unwrap_or_default();
    hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der))
}
