//! What an order goes through, as its user and the CA will it.

use std::sync::Arc;

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::cloud::Cloud;
use crate::fixtures;

/// How the story of an order goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plot {
    /// The CA issues.
    Issued,
    /// The CA rejects, the user asks for another attempt as it is, the CA issues.
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
    /// The operator makes it.
    InCluster,
    /// The cloud makes it.
    Cloud,
    /// The user brings a CSR.
    Own,
}

/// A kind of order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) plot: Plot,
    pub(crate) key: Key,
    pub(crate) organisation: bool,
    pub(crate) letter: bool,
}

const fn script(plot: Plot, key: Key, organisation: bool, letter: bool) -> Script {
    Script { plot, key, organisation, letter }
}

/// Every kind of order that a siege has.
pub(crate) const SCRIPTS: [Script; 8] = [
    script(Plot::Issued, Key::InCluster, false, false),
    script(Plot::Issued, Key::Cloud, false, false),
    script(Plot::Issued, Key::Own, true, false),
    script(Plot::Issued, Key::InCluster, true, true),
    script(Plot::Rejected, Key::InCluster, false, false),
    script(Plot::Corrected, Key::InCluster, true, false),
    script(Plot::Withdrawn, Key::Cloud, true, false),
    script(Plot::Deleted, Key::InCluster, false, false),
];

/// The certificate of this number. Huawei Cloud wants 16 letters and digits.
pub(crate) fn id(number: usize) -> String {
    format!("siege{number:011}")
}

/// One order, and what happened to it so far.
pub(crate) struct Life {
    pub(crate) script: Script,
    pub(crate) cloud: Arc<dyn Cloud>,
    /// The certificate.
    pub(crate) id: String,
    /// The order.
    pub(crate) name: String,
    /// Its common name by now.
    pub(crate) common_name: String,
    csr: Option<String>,
    /// The first attempt is over: rejected, or withdrawn.
    pub(crate) is_second: bool,
    /// The user has deleted it for good.
    pub(crate) is_deleted: bool,
    /// Its status was wiped, or it was deleted and applied again.
    pub(crate) lost_status: bool,
    /// How often its user had to find out what became of a call.
    pub(crate) unknown: usize,
}

impl Life {
    /// Buys a certificate and writes an order for it, which is still to be applied.
    pub(crate) fn new(script: Script, cloud: &Arc<dyn Cloud>, number: usize) -> Self {
        let id = id(number);
        let name = format!("o{number}");
        let common_name = format!("{name}.acme.example");
        let script = Script { letter: script.letter && cloud.wants_letters(), ..script };
        cloud.buy(&id, script.organisation, script.letter);
        let csr = (script.key == Key::Own)
            .then(|| fixtures::csr_of(&KeyPair::generate().unwrap(), &[common_name.as_str()]));
        let cloud = Arc::clone(cloud);
        let (is_second, is_deleted, lost_status, unknown) = (false, false, false, 0);
        Self { script, cloud, id, name, common_name, csr, is_second, is_deleted, lost_status, unknown }
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
        match self.script.plot {
            Plot::Issued | Plot::Deleted => 1,
            Plot::Rejected | Plot::Corrected | Plot::Withdrawn => 2,
        }
    }

    /// Whether a lost status leads to the same end: what was only taken over is not cancelled by its deletion.
    pub(crate) fn may_lose_status(&self) -> bool {
        self.script.plot != Plot::Deleted
    }

    /// The order as its user writes it.
    pub(crate) fn manifest(&self) -> Value {
        let Script { key, organisation, letter, plot } = self.script;
        let mut spec = json!({
            "provider": self.cloud.provider(&self.id, organisation, letter),
            "credentialsRef": {"name": self.cloud.credentials()["metadata"]["name"]},
            "commonName": self.common_name,
            "secretName": self.secret(),
            "deletionPolicy": if plot == Plot::Deleted { "Cancel" } else { "Retain" },
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
