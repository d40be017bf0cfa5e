//! Two clusters with the same manifests and one account at the cloud, while a certificate is renewed. Each certificate is
//! submitted once in all; neither Secret ever ends earlier or has a key that does not fit; an operator that does not have
//! the key says so, and hands nothing in.

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::tencent::{Start, Succession, Way};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::renewals::{days, filed, handed_in, issue, made, made_with, order, secret_fits, until_current};
use crate::secret_watch::SecretWatch;
use crate::world::{World, ahead_at, condition, message};

for_both_clouds! {
    a_successor_that_the_cloud_filed_is_handed_in_by_neither_cluster,
}

/// Where the key is, which decides whether the second cluster has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// In the cluster that submitted the application.
    InCluster,
    /// At the cloud, which hands it over to whoever asks.
    Cloud,
}

/// Two clusters with the same issued order.
struct Pair {
    /// The one that submitted it.
    first: World,
    /// The one that took it over.
    second: World,
    watches: [SecretWatch; 2],
    key: Key,
    case: String,
}

impl Pair {
    async fn issued(kind: Kind, key: Key, renewal: &Value) -> Self {
        let mut first = World::quiet_at(kind).await;
        first.site.buy(first.certificate(), Product::Dv);
        let mut manifest = order(&first, renewal);
        if key == Key::Cloud {
            manifest["spec"]["privateKey"]["source"] = json!("Cloud");
        }
        first.run();
        let one = first.create::<CertificateOrder>(manifest.clone()).await;
        first.until_is("www", "Ordered", "True", "Accepted").await;
        let mut second = first.another_cluster().await;
        second.run();
        let other = second.create::<CertificateOrder>(manifest).await;
        assert_eq!(one.spec, other.spec);
        assert_ne!(one.uid(), other.uid());
        second.until_is("www", "Submitted", "True", "Adopted").await;
        let watches = [SecretWatch::start(&first), SecretWatch::start(&second)];
        issue(&first, first.certificate());
        let case = format!("{} {key:?} {renewal}", kind.names().cloud);
        let pair = Self { first, second, watches, key, case };
        until_current(&pair.first, pair.first.certificate()).await;
        pair.tells_the_truth().await;
        pair
    }

    /// Lets the time pass until so many days before the end of the certificate in use, while nobody looks.
    async fn pass_until(&mut self, left: i64) -> jiff::SignedDuration {
        let end = self.first.status("www").await.not_after.unwrap().0;
        self.first.kill();
        self.second.kill();
        let ahead = ahead_at(end) - days(left);
        // The cloud is that of both.
        self.first.turn_clocks(ahead);
        ahead
    }

    /// Asks both for a pass, and waits until they are on this certificate as far as each can be.
    async fn settle_on(&mut self, id: &str) {
        self.second.poke("www").await;
        let has_it = |status: &CertificateOrderStatus| {
            let current = status.current.as_ref().map(|current| current.certificate_id.as_str());
            let ready = condition(status, "Ready");
            current == Some(id) && ready == Some(("True".into(), "Issued".into()))
        };
        self.first.until("www", "on the successor", has_it).await;
        if self.key == Key::Cloud {
            self.second.until("www", "on the successor", has_it).await;
        } else {
            self.tells_the_truth().await;
        }
        self.check().await;
    }

    /// Whether the second cluster says of the present certificate what is so.
    async fn tells_the_truth(&self) {
        if self.key == Key::Cloud {
            self.second.until_is("www", "Ready", "True", "Issued").await;
            return;
        }
        let status = self.second.until_is("www", "Ready", "False", "KeyNotHeld").await;
        let says = message(&status, "Ready");
        assert!(says.contains("does not hand over its private key") && says.contains("www-key"), "{says}");
        assert_eq!(condition(&status, "SecretSynced"), Some(("False".into(), "KeyNotHeld".into())));
        assert_eq!(condition(&status, "Stalled"), Some(("True".into(), "KeyNotHeld".into())));
        let secret = self.second.api_of::<Secret>().get_opt("www-tls").await.unwrap();
        assert_eq!(secret.map(|secret| secret.name_any()), None, "{}", self.case);
        assert!(made(&self.second).await.is_empty(), "{}", self.case);
    }

    /// The certificate of before is over: one cluster has its successor, and the other one says why it does not.
    async fn outlives_the_first(&mut self) {
        let ahead = self.first.ahead() + days(26);
        self.first.kill();
        self.second.kill();
        self.first.run_ahead(ahead);
        self.second.run_ahead(ahead);
        self.first.poke("www").await;
        self.first.until_is("www", "Ready", "True", "Issued").await;
        self.second.poke("www").await;
        if self.key == Key::Cloud {
            self.second.until_is("www", "Ready", "True", "Issued").await;
        } else {
            let says_why = |status: &CertificateOrderStatus| {
                let says = message(status, "ActionRequired");
                says.contains("key") && says.contains("not in the cluster")
            };
            let status = self.second.until("www", "without its key", says_why).await;
            assert_eq!(
                condition(&status, "Ready"),
                Some(("False".into(), "Expired".into())),
                "{}",
                self.case
            );
        }
        self.check().await;
    }

    async fn check(&mut self) {
        let [first, second] = &mut self.watches;
        first.check(&self.first, &self.case).await;
        second.check(&self.second, &self.case).await;
        assert!(secret_fits(&self.first, self.first.now()).await, "{}", self.case);
        assert_eq!(self.first.made(self.first.kind.submit()), 1, "{}", self.case);
    }
}

async fn a_successor_that_the_cloud_filed_is_handed_in_by_neither_cluster(kind: Kind) {
    for key in [Key::InCluster, Key::Cloud] {
        let mut pair = Box::pin(Pair::issued(kind, key, &Value::Null)).await;
        let ahead = pair.pass_until(25).await;
        let next = filed(&pair.first);
        pair.first.run_ahead(ahead);
        pair.second.run_ahead(ahead);
        pair.first.poke("www").await;
        made_with(&pair.first, &next, "Submitted", "True").await;
        pair.tells_the_truth().await;
        if key == Key::Cloud {
            pair.second.poke("www").await;
            made_with(&pair.second, &next, "Submitted", "True").await;
        }
        issue(&pair.first, &next);
        pair.settle_on(&next).await;
        assert_eq!(handed_in(&pair.first, &next), 0, "{}", pair.case);
    }
}

/// Which cluster looks first.
#[derive(Clone, Copy, Debug)]
enum Leads {
    First,
    Second,
}

/// Where the key is, what becomes of it, and who looks first.
const CASES: [(Key, &str, Leads); 4] = [
    (Key::InCluster, "Never", Leads::Second),
    (Key::InCluster, "Always", Leads::Second),
    (Key::Cloud, "Never", Leads::First),
    (Key::Cloud, "Never", Leads::Second),
];

/// Starts both operators, the second one once the first has done what it can.
async fn start(pair: &mut Pair, leads: Leads, ahead: jiff::SignedDuration) {
    match leads {
        Leads::First => {
            pair.first.run_ahead(ahead);
            pair.first.poke("www").await;
            until_running(&pair.first).await;
            pair.second.run_ahead(ahead);
            pair.second.poke("www").await;
        }
        Leads::Second => {
            pair.second.run_ahead(ahead);
            pair.second.poke("www").await;
            if pair.key == Key::Cloud {
                until_running(&pair.second).await;
            } else {
                pair.tells_the_truth().await;
            }
            pair.first.run_ahead(ahead);
            pair.first.poke("www").await;
        }
    }
    until_running(&pair.first).await;
    if pair.key == Key::Cloud {
        until_running(&pair.second).await;
    } else {
        pair.tells_the_truth().await;
    }
}

/// Waits until the successor is with the CA, and returns its id.
async fn until_running(world: &World) -> String {
    let runs = |status: &CertificateOrderStatus| {
        let successor = status.renewal.as_ref().and_then(|renewal| renewal.successor.as_ref());
        let phase = successor.and_then(|successor| successor.phase.as_deref());
        phase.is_some_and(|phase| !["Pending", "Submitting", "Submitted"].contains(&phase))
    };
    let status = world.until("www", "followed by a running order", runs).await;
    status.renewal.unwrap().successor.unwrap().certificate_id
}

#[tokio::test]
async fn a_successor_that_waits_for_its_application_is_handed_in_by_one_cluster_that_has_the_key() {
    for (key, rotation, leads) in CASES {
        let renewal = json!({ "rotationPolicy": rotation });
        let mut pair = Box::pin(Pair::issued(Kind::Tencent, key, &renewal)).await;
        pair.case = format!("{} {leads:?}", pair.case);
        let ahead = pair.pass_until(25).await;
        let waits = Succession { start: Start::Pending, ..Succession::default() };
        let head = pair.first.certificate();
        let next = pair.first.cloud.make_successor(head, Way::AutoRenewal, &waits).unwrap();
        start(&mut pair, leads, ahead).await;
        issue(&pair.first, &next);
        pair.settle_on(&next).await;
        pair.outlives_the_first().await;
        for call in Kind::Tencent.names().apply {
            assert_eq!(pair.first.calls_of(call, &next), 1, "{} {call}", pair.case);
        }
    }
}

#[tokio::test]
async fn a_reissue_is_asked_for_by_one_cluster_that_has_the_key() {
    for (key, rotation, leads) in CASES {
        let renewal = json!({"policy": "Reissue", "rotationPolicy": rotation});
        let mut pair = Box::pin(Pair::issued(Kind::Tencent, key, &renewal)).await;
        pair.case = format!("{} {leads:?}", pair.case);
        let ahead = pair.pass_until(45).await;
        start(&mut pair, leads, ahead).await;
        let next = until_running(&pair.first).await;
        issue(&pair.first, &next);
        pair.settle_on(&next).await;
        let all = pair.first.site.ledger();
        let asked = all.iter().filter(|call| call.action == "ReplaceCertificate").count();
        assert_eq!(asked, 1, "{}", pair.case);
        assert_eq!(handed_in(&pair.first, &next), 0, "{}", pair.case);
    }
}
