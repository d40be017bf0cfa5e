//! The only place in the simulator that reads the machine's clock.

use jiff::Timestamp;

/// The time now, in UTC.
#[allow(clippy::disallowed_methods, reason = "this file is where the clock is read")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
