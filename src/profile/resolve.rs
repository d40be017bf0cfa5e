//! Turns a profile into what an application needs: every reference to a Secret is followed.

use crate::api::v1alpha1 as api;
use crate::cluster::{Error, Namespace, SecretData};
use crate::core::conditions::Problem;
use crate::core::order::{Contact, Identification, Organization, Profile};
use crate::core::redact::Personal;

/// Follows every reference of a profile. Which data must be there is judged by the cloud they are sent to.
pub async fn resolve(namespace: &Namespace, spec: &api::OrganizationProfileSpec) -> Result<Profile, Error> {
    let organization = match &spec.organization {
        Some(spec) => Some(organization(namespace, spec).await?),
        None => None,
    };
    let administrator = match &spec.administrator {
        Some(spec) => contact(namespace, spec, "spec.administrator").await?,
        None => Contact { path: "spec.administrator", ..Contact::default() },
    };
    let technical_contact = match &spec.technical_contact {
        Some(spec) => contact(namespace, spec, "spec.technicalContact").await?,
        None => administrator.clone(),
    };
    Ok(Profile { organization, administrator, technical_contact })
}

async fn organization(namespace: &Namespace, spec: &api::Organization) -> Result<Organization, Error> {
    let identification = match &spec.identification {
        Some(document) => {
            let field = "spec.organization.identification.numberSecretRef";
            let number = namespace.readable(&document.number_secret_ref, field).await?;
            Some(Identification { kind: document.type_.to_string(), number })
        }
        None => None,
    };
    Ok(Organization {
        name: spec.name.clone(),
        division: spec.division.clone(),
        address: spec.address.clone(),
        city: spec.city.clone(),
        region: spec.region.clone(),
        country: spec.country.clone(),
        phone_area_code: spec.phone.as_ref().map(|phone| phone.area_code.clone()),
        phone_number: spec.phone.as_ref().map(|phone| phone.number.clone()),
        identification,
    })
}

async fn contact(namespace: &Namespace, spec: &api::Contact, path: &'static str) -> Result<Contact, Error> {
    let identification = match &spec.identification {
        Some(document) => {
            let field = format!("{path}.identification.numberSecretRef");
            let number = namespace.readable(&document.number_secret_ref, &field).await?;
            Some(Identification { kind: document.type_.to_string(), number })
        }
        None => None,
    };
    let Some(reference) = &spec.from_secret else {
        return Ok(Contact {
            first_name: spec.first_name.clone(),
            last_name: spec.last_name.clone(),
            title: spec.title.clone(),
            phone: spec.phone.clone(),
            email: spec.email.clone(),
            identification,
            path,
        });
    };
    let data = namespace.readable_secret(&reference.name, &format!("{path}.fromSecret")).await?;
    Ok(Contact {
        first_name: datum(&data, "firstName"),
        last_name: datum(&data, "lastName"),
        title: datum(&data, "title"),
        phone: datum(&data, "phone"),
        email: datum(&data, "email"),
        identification,
        path,
    })
}

/// A datum of a contact's Secret. What is absent or empty is judged where it is needed.
fn datum(data: &SecretData, key: &str) -> Option<Personal> {
    let text = std::str::from_utf8(&data.get(key)?.0).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    (!text.is_empty()).then(|| text.into())
}

/// Whether this version does what the profile asks for: it does not use saved profiles yet, so an order that must
/// use one cannot go on.
pub fn check_supported(spec: &api::OrganizationProfileSpec) -> Result<(), Problem> {
    match &spec.tencent_cloud {
        Some(saved) if saved.reuse == api::Reuse::Required => Err(Problem::new(
            api::Reason::InvalidRequest,
            "this version of certorder does not use profiles saved at Tencent Cloud yet, and the OrganizationProfile \
             has spec.tencentCloud.reuse: Required; set it to Preferred or Never to send the profile's own data",
        )),
        _ => Ok(()),
    }
}

/// What is missing whatever the cloud: a profile that names nobody.
#[must_use]
pub fn incomplete(profile: &Profile) -> Option<Problem> {
    let administrator = &profile.administrator;
    let data =
        [&administrator.first_name, &administrator.last_name, &administrator.phone, &administrator.email];
    data.iter().all(|datum| datum.is_none()).then(|| {
        Problem::new(
            api::Reason::ProfileIncomplete,
            "spec.administrator is empty; every application needs a person who answers for it",
        )
    })
}
