//! The parameters of one request, in four forms: as bytes, as a digest, redacted, and as evidence.

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::api::Personal;
use crate::core::certificate::Csr;
use crate::core::evidence::Evidence;
use crate::core::fingerprint::Fingerprint;

use super::Payload;

/// Stands for a value that is not shown.
const BLANK: &str = "***";

/// The parameters of a request, in the order in which they are sent. None of them is empty.
#[derive(Default)]
pub struct Body<'a> {
    parameters: Vec<Parameter<'a>>,
}

struct Parameter<'a> {
    name: &'static str,
    value: Value<'a>,
    /// The name under which the cloud shows the value once it holds it, where it does.
    shown_as: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Owned(String),
    Personal(&'a str),
    Secret(&'a str),
    #[serde(serialize_with = "as_pem")]
    Csr(&'a Csr),
    Number(i64),
    Flag(bool),
    List(Vec<&'a str>),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn as_pem<S: Serializer>(csr: &&Csr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(csr.pem().trim())
}

/// A text that may enter a request. Its type decides where it may be shown.
#[derive(Clone, Copy)]
pub enum Text<'a> {
    /// To everybody with read access to the order.
    Open(&'a str),
    /// To the cloud only.
    Personal(&'a Personal),
    /// To the cloud only, and it is left out of the digest.
    Secret(&'a SecretString),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Open(text)
    }
}

impl<'a> From<&'a String> for Text<'a> {
    fn from(text: &'a String) -> Self {
        Self::Open(text)
    }
}

impl<'a> From<&'a Personal> for Text<'a> {
    fn from(text: &'a Personal) -> Self {
        Self::Personal(text)
    }
}

impl<'a> From<&'a SecretString> for Text<'a> {
    fn from(text: &'a SecretString) -> Self {
        Self::Secret(text)
    }
}

impl<'a> Text<'a> {
    fn value(self) -> Option<Value<'a>> {
        let (text, value): (&str, fn(&'a str) -> Value<'a>) = match self {
            Self::Open(text) => (text, Value::Text),
            Self::Personal(text) => (text.expose(), Value::Personal),
            // As it is: white space may be part of a password.
            Self::Secret(text) => {
                let text = text.expose_secret();
                return (!text.is_empty()).then_some(Value::Secret(text));
            }
        };
        Some(text.trim()).filter(|text| !text.is_empty()).map(value)
    }
}

impl<'a> Body<'a> {
    /// Adds a text, unless it is blank. Returns whether it was added.
    pub fn text(&mut self, name: &'static str, text: impl Into<Text<'a>>) -> bool {
        self.push(name, None, text.into())
    }

    /// Like [`Body::text`], for a value that the cloud shows under this name once it holds it.
    pub fn shown(&mut self, name: &'static str, shown_as: &'static str, text: impl Into<Text<'a>>) -> bool {
        self.push(name, Some(shown_as), text.into())
    }

    fn push(&mut self, name: &'static str, shown_as: Option<&'static str>, text: Text<'a>) -> bool {
        let value = text.value();
        let added = value.is_some();
        self.parameters.extend(value.map(|value| Parameter { name, value, shown_as }));
        added
    }

    /// Adds a text that certorder makes.
    pub fn owned(&mut self, name: &'static str, text: String) {
        self.parameters.push(Parameter { name, value: Value::Owned(text), shown_as: None });
    }

    /// Adds a CSR. The digest covers what the CSR asks for, so that a CSR that is signed again is the same request.
    pub fn csr(&mut self, name: &'static str, csr: &'a Csr) {
        self.parameters.push(Parameter { name, value: Value::Csr(csr), shown_as: None });
    }

    /// Adds a number.
    pub fn number(&mut self, name: &'static str, number: i64) {
        self.parameters.push(Parameter { name, value: Value::Number(number), shown_as: None });
    }

    /// Adds a boolean.
    pub fn flag(&mut self, name: &'static str, flag: bool) {
        self.parameters.push(Parameter { name, value: Value::Flag(flag), shown_as: None });
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, name: &'static str, list: Vec<&'a str>) {
        if !list.is_empty() {
            self.parameters.push(Parameter { name, value: Value::List(list), shown_as: None });
        }
    }

    /// The request that sends it, without a note.
    pub fn payload(&self, action: &'static str, evidence: Evidence) -> serde_json::Result<Payload> {
        Ok(Payload {
            action,
            body: self.bytes()?.into(),
            fingerprint: self.fingerprint()?,
            redacted: self.redacted()?,
            evidence,
            note: None,
        })
    }

    /// The bytes to send.
    pub fn bytes(&self) -> serde_json::Result<Vec<u8>> {
        self.render(&|value| Rendered::Value(value))
    }

    /// The digest of the bytes with every secret blanked.
    pub fn fingerprint(&self) -> serde_json::Result<Fingerprint> {
        let bytes = self.render(&|value| match value {
            Value::Secret(_) => Rendered::Blank(BLANK),
            Value::Csr(csr) => Rendered::Digest(hex::encode(Sha256::digest(csr.request_info()))),
            value => Rendered::Value(value),
        })?;
        Ok(Fingerprint::of(&bytes))
    }

    /// The parameters for people to read, with every personal datum and secret blanked.
    pub fn redacted(&self) -> serde_json::Result<serde_json::Value> {
        let bytes = self.render(&|value| match value {
            Value::Secret(_) | Value::Personal(_) => Rendered::Blank(BLANK),
            value => Rendered::Value(value),
        })?;
        serde_json::from_slice(&bytes)
    }

    /// The values that the cloud shows once it holds them.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        for Parameter { value, shown_as, .. } in &self.parameters {
            if let (Some(name), Value::Text(text) | Value::Personal(text)) = (shown_as, value) {
                evidence.add(name, text);
            }
        }
        evidence
    }

    /// The bytes with each value as `view` shows it. The map type of a JSON library is not used: whether it keeps the
    /// order of its entries depends on its features, and the digest must stay stable.
    fn render(
        &self,
        view: &dyn for<'v> Fn(&'v Value<'a>) -> Rendered<'v, 'a>,
    ) -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::new(&mut bytes);
        serializer
            .collect_map(self.parameters.iter().map(|parameter| (parameter.name, view(&parameter.value))))?;
        Ok(bytes)
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rendered<'v, 'a> {
    Value(&'v Value<'a>),
    Blank(&'static str),
    Digest(String),
}
