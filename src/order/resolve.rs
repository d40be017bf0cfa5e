//! Reads from the cluster what an order refers to. What is missing or malformed is data for `plan`; only trouble
//! with the API server is an error.

use kube::ResourceExt;

use crate::api::v1alpha1 as api;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderSpec, KeySource};
use crate::cluster::{self, Namespace, as_data};
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::order::{Application, Key, KeyAlgorithm, Product, ValidationMethod};
use crate::core::redact::Filter;
use crate::order::Context;
use crate::profile;
use crate::provider::registry::OpenError;
use crate::provider::{Payload, Provider};

/// Everything that the cluster tells of one order.
pub struct Resolved {
    /// The names of the order.
    pub names: Result<Names, Problem>,
    /// The certificate at its cloud, with the order's credentials.
    pub provider: Result<Box<dyn Provider>, Problem>,
    /// What is asked of the cloud.
    pub application: Result<Application, Problem>,
    /// Blanks everything sensitive of this order.
    pub filter: Filter,
}

/// Follows every reference of an order.
pub async fn resolve(ctx: &Context, order: &CertificateOrder) -> Result<Resolved, kube::Error> {
    let namespace = Namespace::new(ctx.client.clone(), &order.namespace().unwrap_or_default());
    let spec = &order.spec;
    let credentials = as_data(namespace.credentials(&spec.credentials_ref).await)?;
    let provider = credentials.and_then(|data| {
        ctx.clouds.open(&spec.provider, &data).map_err(|error| {
            let secret = &spec.credentials_ref.name;
            let message = match &error {
                OpenError::Credentials(error) => format!("Secret {secret} of spec.credentialsRef: {error}"),
                OpenError::NotYet(_) | OpenError::NoCloud => error.to_string(),
            };
            Problem::new(error.reason(), message)
        })
    });
    let names = Names::parse(&spec.common_name, &spec.dns_names)
        .map_err(|error| Problem::new(Reason::InvalidRequest, error.to_string()));
    let application = match &names {
        Ok(names) => as_data(application(&namespace, spec, names).await)?,
        Err(problem) => Err(problem.clone()),
    };
    let sensitive = application.as_ref().map(Application::sensitive).unwrap_or_default();
    let credentials = provider.as_ref().map(|provider| provider.sensitive()).unwrap_or_default();
    let filter = Filter::new(sensitive.into_iter().chain(credentials));
    Ok(Resolved { names, provider, application, filter })
}

impl Resolved {
    /// The request that hands in the application, or the first thing that is missing for it.
    pub fn payload(&self, product: Option<&Product>) -> Result<Payload, Problem> {
        let application = self.application.as_ref().map_err(Clone::clone)?;
        let provider = self.provider.as_ref().map_err(Clone::clone)?;
        provider.prepare(application, product)
    }
}

async fn application(
    namespace: &Namespace,
    spec: &CertificateOrderSpec,
    names: &Names,
) -> Result<Application, cluster::Error> {
    let key = key(namespace, spec, names).await?;
    let profile = match &spec.organization_profile_ref {
        Some(reference) => {
            let profile = namespace.profile(reference).await?;
            Some(profile::resolve::resolve(namespace, &profile.spec).await?)
        }
        None => None,
    };
    let key_password = match spec.provider.key_password_secret_ref() {
        Some(selector) => Some(namespace.readable(selector, "keyPasswordSecretRef").await?),
        None => None,
    };
    let validation = match spec.validation.method {
        api::ValidationMethod::DNS => ValidationMethod::Dns,
        api::ValidationMethod::File => ValidationMethod::File,
        api::ValidationMethod::Email => ValidationMethod::Email,
    };
    Ok(Application { names: names.clone(), key, validation, profile, key_password })
}

async fn key(
    namespace: &Namespace,
    spec: &CertificateOrderSpec,
    names: &Names,
) -> Result<Key, cluster::Error> {
    let pem = match (&spec.csr, &spec.csr_secret_ref) {
        (Some(pem), _) => pem.clone(),
        (None, Some(selector)) => namespace.public_text(selector, "spec.csrSecretRef").await?,
        (None, None) => {
            let key = spec.key();
            let bits = u32::try_from(key.size()).unwrap_or_default();
            return Ok(Key::Cloud(match key.algorithm() {
                api::KeyAlgorithm::RSA => KeyAlgorithm::Rsa(bits),
                api::KeyAlgorithm::ECDSA => KeyAlgorithm::Ecdsa(bits),
            }));
        }
    };
    let csr = Csr::parse(&pem).map_err(|error| Problem::new(Reason::CsrInvalid, error.to_string()))?;
    csr.check_names(names).map_err(|error| Problem::new(Reason::CsrMismatch, error.to_string()))?;
    Ok(Key::Csr(csr))
}

/// The first field of an order whose behaviour this version does not have yet. Nothing is sent for such an order,
/// since its user would get less than what was asked for.
#[must_use]
pub fn unsupported(spec: &CertificateOrderSpec) -> Option<Problem> {
    let in_cluster = !spec.has_own_csr() && spec.key().source() == KeySource::InCluster;
    let fields = [
        (in_cluster, "privateKey.source InCluster", "set privateKey.source: Cloud, or give a csr"),
        (spec.secret_name.is_some(), "secretName", "leave it out; the certificate stays at the cloud"),
        (spec.secret_template.is_some(), "secretTemplate", "leave it out"),
        (spec.private_key_secret_ref.is_some(), "privateKeySecretRef", "leave it out"),
        (spec.keystores.is_some(), "keystores", "leave it out"),
        (
            spec.validation.dns_endpoint,
            "validation.dnsEndpoint",
            "leave it out, and publish the records yourself",
        ),
        (spec.deletion_policy != api::DeletionPolicy::Retain, "deletionPolicy", "set Retain"),
    ];
    let cloud = spec.provider.unsupported().map(|field| (field, "leave it out"));
    let (field, instead) =
        fields.into_iter().find(|(used, ..)| *used).map(|(_, field, instead)| (field, instead)).or(cloud)?;
    let message =
        format!("this version of certorder does not do spec.{field} yet, so nothing is sent; {instead}");
    Some(Problem::new(Reason::InvalidRequest, message))
}
