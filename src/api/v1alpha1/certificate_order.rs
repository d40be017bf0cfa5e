//! `CertificateOrder`: one paid certificate, from the application to the TLS Secret.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::{KeySource, Keystores, PrivateKey};
use super::provider::Provider;
use super::references::{LocalObjectReference, SecretKeySelector};
use super::renewal::Renewal;
use super::schema::{
    DNS_NAME_HINT, DNS_NAME_PATTERN, OBJECT_NAME_PATTERN, annotations, frozen, keys_fit, labels, names_fit,
    no_keys_of_ours, tidy,
};
use super::status::CertificateOrderStatus;

/// What a user asks for.
///
/// While `status.submission.frozen` is true, what the application says cannot be edited: a change would not reach
/// the CA, and the status would describe an order that nobody sent.
///
/// Annotations ask for something once: `certorder.dev/reconcile-at: <any text>` to look now,
/// `certorder.dev/resubmit-at: <RFC 3339, at most 1 h old>` for another attempt after one that ended,
/// `certorder.dev/withdraw: <certificate id>` to stop a running review, `certorder.dev/confirm-revoke: <certificate
/// id>` to let deletionPolicy Revoke act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "certorder.dev",
    version = "v1alpha1",
    kind = "CertificateOrder",
    plural = "certificateorders",
    shortname = "certorder",
    category = "certorders",
    namespaced,
    status = "CertificateOrderStatus",
    derive = "PartialEq",
    cel,
    doc = "An order of one paid SSL certificate at a cloud: it submits the application, follows the review and \
           writes the issued certificate into a Secret.",
    selectable = ".spec.credentialsRef.name",
    selectable = ".spec.organizationProfileRef.name",
    selectable = ".spec.provider.tencentCloud.certificateId",
    selectable = ".spec.provider.huaweiCloud.certificateId",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Provider", type_ = "string", json_path = ".status.provider"),
    printcolumn(name = "Certificate", type_ = "string", json_path = ".status.certificateId",
        description = "Id of the paid certificate"),
    // A string: kubectl prints a date of the future as <invalid>.
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.notAfter"),
    printcolumn(name = "Renews", type_ = "string", json_path = ".status.renewalOf",
        description = "The order that this one renews: certorder made it"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Reason", type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#, priority = 1),
    printcolumn(name = "Common-Name", type_ = "string", json_path = ".spec.commonName", priority = 1),
    printcolumn(name = "Order", type_ = "string", json_path = ".status.orderId",
        description = "Number of the order at the CA", priority = 1),
    printcolumn(name = "Request", type_ = "string", json_path = ".status.requestId",
        description = "The cloud's id of the accepted application", priority = 1),
    printcolumn(name = "Secret", type_ = "string", json_path = ".spec.secretName", priority = 1),
    validation = frozen(),
    validation = names_fit("size(self.metadata.name) <= 249", &[],
        "the name of the order leaves no room for that of the Secret with its key, NAME-key: take at most 249 characters"),
    validation = names_fit("!has(self.spec.secretName) || self.spec.secretName != self.metadata.name + '-key'",
        &["spec.secretName"],
        "secretName is the Secret that is kept for the key of this order, NAME-key: choose another name")
        .field_path(".spec.secretName"),
    validation = names_fit("!has(self.spec.provider.tencentCloud) || !has(self.spec.provider.tencentCloud.tkeSecretName) \
        || (self.spec.provider.tencentCloud.tkeSecretName != self.metadata.name + '-key' \
        && (!has(self.spec.secretName) || self.spec.provider.tencentCloud.tkeSecretName != self.spec.secretName))",
        &["spec.secretName", "spec.provider.tencentCloud.tkeSecretName"],
        "tkeSecretName needs a Secret of its own: neither that of secretName, nor NAME-key, which is kept for the key")
        .field_path(".spec.provider")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = tidy)]
#[x_kube(validation = Rule::new("!has(self.csr) || !has(self.csrSecretRef)")
    .message("set csr or csrSecretRef, not both"))]
#[x_kube(validation = Rule::new("!has(self.privateKey) || (!has(self.csr) && !has(self.csrSecretRef))")
    .message("a CSR of your own brings its own key: leave out privateKey, or csr and csrSecretRef"))]
#[x_kube(validation = Rule::new("!has(self.privateKeySecretRef) || has(self.csr) || has(self.csrSecretRef)")
    .message("privateKeySecretRef is the key of your own CSR: set csr or csrSecretRef too"))]
#[x_kube(validation = Rule::new(
    "!has(self.provider.tencentCloud) || !has(self.privateKey) \
     || !has(self.privateKey.source) || self.privateKey.source != 'Cloud' \
     || !has(self.privateKey.size) || self.privateKey.size in [256, 2048, 4096]")
    .message("Tencent Cloud makes RSA keys of 2048 or 4096 bits and ECDSA keys of 256 bits; \
              take one of these, or source InCluster")
    .field_path(".privateKey.size"))]
#[x_kube(validation = Rule::new("!has(self.provider.tencentCloud) || self.validation.method != 'Email'")
    .message("Tencent Cloud validates by DNS or File")
    .field_path(".validation.method"))]
// Huawei Cloud offers FILE for certificates of IP addresses only, and those are not supported here.
#[x_kube(validation = Rule::new("!has(self.provider.huaweiCloud) || self.validation.method != 'File'")
    .message("Huawei Cloud validates domain names by DNS or Email")
    .field_path(".validation.method"))]
#[x_kube(validation = Rule::new("self.deletionPolicy != 'Revoke' || has(self.provider.tencentCloud)")
    .message("Huawei Cloud has no call that revokes a certificate; use Retain or Cancel, and revoke in its console")
    .field_path(".deletionPolicy"))]
#[x_kube(validation = Rule::new("!has(self.renewal) || !has(self.provider.huaweiCloud) || self.renewal.policy != 'Reissue'")
    .message("Huawei Cloud has no call that reissues a certificate; take Follow, or None")
    .field_path(".renewal.policy"))]
#[x_kube(validation = Rule::new("!has(self.renewal) || !has(self.renewal.certificateId) || \
    (!(has(self.provider.tencentCloud) && self.provider.tencentCloud.certificateId == self.renewal.certificateId) \
     && !(has(self.provider.huaweiCloud) && self.provider.huaweiCloud.certificateId == self.renewal.certificateId))")
    .message("renewal.certificateId names the successor, which is another certificate than that of spec.provider")
    .field_path(".renewal.certificateId"))]
pub struct CertificateOrderSpec {
    /// The cloud that sold the certificate, and which certificate it is.
    pub provider: Provider,

    /// Secret with the cloud's credentials, in the same namespace.
    ///
    /// Tencent Cloud: `secretId` and `secretKey`, and `token` for temporary credentials, or the names
    /// `TENCENTCLOUD_SECRET_ID`, `TENCENTCLOUD_SECRET_KEY`, `TENCENTCLOUD_TOKEN`. Huawei Cloud: `accessKey` and
    /// `secretKey`, optionally `securityToken` and `domainId`, or the names `HUAWEICLOUD_SDK_AK`,
    /// `HUAWEICLOUD_SDK_SK`; or `authToken`, an IAM token, alone.
    pub credentials_ref: LocalObjectReference,

    /// Common name of the certificate. Becomes `CertCommonName` at Tencent and `domain` at Huawei.
    ///
    /// Lower case, Punycode for international names, `*` only as the whole first label, no IP address.
    #[schemars(length(min = 3, max = 64), regex(pattern = DNS_NAME_PATTERN))]
    #[x_kube(validation = Rule::new("self.matches('^[-.*a-z0-9]*$')").message(DNS_NAME_HINT))]
    pub common_name: String,

    /// Further names of the certificate, for products that cover several. Becomes `DnsNames` at Tencent and
    /// `sans` at Huawei. The common name may be repeated here, and is then dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 3, max = 253), regex(pattern = DNS_NAME_PATTERN)))]
    #[x_kube(validation = Rule::new("self.all(name, name.matches('^[-.*a-z0-9]*$'))").message(DNS_NAME_HINT))]
    pub dns_names: Vec<String>,

    /// The organisation that applies, needed for OV and EV products. Becomes the `Org`, `Admin` and `Tech`
    /// parameters at Tencent, `company`, `applicant` and `contact` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_profile_ref: Option<LocalObjectReference>,

    /// The key that the certificate is for. Absent means RSA 2048, made in the cluster. Excludes an own CSR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKey>,

    /// Certificate signing request of your own, PEM. Becomes `Csr` at Tencent (`GenCsrType: parse`) and `csr` at
    /// Huawei, which takes at most 5120 characters; it is encoded anew before it is sent and counted, without what
    /// stands around it. Its one common name must be `commonName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16384))]
    pub csr: Option<String>,

    /// Certificate signing request of your own, PEM, in a Secret. Instead of `csr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csr_secret_ref: Option<SecretKeySelector>,

    /// Private key of your own CSR, PEM, for the TLS Secret. It is never sent to a cloud, and compared with the CSR before
    /// anything is sent. Without it the issued
    /// certificate is written to an Opaque Secret with `tls.crt` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_secret_ref: Option<SecretKeySelector>,

    /// How the CA checks that you control the names.
    #[serde(default)]
    pub validation: Validation,

    /// Secret of type kubernetes.io/tls to write once the certificate is issued. Without it the certificate stays
    /// at the cloud, and Ready follows Issued. A Secret that is not of this order is never overwritten, and nothing is sent
    /// while one is in the way, or while another order writes it. Entries that others add are left alone.
    ///
    /// `tls.crt` is the certificate and the CA certificates between it and its root, `tls.key` the private key. `ca.crt`
    /// is the root; it is there only where the cloud hands the root over, so do not count on it: clients have the root,
    /// and verify with their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT_NAME_PATTERN))]
    pub secret_name: Option<String>,

    /// Labels and annotations for the Secrets: keys without a prefix, those of `app.kubernetes.io/`, and those whose prefix
    /// the administrator allows; others are left off, and the condition `SecretTemplateAccepted` says so. The Secret with the
    /// key of the order has them from the beginning, but for those by which other programs copy Secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<SecretTemplate>,

    /// Further formats of key and certificate in the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystores: Option<Keystores>,

    /// How the certificate is kept valid. Without this block its successor is followed, as with policy Follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,

    /// What Ready=True waits for. Issued: the certificate, and its Secret where `secretName` is set. Ordered: that the
    /// order was sent to the CA, before people validate and review.
    #[serde(default)]
    pub ready_policy: ReadyPolicy,

    /// Apply sends the application. Plan shows the request in `status.plan`, redacted, and calls nothing that
    /// writes.
    #[serde(default)]
    pub mode: Mode,

    /// Whether to leave the order alone: while true, nothing is sent to the cloud. What runs at the CA runs on, and
    /// deletion is not held up.
    #[serde(default)]
    pub suspend: bool,

    /// What deleting this object does at the cloud. Retain: nothing. Cancel: stop a running review. Revoke (Tencent):
    /// the same, and revoke an issued certificate once the annotation `certorder.dev/confirm-revoke` names its id.
    ///
    /// What was paid for is never given up: a certificate whose review was stopped can be ordered again.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

impl CertificateOrderSpec {
    /// The key block, with the defaults of an absent one. Means nothing for an order with a CSR of its own.
    #[must_use]
    pub fn key(&self) -> PrivateKey {
        self.private_key.unwrap_or_default()
    }

    /// Whether certorder makes the key, in the cluster.
    #[must_use]
    pub fn makes_key(&self) -> bool {
        !self.has_own_csr() && self.key().source() == KeySource::InCluster
    }

    /// How the certificate is kept valid.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        self.renewal.clone().unwrap_or_default()
    }

    /// Whether the user brings a CSR.
    #[must_use]
    pub fn has_own_csr(&self) -> bool {
        self.csr.is_some() || self.csr_secret_ref.is_some()
    }
}

/// How the CA checks control of the names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// DNS: you add the record that `status.validationRecords` shows. File (Tencent): you serve a file. Email
    /// (Huawei, OV and EV): somebody answers a mail. Becomes `VerifyType` at Tencent, `domain_method` at Huawei.
    #[serde(default)]
    pub method: ValidationMethod,

    /// Whether to write the records as a `DNSEndpoint` too, from which external-dns creates them.
    #[serde(default)]
    pub dns_endpoint: bool,
}

/// How the CA checks control of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValidationMethod {
    /// A DNS record.
    #[default]
    DNS,
    /// A file under a path of the site.
    File,
    /// A mail to an address of the domain.
    Email,
}

/// Labels and annotations of the Secret that the certificate is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = no_keys_of_ours("; leave them out of secretTemplate"))]
#[x_kube(validation = keys_fit())]
pub struct SecretTemplate {
    /// Labels to set. One that is taken out here is removed again; labels that others set stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    pub labels: BTreeMap<String, String>,

    /// Annotations to set. One that is taken out here is removed again; annotations that others set stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// What Ready=True waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadyPolicy {
    /// The certificate is issued, and the Secret written where one is asked for.
    #[default]
    Issued,
    /// The order was sent to the CA.
    Ordered,
}

/// Whether anything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// Send the application.
    #[default]
    Apply,
    /// Only show it.
    Plan,
}

/// What deleting an order does at the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Nothing.
    #[default]
    Retain,
    /// Stop a running review. An issued certificate stays.
    Cancel,
    /// Stop a running review; revoke an issued certificate once the annotation `certorder.dev/confirm-revoke`
    /// names its id.
    Revoke,
}
