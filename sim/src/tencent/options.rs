//! What a test chooses when it starts the cloud.

use std::time::Duration;

/// How the cloud behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often an account may call one action in any window of one second; `None` lifts the limit.
    pub calls_per_second: Option<usize>,
    /// Take a decimal string where an integer is declared. The vendor's own examples do so; no document allows it.
    pub lenient_integers: bool,
    /// How long after an order a second one is told that the first is still being processed.
    pub order_processing: Duration,
    /// `DescribeCertificateDetail` gives the leaf alone. The documents do not say whether it gives the chain.
    pub detail_lacks_chain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_second: Some(10),
            lenient_integers: false,
            order_processing: Duration::from_secs(5),
            detail_lacks_chain: false,
        }
    }
}
