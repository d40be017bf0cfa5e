//! What a test chooses when it starts the cloud.

use std::time::Duration;

use super::succession::Succession;
use crate::cloud::Life;

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
    /// Whose parameters and fields there are.
    pub site: Site,
    /// How long a leaf lives.
    pub life: Life,
    /// The rules of a reissue.
    pub reissue: ReissueRules,
    /// How many days before the end of a leaf the cloud makes the next one, where that is paid for or will be charged;
    /// `None` if it never does.
    pub succession_days: Option<u16>,
    /// What such a certificate looks like.
    pub succession: Succession,
    /// What a revocation does to certificates that are linked by a reissue.
    pub revocation: RevocationRule,
    /// In how many last days of a leaf it cannot be revoked, where revocation is tied.
    pub revocation_bar_days: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_second: Some(10),
            lenient_integers: false,
            order_processing: Duration::from_secs(5),
            detail_lacks_chain: false,
            site: Site::default(),
            life: Life::default(),
            reissue: ReissueRules::default(),
            succession_days: Some(30),
            succession: Succession::default(),
            revocation: RevocationRule::default(),
            revocation_bar_days: 30,
        }
    }
}

/// One of the two sites of this cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Site {
    /// The international one, which refuses and lacks what only the other declares.
    #[default]
    International,
    /// The one in China, with the subscription service.
    China,
}

/// The rules of a reissue, by `ReplaceCertificate` or in the console. The documents leave all of them open, or are old.
#[derive(Clone, Debug)]
pub struct ReissueRules {
    /// With so many days left, or fewer, there is none. Guides said 30 and 90; 0 lifts the bar.
    pub bar_days: u16,
    /// While one runs, there is no other under the same registered domain of the account.
    pub one_per_registered_domain: bool,
    /// After a run that failed there may be another.
    pub again_after_failure: bool,
    /// A run that failed takes the link off the old certificate.
    pub failure_clears_link: bool,
    /// Which certificate shows the status 11; `None` if neither does.
    pub shows_11: Option<Side>,
    /// Which certificate the line of the operation log names.
    pub logged_for: Side,
    /// Whether control of the domains has to be proven again.
    pub proof: ProofRule,
    /// When the new leaf ends.
    pub end: ReissuedEnd,
    /// What the two certificates say of each other, and when.
    pub links: Succession,
}

impl Default for ReissueRules {
    fn default() -> Self {
        Self {
            bar_days: 30,
            one_per_registered_domain: true,
            again_after_failure: true,
            failure_clears_link: false,
            shows_11: Some(Side::New),
            logged_for: Side::Old,
            proof: ProofRule::default(),
            end: ReissuedEnd::default(),
            links: Succession::default(),
        }
    }
}

/// One of two linked certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is replaced.
    Old,
    /// The one that takes its place.
    New,
}

/// When a reissue wants a new proof of control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofRule {
    /// Where the new leaf has another key.
    #[default]
    NewKey,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When a reissued leaf ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReissuedEnd {
    /// With the old one.
    #[default]
    SameAsOld,
    /// As any leaf that begins now, but not after the paid term.
    NewLeaf,
}

/// What a revocation does to certificates that are linked by a reissue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationRule {
    /// The new one cannot be revoked, and the old one takes it along.
    #[default]
    Tied,
    /// The same, but not for the brands that an old guide excepts: `WoTrus` and `DNSPod SM2`.
    TiedByBrand,
    /// Each by itself.
    Independent,
}
