//! The keystores beside a certificate: written with their passwords, or kept as they are while a password may not be used.

use std::collections::BTreeSet;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::v1alpha1::Keystores;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::{self, Namespace, SecretData};
use crate::core::chain::Chain;
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::core::keystore::{Alias, Format, Keystore, KeystoreError, Password};
use crate::order::export::secret;

/// The keystores that an order asks for.
pub enum Stores {
    /// They are written, each in its format.
    Written(Vec<(Format, Password, Alias)>),
    /// They stay as they were written before.
    Kept(Kept),
}

/// Keystores that were written before the owner of a password had to allow its use, and that it does not allow.
pub struct Kept {
    files: SecretData,
    mark: String,
    names: BTreeSet<&'static str>,
    why: Problem,
}

impl Stores {
    /// Reads the passwords. `stored` is the order's own Secret that the keystores go to.
    pub async fn read(
        namespace: &Namespace,
        wanted: Option<&Keystores>,
        stored: Option<&Secret>,
    ) -> Result<Result<Self, Problem>, kube::Error> {
        let Some(wanted) = wanted else { return Ok(Ok(Self::Written(Vec::new()))) };
        match passwords(namespace, wanted).await {
            Ok(all) => Ok(Ok(Self::Written(all))),
            Err(cluster::Error::Unlabelled(why)) => Ok(Self::kept(wanted, stored, why)),
            Err(cluster::Error::Problem(problem)) => Ok(Err(problem)),
            Err(cluster::Error::Api(error)) => Err(error),
        }
    }

    /// What is there already, if that is all that is wanted; otherwise the problem.
    pub(super) fn kept(wanted: &Keystores, stored: Option<&Secret>, why: Problem) -> Result<Self, Problem> {
        let Some(stored) = stored.filter(|stored| !secret::keystores(stored).is_empty()) else {
            return Err(why);
        };
        let formats =
            [wanted.pkcs12.as_ref().map(|_| Format::Pkcs12), wanted.jks.as_ref().map(|_| Format::Jks)];
        let names: BTreeSet<_> = formats.into_iter().flatten().map(Format::file_name).collect();
        let ours = secret::entries(stored);
        let data = stored.data.iter().flatten();
        let files: SecretData = data
            .filter(|(name, _)| names.contains(name.as_str()) && ours.contains(name.as_str()))
            .map(|(name, file)| (name.clone(), file.clone()))
            .collect();
        if files.len() < names.len() {
            return Err(why);
        }
        let message = format!(
            "{} in Secret {} stays as it was written before, and is not written anew: {}",
            files.keys().map(String::as_str).collect::<Vec<_>>().join(" and "),
            stored.name_any(),
            why.message
        );
        let (mark, why) = (secret::keystores(stored).to_owned(), Problem::new(why.reason, message));
        Ok(Self::Kept(Kept { files, mark, names, why }))
    }

    /// Why keystores stay as they are.
    #[must_use]
    pub fn unlabelled(&self) -> Option<&Problem> {
        match self {
            Self::Written(_) => None,
            Self::Kept(kept) => Some(&kept.why),
        }
    }

    /// The files.
    pub(super) fn files(&self, chain: &Chain, key: Option<&KeyPair>) -> Result<SecretData, Problem> {
        let all = match self {
            Self::Written(all) => all,
            Self::Kept(kept) => return Ok(kept.files.clone()),
        };
        let unfit =
            |error: KeystoreError| Problem::new(Reason::InvalidRequest, format!("spec.keystores: {error}"));
        of(all, chain, key)
            .map(|(format, store)| Ok((format.file_name().to_owned(), ByteString(store.write(format)?))))
            .collect::<Result<_, _>>()
            .map_err(unfit)
    }

    /// Their names, sorted.
    pub(super) fn file_names(&self, key: Option<&KeyPair>) -> BTreeSet<&'static str> {
        match self {
            Self::Written(all) if key.is_some() => {
                all.iter().map(|(format, ..)| format.file_name()).collect()
            }
            Self::Written(_) => BTreeSet::new(),
            Self::Kept(kept) => kept.names.clone(),
        }
    }

    /// What tells whether they are up to date.
    pub(super) fn marks(&self, chain: &Chain, key: Option<&KeyPair>) -> String {
        match self {
            Self::Written(all) => {
                of(all, chain, key).map(|(format, store)| store.mark(format)).collect::<Vec<_>>().join(".")
            }
            Self::Kept(kept) => kept.mark.clone(),
        }
    }
}

/// The keystores for a key, each with its format.
fn of<'a>(
    all: &'a [(Format, Password, Alias)],
    chain: &'a Chain,
    key: Option<&'a KeyPair>,
) -> impl Iterator<Item = (Format, Keystore<'a>)> {
    key.into_iter().flat_map(move |key| {
        all.iter().map(move |(format, password, alias)| (*format, Keystore { key, chain, password, alias }))
    })
}

async fn passwords(
    namespace: &Namespace,
    keystores: &Keystores,
) -> Result<Vec<(Format, Password, Alias)>, cluster::Error> {
    let unfit = |field: &str, error: KeystoreError| {
        cluster::Error::from(Problem::new(Reason::InvalidRequest, format!("{field}: {error}")))
    };
    let mut all = Vec::new();
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
