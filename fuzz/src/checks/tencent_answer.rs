//! Answers of Tencent Cloud to each call.

use serde_json::json;

use super::cloud::{Client, Cloud, clouds, secret};

thread_local! {
    static CLOUD: Cloud = Cloud::start(client);
}

/// Reads an answer to one call.
pub(crate) fn check(data: &[u8]) {
    CLOUD.with(|cloud| cloud.check(data));
}

fn client(url: &str) -> Client {
    let clouds = clouds(url);
    let order = serde_json::from_value(json!({"tencentCloud": {"certificateId": "J2lX2maH"}})).unwrap();
    let profile = serde_json::from_value(json!({"credentialsRef": {"name": "any"}})).unwrap();
    let secret = secret([("secretId", "AKIDEXAMPLE"), ("secretKey", "SecretKeyExample")]);
    (
        clouds.open("shop", &order, &secret).unwrap(),
        Some(clouds.directory("shop", &profile, &secret).unwrap()),
    )
}
