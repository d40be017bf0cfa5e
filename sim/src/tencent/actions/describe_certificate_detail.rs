//! `DescribeCertificateDetail`: all about one certificate, its key in clear included.

use serde_json::{Value, json};

use super::{action::Action, describe_certificate};
use crate::cloud::{
    Answer, Coverage, Issued, Level,
    params::{Kind, required},
};
use crate::tencent::{certificate::Certificate, error::Refusal, invocation::Invocation};

pub(super) const ACTION: Action =
    Action { name: "DescribeCertificateDetail", params: &[required("CertificateId", Kind::String)], run };

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate("CertificateId")?;
    let mut fields = describe_certificate::common_fields(call, certificate);
    fields.extend(describe_certificate::application_fields(certificate));
    fields.extend(Answer::read(detail_fields(certificate, call.options.detail_lacks_chain)).fields);
    if call.in_china() {
        fields.extend(Answer::read(china_fields(certificate)).fields);
    }
    let id = certificate.id.clone();
    call.count_reads(&[id]);
    Ok(Answer::read(Value::Object(fields)))
}

/// Fingerprints stay null: nothing of them is simulated.
fn detail_fields(certificate: &Certificate, lacks_chain: bool) -> Value {
    let issued = certificate.issued.as_ref();
    let other_names = certificate.names().get(1..).unwrap_or_default().to_vec();
    json!({
        "TypeName": certificate.product.name(),
        "CertificatePublicKey": issued.map(|issued| chain(issued, lacks_chain)),
        "CertificatePrivateKey": issued.and_then(Issued::private_key_pem),
        "RootCert": { "Sign": null, "Encrypt": null, "Standard": null },
        "EncryptCert": null,
        "EncryptPrivateKey": null,
        "CertFingerprint": null,
        "EncryptCertFingerprint": null,
        "EncryptAlgorithm": describe_certificate::encrypt_algorithm(certificate),
        "CertChainInfo": null,
        // Without the common name here, though DescribeCertificate has it in the list.
        "SubjectAltName": other_names,
    })
}

/// Inferred: that a root is cross-signed unless the application said otherwise.
fn china_fields(certificate: &Certificate) -> Value {
    let submission = certificate.submission.as_ref();
    let cross_signed = submission.and_then(|submission| submission.get("UseCrossSignRoot"));
    json!({
        "DomainType": domain_type(certificate.product.coverage),
        "CertType": level(certificate.product.level),
        "UseCrossSignRoot": cross_signed.and_then(Value::as_bool).unwrap_or(true),
        "HostingStatus": describe_certificate::NOT_HOSTED,
    })
}

fn domain_type(coverage: Coverage) -> i64 {
    match coverage {
        Coverage::Single => 1,
        Coverage::Multi => 2,
        Coverage::Wildcard => 3,
        Coverage::MultiWildcard => 4,
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Dv => "DV",
        Level::Ov => "OV",
        Level::Ev => "EV",
    }
}

/// Inferred: the leaf, then the intermediate, without the root, unless the certificate has another shape.
fn chain(issued: &Issued, lacks_chain: bool) -> String {
    if lacks_chain { issued.leaf.clone() } else { issued.entire() }
}
