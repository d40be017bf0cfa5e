//! What each error code of Huawei Cloud means for the caller: one table.
//!
//! The codes are those of SCM's list of error codes and of the API gateway's, which come as `SCM.nnnn` and
//! `APIGW.nnnn` (in some places `APIG.nnnn`). A code that is not in the table gets the meaning of its class and of the
//! HTTP status.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::redact::CloudText;
use crate::provider::error_class::{self, Call, ErrorClass, Row};
use crate::provider::{Error, Refusal};

use super::sign::parse_date;

use ErrorClass::{Credentials, Fault, Rejected, Throttled, WrongState};
use Reason::{CertificateNotFound, CsrInvalid, InvalidRequest, PermissionDenied};

/// How long to wait after the gateway throttled a call.
const THROTTLED_FOR: Duration = Duration::from_secs(2);

const NO_HINT: &str = "";
const GRANT: &str = "give the user of the credentials the permissions scm:cert:get, scm:cert:list, scm:cert:apply, scm:cert:cancel and \
     scm:cert:export, and check that the certificate belongs to its account";
const WHICH_CERTIFICATE: &str =
    "check certificateId and region, and that the certificate belongs to the account of these credentials";
const WRONG_REGION: &str =
    "the endpoint does not offer this call: check spec.provider.huaweiCloud.region and --huawei-endpoint";
const CSR: &str = "make the CSR anew with openssl req -new";
const NOT_OURS: &str = "this code is of a call that certorder does not make: ask the cloud's support";

/// Each code, what it means, and what the user can do about it if the cloud's own words do not say it.
const TABLE: &[Row] = &[
    ("SCM.0003", Rejected(PermissionDenied), GRANT),
    ("SCM.0005", Rejected(InvalidRequest), NO_HINT),
    ("SCM.0006", Rejected(CsrInvalid), CSR),
    ("SCM.0008", Rejected(CertificateNotFound), WHICH_CERTIFICATE),
    ("SCM.0009", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0010", WrongState, NO_HINT),
    (
        "SCM.0011",
        Rejected(InvalidRequest),
        "the account's quota of free certificates is used up: certificateId must be that of a paid one",
    ),
    ("SCM.0012", Rejected(CsrInvalid), CSR),
    ("SCM.0013", Rejected(CsrInvalid), CSR),
    ("SCM.0014", Rejected(InvalidRequest), NOT_OURS),
    (
        "SCM.0015",
        Rejected(InvalidRequest),
        "correct spec.commonName or spec.dnsNames: the product covers others",
    ),
    (
        "SCM.0016",
        Rejected(InvalidRequest),
        "look at the purchase in the cloud's console: its order is not in order",
    ),
    ("SCM.0020", Rejected(CertificateNotFound), WHICH_CERTIFICATE),
    ("SCM.0023", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0024", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0028", Fault, NO_HINT),
    ("SCM.0030", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0031", Rejected(CsrInvalid), CSR),
    ("SCM.0032", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0053", Rejected(CsrInvalid), CSR),
    ("SCM.0054", Rejected(CsrInvalid), CSR),
    ("SCM.0079", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0091", Fault, NO_HINT),
    ("SCM.0093", Fault, NO_HINT),
    ("SCM.0095", Fault, NO_HINT),
    ("SCM.0097", Fault, NO_HINT),
    ("SCM.0101", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0114", Rejected(CsrInvalid), CSR),
    ("SCM.0312", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0313", Rejected(InvalidRequest), NOT_OURS),
    ("SCM.0707", Rejected(InvalidRequest), NOT_OURS),
    ("APIGW.0101", Rejected(InvalidRequest), WRONG_REGION),
    ("APIGW.0103", Rejected(InvalidRequest), WRONG_REGION),
    ("APIGW.0104", Rejected(InvalidRequest), NO_HINT),
    ("APIGW.0105", Rejected(InvalidRequest), NO_HINT),
    ("APIGW.0106", Rejected(InvalidRequest), NO_HINT),
    ("APIGW.0201", Rejected(InvalidRequest), NO_HINT),
    ("APIGW.0301", Credentials, "check the keys or the token in the Secret"),
    ("APIGW.0302", Rejected(PermissionDenied), GRANT),
    ("APIGW.0303", Credentials, NO_HINT),
    ("APIGW.0308", Throttled, NO_HINT),
];

/// A refusal, with what the user can do about it.
fn refusal(code: &str, message: impl Into<CloudText>, request_id: Option<String>) -> Refusal {
    error_class::refusal(row(code), code, message, request_id)
}

/// The error of a call that was refused with this code and this HTTP status.
#[must_use]
pub fn error(
    call: Call,
    status: u16,
    code: &str,
    message: impl Into<CloudText>,
    request_id: Option<String>,
) -> Error {
    let meaning = row(code).map_or_else(|| by_class(status, code), |(_, meaning, _)| *meaning);
    match meaning.error(call, refusal(code, message, request_id)) {
        Error::Throttled { refusal, .. } => Error::Throttled { after: Some(THROTTLED_FOR), refusal },
        error => error,
    }
}

/// An answer that the service did not write. Only throttling is clear without a code.
#[must_use]
pub fn foreign(call: Call, status: u16, text: &str, request_id: Option<String>) -> Error {
    match status {
        429 => error(call, status, "HTTP 429", text, request_id),
        _ => error_class::foreign(call, status, text, request_id),
    }
}

/// The class of a code that is not in the table: the status shows whether the request or the service is at fault. An
/// error with a status of success shows neither.
fn by_class(status: u16, code: &str) -> ErrorClass {
    match status {
        401 => Credentials,
        403 => Rejected(PermissionDenied),
        404 if code.starts_with("SCM.") => Rejected(CertificateNotFound),
        429 => Throttled,
        408 => Fault,
        400..500 => Rejected(InvalidRequest),
        _ => Fault,
    }
}

fn row(code: &str) -> Option<&'static Row> {
    let find = |wanted: &str| TABLE.iter().find(|(code, _, _)| *code == wanted);
    find(code).or_else(|| find(&code.replace("APIG.", "APIGW.")))
}

/// The beginning of the gateway's copy of the request that it could not verify. The copy holds the values of signed
/// headers, so it is cut off.
const ECHO: &str = "canonicalRequest:";

/// A message without the copy of the request.
#[must_use]
pub fn without_echo(message: String) -> String {
    match message.split_once(ECHO) {
        Some((before, _)) => format!("{before}{ECHO}***"),
        None => message,
    }
}

/// The most that the time of a signature may differ from the gateway's, in seconds.
const MAX_SKEW: i64 = 15 * 60;

/// What the gateway answers to any identity that it does not accept, also to a signature that is too old.
const NOT_ACCEPTED: &str = "APIGW.0301";

const SET_CLOCK: &str = "set the clock of the node, which may differ by fifteen minutes at most; certorder tries again within two minutes";

/// Whether a refusal is one of the time of a signature, and then by how many seconds this machine's clock is ahead of
/// the cloud's (behind, when negative), as far as that is known. The gateway has one code for all that is wrong with an
/// identity, so its words tell, or else the time of its answer.
#[must_use]
pub fn clock(code: &str, message: &str, by_date: Option<i64>, now: Timestamp) -> Option<Option<i64>> {
    if row(code).is_none_or(|(code, ..)| *code != NOT_ACCEPTED) {
        return None;
    }
    let is_off = by_date.is_some_and(|ahead| ahead.abs() > MAX_SKEW);
    let is_told = message.contains("signature expired");
    (is_told || is_off).then(|| clock_ahead(message, now).or(by_date.filter(|_| is_off)))
}

/// The refusal of a signature whose time is not the gateway's.
#[must_use]
pub fn clock_skew(
    call: Call,
    code: &str,
    message: impl Into<CloudText>,
    request_id: Option<String>,
) -> Error {
    let refusal = Refusal { hint: Some(SET_CLOCK), ..refusal(code, message, request_id) };
    ErrorClass::Clock.error(call, refusal)
}

/// By how many seconds this machine's clock is ahead, as the gateway's words tell: `server time:20231114T221320Z`.
fn clock_ahead(message: &str, now: Timestamp) -> Option<i64> {
    let (_, after) = message.split_once("server time:")?;
    let theirs = parse_date(after.trim_start().get(..16)?)?;
    Some(now.as_second() - theirs.as_second())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The code's effect on a read and on a write, in one word each.
    fn effect(status: u16, code: &str) -> [String; 2] {
        [Call::Read, Call::Write].map(|call| error_class::word(&error(call, status, code, "", None)))
    }

    #[test]
    fn every_code_has_its_effect_whatever_the_status() {
        let effects = [
            (["PermissionDenied"; 2], "SCM.0003 APIGW.0302"),
            (
                ["InvalidRequest"; 2],
                "SCM.0005 SCM.0009 SCM.0011 SCM.0014 SCM.0015 SCM.0016 SCM.0023 SCM.0024 SCM.0030 SCM.0032 SCM.0079 \
                 SCM.0101 SCM.0312 SCM.0313 SCM.0707 APIGW.0101 APIGW.0103 APIGW.0104 APIGW.0105 APIGW.0106 APIGW.0201",
            ),
            (["CsrInvalid"; 2], "SCM.0006 SCM.0012 SCM.0013 SCM.0031 SCM.0053 SCM.0054 SCM.0114"),
            (["CertificateNotFound"; 2], "SCM.0008 SCM.0020"),
            (["not now"; 2], "SCM.0010"),
            (["credentials"; 2], "APIGW.0301 APIGW.0303"),
            (["throttled"; 2], "APIGW.0308 APIG.0308"),
            (["unavailable", "unknown"], "SCM.0028 SCM.0091 SCM.0093 SCM.0095 SCM.0097"),
        ];
        let mut tested = BTreeSet::from(["APIG.0308"]);
        for (words, codes) in effects {
            for code in codes.split_whitespace() {
                for status in [200, 400, 500] {
                    assert_eq!(effect(status, code), words, "{code} with HTTP {status}");
                }
                tested.insert(code);
            }
        }
        let table: BTreeSet<_> = TABLE.iter().map(|(code, _, _)| *code).chain(["APIG.0308"]).collect();
        assert_eq!(table, tested);
        assert_eq!(table.len(), TABLE.len() + 1, "no code stands twice in the table");
    }

    #[test]
    fn a_new_code_means_what_its_class_and_its_status_say() {
        let effects = [
            (200, "SCM.0999", ["unavailable", "unknown"]),
            (400, "SCM.0999", ["InvalidRequest"; 2]),
            (401, "APIGW.0999", ["credentials"; 2]),
            (403, "IAM.0001", ["PermissionDenied"; 2]),
            (404, "SCM.0999", ["CertificateNotFound"; 2]),
            (404, "APIGW.0999", ["InvalidRequest"; 2]),
            (408, "APIGW.0999", ["unavailable", "unknown"]),
            (429, "SCM.0999", ["throttled"; 2]),
            (500, "SCM.0092", ["unavailable", "unknown"]),
            (503, "APIG.0999", ["unavailable", "unknown"]),
        ];
        for (status, code, words) in effects {
            assert_eq!(effect(status, code), words, "{code} with HTTP {status}");
        }
    }

    #[test]
    fn an_answer_of_another_service_proves_only_throttling() {
        for status in [200, 302, 401, 403, 404, 500, 502, 503, 504] {
            let words =
                [Call::Read, Call::Write].map(|call| error_class::word(&foreign(call, status, "", None)));
            assert_eq!(words, ["unavailable", "unknown"], "{status}");
        }
        let throttled = foreign(Call::Write, 429, "", None);
        assert!(matches!(throttled, Error::Throttled { after: Some(THROTTLED_FOR), .. }), "{throttled:?}");
    }

    #[test]
    fn hints_say_what_to_do() {
        let hint = |code| refusal(code, "", None).hint;
        assert_eq!(hint("SCM.0020"), Some(WHICH_CERTIFICATE));
        assert_eq!(hint("APIG.0302"), Some(GRANT));
        assert_eq!((hint("SCM.0005"), hint("SCM.0999")), (None, None));
    }

    #[test]
    fn the_copy_of_the_request_is_cut_off() {
        let message =
            "verify aksk signature fail, canonicalRequest:GET|/v3/|x-security-token:secret|".to_owned();
        assert_eq!(without_echo(message), "verify aksk signature fail, canonicalRequest:***");
        assert_eq!(without_echo("ak not exist".to_owned()), "ak not exist");
    }

    #[test]
    fn a_clock_that_is_off_is_told_apart_by_words_or_by_the_time_of_the_answer() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let told = "calc aksk signature fail:signature expired, signature time:20231114T221320Z,server time:";
        let mismatch = "verify aksk signature fail, canonicalRequest:***";
        let cases = [
            (format!("{told}20231114T223020Z"), None, Some(Some(-1020))),
            ("signature expired, server time: 20231114T215320Z.".to_owned(), Some(1100), Some(Some(1200))),
            (format!("{told}soon"), Some(1100), Some(Some(1100))),
            // A date that fits the limit does not explain the refusal.
            (format!("{told}soon"), Some(3), Some(None)),
            ("signature expired".to_owned(), None, Some(None)),
            (mismatch.to_owned(), Some(-901), Some(Some(-901))),
            (mismatch.to_owned(), Some(900), None),
            (mismatch.to_owned(), None, None),
        ];
        for (message, by_date, ahead) in cases {
            for code in ["APIGW.0301", "APIG.0301"] {
                assert_eq!(clock(code, &message, by_date, now), ahead, "{message} {by_date:?}");
            }
            assert_eq!(clock("APIGW.0302", &message, by_date, now), None);
            assert_eq!(clock("SCM.0003", &message, by_date, now), None);
        }
        for call in [Call::Read, Call::Write] {
            let error = clock_skew(call, "APIGW.0301", "signature expired", None);
            assert_eq!(error_class::word(&error), "clock");
            assert_eq!(error.refusal().unwrap().hint, Some(SET_CLOCK));
        }
    }
}
