//! What a test chooses when it starts the cloud.

use std::time::Duration;

use super::{certificate::Status, succession::Succession};
use crate::cloud::Life;

/// How the cloud behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often an account may call one action in any window of one second; `None` lifts the limit.
    pub calls_per_second: Option<usize>,
    /// What an application is in at once. The documents leave it open between this and [`Status::CHECKING`].
    pub applied_status: Status,
    /// Take another application after the authority refused one. The documents do not say.
    pub takes_application_after_refusal: bool,
    /// How long a withdrawal takes; `None` waits for [`HuaweiCloud::finish_cancel`](super::HuaweiCloud::finish_cancel).
    pub withdrawal_takes: Option<Duration>,
    /// Show the information and the names of an application that was withdrawn. The documents do not say.
    pub withdrawal_keeps_application: bool,
    /// The HTTP status for a certificate that does not exist: 400 or 404. The documents do not say.
    pub unknown_certificate_status: u16,
    /// Answer null where a text has no value yet. The documents show neither.
    pub empty_is_null: bool,
    /// How long a leaf lives.
    pub life: Life,
    /// How many days before the end of a leaf the cloud makes the next one, where that is paid for or will be charged;
    /// `None` if it never does.
    pub succession_days: Option<u16>,
    /// What such a certificate looks like.
    pub succession: Succession,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_second: Some(5),
            applied_status: Status::CHECKING_DOMAIN,
            takes_application_after_refusal: true,
            withdrawal_takes: None,
            withdrawal_keeps_application: true,
            unknown_certificate_status: 400,
            empty_is_null: false,
            life: Life::default(),
            succession_days: Some(30),
            succession: Succession::default(),
        }
    }
}
