//! What the controller writes back into a `CertificateOrder`.
//!
//! Times are whole seconds, but for [`Intent::started_at`]: make them with [`seconds`] and [`micros`], or the
//! status that was written will not equal the status that is read back.

use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::renewal::{Current, RenewalStatus};
use super::schema::{any_object, conditions, tidy};

/// The observed state of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
// An object that no controller has seen yet must not look current to tools that compare generations (kstatus).
#[schemars(transform = tidy, extend("default" = {"observedGeneration": UNSEEN}))]
pub struct CertificateOrderStatus {
    /// The `metadata.generation` that this status describes; -1 until a controller has seen the object.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The cloud: TencentCloud or HuaweiCloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub provider: Option<String>,

    /// Where the order stands, in one word for people. Programs read the conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub phase: Option<String>,

    /// Id of the paid certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub certificate_id: Option<String>,

    /// Number of the order at the CA, once ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub order_id: Option<String>,

    /// The cloud's id of the call that it accepted the application with. Later calls do not replace it. Quote it
    /// when you ask the cloud's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub request_id: Option<String>,

    /// The last call that writes, or the first of a run of equal failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<LastRequest>,

    /// The application, from the intent to send it to its acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,

    /// What the cloud says of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<CloudState>,

    /// What the CA looks for to see that you control the names: add these records, or serve these files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub validation_records: Vec<ValidationRecord>,

    /// Of an order that certorder made for a successor: the order of the user that it renews.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub renewal_of: Option<String>,

    /// The certificate that the order has now, once it is issued: its own, or the last one that took its place. The dates of
    /// the status and what the cloud says are this one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Box<Current>>,

    /// How far the renewal of the certificate is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Box<RenewalStatus>>,

    /// Begin of the certificate's validity: as the certificate itself says, once it was fetched for `secretName`; until
    /// then, and without `secretName`, as the cloud says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,

    /// End of the certificate's validity: as the certificate itself says, once it was fetched for `secretName`; until
    /// then, and without `secretName`, as the cloud says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,

    /// Id of the certificate that took the place of this one at the cloud: its reissue or its renewal, never the one that
    /// it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub replaced_by: Option<String>,

    /// With mode Plan: what would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,

    /// The value of the annotation `certorder.dev/reconcile-at` that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,

    /// The value of the annotation `certorder.dev/resubmit-at` that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_resubmit_at: Option<String>,

    /// What is the case, one entry for each type: `Ready`, `Reconciling`, `Stalled`, `Submitted`, `Ordered`, `Issued`,
    /// `SecretSynced`, `Renewing`, `ActionRequired`, `Planned`, `Suspended`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
}

/// `observedGeneration` of an object that no controller has seen.
pub(super) const UNSEEN: i64 = -1;

pub(super) fn unseen() -> i64 {
    UNSEEN
}

impl Default for CertificateOrderStatus {
    fn default() -> Self {
        Self {
            observed_generation: UNSEEN,
            provider: None,
            phase: None,
            certificate_id: None,
            order_id: None,
            request_id: None,
            last_request: None,
            submission: None,
            cloud: None,
            renewal_of: None,
            current: None,
            renewal: None,
            validation_records: Vec::new(),
            not_before: None,
            not_after: None,
            replaced_by: None,
            plan: None,
            last_handled_reconcile_at: None,
            last_handled_resubmit_at: None,
            conditions: Vec::new(),
        }
    }
}

/// A call that writes at the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRequest {
    /// The cloud's name of the call, for example `CertificateInfoSubmit`.
    #[schemars(length(max = 128))]
    pub action: String,

    /// The cloud's id of the call, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub request_id: Option<String>,

    /// When the call was made.
    pub time: Time,

    /// How the call ended, in one word.
    #[schemars(length(max = 64))]
    pub outcome: String,

    /// The cloud's error code, if it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub code: Option<String>,
}

/// The application for the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// Whether what the application says cannot be edited now. True from the intent to send it; false again once
    /// it was refused, rejected, cancelled or withdrawn.
    #[serde(default)]
    pub frozen: bool,

    /// A keyed hash of the application that the cloud accepted, `hmac-sha256:<key id>:<hex>`, so that nothing of it can be
    /// found by trying; the key is in the Secret `certorder-payload-key` beside the claims. Of key passwords and identity
    /// numbers only their presence counts. Version 0.1.0 stored `sha256:<hex>`, which is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub payload_hash: Option<String>,

    /// A call that is being made: stored before the call, removed with its outcome. Where it stays, a process
    /// died in between, and the cloud is asked what became of the call before another one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// When the cloud accepted the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Time>,

    /// When the order was sent to the CA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered_at: Option<Time>,

    /// How often the order was started over after it was rejected, cancelled or withdrawn.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0))]
    pub resubmissions: i64,

    /// When the present attempt began, if it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_over_at: Option<Time>,

    /// When the signed letter was handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter_sent_at: Option<Time>,

    /// Whether the order was found at the cloud and taken over, not sent by this object.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A call that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Number of the attempt, from 1.
    #[schemars(range(min = 1))]
    pub attempt: i64,

    /// The cloud's name of the call, for example `CertificateOrderSubmit`.
    #[schemars(length(max = 128))]
    pub action: String,

    /// A keyed hash of what the call sends, made as for the submission; absent for a call that sends no application.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub payload_hash: Option<String>,

    /// The process that makes the call.
    #[schemars(length(max = 128))]
    pub holder: String,

    /// When the intent was stored.
    pub started_at: MicroTime,

    /// No call of this intent begins later than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin_by: Option<MicroTime>,

    /// The value of the annotation `certorder.dev/resubmit-at` that the call acts on, where the application itself
    /// begins another attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub resubmit_at: Option<String>,
}

/// What the cloud says of the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudState {
    /// The cloud's status, as it sent it: a number at Tencent, a word at Huawei.
    #[schemars(length(max = 64))]
    pub status: String,

    /// What the cloud or the CA adds in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub message: Option<String>,

    /// Since when this status was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// Something that the CA looks for to see that you control a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationRecord {
    /// The domain that this proves control of.
    #[schemars(length(max = 253))]
    pub domain: String,

    /// Type of the DNS record (TXT or CNAME), or FILE.
    #[serde(rename = "type")]
    #[schemars(length(max = 32))]
    pub type_: String,

    /// Full name of the DNS record, or URL of the file.
    #[schemars(length(max = 2048))]
    pub name: String,

    /// Value of the DNS record, or content of the file.
    #[schemars(length(max = 4096))]
    pub value: String,

    /// What the cloud last found when it looked, if it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub check: Option<String>,
}

/// What would be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The cloud's name of the next call.
    #[schemars(length(max = 128))]
    pub action: String,

    /// The body of the call, with secrets and personal data blanked.
    #[serde(default)]
    #[schemars(schema_with = "any_object")]
    pub request: Map<String, Value>,

    /// What happens after that call.
    #[schemars(length(max = 1024))]
    pub next: String,
}

/// A time as a status stores it: whole seconds, rounded down.
#[must_use]
pub fn seconds(time: Timestamp) -> Time {
    Time(floor(time, Unit::Second))
}

/// A time as [`Intent::started_at`] stores it: whole microseconds, rounded down.
#[must_use]
pub fn micros(time: Timestamp) -> MicroTime {
    MicroTime(floor(time, Unit::Microsecond))
}

fn floor(time: Timestamp, unit: Unit) -> Timestamp {
    let round = jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Floor);
    // Rounding fails only at the far end of what a timestamp can hold.
    time.round(round).unwrap_or(time)
}
