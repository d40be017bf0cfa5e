//! The issued certificate in its TLS Secret, read independently of the operator's code.

use certorder::api::v1alpha1::CertificateOrder;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;

use crate::error::Error;

/// The main facts of a certificate.
pub(crate) struct Issued {
    /// The Secret that holds it.
    pub(crate) secret: String,
    /// Its subject.
    pub(crate) subject: String,
    /// The names that it covers.
    pub(crate) names: Vec<String>,
    /// When it expires.
    pub(crate) expires: Timestamp,
}

impl Issued {
    /// Reads the Secret that an order names.
    pub(crate) async fn read(client: Client, order: &CertificateOrder) -> Result<Option<Self>, Error> {
        let Some(name) = &order.spec.secret_name else { return Ok(None) };
        let secrets: Api<Secret> = Api::namespaced(client, &order.namespace().unwrap_or_default());
        let found = secrets.get(name).await.map_err(Error::api(format!("read Secret {name}")))?;
        let data = found.data.unwrap_or_default();
        let pem = data.get("tls.crt").map(|entry| entry.0.as_slice()).unwrap_or_default();
        let unfit = |why: String| Error::Certificate { secret: name.clone(), why };
        // The first certificate of a TLS Secret is the leaf.
        let (_, pem) = parse_x509_pem(pem).map_err(|error| unfit(error.to_string()))?;
        let leaf = pem.parse_x509().map_err(|error| unfit(error.to_string()))?;
        let not_after = leaf.validity().not_after.timestamp();
        Ok(Some(Self {
            secret: name.clone(),
            subject: leaf.subject().to_string(),
            names: names(&leaf).map_err(|error| unfit(error.to_string()))?,
            expires: Timestamp::from_second(not_after).map_err(|error| unfit(error.to_string()))?,
        }))
    }
}

fn names(leaf: &X509Certificate<'_>) -> Result<Vec<String>, x509_parser::error::X509Error> {
    let names = leaf.subject_alternative_name()?.map(|extension| extension.value.general_names.as_slice());
    let dns = names.unwrap_or_default().iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    Ok(dns.collect())
}
