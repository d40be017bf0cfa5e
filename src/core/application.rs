//! What an order asks a cloud for. No word here belongs to one cloud.

use std::fmt;

use secrecy::SecretString;

use crate::api::Personal;
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::product::Level;

/// What an order asks a cloud for, with every reference resolved.
#[derive(Clone, Debug)]
pub struct Application {
    /// The names to certify.
    pub names: Names,
    /// Who makes the key.
    pub key: Key,
    /// How the CA checks control of the names.
    pub validation: ValidationMethod,
    /// The organisation, from the referenced profile.
    pub profile: Option<Profile>,
    /// Protects the archive formats that the cloud packs the certificate into.
    pub key_password: Option<SecretString>,
}

impl Application {
    /// Every value that must not come back in a text of the cloud.
    #[must_use]
    pub fn sensitive(&self) -> Vec<SecretString> {
        let profile = self.profile.iter().flat_map(Profile::sensitive);
        self.key_password.iter().cloned().chain(profile).collect()
    }
}

/// Who makes the private key.
#[derive(Clone, Debug)]
pub enum Key {
    /// The cloud does, and keeps it.
    Cloud(KeyAlgorithm),
    /// The user did; the cloud sees the CSR only.
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

/// An organisation and the people who answer for it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The organisation; absent for a profile of a person.
    pub organization: Option<Organization>,
    /// Who answers for the organisation.
    pub administrator: Contact,
    /// Whom the CA calls about technical matters; the administrator when the user named nobody else.
    pub technical_contact: Contact,
    /// The same, as saved at the cloud.
    pub saved: Saved,
}

impl Profile {
    /// Every value that must not come back in a text of a cloud.
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

/// Whether a cloud holds an organisation and its people already, so that their ids stand for the data.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Saved {
    /// Nobody asks for that: the data are sent.
    #[default]
    No,
    /// The data are sent, for this reason; in words that fit after "since" and "and".
    NotUsable(String),
    /// An application for the organisation must not be handed in for now.
    Held(Problem),
    /// The organisation is saved; the data of the people are sent.
    Organization {
        /// The cloud's id of it.
        id: u64,
        /// Why the people are not; in words that fit after "since" and "and".
        without_people: String,
    },
    /// Both are.
    Everything {
        /// The cloud's id of the organisation.
        organization: u64,
        /// The cloud's id of the administrator, who stands for all people.
        administrator: u64,
        /// The products whose review of the organisation is passed already.
        reviewed: Vec<Level>,
    },
}

/// An organisation. Which fields must be there depends on the cloud.
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

/// A person. Which fields must be there depends on the cloud.
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
    /// Where the user wrote this contact, for error messages: `spec.administrator`.
    pub path: &'static str,
}

/// A document and its number, which comes from a Secret and goes to the cloud only.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The cloud's word for the kind of document.
    pub kind: String,
    /// The number.
    pub number: SecretString,
}
