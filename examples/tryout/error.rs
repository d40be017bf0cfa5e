//! The errors of the tryout.

use std::error::Error as _;
use std::io;

/// Why the tryout failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A manifest is not what it should be.
    #[error(transparent)]
    Manifest(#[from] crate::manifests::Error),
    /// An error with files, ports or signals.
    #[error("cannot {doing}: {source}")]
    Io {
        /// The action.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The kubeconfig does not lead to a cluster.
    #[error("{file}: {source}")]
    Kubeconfig {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: kube::config::KubeconfigError,
    },
    /// The API server refuses, or cannot be reached.
    #[error("cannot {doing}: {}", cause(.source))]
    Api {
        /// The action.
        doing: String,
        /// Why it failed.
        source: kube::Error,
    },
    /// The namespace of the manifests was not created by the tryout.
    #[error(
        "namespace {0} exists and was not made by the tryout; remove it first, if nothing in it is needed: kubectl \
         delete namespace {0}"
    )]
    NamespaceInUse(String),
    /// Something took too long.
    #[error("{0}")]
    TooSlow(String),
    /// The operator stopped by itself.
    #[error("the operator stopped: {0}")]
    Operator(String),
    /// An order is Ready, but its Secret holds no certificate.
    #[error("Secret {secret}: {why}")]
    Certificate {
        /// The Secret.
        secret: String,
        /// What is wrong with it.
        why: String,
    },
    /// A certificate was not submitted exactly once.
    #[error("{0}")]
    Ledger(String),
}

impl Error {
    /// An error with files, ports or signals.
    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// An error of the API server.
    pub(crate) fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Api { doing: doing.into(), source }
    }
}

/// The text of an error of kube with all its causes.
fn cause(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return status.message.clone();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
