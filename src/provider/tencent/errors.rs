//! What each error code of Tencent Cloud means for the caller: one table.
//!
//! The codes are those of the common list (<https://www.tencentcloud.com/document/product/1007/36594>) and of the SSL
//! actions. They come as `Class` or `Class.Detail`, and new details appear without notice, so a code that is not
//! in the table gets the meaning of its class.

use jiff::Timestamp;

use crate::api::v1alpha1::conditions::Reason;
use crate::core::redact::CloudText;
pub use crate::provider::error_class::Call;
use crate::provider::error_class::{self, ErrorClass, Row};
use crate::provider::{Error, Refusal};

use ErrorClass::{Clock, Credentials, Fault, NotDone, Rejected, Running, Throttled, WrongState};
use Reason::{
    AccountNotVerified, CertificateNotFound, CsrInvalid, InvalidRequest, PermissionDenied, ProfileIncomplete,
};

const NO_HINT: &str = "";
const KEY_GONE: &str = "the API key is unknown, disabled or of the other site: check the Secret and spec.provider.tencentCloud.site";
const GRANT: &str = "let the owner of the API key call the SSL actions, in CAM";
const ADDRESS: &str = "allow the address that the cluster's requests come from, in CAM";
const WRONG_SITE: &str =
    "the endpoint does not offer this call: check spec.provider.tencentCloud.site and --tencent-endpoint";
const LETTER: &str =
    "put a PDF, JPEG or PNG file of 1 KB to 1 MiB into the Secret that confirmationLetterSecretRef names";
const NO_LETTER: &str = "this product takes no letter by the API: ask the cloud's support how to send it";
const WHICH_CERTIFICATE: &str =
    "check certificateId and site, and that the certificate belongs to the account of these credentials";

/// Each code, what it means, and what the user can do about it if the cloud's own words do not say it.
const TABLE: &[Row] = &[
    // The common codes.
    ("ActionOffline", Rejected(InvalidRequest), WRONG_SITE),
    ("AuthFailure", Rejected(PermissionDenied), GRANT),
    ("AuthFailure.InvalidAuthorization", Credentials, NO_HINT),
    ("AuthFailure.InvalidSecretId", Credentials, KEY_GONE),
    (
        "AuthFailure.MFAFailure",
        Rejected(PermissionDenied),
        "use an API key whose calls need no second factor",
    ),
    ("AuthFailure.SecretIdNotFound", Credentials, KEY_GONE),
    (
        "AuthFailure.SignatureExpire",
        Clock,
        "set the clock of the node, which may differ by five minutes at most; certorder tries again within two minutes",
    ),
    (
        "AuthFailure.SignatureFailure",
        Credentials,
        "the secret key does not fit the secret id: copy both into the Secret anew",
    ),
    (
        "AuthFailure.TokenFailure",
        Credentials,
        "the token is wrong or has expired: put fresh credentials into the Secret",
    ),
    ("AuthFailure.UnauthorizedOperation", Rejected(PermissionDenied), GRANT),
    ("DryRunOperation", Rejected(InvalidRequest), NO_HINT),
    ("FailedOperation", Rejected(InvalidRequest), NO_HINT),
    ("InternalError", Fault, NO_HINT),
    ("InvalidAction", Rejected(InvalidRequest), WRONG_SITE),
    ("InvalidParameter", Rejected(InvalidRequest), NO_HINT),
    ("InvalidParameterValue", Rejected(InvalidRequest), NO_HINT),
    ("InvalidRequest", Rejected(InvalidRequest), NO_HINT),
    ("IpInBlacklist", Rejected(PermissionDenied), ADDRESS),
    ("IpNotInWhitelist", Rejected(PermissionDenied), ADDRESS),
    ("LimitExceeded", Rejected(InvalidRequest), "a quota of the account is used up: raise it in the console"),
    ("MissingParameter", Rejected(InvalidRequest), NO_HINT),
    ("NoSuchProduct", Rejected(InvalidRequest), WRONG_SITE),
    ("NoSuchVersion", Rejected(InvalidRequest), WRONG_SITE),
    ("RequestLimitExceeded", Throttled, NO_HINT),
    ("RequestSizeLimitExceeded", Rejected(InvalidRequest), NO_HINT),
    ("ResourceInUse", Fault, NO_HINT),
    ("ResourceInsufficient", Fault, NO_HINT),
    ("ResourceNotFound", Rejected(CertificateNotFound), WHICH_CERTIFICATE),
    ("ResourceUnavailable", Fault, NO_HINT),
    ("ResponseSizeLimitExceeded", Rejected(InvalidRequest), NO_HINT),
    ("ServiceUnavailable", Fault, NO_HINT),
    ("UnauthorizedOperation", Rejected(PermissionDenied), GRANT),
    ("UnknownParameter", Rejected(InvalidRequest), NO_HINT),
    ("UnsupportedOperation", Rejected(InvalidRequest), WRONG_SITE),
    ("UnsupportedProtocol", Rejected(InvalidRequest), WRONG_SITE),
    ("UnsupportedRegion", Rejected(InvalidRequest), WRONG_SITE),
    // The codes of the SSL actions that mean something else than their class, or have a hint of their own.
    ("FailedOperation.AuthError", Rejected(PermissionDenied), GRANT),
    ("FailedOperation.CAMAuthorizedFail", NotDone, NO_HINT),
    ("FailedOperation.CancelAuditCertificateFailed", WrongState, NO_HINT),
    ("FailedOperation.CancelOrderFailed", WrongState, NO_HINT),
    ("FailedOperation.CannotGetOrder", NotDone, NO_HINT),
    ("FailedOperation.CertificateCsrParseFailed", Rejected(CsrInvalid), NO_HINT),
    (
        "FailedOperation.CertificateCancelFailedMulti",
        Rejected(InvalidRequest),
        "the cloud stops the review of a certificate for several years in its first year only",
    ),
    (
        "FailedOperation.CertificateInfoSubmitContactEmailEmpty",
        Rejected(InvalidRequest),
        "set spec.provider.tencentCloud.contactEmail, or the e-mail addresses of the profile",
    ),
    (
        "FailedOperation.CertificateInfoSubmitDomainInvalid",
        Rejected(InvalidRequest),
        "correct spec.commonName or spec.dnsNames",
    ),
    ("FailedOperation.CertificateInfoSubmitStatusInvalid", WrongState, NO_HINT),
    ("FailedOperation.CertificateNotFound", Rejected(CertificateNotFound), WHICH_CERTIFICATE),
    ("FailedOperation.CertificateNotFoundOrCantCancel", WrongState, NO_HINT),
    ("FailedOperation.CertificateOrderSubmitProcessing", Running, NO_HINT),
    (
        "FailedOperation.CertificateOrderSubmitRootCAInvalid",
        Rejected(InvalidRequest),
        "change or remove caType, signAlgorithm or useCrossSignRoot of spec.provider.tencentCloud",
    ),
    ("FailedOperation.CertificateStatusNotAllowResubmit", WrongState, NO_HINT),
    ("FailedOperation.CertificateStatusNotAllowVerify", WrongState, NO_HINT),
    (
        "FailedOperation.CertificateSubmitHostingCertError",
        Rejected(InvalidRequest),
        "the cloud renews this certificate by itself: end the managed renewal in the console, or delete this order",
    ),
    ("FailedOperation.ConfirmLetterTooLarge", Rejected(InvalidRequest), LETTER),
    ("FailedOperation.ConfirmLetterTooSmall", Rejected(InvalidRequest), LETTER),
    (
        "FailedOperation.ExceedsFreeLimit",
        Rejected(InvalidRequest),
        "the account's quota of free certificates is used up: certificateId must be that of a paid one",
    ),
    ("FailedOperation.InvalidCertificateStatusCode", WrongState, NO_HINT),
    ("FailedOperation.InvalidConfirmLetterFormat", Rejected(InvalidRequest), LETTER),
    ("FailedOperation.InvalidConfirmLetterFormatWosign", Rejected(InvalidRequest), LETTER),
    ("FailedOperation.NetworkError", Fault, NO_HINT),
    (
        "FailedOperation.NoProjectPermission",
        Rejected(PermissionDenied),
        "give the owner of the API key access to the project that the certificate belongs to",
    ),
    (
        "FailedOperation.NoRealNameAuth",
        Rejected(AccountNotVerified),
        "complete the identity verification of the account in the Tencent Cloud console",
    ),
    ("FailedOperation.OrderReplaceFailed", Fault, NO_HINT),
    ("FailedOperation.RevokeFailed", Fault, NO_HINT),
    (
        "FailedOperation.RevokeResourceFailed",
        Rejected(InvalidRequest),
        "unbind the certificate from the cloud's resources in the console first",
    ),
    ("FailedOperation.SystemError", Fault, NO_HINT),
    ("FailedOperation.UploadConfirmCertificateNotSupport", Rejected(InvalidRequest), NO_LETTER),
    ("FailedOperation.UploadConfirmCertificateNotSupportDV", Rejected(InvalidRequest), NO_LETTER),
    ("InvalidParameter.CertificateStatusNotAllowResubmit", WrongState, NO_HINT),
    (
        "InvalidParameter.RenewAlgorithmInvalid",
        Rejected(InvalidRequest),
        "choose another algorithm or size of spec.privateKey, or a CSR with another key",
    ),
    ("LimitExceeded.RateLimitExceeded", Throttled, NO_HINT),
    ("ResourceNotFound.Manager", Rejected(ProfileIncomplete), "check managerId of the profile"),
];

/// A refusal, with what the user can do about it.
#[must_use]
pub fn refusal(code: &str, message: impl Into<CloudText>, request_id: Option<String>) -> Refusal {
    error_class::refusal(row(code), code, message, request_id)
}

/// The error of a call that was refused like this.
#[must_use]
pub fn error(call: Call, refusal: Refusal) -> Error {
    row(&refusal.code).map_or(Fault, |(_, meaning, _)| *meaning).error(call, refusal)
}

/// The error of a reissue. Some codes mean something else for it than for other calls.
#[must_use]
pub fn of_reissue(error: Error) -> Error {
    let meaning = match error.refusal().map(|refusal| refusal.code.as_str()) {
        // An earlier call took effect.
        Some("FailedOperation.OrderAlreadyReplaced") => Running,
        // Without a detail it does not say whether the CA was asked.
        Some("FailedOperation") => Fault,
        Some("FailedOperation.CancelOrderFailed") => Rejected(InvalidRequest),
        _ => return error,
    };
    match error.refusal().cloned() {
        Some(refusal) => meaning.error(Call::Write, refusal),
        None => error,
    }
}

/// By how many seconds this machine's clock is ahead of the cloud's (behind, when negative), as the message of
/// `AuthFailure.SignatureExpire` shows: it ends with the cloud's Unix time.
#[must_use]
pub fn clock_ahead(message: &str, now: Timestamp) -> Option<i64> {
    let message = message.trim_end_matches(|end: char| !end.is_ascii_digit());
    let digits = message.rsplit(|other: char| !other.is_ascii_digit()).next()?;
    // Ten digits hold the seconds from 2001 until 2286; anything else is another number.
    let theirs: i64 = (digits.len() == 10).then(|| digits.parse().ok())??;
    Some(now.as_second() - theirs)
}

fn row(code: &str) -> Option<&'static Row> {
    let find = |wanted: &str| TABLE.iter().find(|(code, _, _)| *code == wanted);
    find(code).or_else(|| find(code.split_once('.')?.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The code's effect on a read and on a write, in one word each.
    fn effect(code: &str) -> (String, String) {
        let refusal = refusal(code, "", None);
        let word = |call| error_class::word(&error(call, refusal.clone()));
        (word(Call::Read), word(Call::Write))
    }

    fn assert_effects(read: &str, write: &str, codes: &str) {
        for code in codes.split_whitespace() {
            let code = code.replace("F.", "FailedOperation.");
            assert_eq!(effect(&code), (read.to_owned(), write.to_owned()), "{code}");
        }
    }

    #[test]
    fn a_rejection_names_what_to_fix() {
        let cases = [
            (
                "InvalidRequest",
                "ActionOffline DryRunOperation FailedOperation InvalidAction InvalidParameter \
                 InvalidParameterValue InvalidRequest LimitExceeded MissingParameter NoSuchProduct NoSuchVersion \
                 RequestSizeLimitExceeded ResponseSizeLimitExceeded UnknownParameter UnsupportedOperation \
                 UnsupportedProtocol UnsupportedRegion",
            ),
            (
                "InvalidRequest",
                "F.CertificateInfoSubmitContactEmailEmpty F.CertificateInfoSubmitDomainInvalid \
                 F.CertificateOrderSubmitRootCAInvalid F.CertificateSubmitHostingCertError F.ExceedsFreeLimit \
                 F.InvalidParam InvalidParameter.RenewAlgorithmInvalid F.CertificateInvalid F.CertificateMismatch \
                 F.CertificatePreVerifyEmailInvalid F.CertificateCancelFailedMulti InvalidParameter.WithDetailReason \
                 InvalidParameterValue.CertificateDomainMaxLengthInvalid \
                 InvalidParameterValue.CertificateEmailParseInvalid",
            ),
            (
                "InvalidRequest",
                "F.OrderAlreadyReplaced F.RevokeResourceFailed F.InvalidCertificateSource F.BoundResources \
                 F.DeleteResourceFailed F.CannotBeDeletedIssued F.CannotBeDeletedWithinHour F.DeleteFailedTimeNotUp \
                 F.RenewNotIssued F.RoleNotFoundAuthorization F.ConfirmLetterTooLarge F.ConfirmLetterTooSmall \
                 F.InvalidConfirmLetterFormat F.InvalidConfirmLetterFormatWosign \
                 F.UploadConfirmCertificateNotSupport F.UploadConfirmCertificateNotSupportDV",
            ),
            (
                "PermissionDenied",
                "AuthFailure AuthFailure.MFAFailure AuthFailure.UnauthorizedOperation UnauthorizedOperation \
                 IpInBlacklist IpNotInWhitelist F.AuthError F.NoProjectPermission",
            ),
            ("AccountNotVerified", "F.NoRealNameAuth"),
            ("CertificateNotFound", "F.CertificateNotFound ResourceNotFound"),
            ("CsrInvalid", "F.CertificateCsrParseFailed"),
            ("ProfileIncomplete", "ResourceNotFound.Manager"),
        ];
        for (reason, codes) in cases {
            assert_effects(reason, reason, codes);
        }
    }

    #[test]
    fn refused_credentials_wait_for_others() {
        let codes = "AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.SecretIdNotFound \
                     AuthFailure.SignatureFailure AuthFailure.TokenFailure";
        assert_effects("credentials", "credentials", codes);
        assert_effects("clock", "clock", "AuthFailure.SignatureExpire");
    }

    #[test]
    fn too_many_calls_slow_down() {
        let codes = "RequestLimitExceeded RequestLimitExceeded.UinLimitExceeded RequestLimitExceeded.IPLimitExceeded \
                     RequestLimitExceeded.GlobalRegionUinLimitExceeded LimitExceeded.RateLimitExceeded";
        assert_effects("throttled", "throttled", codes);
    }

    #[test]
    fn a_forbidden_state_is_read_again() {
        let codes = "F.InvalidCertificateStatusCode F.CertificateInfoSubmitStatusInvalid F.CancelOrderFailed \
                     F.CancelAuditCertificateFailed F.CertificateNotFoundOrCantCancel \
                     F.CertificateStatusNotAllowResubmit InvalidParameter.CertificateStatusNotAllowResubmit \
                     F.CertificateStatusNotAllowVerify";
        assert_effects("not now", "not now", codes);
        assert_effects("under way", "under way", "F.CertificateOrderSubmitProcessing");
    }

    #[test]
    fn a_fault_leaves_the_outcome_of_a_write_open_but_not_of_a_read() {
        let codes = "InternalError InternalError.BackendResponseError InternalError.BackendResponseEmpty \
                     ServiceUnavailable ResourceUnavailable ResourceInsufficient ResourceInUse F.NetworkError \
                     F.SystemError F.OrderReplaceFailed F.RevokeFailed";
        assert_effects("unavailable", "unknown", codes);
        assert_effects("unavailable", "unavailable", "F.CannotGetOrder F.CAMAuthorizedFail");
    }

    #[test]
    fn a_new_code_means_what_its_class_means_and_a_new_class_is_a_fault() {
        assert_effects(
            "InvalidRequest",
            "InvalidRequest",
            "F.NewOne InvalidParameter.NewOne UnknownParameter.A.B",
        );
        assert_effects("throttled", "throttled", "RequestLimitExceeded.NewOne");
        assert_effects("unavailable", "unknown", "NewClass NewClass.NewOne InternalError.NewOne");
        assert_eq!(effect("HTTP 502"), ("unavailable".to_owned(), "unknown".to_owned()));
        assert_eq!(effect(""), ("unavailable".to_owned(), "unknown".to_owned()));
    }

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let codes: BTreeSet<_> = TABLE.iter().map(|(code, _, _)| code).collect();
        assert_eq!(codes.len(), TABLE.len());
    }

    #[test]
    fn hints_say_what_to_do() {
        let hint = |code| refusal(code, "", None).hint;
        assert_eq!(hint("FailedOperation.CertificateNotFound"), Some(WHICH_CERTIFICATE));
        assert_eq!(hint("AuthFailure.UnauthorizedOperation"), Some(GRANT));
        assert_eq!(hint("FailedOperation.InvalidParam"), None);
        assert_eq!(hint("NewClass"), None);
    }

    #[test]
    fn the_clouds_clock_is_read_from_its_words() {
        let now = Timestamp::from_second(1_700_000_412).unwrap();
        let cases = [
            ("Signature expired, server time is 1700000000", Some(412)),
            ("Signature expired. Server time: 1700000900.", Some(-488)),
            ("Signature expired", None),
            ("Signature expired after 300", None),
        ];
        for (message, ahead) in cases {
            assert_eq!(clock_ahead(message, now), ahead, "{message}");
        }
    }
}
