//! The clouds, as a user names them: which paid certificate, and what only that cloud knows.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::SecretKeySelector;
use super::schema::{CERTIFICATE_ID_PATTERN, EMAIL_PATTERN, OBJECT_NAME_PATTERN, REGION_PATTERN, immutable};
use crate::api::Personal;

/// The cloud that sold the certificate. Exactly one block is set, and it never changes to another one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.tencentCloud) != has(self.huaweiCloud)")
    .message("set exactly one of tencentCloud and huaweiCloud"))]
// A rule on `certificateId` alone could be got round by swapping the block and back.
#[x_kube(validation = Rule::new("has(self.tencentCloud) == has(oldSelf.tencentCloud)")
    .message("an order stays with its cloud; create a new CertificateOrder for a certificate of another one")
    .reason(Reason::FieldValueForbidden))]
pub struct Provider {
    /// A paid certificate of Tencent Cloud SSL Certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tencent_cloud: Option<TencentCloudOrder>,

    /// A paid certificate of Huawei Cloud SSL Certificate Manager (SCM, part of CCM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub huawei_cloud: Option<HuaweiCloudOrder>,
}

impl Provider {
    /// The Secret with the password of the archives that the cloud packs, where the cloud packs any.
    #[must_use]
    pub fn key_password_secret_ref(&self) -> Option<&SecretKeySelector> {
        self.tencent_cloud.as_ref()?.key_password_secret_ref.as_ref()
    }

    /// The Secret with the signed letter, where the cloud takes one.
    #[must_use]
    pub fn confirmation_letter_secret_ref(&self) -> Option<&SecretKeySelector> {
        self.tencent_cloud.as_ref()?.confirmation_letter_secret_ref.as_ref()
    }

    /// The fields in which an order may name algorithms in the cloud's own words, with what it says there.
    pub fn algorithm_choices(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let block = self.tencent_cloud.as_ref();
        let fields = [
            (
                "spec.provider.tencentCloud.signAlgorithm",
                block.and_then(|block| block.sign_algorithm.as_deref()),
            ),
            ("spec.provider.tencentCloud.caType", block.and_then(|block| block.ca_type.as_deref())),
        ];
        fields.into_iter().filter_map(|(field, value)| Some((field, value?)))
    }

    /// The Secret to write for the cloud's own ingress, and the key under which it reads the certificate's id.
    #[must_use]
    pub fn certificate_id_secret(&self) -> Option<(&str, &'static str)> {
        Some((self.tencent_cloud.as_ref()?.tke_secret_name.as_deref()?, "qcloud_cert_id"))
    }
}

/// A paid certificate of Tencent Cloud, and the parameters of `CertificateInfoSubmit` that only Tencent has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TencentCloudOrder {
    /// Id of the paid certificate, as the console shows it. Becomes `CertId` and `CertificateId`.
    ///
    /// Fixed: one order stands for one paid certificate. Create a new `CertificateOrder` for another one.
    #[schemars(length(min = 1, max = 64), regex(pattern = CERTIFICATE_ID_PATTERN))]
    #[x_kube(validation = immutable("certificateId"))]
    pub certificate_id: String,

    /// The site that holds the account: International (ssl.intl.tencentcloudapi.com) or China
    /// (ssl.tencentcloudapi.com). Fixed, since a certificate id is unknown to the other site.
    #[serde(default)]
    #[x_kube(validation = immutable("site"))]
    pub site: TencentSite,

    /// Who applies. Becomes `CompanyType`: Personal is 1 (DV products only), Company is 2 (all products).
    ///
    /// Default: Company when `organizationProfileRef` is set, else Personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_type: Option<CompanyType>,

    /// E-mail address for an application of type Personal. Becomes `ContactEmail`.
    ///
    /// Default: the e-mail address of the profile's administrator, where a profile is referenced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254), regex(pattern = EMAIL_PATTERN))]
    pub contact_email: Option<Personal>,

    /// Whether Tencent Cloud renews the certificate by itself. Becomes `AutoRenewFlag`; the cloud's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,

    /// The CA behind a certificate of the DNSPod series: `sectigo` or `digicert`. Becomes `CaType`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub ca_type: Option<String>,

    /// Signature algorithm. Becomes `SignAlgo`, as written; Tencent Cloud documents no values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub sign_algorithm: Option<String>,

    /// Whether the chain goes through a cross-signed root. Becomes `UseCrossSignRoot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_cross_sign_root: Option<bool>,

    /// Certificate type. Becomes `Type`, as written; Tencent Cloud documents no values.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65535))]
    pub type_: Option<i32>,

    /// Password that protects the JKS and PFX files that the cloud packs. Becomes `KeyPass`.
    ///
    /// The Secret must carry the label `certorder.dev/readable: "true"`, since its content is sent to the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_password_secret_ref: Option<SecretKeySelector>,

    /// Signed confirmation letter (JPG, PNG or PDF, 1 KiB to 1 MiB), uploaded once when the cloud waits for it
    /// (status 8). Becomes `ConfirmLetter` of `UploadConfirmLetter`.
    ///
    /// The Secret may be created later, but must carry the label `certorder.dev/readable: "true"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_letter_secret_ref: Option<SecretKeySelector>,

    /// Name of an Opaque Secret to write with the id of the issued certificate under `qcloud_cert_id`, the form
    /// that the ingress controller of Tencent Kubernetes Engine reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT_NAME_PATTERN))]
    pub tke_secret_name: Option<String>,
}

/// A site of Tencent Cloud: separate accounts, separate hosts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
pub enum TencentSite {
    /// tencentcloud.com
    #[default]
    International,
    /// cloud.tencent.com
    China,
}

/// Who applies for a certificate at Tencent Cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CompanyType {
    /// A person; DV products only, no organisation data.
    Personal,
    /// An organisation; every product.
    Company,
}

/// A paid certificate of Huawei Cloud, and the parameters of its application that only Huawei has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HuaweiCloudOrder {
    /// Id of the paid certificate (`scs` and 13 digits), part of the path of every call.
    ///
    /// Fixed: one order stands for one paid certificate. Create a new `CertificateOrder` for another one.
    #[schemars(length(min = 1, max = 64), regex(pattern = CERTIFICATE_ID_PATTERN))]
    #[x_kube(validation = immutable("certificateId"))]
    pub certificate_id: String,

    /// Code of the region that serves SCM for the account, for example `ap-southeast-1` or `cn-north-4`.
    /// It selects the host of every call. Fixed, since a certificate id is unknown to other regions.
    #[schemars(length(min = 4, max = 64), regex(pattern = REGION_PATTERN))]
    #[x_kube(validation = immutable("region"))]
    pub region: String,

    /// Whether Huawei Cloud puts the validation record into its own DNS service. Becomes `auto_dns_auth`.
    ///
    /// Works only where the zone is hosted there and the account may change it.
    #[serde(default)]
    pub auto_dns_auth: bool,

    /// Consent to the cloud's privacy statement. Becomes `agree_privacy_protection`.
    ///
    /// Huawei Cloud takes no application without it, and nobody but the user can give it.
    #[x_kube(validation = Rule::new("self")
        .message("Huawei Cloud takes an application only with agreePrivacyProtection: true; \
                  read its privacy statement and set it"))]
    pub agree_privacy_protection: bool,

    /// Hash algorithm of the CA's signature. Becomes `ca_hash_algorithm`, which `GeoTrust` OV products need: `DEFAULT` is
    /// sent for those if this is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_hash_algorithm: Option<CaHashAlgorithm>,
}

/// Hash algorithm of the CA's signature at Huawei Cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CaHashAlgorithm {
    /// What the CA uses by itself.
    #[serde(rename = "DEFAULT")]
    Default,
    /// SHA-256 up to the root.
    #[serde(rename = "SHA-256")]
    Sha256,
}
