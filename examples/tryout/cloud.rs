//! The simulated cloud: the account, what is bought in it, and the CA.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use certorder::provider::registry;
use certorder_sim::tencent::{Account, Call, Options, Product, TencentCloud};
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::manifests::Manifests;
use crate::trouble::Error;

/// A certificate that no manifest names, for an order of the reader's own.
pub(crate) const SPARE: &str = "dvSpare1";

/// How long the simulated review of a saved profile takes.
const REVIEW: SignedDuration = SignedDuration::from_secs(3);

/// The cloud, with everything bought and saved that the manifests name.
pub(crate) struct Cloud {
    cloud: TencentCloud,
    /// The profiles that are under review, and when the review ends.
    reviews: Mutex<Vec<(Instant, String)>>,
}

impl Cloud {
    /// Starts it.
    pub(crate) async fn start(manifests: &Manifests) -> Result<Self, Error> {
        let started = TencentCloud::start(Options::default()).await;
        let cloud = started.map_err(|source| Error::io("start the simulated cloud", source))?;
        let mut accounts: BTreeMap<&str, Account> = BTreeMap::new();
        for order in &manifests.orders {
            let account = accounts
                .entry(&order.secret_id)
                .or_insert_with(|| cloud.account(&order.secret_id, &order.secret_key));
            cloud.buy(account, registry::certificate_id(&order.object.spec.provider), order.product);
        }
        if let Some(account) = accounts.values().next() {
            cloud.buy(account, SPARE, Product::DV_SINGLE);
        }
        let mut reviews = Vec::new();
        for saved in &manifests.saved {
            let Some(account) = accounts.get(saved.secret_id.as_str()) else { continue };
            cloud.save_company(account, saved.company.clone());
            cloud.save_manager(account, saved.manager.clone());
            if cloud.submit_for_review(account, saved.manager.id, REVIEW, true) {
                reviews.push((Instant::now() + REVIEW.unsigned_abs(), saved.profile.clone()));
            }
        }
        Ok(Self { cloud, reviews: Mutex::new(reviews) })
    }

    /// The profiles whose review has ended since the last call.
    pub(crate) fn reviewed(&self) -> Vec<String> {
        let mut reviews = self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
        let (over, running) = reviews.drain(..).partition(|(ends, _)| *ends <= Instant::now());
        *reviews = running;
        let over: Vec<_> = over;
        over.into_iter().map(|(_, profile)| profile).collect()
    }

    /// Where it serves.
    pub(crate) fn url(&self) -> String {
        self.cloud.url()
    }

    /// Plays the CA: moves every order that was sent to it one step on, and says how far each has come.
    pub(crate) async fn move_on(&self) -> Result<Vec<String>, Error> {
        let cloud = self.cloud.clone();
        // Issuing makes keys, which takes its time.
        let moved = tokio::task::spawn_blocking(move || {
            cloud.running().iter().map(|id| move_one(&cloud, id)).collect::<Vec<_>>()
        });
        moved.await.map_err(|source| Error::io("play the CA", source.into()))
    }

    /// The calls that handed in an application for a certificate and took effect.
    pub(crate) fn submissions(&self, certificate_id: &str) -> Vec<Call> {
        let of_this = |call: &Call| {
            call.action == "CertificateInfoSubmit"
                && call.took_effect
                && call.certificate_id.as_deref() == Some(certificate_id)
        };
        self.cloud.ledger().into_iter().filter(of_this).collect()
    }
}

fn move_one(cloud: &TencentCloud, id: &str) -> String {
    let moved = cloud.advance(id).map_err(|error| error.to_string());
    let seen = cloud.certificate(id).map_err(|error| error.to_string());
    match moved.and(seen) {
        Ok(seen) if seen.status_message.is_empty() => format!("the CA moves {id} on: {}", seen.status.name()),
        Ok(seen) => format!("the CA moves {id} on: {} ({})", seen.status.name(), seen.status_message),
        Err(error) => format!("the CA cannot move {id} on: {error}"),
    }
}
