//! Answers of Tencent Cloud to each call.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use certorder::provider::registry::{Clouds, Settings};
use k8s_openapi::ByteString;
use serde_json::json;

use super::cloud::{Client, Cloud};

thread_local! {
    static CLOUD: Cloud = Cloud::start(client);
}

/// Reads an answer to one call.
pub fn check(data: &[u8]) {
    CLOUD.with(|cloud| cloud.check(data));
}

fn client(url: &str) -> Client {
    let settings = Settings {
        call_timeout: Duration::from_secs(5),
        tencent_rate_limit: NonZeroU32::MAX,
        tencent_endpoint: url.parse().ok(),
    };
    let clouds = Clouds::new(&settings).unwrap();
    let order = serde_json::from_value(json!({"tencentCloud": {"certificateId": "J2lX2maH"}})).unwrap();
    let profile = serde_json::from_value(json!({"credentialsRef": {"name": "any"}})).unwrap();
    let secret = [("secretId", "AKIDEXAMPLE"), ("secretKey", "SecretKeyExample")];
    let secret = secret.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
    let secret = BTreeMap::from(secret);
    (clouds.open(&order, &secret).unwrap(), Some(clouds.directory(&profile, &secret).unwrap()))
}
