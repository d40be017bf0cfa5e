//! The Secrets that an issued certificate goes to: whether they are up to date, and what they must hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderSpec, SecretTemplate, Submission, seconds};
use crate::cluster::fields::FieldOwners;
use crate::cluster::{Namespace, SecretData, as_data};
use crate::core::chain::Chain;
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::core::names::Names;
use crate::core::observation::Bundle;
use crate::core::text::shown;
use crate::order::export::secret::{self, CA_CRT, Owner, TLS_CRT, TLS_KEY, Wanted};
use crate::order::export::slot::{OPAQUE, Slot, TLS, stored_key};
use crate::order::export::stores::Stores;
use crate::order::export::template::Prefixes;
use crate::order::facts::{Export, Term};
use crate::order::own_key::{OwnKey, Place};

/// The longest name of a field manager, in bytes: the API server's own limit.
const LONGEST_MANAGER: usize = 128;

/// The Secrets that an order writes once its certificate is issued, as they are now.
pub struct Target {
    pub(super) tls: Option<Slot>,
    id: Option<Slot>,
    /// The private key that the user's CSR or the order itself brings; `None` where the cloud may hold it.
    pub(super) key: Option<Result<Arc<KeyPair>, Problem>>,
    /// The keys of the orders that renew this one.
    pub(super) further_keys: Vec<Arc<KeyPair>>,
    pub(super) keystores: Result<Stores, Problem>,
    /// The labels and annotations of the Secrets.
    template: SecretTemplate,
    pub(super) owner: Owner,
    /// Whether the key that certorder makes for the order is there.
    pub(super) has_own_key: bool,
}

impl Target {
    /// Reads the Secrets. `renewing` are the keys of the chain's certificates, which all count if one is to be swapped in.
    pub async fn read(
        namespace: &Namespace,
        order: &CertificateOrder,
        owner: Owner,
        own_key: Option<&OwnKey>,
        (renewing, is_swap): (&[Place], bool),
        prefixes: &Prefixes,
    ) -> Result<Self, kube::Error> {
        let spec = &order.spec;
        // The API server takes no TLS Secret without a key.
        let type_ = if holds_key(spec) { TLS } else { OPAQUE };
        let tls = match &spec.secret_name {
            Some(name) => Some(Slot::read(namespace, name, type_).await?),
            None => None,
        };
        let id = match spec.provider.certificate_id_secret() {
            Some((name, _)) => Some(Slot::read(namespace, name, OPAQUE).await?),
            None => None,
        };
        let key = if tls.is_some() { key(namespace, order, own_key).await? } else { None };
        let in_place = tls.as_ref().and_then(Slot::whole_pair_key).filter(|_| owner.current.is_some());
        let mut further_keys: Vec<Arc<KeyPair>> = in_place.map(Arc::new).into_iter().collect();
        // The keys of the chain are needed only where the pair in the Secret is not whole, or another one comes.
        let others = if further_keys.is_empty() || is_swap { renewing } else { &[] };
        for place in others.iter().filter(|_| tls.is_some()) {
            if let OwnKey::Held(key) = OwnKey::read(namespace, place).await? {
                further_keys.push(key);
            }
        }
        let wanted = spec.keystores.as_ref().filter(|_| tls.is_some());
        let stored = tls.as_ref().and_then(|slot| slot.stored.as_ref());
        let keystores = Stores::read(namespace, wanted, stored.filter(|stored| owner.owns(stored))).await?;
        let template = prefixes.accept(spec.secret_template.as_ref()).template;
        let has_own_key = matches!(own_key, Some(OwnKey::Held(_)));
        Ok(Self { tls, id, key, further_keys, keystores, template, owner, has_own_key })
    }

    /// Whether the Secrets are up to date. This does not download the certificate.
    #[must_use]
    pub fn export(
        &self,
        order: &CertificateOrder,
        expires: Option<Timestamp>,
        names: &Result<Names, Problem>,
    ) -> Export {
        if self.tls.is_none() && self.id.is_none() {
            return Export::NotWanted;
        }
        if let Some(problem) = self.blocked() {
            return Export::Blocked(problem);
        }
        let untouched = self.slots().all(|slot| {
            let stored = slot.stored.as_ref();
            stored.is_some_and(|stored| secret::is_untouched(stored, slot.type_, &self.template))
        });
        if untouched && self.holds_the_certificate(order, expires, names) {
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

    /// The Secret with certificate and key, as it is stored.
    #[must_use]
    pub fn stored(&self) -> Option<&Secret> {
        self.tls.as_ref()?.stored.as_ref()
    }

    /// Whose Secrets these are, and which certificate goes into them.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The term of the pair that is stored, if certificate and key fit each other and it is for these names.
    #[must_use]
    pub fn whole_pair(&self, names: &Names) -> Option<Term> {
        let data = self.stored()?.data.as_ref()?;
        let chain = stored_chain(data)?;
        let fits = chain.covers(names).is_ok() && stored_key(data).is_some_and(|key| chain.matches(&key));
        fits.then(|| term(&chain))
    }

    /// The term of the pair that certorder wrote for this order, if nobody has changed it since.
    #[must_use]
    pub fn written_term(&self, names: &Names) -> Option<Term> {
        let stored = self.stored().filter(|stored| self.owner.owns(stored) && secret::is_as_written(stored));
        stored.and_then(|_| self.whole_pair(names))
    }

    /// The term of the certificate that the order has, if it still stands in its Secret. What else stands there is repaired,
    /// and nothing to compare with.
    #[must_use]
    pub fn present_term(&self, order: &CertificateOrder, names: &Names, has: Option<Term>) -> Option<Term> {
        let data = self.stored()?.data.as_ref()?;
        let chain = stored_chain(data).filter(|chain| chain.covers(names).is_ok())?;
        let is_pair = stored_key(data).map_or(!holds_key(&order.spec), |key| chain.matches(&key));
        let stored = term(&chain);
        has.filter(|has| is_pair && seconds(has.not_after) == seconds(stored.not_after))
    }

    /// The labels and annotations of the Secrets.
    #[must_use]
    pub fn template(&self) -> &SecretTemplate {
        &self.template
    }

    /// Why keystores stay as they were written before.
    #[must_use]
    pub fn kept_keystores(&self) -> Option<&Problem> {
        self.keystores.as_ref().ok()?.unlabelled()
    }

    /// Why the Secrets cannot be written.
    fn blocked(&self) -> Option<Problem> {
        // The certificate that took the place of the order's own may have a key of its own.
        let key = self.key.as_ref().filter(|_| self.owner.current.is_none());
        let key = key.and_then(|key| key.as_ref().err());
        let key = key.map(|problem| Problem::new(Reason::KeyNotHeld, problem.message.clone()));
        self.conflict(|_| true).or(key).or_else(|| self.keystores.as_ref().err().cloned())
    }

    /// Which of these Secrets is not there to be written.
    pub(super) fn conflict(&self, counts: impl Fn(&Slot) -> bool) -> Option<Problem> {
        let in_the_way =
            self.slots().filter(|slot| counts(slot)).find_map(|slot| slot.in_the_way(&self.owner));
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
        let keys = self.keys();
        let lost = || self.tls.as_ref().filter(|slot| counts(slot))?.loses_a_key(&keys);
        in_the_way.or(twice).or_else(lost)
    }

    /// The key of the certificate that is stored, or else the newest of the chain's keys.
    #[must_use]
    pub fn current_key(&self) -> Option<Arc<KeyPair>> {
        let stored = self.tls.as_ref().and_then(Slot::whole_pair_key).map(Arc::new);
        stored.or_else(|| self.further_keys.first().cloned())
    }

    /// Every key that is here.
    fn keys(&self) -> Vec<Arc<KeyPair>> {
        let own = self.key.as_ref().and_then(|key| key.as_ref().ok());
        own.into_iter().chain(&self.further_keys).cloned().collect()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.tls.iter().chain(&self.id)
    }

    /// Whether the Secret holds the certificate that the cloud reports, in every format that the order asks for.
    fn holds_the_certificate(
        &self,
        order: &CertificateOrder,
        expires: Option<Timestamp>,
        names: &Result<Names, Problem>,
    ) -> bool {
        if !self.holds_the_id(order) {
            return false;
        }
        let Some(stored) = self.tls.as_ref().and_then(|slot| slot.stored.as_ref()) else {
            return self.tls.is_none();
        };
        let data = stored.data.clone().unwrap_or_default();
        let (Some(chain), Ok(names), Ok(keystores)) = (stored_chain(&data), names, &self.keystores) else {
            return false;
        };
        let key = stored_key(&data);
        let key = key.as_ref();
        let plain = plain_entries(&chain, key);
        let mut entries: BTreeSet<&str> = plain.keys().map(String::as_str).collect();
        entries.extend(keystores.file_names(key));
        let right_entries = plain.iter().all(|(name, value)| data.get(name) == Some(value))
            && secret::entries(stored) == entries
            && entries.iter().all(|name| data.contains_key(*name));
        let right_files = secret::keystores(stored) == keystores.marks(&chain, key);
        self.is_the_pair(order, (&chain, key), expires, names) && right_entries && right_files
    }

    /// Whether the Secret with the certificate's id holds the present one.
    fn holds_the_id(&self, order: &CertificateOrder) -> bool {
        let (Some(slot), Some((_, key))) = (&self.id, order.spec.provider.certificate_id_secret()) else {
            return true;
        };
        let data = slot.stored.as_ref().and_then(|stored| stored.data.as_ref());
        data.and_then(|data| data.get(key)).is_some_and(|id| id.0 == self.owner.current_id().as_bytes())
    }

    /// Whether certificate and key are those of the order, for the term that the cloud speaks of.
    fn is_the_pair(
        &self,
        order: &CertificateOrder,
        (chain, stored_key): (&Chain, Option<&KeyPair>),
        expires: Option<Timestamp>,
        names: &Names,
    ) -> bool {
        let right_key = match (&self.key, stored_key) {
            (_, Some(stored)) if self.owner.current.is_some() => chain.matches(stored),
            (Some(Ok(key)), Some(stored)) => chain.matches(key) && chain.matches(stored),
            (None, Some(stored)) => chain.matches(stored),
            (_, None) => !holds_key(&order.spec),
            (Some(Err(_)), _) => false,
        };
        is_of_term(chain, expires) && right_key && chain.covers(names).is_ok()
    }

    /// Whether the pair in the TLS Secret is the order's, whatever else was done to it: servers have what they need.
    #[must_use]
    pub fn fits(&self, order: &CertificateOrder, expires: Option<Timestamp>, names: &Names) -> bool {
        let Some(slot) = &self.tls else { return self.slots().all(|slot| slot.stored.is_some()) };
        let data = slot.stored.as_ref().and_then(|stored| stored.data.as_ref());
        data.is_some_and(|data| {
            let (chain, key) = (stored_chain(data), stored_key(data));
            chain.is_some_and(|chain| self.is_the_pair(order, (&chain, key.as_ref()), expires, names))
        })
    }

    /// Whether a certificate that was handed over is the one that the cloud speaks of.
    #[must_use]
    pub fn is_of_this_term(&self, bundle: &Bundle, expires: Option<Timestamp>) -> bool {
        Chain::parse(&bundle.certificate_pem).is_ok_and(|chain| is_of_term(&chain, expires))
    }

    /// Who else wrote the content of a Secret that is not as it should be.
    #[must_use]
    pub fn neighbour(&self) -> Option<&str> {
        self.slots().find_map(|slot| {
            let stored = slot.stored.as_ref()?;
            FieldOwners::of(&stored.metadata).last_other()
        })
    }

    /// What is said of Secrets that somebody keeps rewriting.
    #[must_use]
    pub fn contested(&self, neighbour: Option<&str>) -> String {
        let names: Vec<&str> = self.slots().map(|slot| slot.name.as_str()).collect();
        let who = match neighbour {
            Some(manager) => format!("field manager {}", shown(manager, LONGEST_MANAGER)),
            None => "somebody".to_owned(),
        };
        format!(
            "{who} rewrites or deletes Secret {} again and again, and certorder restores it with growing pauses; let \
             that program leave it alone, or choose another name for one of the two",
            names.join(" or ")
        )
    }

    /// Whether no key is here for a certificate that was handed over, and a key of another certificate of the order may be
    /// the one that it is for.
    #[must_use]
    pub fn lacks_the_key(&self, bundle: &Bundle) -> bool {
        let may_be_another = self.tls.is_some() && self.owner.current.is_some();
        let Some(chain) = Chain::parse(&bundle.certificate_pem).ok().filter(|_| may_be_another) else {
            return false;
        };
        bundle.private_key_pem.is_none() && !self.keys().iter().any(|key| chain.matches(key))
    }

    /// Whether one of the Secrets holds the certificate, and not its id alone.
    #[must_use]
    pub fn holds_a_certificate(&self) -> bool {
        self.tls.is_some()
    }

    /// The Secrets to write for a downloaded certificate, each with the stored Secret of its name. It is an error if
    /// the key does not match the certificate, or if a name is not covered. `further` are keys that were looked for since
    /// none that is here fits.
    pub fn wanted(
        &self,
        order: &CertificateOrder,
        names: &Names,
        bundle: &Bundle,
        further: &[Arc<KeyPair>],
    ) -> Result<Vec<(Wanted, Option<&Secret>)>, Problem> {
        let mut all = Vec::new();
        if let Some(slot) = &self.tls {
            all.push((self.tls(slot, order, names, (bundle, further))?, slot.stored.as_ref()));
        }
        if let (Some(slot), Some((_, key))) = (&self.id, order.spec.provider.certificate_id_secret()) {
            let data = [(key.to_owned(), ByteString(self.owner.current_id().to_owned().into_bytes()))].into();
            all.push((slot.wanted(data, String::new()), slot.stored.as_ref()));
        }
        Ok(all)
    }

    fn tls(
        &self,
        slot: &Slot,
        order: &CertificateOrder,
        names: &Names,
        (bundle, further): (&Bundle, &[Arc<KeyPair>]),
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
        // A successor may have been made in the console, with a key there.
        let may_be_at_the_cloud = self.key.is_none() || self.owner.current.is_some();
        let from_cloud = from_cloud.filter(|_| may_be_at_the_cloud).map(Arc::new);
        let here = self.keys().into_iter().chain(further.iter().cloned());
        let keys: Vec<Arc<KeyPair>> = here.chain(from_cloud).collect();
        let key = match (keys.iter().find(|key| chain.matches(key)), &self.key) {
            (None, Some(Err(problem))) => {
                return Err(Problem::new(Reason::KeyNotHeld, problem.message.clone()));
            }
            (fitting, _) => fitting.or(keys.first()).map(Arc::as_ref),
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
        if let Some(problem) = slot.loses_a_key(&keys) {
            return Err(problem);
        }
        let mut data = plain_entries(&chain, key);
        let stores = self.keystores.as_ref().map_err(Clone::clone)?;
        data.extend(stores.files(&chain, key)?);
        Ok(slot.wanted(data, stores.marks(&chain, key)))
    }
}

/// The term of the leaf of a chain.
fn term(chain: &Chain) -> Term {
    Term { not_before: chain.leaf_not_before(), not_after: chain.leaf_not_after() }
}

/// Whether a chain has the term that the cloud speaks of.
fn is_of_term(chain: &Chain, expires: Option<Timestamp>) -> bool {
    expires.is_none_or(|expires| Term::ends_at(chain.leaf_not_after(), expires))
}

/// The chain that a Secret holds, with its root where that stands beside it. What else stands there is somebody else's.
fn stored_chain(data: &SecretData) -> Option<Chain> {
    let text = |name| data.get(name).and_then(|pem| std::str::from_utf8(&pem.0).ok());
    let certificates = text(TLS_CRT)?;
    let with_root = text(CA_CRT).and_then(|root| {
        let chain = Chain::parse(&[certificates, root].concat()).ok()?;
        chain.root_pem().is_some_and(|pem| pem == root).then_some(chain)
    });
    with_root.or_else(|| Chain::parse(certificates).ok())
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

/// Whether the order ends with a private key in its Secret.
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

#[cfg(test)]
mod tests;
