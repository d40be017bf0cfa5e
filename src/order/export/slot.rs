//! One Secret that an order writes, as it is now, and what keeps it from being written. Pure, but for [`Slot::read`].

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use secrecy::SecretString;

use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::{Namespace, SecretData};
use crate::core::chain::Chain;
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::order::export::secret::{self, Owner, TLS_CRT, TLS_KEY, Wanted};

/// The type of a Secret with certificate and key.
pub const TLS: &str = "kubernetes.io/tls";
/// The type of any other Secret that is written.
pub const OPAQUE: &str = "Opaque";

/// One Secret to write.
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its type, [`TLS`] or [`OPAQUE`].
    pub type_: &'static str,
    /// As it is stored.
    pub stored: Option<Secret>,
}

impl Slot {
    /// Reads it.
    pub async fn read(namespace: &Namespace, name: &str, type_: &'static str) -> Result<Self, kube::Error> {
        Ok(Self { name: name.to_owned(), type_, stored: namespace.find_secret(name).await? })
    }

    /// The Secret with this content.
    #[must_use]
    pub fn wanted(&self, data: SecretData, keystores: String) -> Wanted {
        Wanted { name: self.name.clone(), type_: self.type_, data, keystores }
    }

    /// The private key that is stored, if it is the one of the certificate beside it.
    #[must_use]
    pub fn whole_pair_key(&self) -> Option<KeyPair> {
        let data = self.stored.as_ref()?.data.as_ref()?;
        let certificate = data.get(TLS_CRT).and_then(|pem| std::str::from_utf8(&pem.0).ok())?;
        let chain = Chain::parse(certificate).ok()?;
        stored_key(data).filter(|key| chain.matches(key))
    }

    /// Why this Secret cannot be written. The one with the order's own key bears the same marks as the others.
    #[must_use]
    pub fn in_the_way(&self, owner: &Owner) -> Option<Problem> {
        let Self { name, type_, stored } = self;
        let conflict = |message: String| Some(Problem::new(Reason::SecretConflict, message));
        if *name == secret::key_secret_name(&owner.order) {
            return conflict(format!("Secret {name} is kept for the key of this order; choose another name"));
        }
        let stored = stored.as_ref()?;
        if !owner.owns(stored) {
            return Some(owner.conflict(stored, type_, "choose another name"));
        }
        let found = secret::type_of(stored);
        if found == *type_ {
            return None;
        }
        conflict(if secret::holds_a_key(stored) {
            format!(
                "Secret {name} has the type {found} and must have {type_}, which cannot be changed, and it holds a \
                 private key; choose another name"
            )
        } else {
            format!(
                "Secret {name} has the type {found} and must have {type_}, which cannot be changed; delete it, and it \
                 is written anew"
            )
        })
    }

    /// Why a private key that is stored here would be lost. It may go where it is one of those that may be written, or where
    /// certorder itself had written a certificate there before, which the new one supersedes.
    #[must_use]
    pub fn loses_a_key(&self, keys: &[Arc<KeyPair>]) -> Option<Problem> {
        let stored = self.stored.as_ref().filter(|stored| secret::holds_a_key(stored))?;
        let data = stored.data.as_ref()?;
        let is_certificate = data.contains_key(TLS_CRT);
        let is_superseded = is_certificate && (keys.is_empty() || secret::is_marked_by_us(stored));
        if is_superseded || keys.iter().any(|key| holds(data, key)) {
            return None;
        }
        let name = stored.name_any();
        let message = format!(
            "Secret {name} holds a private key in {TLS_KEY} that is not the one of this order, so it is left alone: \
             nothing shows that the key is not needed any more; choose another name"
        );
        Some(Problem::new(Reason::SecretConflict, message))
    }
}

/// Whether these entries hold this key.
fn holds(data: &SecretData, key: &KeyPair) -> bool {
    stored_key(data).is_some_and(|stored| stored.public_key_der() == key.public_key_der())
}

/// The private key that a Secret holds, if it can be read.
#[must_use]
pub fn stored_key(data: &SecretData) -> Option<KeyPair> {
    let pem = data.get(TLS_KEY).and_then(|pem| std::str::from_utf8(&pem.0).ok())?;
    KeyPair::from_pem(&SecretString::from(pem)).ok()
}
