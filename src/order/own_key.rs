//! The private key that certorder generates for an order, as its Secret holds it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;

use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::{self, Namespace};
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::order::export::secret::{self, Owner};
use crate::order::export::slot::OPAQUE;

/// The key that certorder generates for an order, as its Secret holds it.
#[derive(Clone, Debug)]
pub enum OwnKey {
    /// The Secret holds the key.
    Held(Arc<KeyPair>),
    /// There is no such Secret.
    Absent(Problem),
    /// The Secret belongs to another owner, or no key can be read from it.
    Unfit(Problem),
}

/// Where a key is: a Secret, and the marks that it must have.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose it is.
    pub owner: Owner,
    /// The name of the Secret.
    pub name: String,
}

impl Place {
    /// The Secret with the key that certorder generates for an order.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self { name: secret::key_secret_name(&owner.order), owner }
    }
}

impl OwnKey {
    /// Reads it.
    pub async fn read(namespace: &Namespace, place: &Place) -> Result<Self, kube::Error> {
        let name = &place.name;
        let Some(stored) = namespace.find_secret(name).await? else {
            let message = format!(
                "Secret {name} with the key of this order is gone; restore it from a backup, or withdraw the order: a \
                 new key would not fit what the CA was sent"
            );
            return Ok(Self::Absent(Problem::new(Reason::KeyLost, message)));
        };
        Ok(Self::in_secret(stored, place))
    }

    /// The key that a stored Secret holds.
    #[must_use]
    pub fn in_secret(stored: Secret, Place { owner, name }: &Place) -> Self {
        if !owner.owns(&stored) {
            let instead = "re-create the order under another name";
            return Self::Unfit(owner.conflict(&stored, OPAQUE, instead));
        }
        let data = stored.data.unwrap_or_default();
        let unfit = |what: String| {
            let message =
                format!("{what}; restore Secret {name} from a backup, or delete it before anything is sent");
            Self::Unfit(Problem::new(Reason::KeyLost, message))
        };
        let pem = match cluster::text(&data, name, secret::TLS_KEY, "the order's own key") {
            Ok(pem) => pem,
            Err(problem) => return unfit(problem.message),
        };
        match KeyPair::from_pem(&pem.into()) {
            Ok(key) => Self::Held(Arc::new(key)),
            Err(error) => unfit(format!("Secret {name}: {error}")),
        }
    }
}
