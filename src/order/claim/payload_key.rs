//! The key of the payload hashes: one Secret beside the claims, which every installation of the cluster shares.
//!
//! It is created once and read at each start and each hour. Where it is deleted, the next read makes another one; the hashes of
//! before then prove nothing, and what the cloud shows decides alone.

use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::{FIELD_MANAGER, bounded};
use crate::core::conditions::Problem;
use crate::core::fingerprint::HashKey;

/// The Secret with the key, in the namespace of the claims.
pub const NAME: &str = "certorder-payload-key";

const KEY_ID: &str = "id";
const KEY: &str = "key";

/// The key as this process knows it.
pub(super) struct PayloadKey {
    secrets: Api<Secret>,
    namespace: String,
    known: RwLock<Option<Arc<HashKey>>>,
}

impl PayloadKey {
    pub(super) fn new(secrets: Api<Secret>, namespace: &str) -> Self {
        Self { secrets, namespace: namespace.to_owned(), known: RwLock::default() }
    }

    /// The key, once it was read.
    pub(super) fn known(&self) -> Option<Arc<HashKey>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the key, and creates it if there is none. A key that was read before stays in use where this fails.
    pub(super) async fn read(&self) -> Result<Result<(), Problem>, kube::Error> {
        let secret = match bounded(self.secrets.get_opt(NAME)).await? {
            Some(secret) => secret,
            None => match self.create().await? {
                Ok(secret) => secret,
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let Some(key) = parse(&secret) else { return Ok(Err(self.unfit())) };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
        Ok(Ok(()))
    }

    /// Creates the Secret. Where another installation was first, or the answer is not clear, what is stored counts.
    async fn create(&self) -> Result<Result<Secret, Problem>, kube::Error> {
        let Some(key) = HashKey::generate() else {
            let message = format!("no random numbers for Secret {NAME} in namespace {}", self.namespace);
            return Ok(Err(Problem::new(Reason::ClaimUnavailable, message)));
        };
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match bounded(self.secrets.create(&params, &secret(&key))).await {
            Ok(secret) => Ok(Ok(secret)),
            Err(error) => match bounded(self.secrets.get_opt(NAME)).await? {
                Some(secret) => Ok(Ok(secret)),
                None => Err(error),
            },
        }
    }

    fn unfit(&self) -> Problem {
        let message = format!(
            "Secret {NAME} in namespace {} is not as certorder makes it: an id of 8 hexadecimal digits and a key of 32 bytes; \
             delete it, and certorder makes another one",
            self.namespace
        );
        Problem::new(Reason::ClaimUnavailable, message)
    }
}

fn secret(key: &HashKey) -> Secret {
    let data = [(KEY_ID, key.id().as_bytes()), (KEY, key.expose())];
    Secret {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            labels: Some([("app.kubernetes.io/part-of".to_owned(), "certorder".to_owned())].into()),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        immutable: Some(true),
        data: Some(data.map(|(name, bytes)| (name.to_owned(), ByteString(bytes.to_vec()))).into()),
        ..Secret::default()
    }
}

fn parse(secret: &Secret) -> Option<HashKey> {
    let data = secret.data.as_ref()?;
    HashKey::parse(&data.get(KEY_ID)?.0, &data.get(KEY)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_is_read_back_and_nothing_else_is_taken_for_one() {
        let key = HashKey::generate().unwrap();
        let stored = secret(&key);
        assert_eq!(stored.immutable, Some(true));
        let read = parse(&stored).unwrap();
        assert_eq!((read.id(), read.expose()), (key.id(), key.expose()));
        for entry in [KEY_ID, KEY] {
            let mut lacking = stored.clone();
            lacking.data.as_mut().unwrap().remove(entry);
            assert!(parse(&lacking).is_none(), "{entry}");
        }
        assert!(parse(&Secret::default()).is_none());
    }
}
