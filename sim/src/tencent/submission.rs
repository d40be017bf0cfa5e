//! The stored information of an application, and how `SubmittedData` gives it back.

use std::fmt;

use serde_json::{Map, Value, json};

use super::profile::{Company, Manager};
use crate::cloud::params::Params;

/// What `CertificateInfoSubmit` stored: the request's own fields, and the saved profile that its ids named.
///
/// Debug prints the names of the fields only: the values are personal data, and `KeyPass` is a secret.
#[derive(Clone)]
pub struct Submission {
    fields: Map<String, Value>,
    company: Option<Company>,
    manager: Option<Manager>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

/// The names in `SubmittedData` (those of the older action `SubmitCertificateInformation`), and those of today.
const LEGACY_NAMES: [(&str, &str); 23] = [
    ("CsrType", "GenCsrType"),
    ("CsrContent", "Csr"),
    ("CertificateDomain", "CertCommonName"),
    ("KeyPassword", "KeyPass"),
    ("OrganizationName", "OrgOrganization"),
    ("OrganizationDivision", "OrgDivision"),
    ("OrganizationAddress", "OrgAddress"),
    ("OrganizationCountry", "OrgCountry"),
    ("OrganizationCity", "OrgCity"),
    ("OrganizationRegion", "OrgRegion"),
    ("PhoneAreaCode", "OrgPhoneArea"),
    ("PhoneNumber", "OrgPhoneNumber"),
    ("AdminFirstName", "AdminFirstName"),
    ("AdminLastName", "AdminLastName"),
    ("AdminPhoneNum", "AdminPhone"),
    ("AdminEmail", "AdminEmail"),
    ("AdminPosition", "AdminTitle"),
    ("ContactFirstName", "TechFirstName"),
    ("ContactLastName", "TechLastName"),
    ("ContactNumber", "TechPhone"),
    ("ContactPosition", "TechTitle"),
    ("ContactEmail", "TechEmail"),
    ("VerifyType", "VerifyType"),
];

impl Submission {
    pub(super) fn new(params: &Params, company: Option<Company>, manager: Option<Manager>) -> Self {
        Self { fields: params.as_map().clone(), company, manager }
    }

    /// A field of the request as it was sent, under its name in `CertificateInfoSubmit`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Stores another value of a field, or none, as a person does in the console.
    pub fn set(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => drop(self.fields.insert(name.to_owned(), value)),
            None => drop(self.fields.remove(name)),
        }
    }

    /// A text field; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// All names, the common name first.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.text("CertCommonName").into_iter().chain(self.other_names()).collect()
    }

    /// The manager that the request named, from the saved profiles.
    pub(super) fn manager(&self) -> Option<&Manager> {
        self.manager.as_ref()
    }

    /// The name of the organisation, from the saved profile or as it was sent.
    pub(super) fn organization(&self) -> Option<&str> {
        self.company.as_ref().map(|company| company.name.as_str()).or(self.text("OrgOrganization"))
    }

    /// Stores the method of domain validation that `CertificateOrderSubmit` chose.
    pub(super) fn set_verify_type(&mut self, verify_type: &str) {
        self.fields.insert("VerifyType".to_owned(), verify_type.into());
    }

    /// `SubmittedData` of the Describe actions.
    pub(super) fn to_json(&self) -> Value {
        let mut data: Map<String, Value> = LEGACY_NAMES
            .iter()
            .map(|(legacy, name)| ((*legacy).to_owned(), self.text(name).map_or(Value::Null, Value::from)))
            .collect();
        // Inferred: the one contact address of the old names is TechEmail, else ContactEmail.
        if self.text("TechEmail").is_none() {
            data.insert("ContactEmail".to_owned(), self.text("ContactEmail").into());
        }
        data.insert("PostalCode".to_owned(), Value::Null);
        data.insert("DomainList".to_owned(), self.domain_list());
        self.overlay_profile(&mut data);
        Value::Object(data)
    }

    fn other_names(&self) -> impl Iterator<Item = &str> {
        self.get("DnsNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Without further names the list is not empty but holds one empty text: the vendor's Terraform provider guards
    /// for that answer.
    fn domain_list(&self) -> Value {
        let names: Vec<&str> = self.other_names().collect();
        if names.is_empty() { json!([""]) } else { json!(names) }
    }

    /// Inferred: ids win over inline fields when both were sent.
    fn overlay_profile(&self, data: &mut Map<String, Value>) {
        let company = self.company.iter().flat_map(|company| {
            [
                ("OrganizationName", &company.name),
                ("OrganizationAddress", &company.address),
                ("OrganizationCountry", &company.country),
                ("OrganizationCity", &company.city),
                ("OrganizationRegion", &company.province),
                ("PhoneNumber", &company.phone),
            ]
        });
        let manager = self.manager.iter().flat_map(|manager| {
            [
                ("OrganizationDivision", &manager.department),
                ("AdminFirstName", &manager.first_name),
                ("AdminLastName", &manager.last_name),
                ("AdminPhoneNum", &manager.phone),
                ("AdminEmail", &manager.mail),
                ("AdminPosition", &manager.position),
            ]
        });
        data.extend(company.chain(manager).map(|(name, value)| (name.to_owned(), value.as_str().into())));
    }
}
