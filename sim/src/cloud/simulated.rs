//! The handle of a simulated cloud: what tests and the tryout do with any of them.

#![expect(private_bounds, reason = "other crates name the clouds, never what a cloud is made of")]

use std::{io, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    ca::Authority,
    credential::Credential,
    faults::Fault,
    issue::IssueError,
    ledger::{Call, Pace},
    moves::UnknownCertificate,
    server::Server,
    service::Service,
    world::Cloud,
};

/// A simulated cloud, serving on a loopback port until its last clone is dropped.
pub struct Simulated<S: Service> {
    pub(crate) cloud: Arc<Cloud<S>>,
    server: Arc<Server>,
}

impl<S: Service> Clone for Simulated<S> {
    fn clone(&self) -> Self {
        Self { cloud: Arc::clone(&self.cloud), server: Arc::clone(&self.server) }
    }
}

impl<S: Service> Simulated<S> {
    /// Starts a cloud without accounts.
    pub async fn start(options: S::Options) -> io::Result<Self> {
        let authority = Authority::new().map_err(io::Error::other)?;
        let cloud = Arc::new(Cloud::new(options, authority));
        let server = Arc::new(Server::start(Arc::clone(&cloud)).await?);
        Ok(Self { cloud, server })
    }

    /// Where it serves, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url.clone()
    }

    /// Opens an account with a permanent access key. A key id that another account holds moves to the new one.
    #[must_use = "certificates are bought for an account"]
    pub fn account(&self, key_id: &str, secret_key: &str) -> S::Account {
        let account = S::open_account(&mut self.cloud.world().state);
        self.add_credential(&account, key_id, secret_key);
        account
    }

    /// Gives an account one more permanent access key, or replaces the key of this id.
    pub fn add_credential(&self, account: &S::Account, key_id: &str, secret_key: &str) {
        self.insert_credential(key_id, Credential::permanent(account.clone(), secret_key));
    }

    /// Gives an account a temporary access key: it works with this token only, and until it expires.
    pub fn add_temporary_credential(
        &self,
        account: &S::Account,
        key_id: &str,
        secret_key: &str,
        token: &str,
        expires: Timestamp,
    ) {
        let credential = Credential::temporary(account.clone(), secret_key, token, expires);
        self.insert_credential(key_id, credential);
    }

    /// Deletes an access key.
    pub fn remove_credential(&self, key_id: &str) {
        S::credentials(&mut self.cloud.world().state).remove(key_id);
    }

    fn insert_credential(&self, key_id: &str, credential: Credential<S::Account>) {
        S::credentials(&mut self.cloud.world().state).insert(key_id.to_owned(), credential);
    }

    /// Buys a certificate: it is paid, and nothing is submitted for it.
    pub fn buy(&self, account: &S::Account, certificate_id: &str, product: S::Product) {
        let mut world = self.cloud.world();
        let certificate = S::bought(certificate_id, account.clone(), product, world.now());
        S::certificates(&mut world.state).insert(certificate_id.to_owned(), certificate);
    }

    /// A snapshot of a certificate.
    pub fn certificate(&self, certificate_id: &str) -> Result<S::Certificate, UnknownCertificate> {
        self.set(certificate_id, |certificate| certificate.clone())
    }

    /// Changes a certificate from the authority's side, at once and without a trace in the ledger.
    ///
    /// The cloud stands still meanwhile: `change` must not call it.
    pub fn set<R>(
        &self,
        certificate_id: &str,
        change: impl FnOnce(&mut S::Certificate) -> R,
    ) -> Result<R, UnknownCertificate> {
        self.cloud.set(certificate_id, change)
    }

    /// The certificates that wait for the authority: those that `advance` moves.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let mut world = self.cloud.world();
        let certificates = S::certificates(&mut world.state).iter();
        certificates.filter(|(_, one)| S::waits_for_authority(one)).map(|(id, _)| id.clone()).collect()
    }

    /// Lets the authority issue a certificate at once: a real leaf and intermediate, for the stored CSR or for a key
    /// that the cloud makes.
    pub fn issue(&self, certificate_id: &str) -> Result<(), IssueError> {
        let now = self.cloud.world().now();
        // Not under the lock: an RSA key takes its time.
        let issued =
            S::sign(&self.certificate(certificate_id)?, &self.cloud.authority, &self.cloud.options, now)?;
        let mut world = self.cloud.world();
        S::deliver(&mut world.state, certificate_id, issued, now);
        S::touched(&mut world.state, &self.cloud.options, certificate_id);
        Ok(())
    }

    /// The root of the authority, PEM.
    #[must_use]
    pub fn root_certificate(&self) -> &str {
        self.cloud.authority.root()
    }

    /// Every call so far, in the order in which they took effect.
    #[must_use]
    pub fn ledger(&self) -> Vec<Call<S::Account>> {
        self.cloud.world().ledger.clone()
    }

    /// The calls that named a certificate, in the order in which they took effect.
    #[must_use]
    pub fn calls_for(&self, certificate_id: &str) -> Vec<Call<S::Account>> {
        let world = self.cloud.world();
        let is_for = |call: &&Call<S::Account>| call.certificate_id.as_deref() == Some(certificate_id);
        world.ledger.iter().filter(is_for).cloned().collect()
    }

    /// How many calls of an action took effect.
    #[must_use]
    pub fn effects(&self, action: &str) -> usize {
        let world = self.cloud.world();
        world.ledger.iter().filter(|call| call.took_effect && call.action == action).count()
    }

    /// How fast an account called an action.
    #[must_use]
    pub fn pace(&self, account: &S::Account, action: &str) -> Pace {
        let world = self.cloud.world();
        let is_theirs =
            |call: &&Call<S::Account>| call.account.as_ref() == Some(account) && call.action == action;
        Pace::of(world.ledger.iter().filter(is_theirs), S::THROTTLED)
    }

    /// Adds a rule by which calls fail.
    pub fn fault(&self, fault: Fault<S::Refusal>) {
        self.cloud.world().faults.add(fault);
    }

    /// Takes all such rules back.
    pub fn clear_faults(&self) {
        self.cloud.world().faults.clear();
    }

    /// The ids of all certificates, those that the cloud made included.
    #[must_use]
    pub fn certificate_ids(&self) -> Vec<String> {
        S::certificates(&mut self.cloud.world().state).keys().cloned().collect()
    }

    /// The cloud's own time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.cloud.world().now()
    }

    /// Sets how far the cloud's clock is ahead of the machine's; negative is behind.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.cloud.world().clock_ahead = ahead;
    }
}
