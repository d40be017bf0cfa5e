//! The request of `apply`, built from an application.
//!
//! The parameters and their conditions are those of Huawei Cloud's page on applying for a certificate, of the older one
//! (version 2, `complete`) as well as of today's. Both show empty texts for what is not set; here it is left out.

use crate::api::Personal;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CaHashAlgorithm, HuaweiCloudOrder};
use crate::core::application::{Application, Contact, Key, KeyAlgorithm, Organization, ValidationMethod};
use crate::core::conditions::Problem;
use crate::core::names::DnsName;
use crate::core::product::{Algorithms, Product};
use crate::provider::body::Body;
use crate::provider::{Payload, profile};

use super::person::check_length;
use super::{evidence, person, product};

/// The cloud's name of the call.
pub const ACTION: &str = "apply";

/// The longest texts, in bytes for CSR and names, in characters for what people and organisations are called.
const LONGEST_CSR: usize = 5120;
const LONGEST_SANS: usize = 4096;
/// Builds the request, or returns why this application does not fit this cloud or this product.
pub fn prepare(
    order: &HuaweiCloudOrder,
    application: &Application,
    product: Option<&Product>,
) -> Result<Payload, Problem> {
    if !order.agree_privacy_protection {
        return Err(unfit("Huawei Cloud takes an application only with agreePrivacyProtection: true"));
    }
    if let Some(product) = product {
        product::check(product, application)?;
    }
    let people = application.profile.as_ref().ok_or_else(no_applicant)?;
    let organization = people.organization.as_ref();
    let (administrator, technical) = (&people.administrator, &people.technical_contact);
    let (applicant, contact) = (person::full_name(administrator), person::full_name(technical));
    let mut missing = product::missing(product, organization);
    missing.extend(person::missing(administrator));
    profile::complete("Huawei Cloud", missing, None)?;
    let sans = sans(application)?;

    let mut body = Body::default();
    body.text("domain", application.names.common_name().as_str());
    body.text("sans", &sans);
    key(&mut body, &application.key, product)?;
    if let Some(organization) = organization {
        company(&mut body, organization)?;
    }
    person::check_applicant(&applicant, administrator)?;
    let names = ["applicant_name", "applicant_phone", "applicant_email"];
    people_fields(&mut body, names, &applicant, administrator)?;
    person::check_contact(&contact, technical)?;
    let names = ["contact_name", "contact_phone", "contact_email"];
    people_fields(&mut body, names, &contact, technical)?;
    body.text("domain_method", domain_method(application.validation)?);
    if let Some(algorithm) = product::hash_algorithm(product, order.ca_hash_algorithm) {
        body.text("ca_hash_algorithm", hash_algorithm(algorithm));
    }
    // Sent also when false, so that the result does not depend on the cloud's default.
    body.flag("auto_dns_auth", order.auto_dns_auth);
    body.flag("agree_privacy_protection", order.agree_privacy_protection);
    let payload = payload(&body, application)
        .map_err(|error| unfit(format!("the request cannot be written as JSON: {error}")))?;
    Ok(Payload { note: note(application, product), ..payload })
}

/// What the order does not say itself.
fn note(application: &Application, product: Option<&Product>) -> Option<String> {
    let says = "The product is SM2: the cloud makes an SM2 key, whatever spec.privateKey.algorithm is.";
    (matches!(application.key, Key::Cloud(_)) && is_sm2(product)).then(|| says.to_owned())
}

fn is_sm2(product: Option<&Product>) -> bool {
    product.is_some_and(|product| product.algorithms == Some(Algorithms::Sm2))
}

fn payload(body: &Body<'_>, application: &Application) -> serde_json::Result<Payload> {
    let mut evidence = body.evidence();
    evidence::mark_organization(&mut evidence);
    evidence::add_names(&mut evidence, &application.names);
    body.payload(ACTION, evidence)
}

fn no_applicant() -> Problem {
    unfit(
        "Huawei Cloud needs an applicant: set spec.organizationProfileRef to a profile whose administrator has a name, a \
         phone number and an e-mail address",
    )
}

fn unfit(message: impl Into<String>) -> Problem {
    Problem::new(Reason::InvalidRequest, message)
}

/// The further names, `;` between them.
fn sans(application: &Application) -> Result<String, Problem> {
    let names: Vec<&str> = application.names.others().iter().map(DnsName::as_str).collect();
    let sans = names.join(";");
    if sans.len() > LONGEST_SANS {
        return Err(unfit(format!(
            "spec.dnsNames have {} characters together, and Huawei Cloud takes {LONGEST_SANS}: remove some",
            sans.len()
        )));
    }
    Ok(sans)
}

/// A CSR, or the kind of key that the cloud is to make.
///
/// For an SM2 product that is `SM2`, whatever kind the order has (the user guide: "the key algorithm must be SM2").
fn key<'a>(body: &mut Body<'a>, key: &'a Key, product: Option<&Product>) -> Result<(), Problem> {
    match key {
        Key::Cloud(_) if is_sm2(product) => {
            body.text("key_algorithm", "SM2");
        }
        Key::Cloud(algorithm) => {
            body.text("key_algorithm", key_algorithm(*algorithm)?);
        }
        Key::Csr(csr) if csr.pem().trim().len() > LONGEST_CSR => {
            return Err(unfit(format!(
                "the CSR has {} characters, and Huawei Cloud takes {LONGEST_CSR}: ask for fewer names in it, or use a \
                 smaller key",
                csr.pem().trim().len()
            )));
        }
        Key::Csr(csr) => body.csr("csr", csr),
    }
    Ok(())
}

fn key_algorithm(algorithm: KeyAlgorithm) -> Result<&'static str, Problem> {
    match algorithm {
        KeyAlgorithm::Rsa(2048) => Ok("RSA_2048"),
        KeyAlgorithm::Rsa(3072) => Ok("RSA_3072"),
        KeyAlgorithm::Rsa(4096) => Ok("RSA_4096"),
        KeyAlgorithm::Ecdsa(256) => Ok("EC_P256"),
        KeyAlgorithm::Ecdsa(384) => Ok("EC_P384"),
        other => Err(unfit(format!(
            "Huawei Cloud makes no key of the kind {other}: set spec.privateKey to RSA 2048, 3072 or 4096, or to ECDSA \
             256 or 384"
        ))),
    }
}

/// The page offers `FILE` too, for certificates of IP addresses alone.
fn domain_method(validation: ValidationMethod) -> Result<&'static str, Problem> {
    match validation {
        ValidationMethod::Dns => Ok("DNS"),
        ValidationMethod::Email => Ok("EMAIL"),
        ValidationMethod::File => Err(unfit(
            "Huawei Cloud validates no domain name by file: set spec.validation.method to DNS or Email",
        )),
    }
}

fn hash_algorithm(algorithm: CaHashAlgorithm) -> &'static str {
    match algorithm {
        CaHashAlgorithm::Default => "DEFAULT",
        CaHashAlgorithm::Sha256 => "SHA-256",
    }
}

fn company<'a>(body: &mut Body<'a>, organization: &'a Organization) -> Result<(), Problem> {
    let Organization { name, division, region, city, country, .. } = organization;
    let texts = [
        ("company_name", name, "name"),
        ("company_province", region, "region"),
        ("company_city", city, "city"),
        ("country", country, "country"),
    ];
    for (parameter, text, field) in texts {
        let Some(text) = text else { continue };
        check_length(text, &format!("spec.organization.{field}"))?;
        body.shown(parameter, parameter, text);
    }
    if let Some(division) = division {
        check_length(division, "spec.organization.division")?;
        // `show` does not return it.
        body.text("company_unit", division);
    }
    let two_letters =
        |country: &str| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
    match country.as_deref().map(str::trim) {
        Some(country) if !country.is_empty() && !two_letters(country) => Err(profile::incomplete(
            "the profile's spec.organization.country must be a code of two letters, as CN",
        )),
        _ => Ok(()),
    }
}

fn people_fields<'a>(
    body: &mut Body<'a>,
    [name, phone, email]: [&'static str; 3],
    full_name: &'a Personal,
    contact: &'a Contact,
) -> Result<(), Problem> {
    person::check_address(contact)?;
    body.shown(name, name, full_name);
    for (parameter, datum) in [(phone, &contact.phone), (email, &contact.email)] {
        if let Some(datum) = datum {
            body.shown(parameter, parameter, datum);
        }
    }
    Ok(())
}
