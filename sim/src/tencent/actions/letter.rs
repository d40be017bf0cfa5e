//! `UploadConfirmLetter`: the letter that an order in status 8 waits for.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::action::Action;
use crate::cloud::{
    Answer,
    params::{Kind, required},
};
use crate::tencent::{
    certificate::{Certificate, Status},
    error::Refusal,
    invocation::Invocation,
};

pub(super) const ACTION: Action = Action {
    name: "UploadConfirmLetter",
    params: &[required("CertificateId", Kind::String), required("ConfirmLetter", Kind::String)],
    run,
};

/// The size of a letter, in bytes: "1 KB to 1.4 MB".
const SMALLEST: usize = 1024;
const LARGEST: usize = 1_400_000;

/// How PDF, JPEG and PNG files begin.
const FORMATS: [&[u8]; 3] = [b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"];

/// Inferred: that the order goes on as if it had never waited.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    check_state(call.certificate("CertificateId")?)?;
    check_letter(call.params.text("ConfirmLetter").unwrap_or_default())?;
    let certificate = call.certificate_mut("CertificateId")?;
    certificate.status = Status::UNDER_REVIEW;
    let id = certificate.id.clone();
    call.log(&id, ACTION.name, "uploadConfirmLetter");
    Ok(Answer::wrote(json!({ "CertificateId": id, "IsSuccess": true })))
}

/// Inferred: which code each state gets.
fn check_state(certificate: &Certificate) -> Result<(), Refusal> {
    if certificate.product.is_dv() {
        let message = "A DV certificate does not support uploading a confirmation letter.";
        return Err(Refusal::new("FailedOperation.UploadConfirmCertificateNotSupportDV", message));
    }
    if certificate.status == Status::AWAITING_LETTER { Ok(()) } else { Err(Refusal::wrong_status()) }
}

/// Inferred: that the size is checked before the format, and that the format is seen from the content.
fn check_letter(base64: &str) -> Result<(), Refusal> {
    let wrong_format = || {
        let message = "The format of the confirmation letter is invalid.";
        Refusal::new("FailedOperation.InvalidConfirmLetterFormat", message)
    };
    let letter = BASE64_STANDARD.decode(base64).map_err(|_| wrong_format())?;
    match letter.len() {
        ..SMALLEST => Err(Refusal::new(
            "FailedOperation.ConfirmLetterTooSmall",
            "The confirmation letter is too small.",
        )),
        size if size > LARGEST => Err(Refusal::new(
            "FailedOperation.ConfirmLetterTooLarge",
            "The confirmation letter is too large.",
        )),
        _ if FORMATS.iter().any(|format| letter.starts_with(format)) => Ok(()),
        _ => Err(wrong_format()),
    }
}
