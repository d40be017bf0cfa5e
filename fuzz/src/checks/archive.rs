//! The ZIP archive of a download: what is in it is bounded, and what is taken out of it can be looked at.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use certorder::core::chain::Chain;
use certorder::core::keypair::KeyPair;
use certorder::core::observation::Bundle;
use certorder::provider::tencent::archive;

/// All texts together have a megabyte; a byte that is not UTF-8 becomes three.
const LARGEST: usize = 3 * 1024 * 1024;

/// Unpacks the bytes.
pub(crate) fn check(data: &[u8]) {
    let empty = || Bundle { certificate_pem: String::new(), private_key_pem: None };
    let as_text = std::str::from_utf8(data).ok().map(str::to_owned);
    for base64 in [Some(BASE64_STANDARD.encode(data)), as_text].into_iter().flatten() {
        let Ok(bundle) = archive::complete(empty(), &base64) else { continue };
        assert!(archive::certificates(&bundle.certificate_pem).is_ok_and(|all| !all.is_empty()));
        assert!(bundle.certificate_pem.len() <= LARGEST, "{}", bundle.certificate_pem.len());
        let _ = Chain::parse(&bundle.certificate_pem);
        let _ = bundle.private_key_pem.map(|key| KeyPair::from_pem(&key));
    }
}
