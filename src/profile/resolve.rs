//! Reads from the cluster what a profile refers to: every reference to a Secret is followed. A missing object is data;
//! only a failed request to the API server is an error.

use crate::api::Personal;
use crate::api::v1alpha1 as api;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{OrganizationProfile, Reuse, TencentCloudProfile};
use crate::cluster::{Error, Namespace, SecretData, as_data};
use crate::core::application::{Contact, Identification, Organization, Profile, Saved};
use crate::core::conditions::Problem;
use crate::core::redact::Filter;
use crate::core::text::{TextError, trimmed_line};
use crate::profile::controller::Controller;
use crate::profile::lookups::Lookups;
use crate::provider::Directory;
use crate::provider::registry::Clouds;

/// Everything that the cluster holds of one profile.
pub struct Resolved {
    /// Its data.
    pub data: Result<Profile, Problem>,
    /// The directory of its account; `None` if it names no account.
    pub directory: Option<Result<Box<dyn Directory>, Problem>>,
    /// Blanks everything sensitive of this profile.
    pub filter: Filter,
}

/// Follows every reference of a profile.
pub async fn resolve(
    controller: &Controller,
    profile: &OrganizationProfile,
) -> Result<Resolved, kube::Error> {
    let namespace = controller.context.namespace(profile);
    let data = as_data(data(&namespace, &profile.spec).await)?;
    let directory = match &profile.spec.tencent_cloud {
        Some(saved) => Some(as_data(directory(&controller.context.clouds, &namespace, saved).await)?),
        None => None,
    };
    let mut resolved = Resolved { data, directory, filter: Filter::default() };
    resolved.update_filter(&controller.lookups);
    Ok(resolved)
}

impl Resolved {
    /// Adds to the filter what is cached of the people that the account has saved.
    pub fn update_filter(&mut self, lookups: &Lookups) {
        let mut sensitive = self.data.as_ref().map(Profile::sensitive).unwrap_or_default();
        if let Some(Ok(directory)) = &self.directory {
            sensitive.extend(directory.sensitive());
            sensitive.extend(lookups.sensitive(&directory.account()));
        }
        self.filter = Filter::new(sensitive);
    }
}

/// The directory of the account of a saved profile. Makes no call to a cloud.
pub async fn directory(
    clouds: &Clouds,
    namespace: &Namespace,
    saved: &TencentCloudProfile,
) -> Result<Box<dyn Directory>, Error> {
    const FIELD: &str = "spec.tencentCloud.credentialsRef";
    let secret = namespace.credentials_of(&saved.credentials_ref, FIELD).await?;
    let directory = clouds.directory(namespace.name(), saved, &secret.data);
    Ok(directory.map_err(|error| error.problem(&saved.credentials_ref.name, FIELD))?)
}

/// The data of a profile. The cloud that they are sent to decides which of them are required.
pub async fn data(namespace: &Namespace, spec: &api::OrganizationProfileSpec) -> Result<Profile, Error> {
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
    Ok(Profile { organization, administrator, technical_contact, saved: Saved::No })
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
    let field = format!("{path}.fromSecret");
    let secret = namespace.readable_secret(&reference.name, &field).await?;
    let datum = |key| datum(&secret.data, &reference.name, key, &field);
    Ok(Contact {
        first_name: datum("firstName")?,
        last_name: datum("lastName")?,
        title: datum("title")?,
        phone: datum("phone")?,
        email: datum("email")?,
        identification,
        path,
    })
}

/// A datum of a contact's Secret. What is absent or empty is judged where it is needed.
fn datum(data: &SecretData, name: &str, key: &str, field: &str) -> Result<Option<Personal>, Problem> {
    match data.get(key).map(|bytes| trimmed_line(&bytes.0)) {
        None | Some(Err(TextError::Empty)) => Ok(None),
        Some(Ok(text)) => Ok(Some(text.into())),
        Some(Err(error)) => {
            let message = format!("Secret {name} of {field}: its entry {key} {error}");
            Err(Problem::new(Reason::ProfileIncomplete, message))
        }
    }
}

/// Whether a profile names a person, at any cloud.
#[must_use]
pub fn names_a_person(profile: &Profile) -> bool {
    let Contact { first_name, last_name, phone, email, .. } = &profile.administrator;
    [first_name, last_name, phone, email].iter().any(|datum| datum.is_some())
}

/// Whether orders may use what the account has saved.
#[must_use]
pub fn is_reused(spec: &api::OrganizationProfileSpec) -> bool {
    spec.tencent_cloud.as_ref().is_some_and(|saved| saved.reuse != Reuse::Never)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    #[test]
    fn a_datum_of_a_contact_is_one_line_or_refused_with_its_entry() {
        let read = |bytes: &[u8]| {
            let data = SecretData::from([("phone".to_owned(), ByteString(bytes.to_vec()))]);
            datum(&data, "admin", "phone", "spec.administrator.fromSecret")
        };
        for bytes in [&b"13112341234"[..], b"13112341234\n", b"13112341234\r\n"] {
            assert_eq!(read(bytes).unwrap().unwrap().expose(), "13112341234");
        }
        for bytes in [&b""[..], b"\n", b"\r\n"] {
            assert_eq!(read(bytes).unwrap(), None);
        }
        let refused: [(&[u8], &str); 5] = [
            (b"\xef\xbb\xbf13112341234", "has a byte order mark: save it as UTF-8 without one (BOM)"),
            (b"\xff\xfe1\x003\x00", "is not text in UTF-8: save it in that encoding"),
            (b"13112341234\n\n", "has a line break in it: it must be one line"),
            (b"131\t12341234", "has a control character in it, such as a tab: remove it"),
            (b" 13112341234", "begins or ends with white space: remove it"),
        ];
        for (bytes, why) in refused {
            let message = format!("Secret admin of spec.administrator.fromSecret: its entry phone {why}");
            assert_eq!(read(bytes).unwrap_err(), Problem::new(Reason::ProfileIncomplete, message));
        }
    }
}
