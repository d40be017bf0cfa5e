//! The information of an application, and how `application_info` gives it back.

use serde_json::{Map, Value};

use crate::cloud::params::Params;

/// What `apply` stored: the request's own fields. Debug prints the names of the fields only.
#[derive(Clone, Debug)]
pub struct Submission(Params);

/// The fields that can be read again. The department and the CSR are not among them.
const READABLE: [&str; 10] = [
    "country",
    "company_name",
    "company_province",
    "company_city",
    "applicant_name",
    "applicant_phone",
    "applicant_email",
    "contact_name",
    "contact_phone",
    "contact_email",
];

impl Submission {
    pub(super) fn new(params: &Params) -> Self {
        Self(params.clone())
    }

    /// A field of the request as it was sent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_map().get(name)
    }

    /// A text field; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.text(name)
    }

    /// All names, that of `domain` first.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.text("domain").into_iter().chain(self.other_names()).collect()
    }

    /// How control of the domains is proven: `DNS`, `FILE` or `EMAIL`.
    #[must_use]
    pub fn method(&self) -> String {
        self.text("domain_method").unwrap_or_default().to_ascii_uppercase()
    }

    pub(super) fn other_names(&self) -> impl Iterator<Item = &str> {
        self.text("sans").into_iter().flat_map(|sans| sans.split(';'))
    }

    /// `application_info` of show.
    ///
    /// Inferred: a field that was not sent is there with an empty text.
    pub(super) fn to_json(&self) -> Value {
        let field = |name: &&str| ((*name).to_owned(), self.text(name).unwrap_or_default().into());
        Value::Object(READABLE.iter().map(field).collect::<Map<_, _>>())
    }
}
