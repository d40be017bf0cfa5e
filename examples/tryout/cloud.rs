//! The simulated clouds: the accounts, the bought certificates, and the CAs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use certorder::provider::registry;
use certorder_sim::huawei::{self, HuaweiCloud};
use certorder_sim::tencent::{self, TencentCloud};
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::error::Error;
use crate::manifests::{Manifests, Product};

/// A certificate that no manifest names, for an order of the reader's own.
pub(crate) const SPARE: &str = "dvSpare1";

/// How long the simulated review of a saved profile takes.
const REVIEW: SignedDuration = SignedDuration::from_secs(3);

/// The clouds, with everything bought and saved that the manifests name.
pub(crate) struct Cloud {
    tencent: TencentCloud,
    huawei: HuaweiCloud,
    /// The profiles that are under review, and when the review ends.
    reviews: Mutex<Vec<(Instant, String)>>,
}

/// A call that submitted an application.
pub(crate) struct Submission {
    /// The cloud's id of the call.
    pub(crate) request_id: Option<String>,
}

impl Cloud {
    /// Starts them.
    pub(crate) async fn start(manifests: &Manifests) -> Result<Self, Error> {
        let failed = |source| Error::io("start the simulated clouds", source);
        let cloud = TencentCloud::start(tencent::Options::default()).await.map_err(failed)?;
        let huawei = HuaweiCloud::start(huawei::Options::default()).await.map_err(failed)?;
        let mut accounts: BTreeMap<&str, tencent::Account> = BTreeMap::new();
        let mut others: BTreeMap<&str, huawei::Account> = BTreeMap::new();
        for order in &manifests.orders {
            let (key_id, key) = (order.secret_id.as_str(), order.secret_key.as_str());
            let certificate = registry::certificate_id(&order.object.spec.provider);
            match order.product {
                Product::Tencent(product) => {
                    let account = accounts.entry(key_id).or_insert_with(|| cloud.account(key_id, key));
                    cloud.buy(account, certificate, product);
                }
                Product::Huawei(product) => {
                    let account = others.entry(key_id).or_insert_with(|| huawei.account(key_id, key));
                    huawei.buy(account, certificate, product);
                }
            }
        }
        if let Some(account) = accounts.values().next() {
            cloud.buy(account, SPARE, tencent::Product::DV_SINGLE);
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
        Ok(Self { tencent: cloud, huawei, reviews: Mutex::new(reviews) })
    }

    /// The profiles whose review has ended since the last call.
    pub(crate) fn reviewed(&self) -> Vec<String> {
        let mut reviews = self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
        let (over, running) = reviews.drain(..).partition(|(ends, _)| *ends <= Instant::now());
        *reviews = running;
        let over: Vec<_> = over;
        over.into_iter().map(|(_, profile)| profile).collect()
    }

    /// Their addresses: Tencent Cloud, then Huawei Cloud.
    pub(crate) fn urls(&self) -> [String; 2] {
        [self.tencent.url(), self.huawei.url()]
    }

    /// Simulates the CAs: does the next step for every order that was sent to them, and returns the new states.
    pub(crate) async fn move_on(&self) -> Result<Vec<String>, Error> {
        let (cloud, huawei) = (self.tencent.clone(), self.huawei.clone());
        // Issuing generates keys, which is slow.
        let moved = tokio::task::spawn_blocking(move || {
            let mut lines: Vec<String> = cloud.running().iter().map(|id| move_one(&cloud, id)).collect();
            lines.extend(huawei.running().iter().map(|id| move_another(&huawei, id)));
            lines
        });
        moved.await.map_err(|source| Error::io("play the CA", source.into()))
    }

    /// The cloud makes the successor of an issued certificate, which waits for its application. Returns its id.
    pub(crate) fn renew(&self, certificate_id: &str) -> Result<String, Error> {
        let waits = tencent::Succession { start: tencent::Start::Pending, ..tencent::Succession::default() };
        let made = self.tencent.make_successor(certificate_id, tencent::Way::AutoRenewal, &waits);
        made.map_err(|error| Error::io("renew a certificate", std::io::Error::other(error)))
    }

    /// The calls that submitted an application for a certificate and took effect.
    pub(crate) fn submissions(&self, certificate_id: &str) -> Vec<Submission> {
        let mut submissions = Vec::new();
        for call in self.tencent.ledger() {
            let is_submission = call.action == "CertificateInfoSubmit" && call.took_effect;
            if is_submission && call.certificate_id.as_deref() == Some(certificate_id) {
                submissions.push(Submission { request_id: call.request_id });
            }
        }
        for call in self.huawei.ledger() {
            let is_submission = call.action == "apply" && call.took_effect;
            if is_submission && call.certificate_id.as_deref() == Some(certificate_id) {
                submissions.push(Submission { request_id: call.request_id });
            }
        }
        submissions
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

fn move_another(cloud: &HuaweiCloud, id: &str) -> String {
    match cloud.advance(id) {
        Ok(status) => format!("the CA moves {id} on: {status}"),
        Err(error) => format!("the CA cannot move {id} on: {error}"),
    }
}
