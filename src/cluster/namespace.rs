//! Reads what an order or a profile refers to, always in its own namespace. Every reference to a Secret goes
//! through here, so that one place decides which Secrets may be read and sent on.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, Client};
use secrecy::SecretString;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{LocalObjectReference, OrganizationProfile, SecretKeySelector};
use crate::cluster::request::bounded;
use crate::cluster::secrets::{self, Content, SecretData, Secrets};
use crate::core::annotations::READABLE;
use crate::core::conditions::Problem;
use crate::core::text::{self, TextError};

/// How many Secrets are listed at once.
const PAGE: u32 = 500;

/// Why a reference cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user can fix it.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The Secret is there, and its owner has not allowed that it is used.
    #[error(transparent)]
    Unlabelled(Problem),
    /// An error of the API server.
    #[error(transparent)]
    Api(#[from] kube::Error),
}

/// Turns a problem that the user can fix into data, so that only an error of the API server stays an error.
pub fn as_data<T>(read: Result<T, Error>) -> Result<Result<T, Problem>, kube::Error> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Problem(problem) | Error::Unlabelled(problem)) => Ok(Err(problem)),
        Err(Error::Api(error)) => Err(error),
    }
}

/// Reads one namespace.
pub struct Namespace {
    client: Client,
    secrets: Arc<Secrets>,
    name: String,
}

impl Namespace {
    /// The namespace of this name.
    #[must_use]
    pub fn new(client: Client, secrets: Arc<Secrets>, name: String) -> Self {
        Self { client, secrets, name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A profile.
    pub async fn profile(&self, reference: &LocalObjectReference) -> Result<OrganizationProfile, Error> {
        let api: Api<DeserializeGuard<OrganizationProfile>> =
            Api::namespaced(self.client.clone(), &self.name);
        let name = &reference.name;
        let found = bounded(api.get_opt(name)).await?.ok_or_else(|| {
            let message = format!("OrganizationProfile {name} does not exist in this namespace; create it");
            Problem::new(Reason::ProfileNotFound, message)
        })?;
        Ok(found.0.map_err(|_| {
            let message = format!(
                "OrganizationProfile {name} cannot be read by this version of certorder; mend it, or run the version \
                 that it was written for"
            );
            Problem::new(Reason::ProfileIncomplete, message)
        })?)
    }

    /// The credentials of a cloud account. The author of an order names them, and they are sent to the cloud's own host
    /// only, so no label is required.
    pub async fn credentials(&self, reference: &LocalObjectReference) -> Result<Arc<Content>, Error> {
        self.credentials_of(reference, "spec.credentialsRef").await
    }

    /// The same, where another field names them.
    pub async fn credentials_of(
        &self,
        reference: &LocalObjectReference,
        field: &str,
    ) -> Result<Arc<Content>, Error> {
        self.secret(&reference.name, field).await
    }

    /// One line that is sent to a cloud: the Secret must carry the label [`READABLE`].
    pub async fn readable(&self, selector: &SecretKeySelector, field: &str) -> Result<SecretString, Error> {
        let secret = self.readable_secret(&selector.name, field).await?;
        Ok(line(&secret.data, selector, field, text::trimmed_line)?.into())
    }

    /// A file that is sent to a cloud: the Secret must carry the label [`READABLE`].
    pub async fn readable_bytes(&self, selector: &SecretKeySelector, field: &str) -> Result<Vec<u8>, Error> {
        let secret = self.readable_secret(&selector.name, field).await?;
        let SecretKeySelector { name, key } = selector;
        Ok(secret.data.get(key).ok_or_else(|| missing(name, key, field, "no key"))?.0.clone())
    }

    /// The password of a keystore. It stays in the cluster, but whoever gets the keystore can try out what it was, so the
    /// Secret must carry the label [`READABLE`]: [`Error::Unlabelled`] if it does not.
    pub async fn password(&self, selector: &SecretKeySelector, field: &str) -> Result<SecretString, Error> {
        let why = "whoever gets the keystore could find out by trying what stands in it";
        let secret = self.labelled(&selector.name, field, why).await?;
        Ok(line(&secret.data, selector, field, text::line)?.into())
    }

    /// A private key, which stays in the cluster.
    pub async fn private(&self, selector: &SecretKeySelector, field: &str) -> Result<SecretString, Error> {
        let secret = self.secret(&selector.name, field).await?;
        Ok(text(&secret.data, &selector.name, &selector.key, field)?.into())
    }

    /// A Secret that certorder writes, if it exists: read live, and never cached. Entries that are longer than what it writes
    /// are cut.
    pub async fn find_secret(&self, name: &str) -> Result<Option<Secret>, kube::Error> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.name);
        let mut found = bounded(api.get_opt(name)).await?;
        if let Some(data) = found.as_mut().and_then(|secret| secret.data.as_mut()) {
            secrets::cut(data);
        }
        Ok(found)
    }

    /// The names of the Secrets that are here, as far as they are wanted: read live, and never cached.
    pub async fn secret_names(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, kube::Error> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.name);
        let (mut all, mut next) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let page = bounded(api.list_metadata(&next)).await?;
            let names = page.items.into_iter().filter_map(|secret| secret.metadata.name);
            all.extend(names.filter(|name| wanted(name)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => next = next.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    /// A whole Secret whose content is sent to a cloud.
    pub async fn readable_secret(&self, name: &str, field: &str) -> Result<Arc<Content>, Error> {
        self.labelled(name, field, "its content would be sent to the cloud").await
    }

    /// A Secret whose owner must have allowed by the label [`READABLE`] that it is used; `why`, as the message says.
    async fn labelled(&self, name: &str, field: &str, why: &str) -> Result<Arc<Content>, Error> {
        let secret = self.secret(name, field).await?;
        if secret.is_readable {
            return Ok(secret);
        }
        let message = format!(
            "Secret {name} of {field} lacks the label {READABLE}: \"true\"; {why}, so whoever owns the Secret must set it"
        );
        Err(Error::Unlabelled(Problem::new(Reason::SecretKeyMissing, message)))
    }

    /// A public text: a CSR.
    pub async fn public_text(&self, selector: &SecretKeySelector, field: &str) -> Result<String, Error> {
        let secret = self.secret(&selector.name, field).await?;
        Ok(text(&secret.data, &selector.name, &selector.key, field)?)
    }

    async fn secret(&self, name: &str, field: &str) -> Result<Arc<Content>, Error> {
        let key = (self.name.clone(), name.to_owned());
        self.secrets.get(&key).await?.ok_or_else(|| {
            let message = format!("Secret {name} of {field} does not exist in this namespace; create it");
            Problem::new(Reason::SecretNotFound, message).into()
        })
    }
}

/// An entry of a Secret as text of any number of lines, for PEM.
pub fn text(data: &SecretData, name: &str, key: &str, field: &str) -> Result<String, Problem> {
    let bytes = data.get(key).ok_or_else(|| missing(name, key, field, "no key"))?;
    let text = std::str::from_utf8(&bytes.0).map_err(|_| {
        let message = format!("Secret {name} of {field}: its entry {key} {}", TextError::NotUtf8);
        Problem::new(Reason::SecretKeyMissing, message)
    })?;
    if text.trim().is_empty() {
        Err(missing(name, key, field, "nothing under key"))
    } else {
        Ok(text.to_owned())
    }
}

/// An entry of a Secret as one line, by the rule of [`crate::core::text`].
fn line<'a>(
    data: &'a SecretData,
    selector: &SecretKeySelector,
    field: &str,
    read: impl Fn(&'a [u8]) -> Result<&'a str, TextError>,
) -> Result<&'a str, Problem> {
    let SecretKeySelector { name, key } = selector;
    let bytes = data.get(key).ok_or_else(|| missing(name, key, field, "no key"))?;
    read(&bytes.0).map_err(|error| match error {
        TextError::Empty => missing(name, key, field, "nothing under key"),
        error => {
            Problem::new(Reason::InvalidRequest, format!("Secret {name} of {field}: its entry {key} {error}"))
        }
    })
}

fn missing(name: &str, key: &str, field: &str, what: &str) -> Problem {
    Problem::new(Reason::SecretKeyMissing, format!("Secret {name} of {field} has {what} {key}; add it"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn read(
        bytes: &[u8],
        read: impl for<'a> Fn(&'a [u8]) -> Result<&'a str, TextError>,
    ) -> Result<String, String> {
        let data = SecretData::from([("password".to_owned(), ByteString(bytes.to_vec()))]);
        let selector = SecretKeySelector { name: "stores".to_owned(), key: "password".to_owned() };
        line(&data, &selector, "spec.x", read)
            .map(str::to_owned)
            .map_err(|problem| format!("{:?}: {}", problem.reason, problem.message))
    }

    #[test]
    fn a_password_is_one_line_and_keeps_its_blanks() {
        for (bytes, password) in
            [(&b"changeit\r\n"[..], "changeit"), (b"changeit\n", "changeit"), (b" a ", " a ")]
        {
            assert_eq!(read(bytes, text::line).as_deref(), Ok(password));
        }
        let invalid = "InvalidRequest: Secret stores of spec.x: its entry password";
        let refused: [(&[u8], String); 4] = [
            (
                b"\n",
                "SecretKeyMissing: Secret stores of spec.x has nothing under key password; add it".to_owned(),
            ),
            (
                b"\xef\xbb\xbfx",
                format!("{invalid} has a byte order mark: save it as UTF-8 without one (BOM)"),
            ),
            (b"a\nb", format!("{invalid} has a line break in it: it must be one line")),
            (b"\xff", format!("{invalid} is not text in UTF-8: save it in that encoding")),
        ];
        for (bytes, message) in refused {
            assert_eq!(read(bytes, text::line), Err(message));
        }
        assert_eq!(
            read(b" a", text::trimmed_line),
            Err(format!("{invalid} begins or ends with white space: remove it"))
        );
    }

    #[test]
    fn text_for_pem_is_handed_on_whole() {
        let data = |bytes: &[u8]| SecretData::from([("tls.key".to_owned(), ByteString(bytes.to_vec()))]);
        let read =
            |bytes: &[u8]| text(&data(bytes), "shop", "tls.key", "spec.x").map_err(|problem| problem.message);
        assert_eq!(read(b"\xef\xbb\xbfa\r\nb\n").as_deref(), Ok("\u{feff}a\r\nb\n"));
        assert_eq!(
            read(b" \n"),
            Err("Secret shop of spec.x has nothing under key tls.key; add it".to_owned())
        );
        let utf16 = "Secret shop of spec.x: its entry tls.key is not text in UTF-8: save it in that encoding";
        assert_eq!(read(b"\xff\xfea\0"), Err(utf16.to_owned()));
    }
}
