//! The issued certificate, with its key if the cloud made it.
//!
//! `DescribeCertificateDetail` returns it as text. The documentation does not say whether that text holds the
//! intermediates, and a server that sends its leaf alone is not trusted. If they are missing, the archive of
//! `DownloadCertificate` is fetched too, which is what the console offers for web servers.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::core::observation::Bundle;
use crate::provider::Error;

use super::archive;
use super::certificate::Tencent;
use super::client::unreadable;
use super::wire::{secret, text};

const DETAIL: &str = "DescribeCertificateDetail";
const DOWNLOAD: &str = "DownloadCertificate";

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Detail {
    #[serde(deserialize_with = "text")]
    certificate_public_key: Option<String>,
    /// In clear.
    #[serde(deserialize_with = "secret")]
    certificate_private_key: Option<SecretString>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Download {
    /// A ZIP archive in base 64. It may hold the key.
    #[serde(deserialize_with = "secret")]
    content: Option<SecretString>,
}

impl Tencent {
    pub(super) async fn fetch(&self) -> Result<Bundle, Error> {
        let body = self.of_certificate()?;
        let (detail, _) = self.client.read::<Detail>(DETAIL, &body).await?;
        let bundle = Bundle {
            certificate_pem: detail.certificate_public_key.unwrap_or_default(),
            private_key_pem: detail.certificate_private_key,
        };
        // What is not whole goes on as it is: whoever reads it says why.
        if archive::certificates(&bundle.certificate_pem).map_or(true, |certificates| certificates.len() > 1)
        {
            return Ok(bundle);
        }
        let (download, request_id) = self.client.read::<Download>(DOWNLOAD, &body).await?;
        let content = download.content.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        archive::complete(bundle, content).map_err(|error| unreadable(&error.to_string(), request_id))
    }
}
