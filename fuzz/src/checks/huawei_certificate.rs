//! The fields of `show` at Huawei Cloud, without the way through HTTP.

use certorder::provider::huawei::observation;
use certorder::provider::huawei::wire::Certificate;

use super::cloud;

/// Reads the fields.
pub(crate) fn check(data: &[u8]) {
    if let Ok(certificate) = serde_json::from_slice::<Certificate>(data) {
        cloud::check_observation(observation::observation(certificate));
    }
}
