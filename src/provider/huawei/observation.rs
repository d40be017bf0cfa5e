//! Translates the answer of `show` to an observation.

use crate::core::observation::{MOST_RECORDS, Observation, Stage, ValidationRecord, each_once};
use crate::provider::time;

use super::wire::{Authentication, Certificate};
use super::{evidence, product};

/// Translates an answer.
pub fn observation(certificate: Certificate) -> Observation {
    let product = product::product(&certificate);
    let stored = evidence::stored(
        certificate.domain.as_deref(),
        &certificate.sans,
        certificate.application_info.as_ref(),
    );
    let status = certificate.status.unwrap_or_default();
    let records: Vec<_> =
        certificate.authentication.into_iter().filter_map(record).take(MOST_RECORDS).collect();
    Observation {
        stage: stage(&status, !records.is_empty()),
        status,
        // The only words that `show` has: it does not say why an application was refused.
        message: certificate.revoke_reason.map(Into::into),
        // The account of the certificate is not reported.
        owner: None,
        // `order_id` is the number of the purchase, not the CA's.
        order_id: None,
        names: each_once(certificate.domain.into_iter().chain(certificate.sans)),
        product,
        stored,
        records,
        replaced_by: None,
        reissued_from: None,
        not_before: certificate.not_before.as_deref().and_then(time::parse),
        not_after: certificate.not_after.as_deref().and_then(time::parse),
    }
}

/// The words of `status`, as the pages on `show` and on the list have them. Words get added, so an unknown one is no
/// error.
pub(super) fn stage(status: &str, has_records: bool) -> Stage {
    match status.to_ascii_uppercase().as_str() {
        "PAID" => Stage::AwaitingInformation,
        // One word for both; the pending proofs of control show which it is.
        "CHECKING" if !has_records => Stage::Reviewing,
        "CHECKING" | "CHECKING_DOMAIN" => Stage::Validating,
        "CHECKING_ORG" => Stage::Reviewing,
        "ISSUING" => Stage::Issuing,
        "ISSUED" => Stage::Issued,
        "UNPASSED" => Stage::Rejected,
        "CANCELCHECKING" => Stage::Cancelling,
        // The page on the list spells it like this; the correct spelling is known too, in case it gets fixed.
        "REVOKING" | "CANCLEREVOKING" | "CANCELREVOKING" => Stage::Revoking,
        "REVOKED" => Stage::Revoked,
        "EXPIRED" => Stage::Expired,
        // Uploaded, or names are being added in the console.
        "UPLOAD" | "SUPPLEMENTCHECKING" | "CANCELSUPPLEMENTING" => Stage::Managed,
        _ => Stage::Unrecognised,
    }
}

/// A record, unless it is not clear what to publish or it does not fit into the status.
fn record(record: Authentication) -> Option<ValidationRecord> {
    let (name, value) = (record.record_name?, record.record_value?);
    let type_ = record.record_type.unwrap_or_else(|| "TXT".to_owned());
    let domain = record.domain.unwrap_or_else(|| name.clone());
    Some(ValidationRecord { domain, type_, name, value }).filter(ValidationRecord::fits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::product::{Algorithms, Product};
    use crate::core::redact::Filter;

    fn observe(fields: Value) -> Observation {
        observation(serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn every_status_has_its_stage() {
        let stages = [
            ("PAID", Stage::AwaitingInformation),
            ("CHECKING", Stage::Reviewing),
            ("CHECKING_DOMAIN", Stage::Validating),
            ("CHECKING_ORG", Stage::Reviewing),
            ("ISSUING", Stage::Issuing),
            ("ISSUED", Stage::Issued),
            ("UNPASSED", Stage::Rejected),
            ("CANCELCHECKING", Stage::Cancelling),
            ("REVOKING", Stage::Revoking),
            ("CANCLEREVOKING", Stage::Revoking),
            ("CANCELREVOKING", Stage::Revoking),
            ("REVOKED", Stage::Revoked),
            ("EXPIRED", Stage::Expired),
            ("UPLOAD", Stage::Managed),
            ("SUPPLEMENTCHECKING", Stage::Managed),
            ("CANCELSUPPLEMENTING", Stage::Managed),
            ("ALL", Stage::Unrecognised),
            ("REISSUING", Stage::Unrecognised),
            ("", Stage::Unrecognised),
        ];
        for (status, stage) in stages {
            let observation = observe(json!({ "status": status }));
            assert_eq!((observation.stage, observation.status.as_str()), (stage, status));
        }
        assert_eq!(observe(json!({})).stage, Stage::Unrecognised);
        let records =
            json!([{"record_name": "_dnsauth.a.example", "record_type": "TXT", "record_value": "v"}]);
        let checking = observe(json!({"status": "CHECKING", "authentification": records}));
        assert_eq!(checking.stage, Stage::Validating);
    }

    #[test]
    fn product_and_names_are_read_as_far_as_they_are_there() {
        let of = |fields: Value| observe(fields).product;
        let named = |name: &str| Some(name.to_owned());
        let (dv, ov) = (Some(true), Some(false));
        let cases = [
            (json!({}), (None, None, None, None)),
            (json!({"type": "DV_SSL_CERT_BASIC"}), (named("DV_SSL_CERT_BASIC"), dv, None, None)),
            (
                json!({"brand": "GEOTRUST", "type": "OV_SSL_CERT", "domain_type": "SINGLE_DOMAIN", "domain_count": 1}),
                (named("GEOTRUST OV_SSL_CERT"), ov, Some(false), Some(1)),
            ),
            (
                json!({"type": "EV_SSL_CERT_PRO", "domain_type": "WILDCARD"}),
                (named("EV_SSL_CERT_PRO"), ov, Some(true), Some(1)),
            ),
            (
                json!({"domain_type": "MULTI_DOMAIN", "domain_count": 3, "wildcard_count": 0}),
                (None, None, Some(false), Some(3)),
            ),
            (
                json!({"domain_type": "MULTI_DOMAIN", "domain_count": "2", "wildcard_count": "1"}),
                (None, None, Some(true), Some(3)),
            ),
            (
                json!({"type": "NEW_CERT", "domain_type": "NEW", "domain_count": 0}),
                (named("NEW_CERT"), None, None, None),
            ),
        ];
        for (fields, (name, domain_validated, wildcard, names)) in cases {
            let expected = Product { name, domain_validated, wildcard, names, ..Product::default() };
            assert_eq!(of(fields.clone()), expected, "{fields}");
        }
        let held =
            observe(json!({"domain": "www.acme.example", "sans": "api.acme.example;www.acme.example"})).names;
        assert_eq!(held, ["www.acme.example", "api.acme.example"]);
    }

    #[test]
    fn an_sm2_product_is_recognised_by_what_names_its_algorithm() {
        let (sm2, international) = (Some(Algorithms::Sm2), Some(Algorithms::International));
        let cases = [
            (json!({"brand": "CFCA", "type": "OV_SSL_CERT"}), None),
            (json!({"brand": "CFCA", "type": "OV_SSL_CERT", "signature_algorithm": ""}), None),
            (json!({"brand": "CFCA", "type": "OV_SSL_CERT", "signature_algorithm": "SM3withSM2"}), sm2),
            (
                json!({"brand": "CFCA", "type": "OV_SSL_CERT", "signature_algorithm": "SHA256withRSA"}),
                international,
            ),
            (json!({"signature_algorithm": "SM2"}), sm2),
            (json!({"type": "OV_SSL_CERT_SM2", "signature_algorithm": "SHA256withRSA"}), sm2),
        ];
        for (fields, algorithms) in cases {
            assert_eq!(observe(fields.clone()).product.algorithms, algorithms, "{fields}");
        }
    }

    #[test]
    fn times_are_those_of_china_standard_time() {
        let seen =
            observe(json!({"not_before": "2026-01-01 00:00:00.0", "not_after": "2026-07-19 23:59:59"}));
        assert_eq!(seen.not_before, Some("2025-12-31T16:00:00Z".parse().unwrap()));
        assert_eq!(seen.not_after, Some("2026-07-19T15:59:59Z".parse().unwrap()));
        assert_eq!(observe(json!({"not_after": ""})).not_after, None);
    }

    #[test]
    fn records_are_shown_as_they_are_published() {
        let long = json!({"record_name": "_dnsauth.b.example", "record_value": "v".repeat(3000)});
        let records = json!([
            {"record_name": "_dnsauth.a.example", "record_type": "TXT", "record_value": "v1", "domain": "a.example"},
            {"record_name": "_dnsauth.b.example", "record_value": "v2"},
            {"record_name": "_dnsauth.b.example"}, null, {}, long,
        ]);
        let seen = observe(json!({ "authentification": records })).records;
        let record = |domain: &str, name: &str, value: &str| ValidationRecord {
            domain: domain.to_owned(),
            type_: "TXT".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(
            seen,
            [
                record("a.example", "_dnsauth.a.example", "v1"),
                record("_dnsauth.b.example", "_dnsauth.b.example", "v2"),
            ]
        );
    }

    #[test]
    fn what_show_holds_of_an_application_is_a_trace_of_it() {
        let none = [
            json!({}),
            json!({"domain": "", "sans": "", "application_info": {}}),
            json!({"domain": null, "sans": null, "application_info": {"country": "", "company_name": null}}),
            // The number of the purchase proves nothing: it is there from the beginning.
            json!({"order_id": "CS2102161110AGG2U", "name": "scm-1590"}),
        ];
        for fields in none {
            assert!(!observe(fields.clone()).has_traces(), "{fields}");
        }
        for fields in [json!({"domain": "a.example"}), json!({"application_info": {"country": "CN"}})] {
            assert!(observe(fields.clone()).has_traces(), "{fields}");
        }
        let revoked = observe(json!({"status": "REVOKED", "revoke_reason": "key compromise"}));
        assert_eq!(Filter::default().clean(&revoked.message.unwrap()), "key compromise");
        assert_eq!(revoked.order_id, None);
    }
}
