//! Times as the clouds write them.

use jiff::{Timestamp, civil::DateTime, tz};

/// A time as both clouds write it: `YYYY-MM-DD hh:mm:ss`.
///
/// Inferred: the zone, which the documents leave open; UTC+8 is that of the vendors' consoles.
pub(crate) fn text_time(time: Timestamp) -> String {
    time.to_zoned(time_zone()).strftime(TIME_FORMAT).to_string()
}

/// Reads such a time.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(TIME_FORMAT, text).ok()?;
    Some(time.to_zoned(time_zone()).ok()?.timestamp())
}

const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The zone of those times.
pub(crate) fn time_zone() -> tz::TimeZone {
    tz::TimeZone::fixed(tz::offset(8))
}
