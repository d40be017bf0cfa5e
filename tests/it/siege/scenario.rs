//! What happens to an order: what its user and the CA do.

use std::sync::Arc;

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::cloud::Cloud;
use crate::fixtures;

/// What happens to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Course {
    /// The CA issues.
    Issued,
    /// The CA rejects, the user requests another attempt without an edit, the CA issues.
    Rejected,
    /// The CA rejects, the user corrects the name, the CA issues.
    Corrected,
    /// The user stops the review, and then orders again; the CA issues.
    Withdrawn,
    /// The user deletes the order, with `deletionPolicy: Cancel`, while the CA works.
    Deleted,
}

/// Where the key of an order comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    /// The operator generates it.
    InCluster,
    /// The cloud generates it.
    Cloud,
    /// The user provides a CSR.
    Own,
}

/// A kind of order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderKind {
    pub(crate) course: Course,
    pub(crate) key: Key,
    pub(crate) organisation: bool,
    pub(crate) letter: bool,
}

const fn kind(course: Course, key: Key, organisation: bool, letter: bool) -> OrderKind {
    OrderKind { course, key, organisation, letter }
}

/// Every kind of order.
pub(crate) const KINDS: [OrderKind; 8] = [
    kind(Course::Issued, Key::InCluster, false, false),
    kind(Course::Issued, Key::Cloud, false, false),
    kind(Course::Issued, Key::Own, true, false),
    kind(Course::Issued, Key::InCluster, true, true),
    kind(Course::Rejected, Key::InCluster, false, false),
    kind(Course::Corrected, Key::InCluster, true, false),
    kind(Course::Withdrawn, Key::Cloud, true, false),
    kind(Course::Deleted, Key::InCluster, false, false),
];

/// The id of the certificate with this number. Huawei Cloud requires 16 letters and digits.
pub(crate) fn id(number: usize) -> String {
    format!("siege{number:011}")
}

/// One order, and what happened to it so far.
pub(crate) struct Scenario {
    pub(crate) kind: OrderKind,
    pub(crate) cloud: Arc<dyn Cloud>,
    /// The certificate.
    pub(crate) id: String,
    /// The order.
    pub(crate) name: String,
    /// The installation whose order has the certificate, as last seen.
    pub(crate) place: usize,
    /// Its current common name.
    pub(crate) common_name: String,
    csr: Option<String>,
    /// The first attempt is over: rejected, or withdrawn.
    pub(crate) is_second: bool,
    /// The user has deleted it for good.
    pub(crate) is_deleted: bool,
    /// Its status was wiped, or it was deleted and applied again.
    pub(crate) lost_status: bool,
    /// How often its user had to find out the outcome of a call.
    pub(crate) unknown: usize,
}

impl Scenario {
    /// Buys a certificate and builds an order for it, which is not applied yet.
    pub(crate) fn new(kind: OrderKind, cloud: &Arc<dyn Cloud>, number: usize) -> Self {
        let id = id(number);
        let name = format!("o{number}");
        let common_name = format!("{name}.acme.example");
        let kind = OrderKind { letter: kind.letter && cloud.wants_letters(), ..kind };
        cloud.buy(&id, kind.organisation, kind.letter);
        let csr = (kind.key == Key::Own)
            .then(|| fixtures::csr_of(&KeyPair::generate().unwrap(), &[common_name.as_str()]));
        let cloud = Arc::clone(cloud);
        let (is_second, is_deleted, lost_status, unknown) = (false, false, false, 0);
        let place = 0;
        Self { kind, cloud, id, name, place, common_name, csr, is_second, is_deleted, lost_status, unknown }
    }

    /// The name that a user who corrects the order gives it.
    pub(crate) fn corrected_name(&self) -> String {
        format!("corrected.{}.acme.example", self.name)
    }

    /// The Secret that the certificate goes to.
    pub(crate) fn secret(&self) -> String {
        format!("{}-tls", self.name)
    }

    /// How many attempts it takes.
    pub(crate) fn attempts(&self) -> usize {
        match self.kind.course {
            Course::Issued | Course::Deleted => 1,
            Course::Rejected | Course::Corrected | Course::Withdrawn => 2,
        }
    }

    /// Whether the scenario ends the same after a lost status: deleting an order that was only adopted cancels nothing.
    pub(crate) fn may_lose_status(&self) -> bool {
        self.kind.course != Course::Deleted
    }

    /// Whether several orders may be for its certificate: whoever has it hands in the same application.
    pub(crate) fn may_be_shared(kind: OrderKind) -> bool {
        kind.course == Course::Issued && kind.key != Key::InCluster
    }

    /// The manifest of the order.
    pub(crate) fn manifest(&self) -> Value {
        let OrderKind { key, organisation, letter, course } = self.kind;
        let mut spec = json!({
            "provider": self.cloud.provider(&self.id, organisation, letter),
            "credentialsRef": {"name": self.cloud.credentials()["metadata"]["name"]},
            "commonName": self.common_name,
            "secretName": self.secret(),
            "deletionPolicy": if course == Course::Deleted { "Cancel" } else { "Retain" },
        });
        match key {
            Key::InCluster => spec["privateKey"] = json!({"algorithm": "ECDSA"}),
            Key::Cloud => spec["privateKey"] = json!({"source": "Cloud", "algorithm": "ECDSA"}),
            Key::Own => spec["csr"] = json!(self.csr),
        }
        if organisation || self.cloud.wants_applicant() {
            spec["organizationProfileRef"] = json!({"name": "acme"});
        }
        json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"name": self.name}, "spec": spec,
        })
    }
}
