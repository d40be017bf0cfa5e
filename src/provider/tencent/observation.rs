//! Translates the answer of `DescribeCertificate` to an observation.

use crate::core::observation::{MOST_RECORDS, Observation, Stage, ValidationRecord, each_once};
use crate::core::product::Product;

use super::wire::{Auth, AuthDetail, Certificate, CertificateExtra};
use super::{evidence, product};
use crate::provider::time;

/// Translates an answer.
pub fn observation(certificate: Certificate) -> Observation {
    let status = certificate.status.unwrap_or_default();
    let name = certificate.package_type_name.or(certificate.product_zh_name);
    let CertificateExtra { domain_number, is_sm, replaced_by: reissued_from, replaced_for, renew_order } =
        certificate.certificate_extra.unwrap_or_default();
    let stage = stage(&status, certificate.status_msg.as_deref());
    let package_type = certificate.package_type.and_then(|number| number.parse().ok());
    let words = name.iter().chain(&certificate.encrypt_algorithm).map(String::as_str);
    let algorithms = product::algorithms(package_type, [is_sm, certificate.is_sm], words);
    Observation {
        stage,
        status,
        message: certificate.status_msg.map(Into::into),
        owner: certificate.owner_uin,
        order_id: certificate.order_id,
        // The primary name first.
        names: each_once(certificate.domain.into_iter().chain(certificate.subject_alt_name)),
        product: Product {
            wildcard: covers_wildcards(certificate.is_wildcard, name.as_deref()),
            name,
            domain_validated: certificate.is_dv,
            names: domain_number.and_then(|number| number.parse().ok()).filter(|number| *number > 0),
            level: product::level(package_type, certificate.is_dv),
            algorithms,
            automatic_review: product::automatic_review(algorithms),
        },
        stored: certificate.submitted_data.map(|data| evidence::stored(&data)).unwrap_or_default(),
        records: match stage {
            Stage::Revoking | Stage::AwaitingRevocationLetter => {
                certificate.dv_revoke_auth_detail.into_iter().filter_map(record).take(MOST_RECORDS).collect()
            }
            _ => certificate.dv_auth_detail.map(records).unwrap_or_default(),
        },
        replaced_by: replaced_for.or(renew_order),
        reissued_from,
        not_before: certificate.cert_begin_time.as_deref().and_then(time::parse),
        not_after: certificate.cert_end_time.as_deref().and_then(time::parse),
    }
}

/// `IsWildcard` is documented for the certificate, so it may stay false until a wildcard name was submitted. False
/// counts only if the product has a name, and the name does not mention wildcards.
fn covers_wildcards(flag: Option<bool>, product: Option<&str>) -> Option<bool> {
    let product = product?.to_lowercase();
    if product.contains("wildcard") || product.contains("通配符") || product.contains("泛域名") {
        return Some(true);
    }
    flag
}

/// The numbers of `Status`, as `DescribeCertificate` lists them. Numbers get added, so an unknown one is no error.
pub(super) fn stage(status: &str, message: Option<&str>) -> Stage {
    match status {
        "0" => under_review(message.unwrap_or_default()),
        "1" => Stage::Issued,
        "2" => Stage::Rejected,
        "3" => Stage::Expired,
        "4" => Stage::Validating,
        "5" | "13" => Stage::AwaitingInformation,
        "6" => Stage::Cancelling,
        "7" => Stage::Cancelled,
        "8" => Stage::AwaitingLetter,
        "9" => Stage::Revoking,
        "12" => Stage::AwaitingRevocationLetter,
        "10" => Stage::Revoked,
        "11" => Stage::Issuing,
        "14" => Stage::Refunded,
        "15" => Stage::Managed,
        _ => Stage::Unrecognised,
    }
}

/// The steps of a review; the others are `PRE-REVIEWING`, `LEGAL-REVIEWING` and `CA-REVIEWING`. Some pages write
/// them in lower case.
fn under_review(step: &str) -> Stage {
    match step.to_ascii_uppercase().as_str() {
        "PENDING-DCV" => Stage::Validating,
        "WAIT-ISSUE" => Stage::Issuing,
        _ => Stage::Reviewing,
    }
}

fn records(detail: AuthDetail) -> Vec<ValidationRecord> {
    let records: Vec<_> = detail.all.into_iter().filter_map(record).take(MOST_RECORDS).collect();
    if records.is_empty() { record(detail.first).into_iter().collect() } else { records }
}

/// A record, unless its place is not clear or it does not fit into the status.
fn record(auth: Auth) -> Option<ValidationRecord> {
    let (domain, value) = (auth.dv_auth_domain?, auth.dv_auth_value?);
    let path = auth.dv_auth_path;
    let type_ =
        auth.dv_auth_verify_type.unwrap_or_else(|| if path.is_some() { "FILE" } else { "TXT" }.to_owned());
    let name = if type_ == "FILE" {
        let (folder, file) = (path.unwrap_or_default(), auth.dv_auth_key.unwrap_or_default());
        let folder = folder.strip_suffix(&file).unwrap_or(&folder).trim_matches('/');
        format!("http://{domain}/{folder}/{file}")
    } else {
        let name = auth.dv_auth_sub_domain.or(auth.dv_auth_key)?;
        if name.ends_with(&format!(".{domain}")) { name } else { format!("{name}.{domain}") }
    };
    Some(ValidationRecord { domain, type_, name, value }).filter(ValidationRecord::fits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::product::{Algorithms, Level};

    fn observe(fields: Value) -> Observation {
        observation(serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn every_status_has_its_stage() {
        let stages = [
            (0, "PRE-REVIEWING", Stage::Reviewing),
            (0, "LEGAL-REVIEWING", Stage::Reviewing),
            (0, "ca-reviewing", Stage::Reviewing),
            (0, "PENDING-DCV", Stage::Validating),
            (0, "pending-dcv", Stage::Validating),
            (0, "WAIT-ISSUE", Stage::Issuing),
            (0, "", Stage::Reviewing),
            (0, "something new", Stage::Reviewing),
            (1, "", Stage::Issued),
            (2, "the CA rejected the data", Stage::Rejected),
            (3, "", Stage::Expired),
            (4, "", Stage::Validating),
            (5, "", Stage::AwaitingInformation),
            (6, "", Stage::Cancelling),
            (7, "", Stage::Cancelled),
            (8, "", Stage::AwaitingLetter),
            (9, "", Stage::Revoking),
            (10, "", Stage::Revoked),
            (11, "", Stage::Issuing),
            (12, "", Stage::AwaitingRevocationLetter),
            (13, "", Stage::AwaitingInformation),
            (14, "", Stage::Refunded),
            (15, "", Stage::Managed),
            (16, "", Stage::Unrecognised),
            (-1, "PENDING-DCV", Stage::Unrecognised),
        ];
        for (status, message, stage) in stages {
            let observation = observe(json!({"Status": status, "StatusMsg": message}));
            assert_eq!(observation.stage, stage, "{status} {message}");
            assert_eq!(observation.status, status.to_string());
        }
        assert_eq!(observe(json!({})).stage, Stage::Unrecognised);
    }

    #[test]
    fn dates_are_those_of_china_standard_time() {
        let observation = observe(json!({
            "CertBeginTime": "2026-01-01 00:00:00", "CertEndTime": "2026-07-19 23:59:59",
        }));
        assert_eq!(observation.not_before, Some("2025-12-31T16:00:00Z".parse().unwrap()));
        assert_eq!(observation.not_after, Some("2026-07-19T15:59:59Z".parse().unwrap()));
    }

    #[test]
    fn names_and_product_are_read_as_far_as_they_are_there() {
        let observation = observe(json!({
            "Domain": "www.acme.example", "SubjectAltName": ["www.acme.example", "api.acme.example"],
            "IsDv": false, "IsWildcard": false, "CertificateExtra": {"DomainNumber": "3", "SMCert": 0},
            "PackageType": "6",
            "PackageTypeName": "SecureSite OV", "OrderId": "1800",
        }));
        assert_eq!(observation.names, ["www.acme.example", "api.acme.example"]);
        let product = Product {
            name: Some("SecureSite OV".to_owned()),
            domain_validated: Some(false),
            wildcard: Some(false),
            names: Some(3),
            level: Some(Level::Ov),
            algorithms: Some(Algorithms::International),
            automatic_review: None,
        };
        assert_eq!((observation.product, observation.order_id.as_deref()), (product, Some("1800")));

        let bare =
            observe(json!({"Domain": "", "SubjectAltName": null, "CertificateExtra": {"DomainNumber": "0"}}));
        assert_eq!((bare.names, bare.product), (vec![], Product::default()));
    }

    #[test]
    fn an_sm2_product_is_recognised_in_either_read() {
        let sm2 = [
            json!({"CertificateExtra": {"SMCert": 1}}),
            json!({"CertificateExtra": {"SMCert": 0}, "IsSM": true}),
            json!({"PackageType": "33", "CertificateExtra": {"SMCert": 0}}),
            json!({"PackageTypeName": "DNSPod SM2 DV"}),
            json!({"ProductZhName": "DNSPod（国密）-域名型(DV)SSL证书"}),
            json!({"EncryptAlgorithm": "SM2"}),
        ];
        for fields in sm2 {
            let product = observe(fields.clone()).product;
            assert_eq!(product.algorithms, Some(Algorithms::Sm2), "{fields}");
            assert_eq!(product.automatic_review, Some(false), "{fields}");
        }
        let unknown =
            [json!({}), json!({"CertificateExtra": {"SMCert": null}, "IsSM": null, "EncryptAlgorithm": ""})];
        for fields in unknown {
            assert_eq!(observe(fields.clone()).product.algorithms, None, "{fields}");
        }
    }

    #[test]
    fn what_replaces_a_certificate_is_its_reissue_or_else_its_renewal_and_never_its_predecessor() {
        let replaced_by = |extra: Value| observe(json!({ "CertificateExtra": extra })).replaced_by;
        let both = json!({"ReplacedFor": "K3mY3nbI", "RenewOrder": "L4nZ4ocJ"});
        assert_eq!(replaced_by(both).as_deref(), Some("K3mY3nbI"));
        assert_eq!(
            replaced_by(json!({"ReplacedFor": "", "RenewOrder": "L4nZ4ocJ"})).as_deref(),
            Some("L4nZ4ocJ")
        );
        assert_eq!(replaced_by(json!({"ReplacedFor": null, "RenewOrder": null})), None);
        let reissued =
            json!({"OriginCertificateId": "H0jV0kzF", "ReplacedBy": "I1kW1lyG", "ReplacedFor": ""});
        let reissued = observe(json!({ "CertificateExtra": reissued }));
        assert_eq!((reissued.replaced_by, reissued.reissued_from.as_deref()), (None, Some("I1kW1lyG")));
    }

    #[test]
    fn records_are_shown_as_they_are_published() {
        let dns = json!({
            "DvAuthKey": "_dnsauth.www.acme.example", "DvAuthValue": "v1", "DvAuthDomain": "acme.example",
            "DvAuthPath": "", "DvAuthSubDomain": "_dnsauth.www", "DvAuthVerifyType": "TXT",
        });
        let file = json!({
            "DvAuthKey": "fileauth.txt", "DvAuthValue": "v2", "DvAuthDomain": "www.acme.example",
            "DvAuthPath": "/.well-known/pki-validation/", "DvAuthSubDomain": null, "DvAuthVerifyType": "FILE",
        });
        let file_with_its_name = json!({
            "DvAuthKey": "fileauth.txt", "DvAuthValue": "v2", "DvAuthDomain": "www.acme.example",
            "DvAuthPath": "/.well-known/pki-validation/fileauth.txt", "DvAuthVerifyType": "FILE",
        });
        let shown = |detail: Value| -> Vec<_> {
            let records = observe(json!({ "DvAuthDetail": detail })).records;
            records.into_iter().map(|record| [record.type_, record.name, record.value].join(" ")).collect()
        };
        let (dns_shown, file_shown) = (
            "TXT _dnsauth.www.acme.example v1",
            "FILE http://www.acme.example/.well-known/pki-validation/fileauth.txt v2",
        );
        assert_eq!(shown(json!({"DvAuths": [dns, file, null, {}]})), [dns_shown, file_shown]);
        let endless =
            json!({"DvAuthKey": "k", "DvAuthValue": "v".repeat(3000), "DvAuthDomain": "acme.example"});
        assert_eq!(shown(json!({"DvAuths": [endless]})), [""; 0]);
        assert_eq!(shown(json!({"DvAuths": [file_with_its_name]})), [file_shown]);

        let mut first = dns;
        first["DvAuths"] = json!(null);
        first["DvAuthKeySubDomain"] = first["DvAuthSubDomain"].take();
        first
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name != "DvAuthSubDomain" && name != "DvAuthVerifyType");
        assert_eq!(shown(first), [dns_shown]);
        assert_eq!(shown(json!({"DvAuthKey": null, "DvAuths": []})), [""; 0]);
    }

    #[test]
    fn nothing_stored_is_no_evidence() {
        let nothing = [
            json!(null),
            json!({}),
            json!({"CertificateDomain": null, "DomainList": null, "KeyPassword": null, "OrganizationName": null}),
            json!({"CertificateDomain": "", "DomainList": [""], "KeyPassword": "secret"}),
        ];
        for data in nothing {
            assert!(observe(json!({"SubmittedData": data})).stored.is_empty(), "{data}");
        }
    }
}
