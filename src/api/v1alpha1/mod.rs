//! `certorder.dev/v1alpha1`: what users write, what the controller answers, and the rules that the API server
//! enforces (schema and CEL, no webhook).
//!
//! - [`certificate_order`]: an order of one paid certificate; [`provider`] and [`key`] are its larger blocks.
//! - [`status`]: what the controller writes back into an order.
//! - [`organization_profile`]: an organisation and the people who answer for it.
//! - [`renewal`]: how a certificate is kept valid, and how far that is.
//! - [`references`]: references to objects of the same namespace.
//! - [`conditions`]: every condition and every reason, with what the user does about it.
//! - `schema`: patterns and rules shared by these types.

#![allow(clippy::duplicated_attributes, reason = "columns of a table repeat their type")]
#![allow(unreachable_pub, reason = "the KubeSchema derive copies each public struct into a function body")]

pub mod certificate_order;
pub mod conditions;
pub mod key;
pub mod organization_profile;
pub mod provider;
pub mod references;
pub mod renewal;
mod schema;
pub mod status;
#[cfg(test)]
mod tests;

pub use certificate_order::{
    CertificateOrder, CertificateOrderSpec, DeletionPolicy, Mode, ReadyPolicy, SecretTemplate, Validation,
    ValidationMethod,
};
pub use conditions::{Class, ConditionType, Reason};
pub use key::{Jks, KeyAlgorithm, KeySource, Keystores, Pkcs12, PrivateKey};
pub use organization_profile::{
    Contact, Organization, OrganizationIdType, OrganizationIdentification, OrganizationProfile,
    OrganizationProfileSpec, OrganizationProfileStatus, PersonIdType, PersonIdentification, Phone, Reuse,
    TencentCloudProfile, TencentCloudProfileStatus,
};
pub use provider::{
    CaHashAlgorithm, CompanyType, HuaweiCloudOrder, Provider, TencentCloudOrder, TencentSite,
};
pub use references::{LocalObjectReference, SecretKeySelector};
pub use renewal::{
    Current, Renewal, RenewalIntent, RenewalPolicy, RenewalStatus, RotationPolicy, Successor,
    SuccessorTemplate,
};
pub use status::{
    CertificateOrderStatus, CloudState, Intent, LastRequest, Plan, Submission, ValidationRecord, micros,
    seconds,
};

/// The API group.
pub const GROUP: &str = "certorder.dev";
