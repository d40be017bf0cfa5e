//! Renewal: what a user may choose, and how far it is.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{
    CERTIFICATE_ID_PATTERN, DURATION_PATTERN, annotations, keys_fit, labels, no_keys_of_ours,
};

/// How the certificate is kept valid. Everything here can be edited at any time.
///
/// No cloud renews a certificate within its paid term on request. The cloud makes a successor by itself (a subscription, a
/// plan of several years, an automatic renewal), or a person has it made in the console; certorder finds it, carries it to
/// its issue by an order of its own, and swaps the Secret. Nothing is ever bought, cancelled, revoked or deleted for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Renewal {
    /// Follow: take the successor that the cloud makes or that somebody has made. Reissue (Tencent Cloud): the same, and
    /// where there is none once it is time, ask the cloud once to reissue the certificate. None: do nothing.
    #[serde(default)]
    pub policy: RenewalPolicy,

    /// How long before the end of the certificate its renewal begins, such as `720h`. By default a third of the
    /// certificate's life, and at least 10 days for DV, 20 for OV and 30 for EV products; with policy Reissue at least 40
    /// days, or 33 for certificates that live 60 days or less. At most nine tenths of the certificate's life count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = DURATION_PATTERN))]
    pub before: Option<String>,

    /// Never: the successor has the key of its predecessor. Always: it has a key of its own, where certorder makes its
    /// certificate signing request.
    #[serde(default)]
    pub rotation_policy: RotationPolicy,

    /// Id of the successor, where it has to be named: at Huawei Cloud before anything is applied for, since a certificate
    /// that waits for its application could have been bought for something else, and where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = CERTIFICATE_ID_PATTERN))]
    pub certificate_id: Option<String>,

    /// Labels and annotations of the orders that certorder makes for successors. Nothing else of this order's metadata is
    /// copied to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<SuccessorTemplate>,
}

impl Renewal {
    /// How long before the end the user wants it to begin.
    #[must_use]
    pub fn before(&self) -> Option<Duration> {
        let text = self.before.as_deref()?;
        let span: jiff::SignedDuration = text.parse().ok()?;
        Duration::try_from(span).ok()
    }
}

/// Labels and annotations of the orders that certorder makes for successors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = no_keys_of_ours(", so leave them out of renewal.template"))]
#[x_kube(validation = keys_fit())]
pub struct SuccessorTemplate {
    /// Labels to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    pub labels: BTreeMap<String, String>,

    /// Annotations to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// What is done to keep the certificate valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RenewalPolicy {
    /// Take the successor that the cloud makes, or that somebody has made.
    #[default]
    Follow,
    /// Tencent Cloud: the same, and ask once for a reissue where there is none in time.
    Reissue,
    /// Nothing.
    None,
}

/// Which key a successor has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RotationPolicy {
    /// The key of its predecessor.
    #[default]
    Never,
    /// A key of its own.
    Always,
}

/// The certificate that the order has now: its own, or the last one that took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Its id at the cloud.
    #[schemars(length(max = 64))]
    pub certificate_id: String,

    /// Begin of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,

    /// End of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

/// How far the renewal is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenewalStatus {
    /// Where it stands, in one word for people: `Scheduled`, `Searching`, `InProgress` or `Blocked`.
    #[schemars(length(max = 64))]
    pub phase: String,

    /// When the renewal of the current certificate begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,

    /// The certificate that is to take the place of the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<Successor>,

    /// The ids of the certificates that the order has had, the first one first; the last one is the current one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)))]
    pub chain: Vec<String>,

    /// A reissue that is being asked for: stored before the call, removed with its outcome. Where it stays, a process died in
    /// between, and the cloud is asked what became of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<RenewalIntent>,

    /// The ids of certificates that were to take the place of another one and end no later: they are left aside, and no
    /// reissue is asked for while there are any. Emptied once a certificate that ends later takes the place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 64)))]
    pub did_not_extend: Vec<String>,
}

/// A certificate that is to take the place of another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Successor {
    /// Its id at the cloud.
    #[schemars(length(max = 64))]
    pub certificate_id: String,

    /// The `CertificateOrder` that carries it to its issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub order: Option<String>,

    /// The phase of that order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub phase: Option<String>,

    /// End of its validity, once it is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

/// A reissue that is being asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenewalIntent {
    /// Number of the attempt, from 1.
    #[schemars(range(min = 1))]
    pub attempt: i64,

    /// The cloud's name of the call.
    #[schemars(length(max = 128))]
    pub action: String,

    /// The process that makes the call.
    #[schemars(length(max = 128))]
    pub holder: String,

    /// When the intent was stored.
    pub started_at: MicroTime,

    /// No call of this intent begins later than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin_by: Option<MicroTime>,

    /// The ids that the cloud showed as successors before the call: none of them is its result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 64)))]
    pub baseline: Vec<String>,

    /// SHA-256 of the public key that the call asks for, as `sha256:<hex>`; absent where the cloud keeps the request that it
    /// has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub public_key_hash: Option<String>,
}
