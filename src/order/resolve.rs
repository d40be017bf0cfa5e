//! Reads from the cluster what an order refers to. What is missing or malformed is data for `plan`; only a failed
//! request to the API server is an error.

use crate::api::v1alpha1 as api;
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderSpec};
use crate::cluster::{self, Namespace, as_data, cache};
use crate::core::application::{Application, Key, KeyAlgorithm, ValidationMethod};
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::keypair::{KeyPair, Subject};
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::controller::Controller;
use crate::order::export::secret::Owner;
use crate::order::export::target::Target;
use crate::order::facts::KeyState;
use crate::order::own_key::{OwnKey, Place};
use crate::order::renewal::keys;
use crate::profile::reuse::{self, ByOwner};
use crate::provider::{Account, Letter, Payload, Provider};

/// Everything that the cluster holds of one order.
pub struct Resolved {
    /// The names of the order.
    pub names: Result<Names, Problem>,
    /// The certificate at its cloud, with the order's credentials: its own, or the one that took its place.
    pub provider: Result<Box<dyn Provider>, Problem>,
    /// The key that certorder generates for the order, if it generates one.
    pub own_key: Option<OwnKey>,
    /// What the order requests from the cloud.
    pub application: Result<Application, Problem>,
    /// The saved profile that it names, if that depends on the owner of the certificate.
    pub by_owner: Option<ByOwner>,
    /// Blanks everything sensitive of this order.
    pub filter: Filter,
}

/// Follows every reference of an order.
pub async fn resolve(controller: &Controller, order: &CertificateOrder) -> Result<Resolved, kube::Error> {
    let namespace = controller.context.namespace(order);
    let spec = &order.spec;
    let credentials = as_data(namespace.credentials(&spec.credentials_ref).await)?;
    let provider = credentials.and_then(|secret| {
        let opened = controller.context.clouds.open(namespace.name(), &spec.provider, &secret.data);
        let current = Owner::of(order).current;
        let opened = opened.map(|provider| match current {
            Some(current) => provider.sibling(&current),
            None => provider,
        });
        opened.map_err(|error| error.problem(&spec.credentials_ref.name, "spec.credentialsRef"))
    });
    let names = Names::parse(&spec.common_name, &spec.dns_names)
        .map_err(|error| Problem::new(Reason::InvalidRequest, error.to_string()));
    let place = Place::of(Owner::of(order));
    let own_key = if spec.makes_key() { Some(OwnKey::read(&namespace, &place).await?) } else { None };
    let account = provider.as_ref().ok().and_then(|provider| provider.account());
    let application = match &names {
        Ok(names) => as_data(
            application(controller, &namespace, order, account.as_ref(), own_key.as_ref(), names).await,
        )?,
        Err(problem) => Err(problem.clone()),
    };
    let (application, by_owner) = match application {
        Ok((application, by_owner)) => (Ok(application), by_owner),
        Err(problem) => (Err(problem), None),
    };
    let sensitive = application.as_ref().map(Application::sensitive).unwrap_or_default();
    let credentials = provider.as_ref().map(|provider| provider.sensitive()).unwrap_or_default();
    // The application names saved people by id only, but messages of the CA may contain their data.
    let saved = account.map(|account| controller.lookups.sensitive(&account)).unwrap_or_default();
    let filter = Filter::new(sensitive.into_iter().chain(credentials).chain(saved));
    Ok(Resolved { names, provider, own_key, application, by_owner, filter })
}

impl Resolved {
    /// The state of the key that certorder generates.
    #[must_use]
    pub fn key_state(&self) -> KeyState<'_> {
        match &self.own_key {
            None => KeyState::NotOurs,
            Some(OwnKey::Held(_)) => KeyState::Held,
            Some(OwnKey::Absent(problem)) => KeyState::Absent(problem),
            Some(OwnKey::Unfit(problem)) => KeyState::Unfit(problem),
        }
    }

    /// The request that submits the application, or the first thing that is missing for it, given what the cloud
    /// reports of the certificate.
    pub fn payload(&self, seen: Option<&Observation>) -> Result<Payload, Problem> {
        // Without credentials nothing else counts: not even the key is generated yet.
        let provider = self.provider.as_ref().map_err(Clone::clone)?;
        let application = self.application.as_ref().map_err(Clone::clone)?;
        let product = seen.map(|seen| &seen.product);
        let Some(by_owner) = &self.by_owner else { return provider.prepare(application, product) };
        let mut application = application.clone();
        if let Some(profile) = &mut application.profile {
            profile.saved = by_owner.saved(seen.and_then(|seen| seen.owner.as_deref()));
        }
        provider.prepare(&application, product)
    }
}

/// What is read from the cluster only at one stage of a certificate.
#[derive(Default)]
pub struct AtStage {
    /// The signed letter, if the user names one, once the CA waits for it.
    pub letter: Option<Result<Letter, Problem>>,
    /// The target Secrets, once the certificate is issued.
    pub target: Option<Target>,
}

/// Reads what an order needs at this stage.
pub async fn at_stage(
    controller: &Controller,
    order: &CertificateOrder,
    resolved: &Resolved,
    stage: Stage,
) -> Result<AtStage, kube::Error> {
    let namespace = controller.context.namespace(order);
    let deleting = order.metadata.deletion_timestamp.is_some();
    Ok(match stage {
        Stage::AwaitingLetter if !deleting => {
            AtStage { letter: letter(&namespace, &order.spec.provider).await?, ..AtStage::default() }
        }
        Stage::Issued if !deleting => {
            let target = target(controller, &namespace, order, resolved.own_key.as_ref()).await?;
            AtStage { target: Some(target), ..AtStage::default() }
        }
        _ => AtStage::default(),
    })
}

/// The Secrets that an order writes, as they are now.
pub async fn target(
    controller: &Controller,
    namespace: &Namespace,
    order: &CertificateOrder,
    own_key: Option<&OwnKey>,
) -> Result<Target, kube::Error> {
    let owner = Owner::of(order);
    let renewing = if owner.current.is_some() { keys::of_chain(controller, order, None) } else { Vec::new() };
    Target::read(namespace, order, owner, own_key, (&renewing, false), &controller.template_prefixes).await
}

/// Why the outputs of an order could not be written once its certificate is issued, as far as that can be known.
pub async fn outputs(
    controller: &Controller,
    order: &CertificateOrder,
    resolved: &Resolved,
) -> Result<Option<Problem>, kube::Error> {
    let namespace = controller.context.namespace(order);
    let target = target(controller, &namespace, order, resolved.own_key.as_ref()).await?;
    let csr = match resolved.application.as_ref().map(|application| &application.key) {
        Ok(Key::Csr(csr)) if order.spec.has_own_csr() => Some(csr),
        _ => None,
    };
    let key = cache::key(order);
    controller.held_up.add(key.clone());
    let problem = target.problem_before(order, csr, |name| {
        let secret = cache::Target::Secret((key.0.clone(), name.to_owned()));
        controller.orders.iter().flat_map(|orders| orders.referring_to(&secret)).collect()
    });
    if problem.as_ref().is_none_or(|problem| problem.reason != Reason::SecretConflict) {
        controller.held_up.forget(&key);
    }
    Ok(problem)
}

async fn application(
    controller: &Controller,
    namespace: &Namespace,
    order: &CertificateOrder,
    account: Option<&Account>,
    own_key: Option<&OwnKey>,
    names: &Names,
) -> Result<(Application, Option<ByOwner>), cluster::Error> {
    let spec = &order.spec;
    let (profile, by_owner) = match &spec.organization_profile_ref {
        Some(reference) => {
            let profile = namespace.profile(reference).await?;
            let taken = reuse::application(&controller.context.clouds, namespace, &profile, account).await?;
            (Some(taken.profile), taken.by_owner)
        }
        None => (None, None),
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
    let key = key(namespace, spec, own_key, names, &subject.unwrap_or_default()).await?;
    Ok((Application { names: names.clone(), key, validation, profile, key_password }, by_owner))
}

async fn key(
    namespace: &Namespace,
    spec: &CertificateOrderSpec,
    own_key: Option<&OwnKey>,
    names: &Names,
    subject: &Subject,
) -> Result<Key, cluster::Error> {
    let pem = match (&spec.csr, &spec.csr_secret_ref) {
        (Some(pem), _) => pem.clone(),
        (None, Some(selector)) => namespace.public_text(selector, "spec.csrSecretRef").await?,
        (None, None) => {
            return match own_key {
                None => Ok(Key::Cloud(algorithm(spec))),
                Some(OwnKey::Held(pair)) => Ok(Key::Csr(own_csr(pair, algorithm(spec), subject, names)?)),
                Some(OwnKey::Absent(problem) | OwnKey::Unfit(problem)) => Err(problem.clone().into()),
            };
        }
    };
    let csr = Csr::parse(&pem).map_err(|error| Problem::new(Reason::CsrInvalid, error.to_string()))?;
    csr.check_names(names).map_err(|error| Problem::new(Reason::CsrMismatch, error.to_string()))?;
    Ok(Key::Csr(csr))
}

/// The CSR of the stored key. A key of another kind than the order asks for is an error, since the CA would accept it.
fn own_csr(pair: &KeyPair, wanted: KeyAlgorithm, subject: &Subject, names: &Names) -> Result<Csr, Problem> {
    let held = pair.algorithm();
    if held != wanted {
        let message = format!(
            "the Secret with the key of this order holds {held}, and spec.privateKey asks for {wanted}; set \
             spec.privateKey back, or delete that Secret to have another key made"
        );
        return Err(Problem::new(Reason::CsrMismatch, message));
    }
    pair.csr(subject, names).map_err(|error| Problem::new(Reason::CsrInvalid, error.to_string()))
}

/// The key algorithm that the order asks for.
#[must_use]
pub fn algorithm(spec: &CertificateOrderSpec) -> KeyAlgorithm {
    let key = spec.key();
    let bits = u32::try_from(key.size()).unwrap_or_default();
    match key.algorithm() {
        api::KeyAlgorithm::RSA => KeyAlgorithm::Rsa(bits),
        api::KeyAlgorithm::ECDSA => KeyAlgorithm::Ecdsa(bits),
    }
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
