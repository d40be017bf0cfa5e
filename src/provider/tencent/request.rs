//! The request of `CertificateInfoSubmit`, built from an application.
//!
//! The parameters and their conditions are those of Tencent Cloud's page on that action. It leaves open what an
//! empty value means, and the gateway refuses parameters that it does not know, so nothing is sent that is not set.

use crate::api::Personal;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CompanyType, TencentCloudOrder};
use crate::core::application::{
    Application, Contact, Identification, Key, KeyAlgorithm, Organization, Profile, Saved, ValidationMethod,
};
use crate::core::conditions::Problem;
use crate::core::names::DnsName;
use crate::core::product::Product;
use crate::provider::{Payload, profile};

use super::evidence::KeyOrigin;
use super::{evidence, product, saved};
use crate::provider::body::{Body, Text};

/// The cloud's name of the call.
pub const ACTION: &str = "CertificateInfoSubmit";

/// `CompanyId` or `ManagerId` if the application has the data itself. Both are always sent, and as text: the page
/// requires them and the gateway refuses a number.
const NO_SAVED_PROFILE: &str = "0";

/// The applicant, with everything that the cloud needs to know about them.
enum Applicant<'a> {
    Person { email: &'a Personal },
    Company { profile: &'a Profile },
}

/// Builds the request, or returns why this application does not fit this cloud or this product.
pub fn prepare(
    order: &TencentCloudOrder,
    application: &Application,
    product: Option<&Product>,
) -> Result<Payload, Problem> {
    let applicant = applicant(order, application)?;
    if let Some(product) = product {
        product::check(product, &application.names, matches!(applicant, Applicant::Person { .. }))?;
    }
    let mut body = Body::default();
    body.text("CertId", &order.certificate_id);
    key(&mut body, &application.key)?;
    names(&mut body, application);
    body.shown("VerifyType", "VerifyType", verify_type(application.validation)?);
    if let Some(password) = &application.key_password {
        body.text("KeyPass", password);
    }
    match applicant {
        Applicant::Person { email } => person(&mut body, email),
        Applicant::Company { profile } => company(&mut body, profile, order.contact_email.as_ref())?,
    }
    extras(&mut body, order);
    let (is_by_ids, note) = match applicant {
        Applicant::Person { .. } => (false, None),
        Applicant::Company { profile } => {
            (saved::is_named(&profile.saved), saved::note(&profile.saved, product))
        }
    };
    let mut payload = payload(&body, application)
        .map_err(|error| unfit(format!("the request cannot be written as JSON: {error}")))?;
    if is_by_ids {
        // `SubmittedData` has no place for ids.
        payload.evidence.set_partial();
    }
    Ok(Payload { note, ..payload })
}

fn payload(body: &Body<'_>, application: &Application) -> serde_json::Result<Payload> {
    let mut evidence = body.evidence();
    evidence::mark_organization(&mut evidence);
    evidence::add_names(&mut evidence, &application.names);
    match &application.key {
        Key::Csr(csr) => {
            evidence::add_key_origin(&mut evidence, KeyOrigin::Sender);
            evidence::add_csr(&mut evidence, csr);
        }
        Key::Cloud(_) => evidence::add_key_origin(&mut evidence, KeyOrigin::Cloud),
    }
    body.payload(ACTION, evidence)
}

fn applicant<'a>(
    order: &'a TencentCloudOrder,
    application: &'a Application,
) -> Result<Applicant<'a>, Problem> {
    let profile = application.profile.as_ref();
    let company = profile.filter(|profile| profile.organization.is_some() || saved::is_named(&profile.saved));
    let by_default = if profile.is_some() { CompanyType::Company } else { CompanyType::Personal };
    match order.company_type.unwrap_or(by_default) {
        CompanyType::Company => {
            if let Some(Saved::Held(problem)) = profile.map(|profile| &profile.saved) {
                return Err(problem.clone());
            }
            Ok(Applicant::Company { profile: company.ok_or_else(|| no_organization(profile))? })
        }
        CompanyType::Personal => {
            let administrator = profile.and_then(|profile| profile.administrator.email.as_ref());
            let email = order.contact_email.as_ref().or(administrator);
            let email = email.filter(|email| !email.expose().trim().is_empty()).ok_or_else(no_email)?;
            Ok(Applicant::Person { email })
        }
    }
}

fn no_organization(profile: Option<&Profile>) -> Problem {
    let message = "companyType Company needs an organization";
    match profile {
        None => unfit(format!(
            "{message}: set spec.organizationProfileRef, or companyType Personal for a DV product"
        )),
        Some(profile) => {
            let why = match &profile.saved {
                Saved::NotUsable(why) => format!(", and {why}"),
                _ => String::new(),
            };
            let message = format!(
                "{message}{why}: fill the profile's spec.organization, or set companyType Personal for a DV product"
            );
            Problem::new(Reason::ProfileIncomplete, message)
        }
    }
}

fn no_email() -> Problem {
    unfit(
        "an application of type Personal needs an e-mail address: set spec.provider.tencentCloud.contactEmail, or \
         spec.organizationProfileRef to a profile whose administrator has one",
    )
}

fn unfit(message: impl Into<String>) -> Problem {
    Problem::new(Reason::InvalidRequest, message)
}

/// `parse` needs a CSR and no algorithms, `online` the opposite.
fn key<'a>(body: &mut Body<'a>, key: &'a Key) -> Result<(), Problem> {
    match key {
        Key::Csr(csr) => {
            body.text("GenCsrType", KeyOrigin::Sender.word());
            body.csr("Csr", csr);
        }
        Key::Cloud(algorithm) => {
            let (family, parameter) = key_parameters(*algorithm)?;
            body.text("GenCsrType", KeyOrigin::Cloud.word());
            body.text("CsrEncryptAlgo", family);
            body.text("CsrKeyParameter", parameter);
        }
    }
    Ok(())
}

fn key_parameters(algorithm: KeyAlgorithm) -> Result<(&'static str, &'static str), Problem> {
    match algorithm {
        KeyAlgorithm::Rsa(2048) => Ok(("RSA", "2048")),
        KeyAlgorithm::Rsa(4096) => Ok(("RSA", "4096")),
        KeyAlgorithm::Ecdsa(256) => Ok(("ECC", "prime256v1")),
        other => Err(unfit(format!(
            "Tencent Cloud makes no key of the kind {other}: set spec.privateKey to RSA 2048, RSA 4096 or ECDSA 256, \
             or bring a CSR with a key of your own"
        ))),
    }
}

fn names<'a>(body: &mut Body<'a>, application: &'a Application) {
    body.text("CertCommonName", application.names.common_name().as_str());
    body.list("DnsNames", application.names.others().iter().map(DnsName::as_str).collect());
}

/// How the CA checks control of the names.
pub(super) fn verify_type(validation: ValidationMethod) -> Result<&'static str, Problem> {
    match validation {
        ValidationMethod::Dns => Ok("DNS"),
        ValidationMethod::File => Ok("FILE"),
        ValidationMethod::Email => {
            Err(unfit("Tencent Cloud does not validate by e-mail: set spec.validation.method to DNS or File"))
        }
    }
}

fn person<'a>(body: &mut Body<'a>, email: &'a Personal) {
    body.number("CompanyType", 1);
    body.text("CompanyId", NO_SAVED_PROFILE);
    body.text("ManagerId", NO_SAVED_PROFILE);
    body.shown("ContactEmail", "ContactEmail", email);
}

/// An id of a saved profile replaces the fields of what it names: the manager's id replaces all of them, the company's
/// id those of the organisation. The page allows both at once and does not say which wins, so the fields are left out.
fn company<'a>(
    body: &mut Body<'a>,
    profile: &'a Profile,
    email: Option<&'a Personal>,
) -> Result<(), Problem> {
    body.number("CompanyType", 2);
    let (company, manager) = saved::ids(&profile.saved);
    body.owned("CompanyId", company.map_or(NO_SAVED_PROFILE.to_owned(), |id| id.to_string()));
    body.owned("ManagerId", manager.map_or(NO_SAVED_PROFILE.to_owned(), |id| id.to_string()));
    let mut missing = Vec::new();
    if let (None, Some(organization)) = (company, &profile.organization) {
        missing.extend(organization_fields(body, organization));
    }
    if manager.is_none() {
        missing.extend(administrator_fields(body, &profile.administrator));
        missing.extend(technical_fields(body, &profile.technical_contact));
    }
    // The page requires ContactEmail of persons only, but the error for its absence does not say so.
    let technical = profile.technical_contact.email.as_ref().filter(|_| manager.is_none());
    if let Some(email) = email.or(technical) {
        body.text("ContactEmail", email);
    }
    let needs = match &profile.saved {
        Saved::NotUsable(why) | Saved::Organization { without_people: why, .. } => Some(why.as_str()),
        Saved::No | Saved::Held(_) | Saved::Everything { .. } => None,
    };
    profile::complete("Tencent Cloud", missing, needs)
}

/// The parameter, the name under which it is shown, the value, the field of the profile.
type Field<'a, T> = (&'static str, &'static str, &'a Option<T>, &'static str);

/// Adds the fields that are set, and returns the paths of those that are not.
fn complete<'a, T, const N: usize>(body: &mut Body<'a>, path: &str, fields: [Field<'a, T>; N]) -> Vec<String>
where
    &'a T: Into<Text<'a>>,
{
    let mut missing = Vec::new();
    for (name, shown_as, value, field) in fields {
        if !value.as_ref().is_some_and(|value| body.shown(name, shown_as, value)) {
            missing.push(format!("{path}.{field}"));
        }
    }
    missing
}

fn organization_fields<'a>(body: &mut Body<'a>, organization: &'a Organization) -> Vec<String> {
    let Organization { name, division, address, city, region, country, .. } = organization;
    let Organization { phone_area_code, phone_number, identification, .. } = organization;
    document(body, "OrgIdType", "OrgIdNumber", identification.as_ref());
    let fields = [
        ("OrgOrganization", "OrganizationName", name, "name"),
        ("OrgDivision", "OrganizationDivision", division, "division"),
        ("OrgAddress", "OrganizationAddress", address, "address"),
        ("OrgCity", "OrganizationCity", city, "city"),
        ("OrgRegion", "OrganizationRegion", region, "region"),
        ("OrgCountry", "OrganizationCountry", country, "country"),
        ("OrgPhoneArea", "PhoneAreaCode", phone_area_code, "phone.areaCode"),
        ("OrgPhoneNumber", "PhoneNumber", phone_number, "phone.number"),
    ];
    complete(body, "spec.organization", fields)
}

fn administrator_fields<'a>(body: &mut Body<'a>, contact: &'a Contact) -> Vec<String> {
    document(body, "AdminIdType", "AdminIdNumber", contact.identification.as_ref());
    let Contact { first_name, last_name, phone, email, title, .. } = contact;
    let fields = [
        ("AdminFirstName", "AdminFirstName", first_name, "firstName"),
        ("AdminLastName", "AdminLastName", last_name, "lastName"),
        ("AdminPhone", "AdminPhoneNum", phone, "phone"),
        ("AdminEmail", "AdminEmail", email, "email"),
        ("AdminTitle", "AdminPosition", title, "title"),
    ];
    complete(body, contact.path, fields)
}

fn technical_fields<'a>(body: &mut Body<'a>, contact: &'a Contact) -> Vec<String> {
    document(body, "TechIdType", "TechIdNumber", contact.identification.as_ref());
    let Contact { first_name, last_name, phone, email, title, .. } = contact;
    let fields = [
        ("TechFirstName", "ContactFirstName", first_name, "firstName"),
        ("TechLastName", "ContactLastName", last_name, "lastName"),
        ("TechPhone", "ContactNumber", phone, "phone"),
        ("TechEmail", "ContactEmail", email, "email"),
        ("TechTitle", "ContactPosition", title, "title"),
    ];
    complete(body, contact.path, fields)
}

/// An identity document; only CFCA products ask for one, so it is never missing.
fn document<'a>(
    body: &mut Body<'a>,
    kind: &'static str,
    number: &'static str,
    document: Option<&'a Identification>,
) {
    if let Some(document) = document {
        body.text(kind, &document.kind);
        body.text(number, &document.number);
    }
}

/// What is passed through as the user wrote it.
fn extras<'a>(body: &mut Body<'a>, order: &'a TencentCloudOrder) {
    if let Some(renew) = order.auto_renew {
        body.number("AutoRenewFlag", i64::from(renew));
    }
    if let Some(ca_type) = &order.ca_type {
        body.text("CaType", ca_type);
    }
    if let Some(algorithm) = &order.sign_algorithm {
        body.text("SignAlgo", algorithm);
    }
    if let Some(cross_sign) = order.use_cross_sign_root {
        body.flag("UseCrossSignRoot", cross_sign);
    }
    if let Some(number) = order.type_ {
        body.number("Type", i64::from(number));
    }
}
