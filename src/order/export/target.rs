//! The Secrets that an issued certificate goes to: whether they are up to date, and what they must hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::SecretString;
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderSpec, Submission};
use crate::cluster::{self, Namespace, SecretData, as_data};
use crate::core::chain::Chain;
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::core::keystore::{Alias, Format, Keystore, KeystoreError, Password};
use crate::core::names::Names;
use crate::core::observation::{Bundle, Observation};
use crate::order::export::secret::{self, CA_CRT, Owner, TLS_CRT, TLS_KEY, Wanted};
use crate::order::facts::{Export, Term};
use crate::order::own_key::OwnKey;

/// The current state of the Secrets that an order writes once its certificate is issued.
pub struct Target {
    tls: Option<Slot>,
    id: Option<Slot>,
    /// The private key of the user's CSR or of the order itself; `None` if the cloud may hold it.
    key: Option<Result<Arc<KeyPair>, Problem>>,
    keystores: Result<Vec<(Format, Password, Alias)>, Problem>,
    owner: Owner,
}

/// One Secret to write.
struct Slot {
    name: String,
    type_: &'static str,
    stored: Option<Secret>,
}

impl Target {
    /// Reads the Secrets.
    pub async fn read(
        namespace: &Namespace,
        order: &CertificateOrder,
        owner: Owner,
        own_key: Option<&OwnKey>,
    ) -> Result<Self, kube::Error> {
        let spec = &order.spec;
        // The API server accepts no TLS Secret without a key.
        let type_ = if holds_key(spec) { "kubernetes.io/tls" } else { "Opaque" };
        let tls = match &spec.secret_name {
            Some(name) => Some(Slot::read(namespace, name, type_).await?),
            None => None,
        };
        let id = match spec.provider.certificate_id_secret() {
            Some((name, _)) => Some(Slot::read(namespace, name, "Opaque").await?),
            None => None,
        };
        let key = if tls.is_some() { key(namespace, order, own_key).await? } else { None };
        let keystores = as_data(keystores(namespace, spec).await)?;
        Ok(Self { tls, id, key, keystores, owner })
    }

    /// Whether the Secrets are up to date. This does not download the certificate.
    #[must_use]
    pub fn export(
        &self,
        order: &CertificateOrder,
        seen: &Observation,
        names: &Result<Names, Problem>,
    ) -> Export {
        if self.tls.is_none() && self.id.is_none() {
            return Export::NotWanted;
        }
        if let Some(problem) = self.blocked() {
            return Export::Blocked(problem);
        }
        let template = order.spec.secret_template.as_ref();
        let untouched = self.slots().all(|slot| {
            let stored = slot.stored.as_ref();
            stored.is_some_and(|stored| secret::is_untouched(stored, slot.type_, template))
        });
        if untouched && self.holds_the_certificate(order, seen, names) {
            Export::Current
        } else {
            Export::Due
        }
    }

    /// The term of the certificate that is stored.
    #[must_use]
    pub fn stored_term(&self) -> Option<Term> {
        let stored = self.tls.as_ref()?.stored.as_ref()?;
        stored_chain(stored.data.as_ref()?).as_ref().map(term)
    }

    /// The term of a certificate that was fetched for a Secret.
    #[must_use]
    pub fn fetched_term(&self, bundle: &Bundle) -> Option<Term> {
        self.tls.as_ref()?;
        Chain::parse(&bundle.certificate_pem).ok().as_ref().map(term)
    }

    /// Why the Secrets cannot be written.
    fn blocked(&self) -> Option<Problem> {
        let blocked_by = self.slots().find_map(|slot| slot.blocked_by(&self.owner));
        let twice = match (&self.tls, &self.id) {
            (Some(tls), Some(id)) if tls.name == id.name => Some(Problem::new(
                Reason::SecretConflict,
                format!(
                    "Secret {} is asked for twice, with different contents; give each its own name",
                    tls.name
                ),
            )),
            _ => None,
        };
        let key = self.key.as_ref().and_then(|key| key.as_ref().err());
        let key = key.map(|problem| Problem::new(Reason::KeyNotHeld, problem.message.clone()));
        blocked_by.or(twice).or(key).or_else(|| self.keystores.as_ref().err().cloned())
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.tls.iter().chain(&self.id)
    }

    /// Whether the Secret holds the certificate that the cloud reports, in every format that the order asks for.
    fn holds_the_certificate(
        &self,
        order: &CertificateOrder,
        seen: &Observation,
        names: &Result<Names, Problem>,
    ) -> bool {
        let Some(stored) = self.tls.as_ref().and_then(|slot| slot.stored.as_ref()) else {
            return self.tls.is_none();
        };
        let data = stored.data.clone().unwrap_or_default();
        let (Some(chain), Ok(names)) = (stored_chain(&data), names) else { return false };
        let same_expiry = seen.not_after.is_none_or(|told| Term::ends_at(chain.leaf_not_after(), told));
        let stored_key = data.get(TLS_KEY).and_then(|pem| std::str::from_utf8(&pem.0).ok());
        let stored_key = stored_key.and_then(|pem| KeyPair::from_pem(&SecretString::from(pem)).ok());
        let right_key = match (&self.key, &stored_key) {
            (Some(Ok(key)), Some(_)) => chain.matches(key),
            (None, Some(key)) => chain.matches(key),
            (_, None) => !holds_key(&order.spec),
            (Some(Err(_)), _) => false,
        };
        let (files, entries): (SecretData, SecretData) =
            data.into_iter().partition(|(name, _)| Format::iter().any(|format| format.file_name() == name));
        let key = stored_key.as_ref();
        let right_entries = entries == plain_entries(&chain, key);
        let right_files = files.keys().map(String::as_str).eq(self.file_names(key))
            && secret::keystores(stored) == self.marks(&chain, key);
        same_expiry && right_key && chain.covers(names).is_ok() && right_entries && right_files
    }

    /// The Secrets to write for a downloaded certificate, each with the stored Secret of its name. It is an error if
    /// the key does not match the certificate, or if a name is not covered.
    pub fn wanted(
        &self,
        order: &CertificateOrder,
        names: &Names,
        bundle: &Bundle,
    ) -> Result<Vec<(Wanted, Option<&Secret>)>, Problem> {
        let mut all = Vec::new();
        if let Some(slot) = &self.tls {
            all.push((self.tls(slot, order, names, bundle)?, slot.stored.as_ref()));
        }
        if let (Some(slot), Some((_, key))) = (&self.id, order.spec.provider.certificate_id_secret()) {
            let data = [(key.to_owned(), ByteString(self.owner.certificate_id.clone().into_bytes()))].into();
            all.push((slot.wanted(data, String::new()), slot.stored.as_ref()));
        }
        Ok(all)
    }

    fn tls(
        &self,
        slot: &Slot,
        order: &CertificateOrder,
        names: &Names,
        bundle: &Bundle,
    ) -> Result<Wanted, Problem> {
        let unfit = |what: String| {
            let message = format!(
                "the certificate that the cloud handed over does not fit, and nothing was written: {what}"
            );
            Problem::new(Reason::BundleInvalid, message)
        };
        let chain = Chain::parse(&bundle.certificate_pem).map_err(|error| unfit(error.to_string()))?;
        chain.covers(names).map_err(|error| unfit(error.to_string()))?;
        let from_cloud = bundle.private_key_pem.as_ref().map(KeyPair::from_pem).transpose();
        let from_cloud = from_cloud.map_err(|error| unfit(error.to_string()))?;
        let key = match &self.key {
            Some(Ok(key)) => Some(key.as_ref()),
            Some(Err(problem)) => return Err(Problem::new(Reason::KeyNotHeld, problem.message.clone())),
            None => from_cloud.as_ref(),
        };
        if key.is_none() && holds_key(&order.spec) {
            let name = secret::key_secret_name(&self.owner.order);
            let message = format!(
                "the certificate is issued, but the cloud does not hand over its private key, and it is not in the \
                 cluster; restore Secret {name} with it, or name it with spec.csr and spec.privateKeySecretRef in a \
                 new order"
            );
            return Err(Problem::new(Reason::KeyNotHeld, message));
        }
        if key.is_some_and(|key| !chain.matches(key)) {
            return Err(unfit("its public key is not that of the private key of this order".to_owned()));
        }
        let mut data = plain_entries(&chain, key);
        data.extend(self.files(&chain, key)?);
        Ok(slot.wanted(data, self.marks(&chain, key)))
    }

    /// The keystores for a key, each with its format.
    fn stores<'a>(
        &'a self,
        chain: &'a Chain,
        key: Option<&'a KeyPair>,
    ) -> impl Iterator<Item = (Format, Keystore<'a>)> {
        let all = self.keystores.iter().flatten();
        key.into_iter().flat_map(move |key| {
            all.clone()
                .map(move |(format, password, alias)| (*format, Keystore { key, chain, password, alias }))
        })
    }

    fn files(&self, chain: &Chain, key: Option<&KeyPair>) -> Result<SecretData, Problem> {
        let unfit =
            |error: KeystoreError| Problem::new(Reason::InvalidRequest, format!("spec.keystores: {error}"));
        self.stores(chain, key)
            .map(|(format, store)| Ok((format.file_name().to_owned(), ByteString(store.write(format)?))))
            .collect::<Result<_, _>>()
            .map_err(unfit)
    }

    /// The names of the keystores, sorted.
    fn file_names(&self, key: Option<&KeyPair>) -> impl Iterator<Item = &'static str> {
        let all = self.keystores.iter().flatten().filter(|_| key.is_some());
        all.map(|(format, ..)| format.file_name()).collect::<BTreeSet<_>>().into_iter()
    }

    fn marks(&self, chain: &Chain, key: Option<&KeyPair>) -> String {
        self.stores(chain, key).map(|(format, store)| store.mark(format)).collect::<Vec<_>>().join(".")
    }
}

/// The term of the leaf of a chain.
fn term(chain: &Chain) -> Term {
    Term { not_before: chain.leaf_not_before(), not_after: chain.leaf_not_after() }
}

/// The chain that a Secret holds, with its root where that stands beside it.
fn stored_chain(data: &SecretData) -> Option<Chain> {
    let text = |name| data.get(name).and_then(|pem| std::str::from_utf8(&pem.0).ok());
    Chain::parse(&[text(TLS_CRT)?, text(CA_CRT).unwrap_or_default()].concat()).ok()
}

/// What a TLS Secret holds beside keystores.
fn plain_entries(chain: &Chain, key: Option<&KeyPair>) -> SecretData {
    let mut data = SecretData::from([(TLS_CRT.to_owned(), ByteString(chain.pem().into_bytes()))]);
    if let Some(root) = chain.root_pem() {
        data.insert(CA_CRT.to_owned(), ByteString(root.into_bytes()));
    }
    if let Some(key) = key {
        data.insert(TLS_KEY.to_owned(), secret::bytes(&key.pem()));
    }
    data
}

impl Slot {
    async fn read(namespace: &Namespace, name: &str, type_: &'static str) -> Result<Self, kube::Error> {
        Ok(Self { name: name.to_owned(), type_, stored: namespace.find_secret(name).await? })
    }

    fn wanted(&self, data: SecretData, keystores: String) -> Wanted {
        Wanted { name: self.name.clone(), type_: self.type_, data, keystores }
    }

    /// Why this Secret cannot be written. The Secret with the order's own key has the same annotations as the others.
    fn blocked_by(&self, owner: &Owner) -> Option<Problem> {
        let Self { name, type_, stored } = self;
        if *name == secret::key_secret_name(&owner.order) {
            let message = format!("Secret {name} is kept for the key of this order; choose another name");
            return Some(Problem::new(Reason::SecretConflict, message));
        }
        let stored = stored.as_ref()?;
        if !owner.owns(stored) {
            return Some(owner.conflict(name));
        }
        let found = stored.type_.as_deref().unwrap_or("Opaque");
        (found != *type_).then(|| {
            let message = format!(
                "Secret {name} has the type {found} and must have {type_}, which cannot be changed; delete it, and it \
                 is written anew"
            );
            Problem::new(Reason::SecretConflict, message)
        })
    }
}

/// Whether the Secret of the order holds a private key.
fn holds_key(spec: &CertificateOrderSpec) -> bool {
    !spec.has_own_csr() || spec.private_key_secret_ref.is_some()
}

async fn key(
    namespace: &Namespace,
    order: &CertificateOrder,
    own_key: Option<&OwnKey>,
) -> Result<Option<Result<Arc<KeyPair>, Problem>>, kube::Error> {
    if let Some(selector) = &order.spec.private_key_secret_ref {
        let pem = as_data(namespace.private(selector, "spec.privateKeySecretRef").await)?;
        return Ok(Some(pem.and_then(|pem| {
            let unfit = |error| format!("Secret {} of spec.privateKeySecretRef: {error}", selector.name);
            let key = KeyPair::from_pem(&pem).map(Arc::new);
            key.map_err(|error| Problem::new(Reason::KeyNotHeld, unfit(error)))
        })));
    }
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    let is_ours = |ours: &Submission| ours.submitted_at.is_some() && !ours.adopted;
    let is_adopted = !submission.is_some_and(is_ours);
    Ok(match own_key {
        None => None,
        Some(OwnKey::Held(key)) => Some(Ok(Arc::clone(key))),
        // The cloud may hold the key of an order that was placed by other means.
        Some(OwnKey::Absent(_)) if is_adopted => None,
        Some(OwnKey::Absent(problem) | OwnKey::Unfit(problem)) => Some(Err(problem.clone())),
    })
}

async fn keystores(
    namespace: &Namespace,
    spec: &CertificateOrderSpec,
) -> Result<Vec<(Format, Password, Alias)>, cluster::Error> {
    let unfit = |field: &str, error: KeystoreError| {
        cluster::Error::from(Problem::new(Reason::InvalidRequest, format!("{field}: {error}")))
    };
    let mut all = Vec::new();
    let Some(keystores) = &spec.keystores else { return Ok(all) };
    if let Some(pkcs12) = &keystores.pkcs12 {
        let field = "spec.keystores.pkcs12.passwordSecretRef";
        let password = namespace.password(&pkcs12.password_secret_ref, field).await?;
        let password = Password::new(Format::Pkcs12, password).map_err(|error| unfit(field, error))?;
        all.push((Format::Pkcs12, password, Alias::default()));
    }
    if let Some(jks) = &keystores.jks {
        let field = "spec.keystores.jks.passwordSecretRef";
        let password = namespace.password(&jks.password_secret_ref, field).await?;
        let password = Password::new(Format::Jks, password).map_err(|error| unfit(field, error))?;
        let alias = jks.alias.as_deref().map(Alias::parse).transpose();
        let alias = alias.map_err(|error| unfit("spec.keystores.jks.alias", error))?.unwrap_or_default();
        all.push((Format::Jks, password, alias));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
