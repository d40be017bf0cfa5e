//! What an order requests from a cloud, without terms of a particular cloud.

use std::fmt;

use secrecy::SecretString;

use crate::api::Personal;
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::product::Level;

/// What an order requests from a cloud, with every reference resolved.
#[derive(Clone, Debug)]
pub struct Application {
    /// The names to certify.
    pub names: Names,
    /// Where the private key is made.
    pub key: Key,
    /// How the CA checks control of the names.
    pub validation: ValidationMethod,
    /// The organisation, from the referenced profile.
    pub profile: Option<Profile>,
    /// Protects the archive formats that the cloud packs the certificate into.
    pub key_password: Option<SecretString>,
}

impl Application {
    /// Every value that must be redacted in a text of the cloud.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let profile = self.profile.iter().flat_map(Profile::sensitive);
        self.key_password.iter().cloned().chain(profile).collect()
    }
}

/// Where the private key is made.
#[derive(Clone, Debug)]
pub enum Key {
    /// At the cloud, which keeps it.
    Cloud(KeyAlgorithm),
    /// In the cluster or by the user; the cloud gets the CSR only.
    Csr(Csr),
}

/// The kind and size of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of this many bits.
    Rsa(u32),
    /// ECDSA on the NIST curve of this many bits.
    Ecdsa(u32),
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ecdsa(bits) => write!(f, "ECDSA {bits}"),
        }
    }
}

/// How the CA checks control of the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValidationMethod {
    /// A DNS record.
    Dns,
    /// A file under the domain's web root.
    File,
    /// A letter to an address of the domain.
    Email,
}

/// An organisation and its contacts.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The organisation; absent for a profile of a person.
    pub organization: Option<Organization>,
    /// The administrator, who represents the organisation.
    pub administrator: Contact,
    /// The contact for technical questions of the CA; by default the administrator.
    pub technical_contact: Contact,
    /// Whether the cloud has saved the same data.
    pub saved: Saved,
}

impl Profile {
    /// Every value that must be redacted in a text of a cloud.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let of_contact = |contact: &Contact| {
            let Contact { first_name, last_name, title, phone, email, .. } = contact;
            [first_name, last_name, title, phone, email]
                .map(|datum| datum.as_ref().map(|datum| datum.expose().into()))
        };
        let people =
            [&self.administrator, &self.technical_contact].into_iter().flat_map(of_contact).flatten();
        people.chain(self.identifications().map(|identification| identification.number.clone())).collect()
    }

    fn identifications(&self) -> impl Iterator<Item = &Identification> {
        let organization =
            self.organization.as_ref().and_then(|organization| organization.identification.as_ref());
        organization
            .into_iter()
            .chain(&self.administrator.identification)
            .chain(&self.technical_contact.identification)
    }
}

/// Whether a cloud has saved an organisation and its contacts, so that ids are sent instead of the data.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Saved {
    /// The profile does not request that: the data are sent.
    #[default]
    No,
    /// The data are sent, for this reason, which follows "since" or "and".
    NotUsable(String),
    /// An application for the organisation must not be submitted for now.
    Held(Problem),
    /// The organisation is saved; the data of the people are sent.
    Organization {
        /// The cloud's id of the organisation.
        id: u64,
        /// Why the people are not saved; the text follows "since" or "and".
        without_people: String,
    },
    /// Both are saved.
    Everything {
        /// The cloud's id of the organisation.
        organization: u64,
        /// The cloud's id of the administrator, which replaces the data of all people.
        administrator: u64,
        /// The products whose review of the organisation is passed already.
        reviewed: Vec<Level>,
    },
}

/// An organisation. The required fields depend on the cloud.
#[derive(Clone, Default, Debug)]
pub struct Organization {
    /// Full legal name.
    pub name: Option<String>,
    /// Department.
    pub division: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Province or state.
    pub region: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Area code of the landline.
    pub phone_area_code: Option<String>,
    /// Number of the landline.
    pub phone_number: Option<String>,
    /// The registration document.
    pub identification: Option<Identification>,
}

/// A person. The required fields depend on the cloud.
#[derive(Clone, Default, Debug)]
pub struct Contact {
    /// Given name.
    pub first_name: Option<Personal>,
    /// Family name.
    pub last_name: Option<Personal>,
    /// Position in the organisation.
    pub title: Option<Personal>,
    /// Mobile number.
    pub phone: Option<Personal>,
    /// E-mail address.
    pub email: Option<Personal>,
    /// Identity document.
    pub identification: Option<Identification>,
    /// The path of this contact, for error messages: `spec.administrator`.
    pub path: &'static str,
}

/// A document and its number, which comes from a Secret and is sent to the cloud only.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The cloud's word for the kind of document.
    pub kind: String,
    /// The number.
    pub number: SecretString,
}
