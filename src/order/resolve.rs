//! Reads from the cluster what an order refers to. What is missing or malformed is data for `plan`; only trouble
//! with the API server is an error.

use kube::ResourceExt;

use crate::api::v1alpha1 as api;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderSpec, KeySource};
use crate::cluster::{self, Namespace, as_data};
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::keypair::{KeyPair, Subject};
use crate::core::names::Names;
use crate::core::order::{Application, Key, KeyAlgorithm, Product, ValidationMethod};
use crate::core::redact::Filter;
use crate::order::Context;
use crate::order::secret::{self, Owner};
use crate::order::target::Target;
use crate::profile;
use crate::provider::registry::{self, OpenError};
use crate::provider::{Letter, Payload, Provider};

/// Everything that the cluster tells of one order.
pub struct Resolved {
    /// The names of the order.
    pub names: Result<Names, Problem>,
    /// The certificate at its cloud, with the order's credentials.
    pub provider: Result<Box<dyn Provider>, Problem>,
    /// What is asked of the cloud.
    pub application: Result<Application, Problem>,
    /// The signed letter, where the user names one.
    pub letter: Option<Result<Letter, Problem>>,
    /// Where the issued certificate goes.
    pub target: Target,
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
                _ => error.to_string(),
            };
            Problem::new(error.reason(), message)
        })
    });
    let names = Names::parse(&spec.common_name, &spec.dns_names)
        .map_err(|error| Problem::new(Reason::InvalidRequest, error.to_string()));
    let owner = &owner(order);
    let application = match &names {
        Ok(names) => as_data(application(&namespace, order, owner, names).await)?,
        Err(problem) => Err(problem.clone()),
    };
    let letter = letter(&namespace, &spec.provider).await?;
    let target = Target::read(&namespace, order, owner).await?;
    let sensitive = application.as_ref().map(Application::sensitive).unwrap_or_default();
    let credentials = provider.as_ref().map(|provider| provider.sensitive()).unwrap_or_default();
    let filter = Filter::new(sensitive.into_iter().chain(credentials));
    Ok(Resolved { names, provider, application, letter, target, filter })
}

impl Resolved {
    /// The request that hands in the application, or the first thing that is missing for it.
    pub fn payload(&self, product: Option<&Product>) -> Result<Payload, Problem> {
        let application = self.application.as_ref().map_err(Clone::clone)?;
        let provider = self.provider.as_ref().map_err(Clone::clone)?;
        provider.prepare(application, product)
    }
}

/// How the Secrets of an order name it.
#[must_use]
pub fn owner(order: &CertificateOrder) -> Owner {
    Owner {
        order: order.name_any(),
        certificate_id: registry::certificate_id(&order.spec.provider).to_owned(),
    }
}

async fn application(
    namespace: &Namespace,
    order: &CertificateOrder,
    owner: &Owner,
    names: &Names,
) -> Result<Application, cluster::Error> {
    let spec = &order.spec;
    let profile = match &spec.organization_profile_ref {
        Some(reference) => {
            let profile = namespace.profile(reference).await?;
            profile::resolve::check_supported(&profile.spec)?;
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
    let subject = profile.as_ref().and_then(|profile| profile.organization.as_ref()).map(Subject::from);
    let key = key(namespace, spec, owner, names, &subject.unwrap_or_default()).await?;
    Ok(Application { names: names.clone(), key, validation, profile, key_password })
}

async fn key(
    namespace: &Namespace,
    spec: &CertificateOrderSpec,
    owner: &Owner,
    names: &Names,
    subject: &Subject,
) -> Result<Key, cluster::Error> {
    let pem = match (&spec.csr, &spec.csr_secret_ref) {
        (Some(pem), _) => pem.clone(),
        (None, Some(selector)) => namespace.public_text(selector, "spec.csrSecretRef").await?,
        (None, None) if spec.key().source() == KeySource::Cloud => return Ok(Key::Cloud(algorithm(spec))),
        (None, None) => {
            let pair = own_key(namespace, owner).await?;
            let csr = pair
                .csr(subject, names)
                .map_err(|error| Problem::new(Reason::CsrInvalid, error.to_string()))?;
            return Ok(Key::Csr(csr));
        }
    };
    let csr = Csr::parse(&pem).map_err(|error| Problem::new(Reason::CsrInvalid, error.to_string()))?;
    csr.check_names(names).map_err(|error| Problem::new(Reason::CsrMismatch, error.to_string()))?;
    Ok(Key::Csr(csr))
}

/// The key that is asked for.
#[must_use]
pub fn algorithm(spec: &CertificateOrderSpec) -> KeyAlgorithm {
    let key = spec.key();
    let bits = u32::try_from(key.size()).unwrap_or_default();
    match key.algorithm() {
        api::KeyAlgorithm::RSA => KeyAlgorithm::Rsa(bits),
        api::KeyAlgorithm::ECDSA => KeyAlgorithm::Ecdsa(bits),
    }
}

/// The key that certorder made for this order.
pub async fn own_key(namespace: &Namespace, owner: &Owner) -> Result<KeyPair, cluster::Error> {
    let name = secret::key_secret_name(&owner.order);
    let Some(stored) = namespace.find_secret(&name).await? else {
        let message = format!(
            "Secret {name} with the key of this order is gone; restore it from a backup, or withdraw the order: a \
             new key would not fit what the CA was sent"
        );
        return Err(Problem::new(Reason::KeyLost, message).into());
    };
    if !owner.owns(&stored) {
        return Err(owner.conflict(&name).into());
    }
    let data = stored.data.unwrap_or_default();
    let pem = cluster::text(&data, &name, secret::TLS_KEY, "the order's own key")?;
    KeyPair::from_pem(&pem.into()).map_err(|error| {
        Problem::new(Reason::KeyLost, format!("Secret {name}: {error}; restore it from a backup")).into()
    })
}

async fn letter(
    namespace: &Namespace,
    provider: &api::Provider,
) -> Result<Option<Result<Letter, Problem>>, kube::Error> {
    let Some(selector) = provider.confirmation_letter_secret_ref() else { return Ok(None) };
    let bytes = as_data(namespace.readable_bytes(selector, "confirmationLetterSecretRef").await)?;
    Ok(Some(bytes.and_then(|bytes| {
        Letter::parse(&bytes).map_err(|error| {
            Problem::new(
                Reason::InvalidRequest,
                format!("Secret {} of confirmationLetterSecretRef: {error}", selector.name),
            )
        })
    })))
}

/// The first field of an order whose behaviour this version does not have yet. Nothing is sent for such an order,
/// since its user would get less than what was asked for.
#[must_use]
pub fn unsupported(spec: &CertificateOrderSpec) -> Option<Problem> {
    let fields = [(
        spec.validation.dns_endpoint,
        "validation.dnsEndpoint",
        "leave it out, and publish the records yourself",
    )];
    let (_, field, instead) = fields.into_iter().find(|(used, ..)| *used)?;
    let message =
        format!("this version of certorder does not do spec.{field} yet, so nothing is sent; {instead}");
    Some(Problem::new(Reason::InvalidRequest, message))
}
