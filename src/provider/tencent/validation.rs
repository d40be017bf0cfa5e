//! `CheckCertificateDomainVerification`: why the proofs of control are not found yet.

use serde::Deserialize;

use crate::core::observation::{Check, LONGEST_DOMAIN, MOST_RECORDS};
use crate::provider::Error;

use super::certificate::Tencent;
use super::wire::{flag, list, text};

const ACTION: &str = "CheckCertificateDomainVerification";

/// The answer: null or one result for each name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Checked {
    #[serde(deserialize_with = "list")]
    verification_results: Vec<Outcome>,
}

/// What was found for one name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Outcome {
    #[serde(deserialize_with = "text")]
    domain: Option<String>,
    /// What the cloud found; a number.
    #[serde(deserialize_with = "text")]
    local_check: Option<String>,
    /// What the CA found; a number.
    #[serde(deserialize_with = "text")]
    ca_check: Option<String>,
    #[serde(deserialize_with = "text")]
    local_check_fail_reason: Option<String>,
    /// The cloud did not check, since the check was requested too often.
    #[serde(deserialize_with = "flag")]
    frequently: Option<bool>,
    /// The certificate is issued already.
    #[serde(deserialize_with = "flag")]
    issued: Option<bool>,
}

impl Tencent {
    pub(super) async fn check(&self) -> Result<Vec<Check>, Error> {
        let (checked, _) = self.client.read::<Checked>(ACTION, &self.of_certificate()?).await?;
        Ok(checks(checked))
    }
}

fn checks(checked: Checked) -> Vec<Check> {
    checked.verification_results.into_iter().filter_map(check).take(MOST_RECORDS).collect()
}

fn check(outcome: Outcome) -> Option<Check> {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    let (local, ca) = (number(&outcome.local_check), number(&outcome.ca_check));
    Some(Check {
        domain: outcome.domain.filter(|domain| domain.len() <= LONGEST_DOMAIN)?,
        passed: ca == Some(2) || outcome.issued == Some(true),
        local: local_words(local, outcome.frequently == Some(true)),
        ca: ca_words(ca),
        detail: outcome.local_check_fail_reason.map(Into::into),
    })
}

/// The numbers of `LocalCheck`. -1 also stands for a check that did not take place, since there were too many.
fn local_words(number: Option<i64>, too_often: bool) -> &'static str {
    match number {
        Some(1) => "found",
        Some(-1) if too_often => "not looked at, since there were too many checks",
        Some(-1) => "the TXT record is missing",
        Some(-2) => "the TXT record has another value",
        Some(-3 | -8) => "the domain has no name servers",
        Some(-4 | -9) => "the file is missing",
        Some(-5 | -10) => "the file has another content",
        Some(-6) => "the CNAME record is missing",
        Some(-7) => "the CNAME record has another value",
        _ => UNKNOWN,
    }
}

/// The numbers of `CaCheck`.
fn ca_words(number: Option<i64>) -> &'static str {
    match number {
        Some(2) => "found",
        Some(-1) => "not found yet",
        _ => UNKNOWN,
    }
}

const UNKNOWN: &str = "not known";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::redact::Filter;

    fn read(answer: Value) -> Vec<Check> {
        checks(serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn every_number_has_its_words() {
        let words = [
            (1, "found"),
            (-1, "the TXT record is missing"),
            (-2, "the TXT record has another value"),
            (-3, "the domain has no name servers"),
            (-4, "the file is missing"),
            (-5, "the file has another content"),
            (-6, "the CNAME record is missing"),
            (-7, "the CNAME record has another value"),
            (-8, "the domain has no name servers"),
            (-9, "the file is missing"),
            (-10, "the file has another content"),
            (-11, "not known"),
            (0, "not known"),
        ];
        for (number, expected) in words {
            let result = json!({"Domain": "a.example", "LocalCheck": number, "CaCheck": number.to_string()});
            let checks = read(json!({ "VerificationResults": [result] }));
            assert_eq!(checks[0].local, expected, "{number}");
        }
        for (number, expected, passed) in
            [(2, "found", true), (-1, "not found yet", false), (7, "not known", false)]
        {
            let checks = read(json!({"VerificationResults": [{"Domain": "a.example", "CaCheck": number}]}));
            assert_eq!((checks[0].ca, checks[0].passed), (expected, passed), "{number}");
        }
    }

    #[test]
    fn a_check_that_did_not_take_place_is_not_taken_for_a_missing_record() {
        let result = json!({"Domain": "a.example", "LocalCheck": -1, "CaCheck": -1, "Frequently": true});
        let checks = read(json!({ "VerificationResults": [result] }));
        assert_eq!(checks[0].local, "not looked at, since there were too many checks");
    }

    #[test]
    fn each_name_has_its_result_and_the_clouds_words() {
        let answer = json!({"VerificationResults": [
            {"Domain": "a.example", "LocalCheck": -2, "CaCheck": -1, "LocalCheckFailReason": "found v=spf1"},
            {"Domain": "b.example", "LocalCheck": 1, "CaCheck": -1, "LocalCheckFailReason": "", "Issued": true},
            {"Domain": null},
            {"Domain": "x".repeat(254)},
            "none",
        ]});
        let checks = read(answer);
        assert_eq!(checks.len(), 2);
        assert_eq!(Filter::default().clean(checks[0].detail.as_ref().unwrap()), "found v=spf1");
        assert_eq!(
            (checks[1].domain.as_str(), checks[1].passed, &checks[1].detail),
            ("b.example", true, &None)
        );
        for none in [json!({}), json!({"VerificationResults": null}), json!({"VerificationResults": "none"})]
        {
            assert!(read(none).is_empty());
        }
    }
}
