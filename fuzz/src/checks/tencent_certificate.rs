//! The fields of `DescribeCertificate` at Tencent Cloud, without the envelope and the way through HTTP, which take a
//! hundred times as long as the reading.

use certorder::provider::tencent::observation;
use certorder::provider::tencent::wire::Certificate;

use super::cloud;

/// Reads the fields.
pub(crate) fn check(data: &[u8]) {
    if let Ok(certificate) = serde_json::from_slice::<Certificate>(data) {
        cloud::check_observation(observation::observation(certificate));
    }
}
