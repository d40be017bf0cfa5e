//! `CertificateInfoSubmit`: stores the application's information on a bought certificate. It does not send the order.

mod key;
mod names;
mod organization;

use super::action::Action;
use crate::cloud::{
    Answer,
    params::{Kind, Param, Params, optional, required},
};
use crate::tencent::{error::Refusal, invocation::Invocation, product::Product, submission::Submission};

pub(super) const ACTION: Action = Action { name: "CertificateInfoSubmit", params: PARAMS, run };

const PARAMS: &[Param] = &[
    required("CertId", Kind::String),
    required("GenCsrType", Kind::String),
    required("CertCommonName", Kind::String),
    required("CompanyType", Kind::Integer),
    required("CompanyId", Kind::String),
    optional("OrgIdType", Kind::String),
    optional("OrgIdNumber", Kind::String),
    optional("AdminIdType", Kind::String),
    optional("AdminIdNumber", Kind::String),
    optional("TechIdType", Kind::String),
    optional("TechIdNumber", Kind::String),
    optional("Csr", Kind::String),
    optional("DnsNames", Kind::Strings),
    optional("KeyPass", Kind::String),
    optional("OrgOrganization", Kind::String),
    optional("OrgDivision", Kind::String),
    optional("OrgAddress", Kind::String),
    optional("OrgCountry", Kind::String),
    optional("OrgCity", Kind::String),
    optional("OrgRegion", Kind::String),
    optional("OrgPhoneArea", Kind::String),
    optional("OrgPhoneNumber", Kind::String),
    optional("VerifyType", Kind::String),
    optional("AdminFirstName", Kind::String),
    optional("AdminLastName", Kind::String),
    optional("AdminPhone", Kind::String),
    optional("AdminEmail", Kind::String),
    optional("AdminTitle", Kind::String),
    optional("TechFirstName", Kind::String),
    optional("TechLastName", Kind::String),
    optional("ContactEmail", Kind::String),
    optional("AutoRenewFlag", Kind::Integer),
    optional("CsrKeyParameter", Kind::String),
    optional("CsrEncryptAlgo", Kind::String),
    optional("ManagerId", Kind::String),
    optional("TechPhone", Kind::String),
    optional("TechEmail", Kind::String),
    optional("TechTitle", Kind::String),
    optional("Type", Kind::Integer),
    optional("CaType", Kind::String),
    optional("SignAlgo", Kind::String),
    optional("UseCrossSignRoot", Kind::Boolean),
];

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    check_state(call)?;
    let product = call.certificate("CertId")?.product;
    check_choices(call.params)?;
    check_root(call, product)?;
    names::check(call.params, product, call.certificate("CertId")?.domain_number)?;
    key::check(call.params, product)?;
    let profile = organization::check(call, product)?;
    let submission = Submission::new(call.params, profile.company, profile.manager);
    let certificate = call.certificate_mut("CertId")?;
    certificate.submission = Some(submission);
    let id = certificate.id.clone();
    call.log(&id, ACTION.name, "submitInfo");
    Ok(Answer::wrote(serde_json::json!({})))
}

/// Inferred: the order of these checks, and that status 13 (free certificates) takes information, too.
fn check_state(call: &Invocation<'_>) -> Result<(), Refusal> {
    let certificate = call.certificate("CertId")?;
    call.check_identity()?;
    if certificate.renewal_is_managed {
        let message = "Uploaded certificate managed renewal cannot submit order manually";
        return Err(Refusal::new("FailedOperation.CertificateSubmitHostingCertError", message));
    }
    if !certificate.status.awaits_submission() {
        let message = "Certificate status does not allow submitting documentation.";
        return Err(Refusal::new("FailedOperation.CertificateInfoSubmitStatusInvalid", message));
    }
    Ok(())
}

/// Fields with a closed list of values.
///
/// Inferred: the code; `DNS_AUTO` is documented for the China site only.
fn check_choices(params: &Params) -> Result<(), Refusal> {
    const CHOICES: [(&str, &[&str]); 6] = [
        ("GenCsrType", &["online", "parse"]),
        ("VerifyType", &["DNS", "FILE"]),
        ("OrgIdType", &["TYDMZ", "OTHERS"]),
        ("AdminIdType", &["SFZ", "HZ"]),
        ("TechIdType", &["SFZ", "HZ"]),
        ("CaType", &["sectigo", "digicert"]),
    ];
    for (name, choices) in CHOICES {
        if let Some(value) = params.text(name).filter(|value| !choices.contains(value)) {
            return Err(Refusal::invalid_value(name, value));
        }
    }
    match params.integer("AutoRenewFlag") {
        Some(flag) if !(0..=1).contains(&flag) => Err(Refusal::invalid_value("AutoRenewFlag", flag)),
        _ => Ok(()),
    }
}

/// Inferred: what the code for an invalid root is for; the documents say only that `CaType` is valid for the `DNSPod`
/// series.
fn check_root(call: &Invocation<'_>, product: Product) -> Result<(), Refusal> {
    let misplaced = call.params.text("CaType").is_some() && !product.is_dnspod();
    if misplaced || call.certificate("CertId")?.root_refused {
        let message = "The currently selected root certificate is invalid. Please reselect.";
        return Err(Refusal::new("FailedOperation.CertificateOrderSubmitRootCAInvalid", message));
    }
    Ok(())
}
