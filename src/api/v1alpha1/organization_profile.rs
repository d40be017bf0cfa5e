//! `OrganizationProfile`: an organisation and the people who answer for it, shared by many orders.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::provider::TencentSite;
use super::references::{LocalObjectReference, SecretKeySelector};
use super::schema::{EMAIL_PATTERN, conditions, tidy};
use super::status::{UNSEEN, unseen};
use crate::api::Personal;

/// What orders take from a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "certorder.dev",
    version = "v1alpha1",
    kind = "OrganizationProfile",
    plural = "organizationprofiles",
    shortname = "orgprof",
    category = "certorders",
    namespaced,
    status = "OrganizationProfileStatus",
    derive = "PartialEq",
    cel,
    doc = "An organisation and the people who answer for it: what a CA asks for when it reviews an OV or EV \
           certificate. Orders refer to it by name.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Resolved",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Resolved")].status"#
    ),
    printcolumn(
        name = "Approved",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Approved")].status"#
    ),
    printcolumn(
        name = "Company",
        type_ = "integer",
        json_path = ".status.tencentCloud.companyId",
        description = "Id of the company at Tencent Cloud"
    ),
    printcolumn(
        name = "Manager",
        type_ = "integer",
        json_path = ".status.tencentCloud.managerId",
        description = "Id of the administrator at Tencent Cloud"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = tidy)]
pub struct OrganizationProfileSpec {
    /// The organisation. Needed for OV and EV products, and for Tencent orders of type Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,

    /// Who answers for the organisation, and whom the CA calls: write the data here, or name a Secret with
    /// `fromSecret`. Becomes the `Admin` parameters at Tencent and `applicant` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Contact>,

    /// Whom the CA asks about technical matters. Becomes the `Tech` parameters at Tencent and `contact` at Huawei.
    ///
    /// Default: the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_contact: Option<Contact>,

    /// The profile saved in the console of Tencent Cloud. Orders that use it skip the review of the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tencent_cloud: Option<TencentCloudProfile>,
}

impl OrganizationProfileSpec {
    /// The Secret with the credentials of the account that holds a saved profile, where one is named.
    #[must_use]
    pub fn credentials_ref(&self) -> Option<&LocalObjectReference> {
        Some(&self.tencent_cloud.as_ref()?.credentials_ref)
    }
}

/// An organisation. Tencent Cloud wants every field but the identification, unless the id of a saved profile
/// stands for them; Huawei Cloud wants name, city, region and country, each of at most 63 characters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Full legal name. Becomes `OrgOrganization` at Tencent and `company_name` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,

    /// Department. Becomes `OrgDivision` at Tencent and `company_unit` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub division: Option<String>,

    /// Street address. Becomes `OrgAddress` at Tencent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub address: Option<String>,

    /// City. Becomes `OrgCity` at Tencent and `company_city` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub city: Option<String>,

    /// Province or state. Becomes `OrgRegion` at Tencent and `company_province` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub region: Option<String>,

    /// Country, as a two-letter code of ISO 3166 such as CN. Becomes `OrgCountry` at Tencent and `country` at
    /// Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 2), regex(pattern = "^[A-Z]{2}$"))]
    pub country: Option<String>,

    /// Phone number that the CA finds in public registers and calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,

    /// Registration document. Only for products of CFCA at Tencent Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identification: Option<OrganizationIdentification>,
}

/// A phone number in two parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phone {
    /// Area code, for example "020"; "86" for a mobile number of China. Becomes `OrgPhoneArea` at Tencent.
    #[schemars(length(min = 1, max = 16))]
    pub area_code: String,

    /// Number without the area code. Becomes `OrgPhoneNumber` at Tencent.
    #[schemars(length(min = 1, max = 32))]
    pub number: String,
}

/// The document that an organisation is registered under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationIdentification {
    /// TYDMZ (unified social credit code) or OTHERS. Becomes `OrgIdType`.
    #[serde(rename = "type")]
    pub type_: OrganizationIdType,

    /// Secret with the number, which becomes `OrgIdNumber`. The Secret must carry the label
    /// `certorder.dev/readable: "true"`, since its content is sent to the cloud.
    pub number_secret_ref: SecretKeySelector,
}

/// Kind of a registration document, in Tencent Cloud's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, Serialize, Deserialize, JsonSchema)]
pub enum OrganizationIdType {
    /// Unified social credit code.
    TYDMZ,
    /// Any other document.
    OTHERS,
}

/// A person. What must be given depends on the cloud: Tencent Cloud wants every field but the identification;
/// Huawei Cloud wants a name, a phone number and an e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.fromSecret) || !(has(self.firstName) || has(self.lastName) || has(self.title) \
     || has(self.phone) || has(self.email))")
    .message("write a contact's data here or take them from fromSecret, not both"))]
pub struct Contact {
    /// Given name. Becomes `AdminFirstName` or `TechFirstName` at Tencent; Huawei takes both names as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub first_name: Option<Personal>,

    /// Family name. Becomes `AdminLastName` or `TechLastName` at Tencent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub last_name: Option<Personal>,

    /// Position in the organisation. Becomes `AdminTitle` or `TechTitle` at Tencent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub title: Option<Personal>,

    /// Phone number. Becomes `AdminPhone` or `TechPhone` at Tencent, `applicant_phone` or `contact_phone` at
    /// Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub phone: Option<Personal>,

    /// E-mail address. Becomes `AdminEmail` or `TechEmail` at Tencent, `applicant_email` or `contact_email` at
    /// Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254), regex(pattern = EMAIL_PATTERN))]
    pub email: Option<Personal>,

    /// Identity document. Only for products of CFCA at Tencent Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identification: Option<PersonIdentification>,

    /// Secret with the keys firstName, lastName, title, phone and email, instead of writing them here. It must
    /// carry the label `certorder.dev/readable: "true"`, since its content is sent to the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_secret: Option<LocalObjectReference>,
}

/// The identity document of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonIdentification {
    /// SFZ (identity card) or HZ (passport). Becomes `AdminIdType` or `TechIdType`.
    #[serde(rename = "type")]
    pub type_: PersonIdType,

    /// Secret with the number, which becomes `AdminIdNumber` or `TechIdNumber`. The Secret must carry the label
    /// `certorder.dev/readable: "true"`, since its content is sent to the cloud.
    pub number_secret_ref: SecretKeySelector,
}

/// Kind of an identity document, in Tencent Cloud's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, Serialize, Deserialize, JsonSchema)]
pub enum PersonIdType {
    /// Identity card.
    SFZ,
    /// Passport.
    HZ,
}

/// The profile saved in the console of Tencent Cloud (My Profile).
///
/// Tencent Cloud has no call that creates or edits one: do it in the console. At most 10 fit into an account, a
/// review takes about one business day, and the CA calls the administrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TencentCloudProfile {
    /// Secret with the credentials of the account that holds the profile. Orders use the profile only if their own
    /// credentials are of the same account.
    pub credentials_ref: LocalObjectReference,

    /// The site that holds the account: International (ssl.intl.tencentcloudapi.com) or China
    /// (ssl.tencentcloudapi.com).
    #[serde(default)]
    pub site: TencentSite,

    /// Id of the company, as the console shows it. Becomes `CompanyId`.
    ///
    /// Default: the company that managerId belongs to, else found by the organisation's name, then city and address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub company_id: Option<i64>,

    /// Id of the administrator, as the console shows it. Becomes `ManagerId`.
    ///
    /// Default: found by the administrator's e-mail address, then name, then the organisation's division.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub manager_id: Option<i64>,

    /// When orders use the saved profile. Preferred: once it is approved, until then they send the data of this
    /// object. Required: they wait for the approval. Never: they always send the data of this object.
    #[serde(default)]
    pub reuse: Reuse,
}

/// When orders use a profile saved in the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Reuse {
    /// Once it is approved.
    #[default]
    Preferred,
    /// Always; orders wait for the approval.
    Required,
    /// Never.
    Never,
}

/// The observed state of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = tidy, extend("default" = {"observedGeneration": UNSEEN}))]
pub struct OrganizationProfileStatus {
    /// The `metadata.generation` that this status describes; -1 until a controller has seen the object.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// What Tencent Cloud says of the saved profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tencent_cloud: Option<TencentCloudProfileStatus>,

    /// The value of the annotation `certorder.dev/reconcile-at` that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,

    /// What is the case, one entry for each type: `Ready` (the data are complete and the references
    /// resolve), `Resolved` (the saved profile is found), `Approved` (its review is passed).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
}

impl Default for OrganizationProfileStatus {
    fn default() -> Self {
        Self {
            observed_generation: UNSEEN,
            tencent_cloud: None,
            last_handled_reconcile_at: None,
            conditions: Vec::new(),
        }
    }
}

/// What Tencent Cloud says of a saved profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TencentCloudProfileStatus {
    /// Number of the account (`OwnerUin`). Orders of the same account use the saved profile, also with another key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub owner_uin: Option<String>,

    /// Id of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub company_id: Option<i64>,

    /// Id of the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub manager_id: Option<i64>,

    /// State of the administrator's review, in Tencent Cloud's word: none, audit, `CAaudit`, ok, expiring, expired
    /// or invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub review_status: Option<String>,

    /// State of the review for OV products, in Tencent Cloud's word: pending, submitted, completed, expiring, expired
    /// or invalid. Without a passed one the review of an OV order is not skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub ov_review_status: Option<String>,

    /// The same for EV products.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub ev_review_status: Option<String>,

    /// When the approval ends. Where the cloud does not tell: 398 days after the review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// How many profiles the account holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub profiles: Option<i64>,

    /// How many profiles an account can hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub limit: Option<i64>,
}
