//! The objects that users write.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};

pub(crate) const SECRET_ID: &str = "AKIDstories0123456789";
pub(crate) const SECRET_KEY: &str = "secret-key-of-the-stories";
pub(crate) const ACCESS_KEY: &str = "HWAKstories0123456789";
pub(crate) const HUAWEI_SECRET_KEY: &str = "huawei-secret-key-of-the-stories";
/// The certificate of most stories.
pub(crate) const CERTIFICATE: &str = "J2lX2maH";
/// The same at Huawei Cloud.
pub(crate) const HUAWEI_CERTIFICATE: &str = "scs1590053258704";
/// The prefix that the administrator of the stories allows in templates of Secrets: that of a program that copies them.
pub(crate) const ALLOWED_PREFIX: &str = "replicator.v1.mittwald.de";
/// The name of most stories.
pub(crate) const NAME: &str = "www.acme.example";

pub(crate) fn credentials() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "tencent-credentials"},
        "stringData": {"secretId": SECRET_ID, "secretKey": SECRET_KEY},
    })
}

pub(crate) fn huawei_credentials() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "huawei-credentials"},
        "stringData": {"accessKey": ACCESS_KEY, "secretKey": HUAWEI_SECRET_KEY},
    })
}

/// An order for a certificate at Huawei Cloud, with the key made by the cloud.
pub(crate) fn huawei(name: &str) -> Value {
    let block = json!({
        "certificateId": HUAWEI_CERTIFICATE, "region": "ap-southeast-1", "agreePrivacyProtection": true,
    });
    let mut order = personal(name);
    order["spec"]["provider"] = json!({ "huaweiCloud": block });
    order["spec"]["credentialsRef"]["name"] = json!("huawei-credentials");
    order["spec"]["organizationProfileRef"] = json!({"name": "acme"});
    order
}

/// An order for a person's DV certificate, with the key made by the cloud.
pub(crate) fn personal(name: &str) -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"name": name},
        "spec": {
            "provider": {"tencentCloud": {"certificateId": CERTIFICATE, "contactEmail": "pki@acme.example"}},
            "credentialsRef": {"name": "tencent-credentials"},
            "commonName": NAME,
            "privateKey": {"source": "Cloud", "algorithm": "RSA", "size": 2048},
        },
    })
}

/// An order of an organisation, with a CSR of the user's own.
pub(crate) fn company(name: &str, csr: &str) -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"name": name},
        "spec": {
            "provider": {"tencentCloud": {"certificateId": CERTIFICATE}},
            "credentialsRef": {"name": "tencent-credentials"},
            "commonName": NAME,
            "organizationProfileRef": {"name": "acme"},
            "csr": csr,
        },
    })
}

pub(crate) fn profile() -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "OrganizationProfile",
        "metadata": {"name": "acme"},
        "spec": {
            "organization": {
                "name": "Acme Trading Co., Ltd.", "division": "Platform", "address": "No. 101, Example Road",
                "city": "Guangzhou", "region": "Guangdong", "country": "CN",
                "phone": {"areaCode": "020", "number": "12345678"},
            },
            "administrator": {
                "firstName": "Ning", "lastName": "Huang", "title": "R&D",
                "phone": "13112341234", "email": "pki@acme.example",
            },
        },
    })
}

/// The same profile, linked to one saved in the console, with these fields of that block.
pub(crate) fn saved_profile(name: &str, fields: &Value) -> Value {
    let mut block = json!({"credentialsRef": {"name": "tencent-credentials"}});
    block.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut profile = profile();
    profile["metadata"]["name"] = json!(name);
    profile["spec"]["tencentCloud"] = block;
    profile
}

/// A CSR for these names; the first is the common name.
pub(crate) fn csr(names: &[&str]) -> String {
    csr_of(&KeyPair::generate().unwrap(), names)
}

/// The same, with this key.
pub(crate) fn csr_of(key: &KeyPair, names: &[&str]) -> String {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names[0]);
    params.distinguished_name.push(DnType::OrganizationName, "示例科技有限公司");
    params.serialize_request(key).unwrap().pem().unwrap()
}
