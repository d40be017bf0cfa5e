//! A Kubernetes API server in process, over plain HTTP on a loopback address.
//!
//! It serves Namespaces, Secrets, `ConfigMaps`, Events, Leases, `CustomResourceDefinitions` and the kinds that those
//! declare, well enough for kube's `Controller` and for `kubectl`; what an installation is made of (Deployments, roles,
//! policies) it stores and does not act on. It is strict: what it does not know, it refuses
//! with a `metav1.Status`, as a real API server does. Anybody is let in, with any token.
//!
//! - `handler`, `server`, `query`, `protobuf`, `view`: a request, its parameters and body, and the form of the reply.
//! - `read`, `watch`, `write`, `patch`, `delete`, `preconditions`: the verbs.
//! - `managed`: who owns which field, and server-side apply.
//! - `store`, `state`, `registry`, `bootstrap`: what is stored, which kinds there are, and how a cluster begins.
//! - `builtin`, `strategy`, `crd`, `schema`, `metadata`: the rules for objects.
//! - `discovery`, `openapi`: what clients may ask about the API.
//!
//! Not here: authentication, authorization, admission webhooks and policies, conversion webhooks, the scale
//! subresource, pods and everything that runs.

mod bootstrap;
mod builtin;
mod crd;
mod decode;
mod delete;
mod discovery;
mod field;
mod handler;
mod jsonpath;
mod managed;
mod metadata;
mod object;
mod openapi;
mod patch;
mod preconditions;
mod protobuf;
mod query;
mod read;
mod registry;
mod resource;
mod schema;
mod selector;
mod server;
mod state;
mod status;
mod store;
mod strategic;
mod strategy;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod view;
mod watch;
mod write;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch as signal;

use handler::handle;
use server::Server;
use state::State;

/// A running API server; it stops when this is dropped.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    server: Arc<Server>,
    /// Dropped with the server, which ends open watches and then the listener.
    _running: signal::Sender<()>,
}

impl ApiServer {
    /// Starts an empty cluster on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (running, stopped) = signal::channel(());
        let state = State::new().map_err(|failure| io::Error::other(failure.status().to_string()))?;
        let server = Arc::new(Server::new(state, stopped.clone()));
        // Without this, small events wait for the client's acknowledgement of the one before.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let app = Router::new().fallback(handle).with_state(Arc::clone(&server));
        let mut stop = stopped;
        let until = async move { while stop.changed().await.is_ok() {} };
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(until).await });
        Ok(Self { address, server, _running: running })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig, as YAML, with this server as the only cluster.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters:\n\
             - name: certorder-sim\n\
             \x20 cluster: {{server: \"{}\"}}\n\
             users:\n\
             - name: certorder-sim\n\
             \x20 user: {{token: not-checked}}\n\
             contexts:\n\
             - name: certorder-sim\n\
             \x20 context: {{cluster: certorder-sim, user: certorder-sim, namespace: default}}\n\
             current-context: certorder-sim\n",
            self.url()
        )
    }

    /// Forgets all history: a watch that resumes from an older version gets 410, as after etcd's compaction.
    pub fn compact(&self) {
        self.server.lock().store.compact();
    }
}
