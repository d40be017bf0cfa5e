//! Times as the clouds write them.

use jiff::{SignedDuration, Span, Timestamp, civil::DateTime, tz};

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

/// The same day and time so many years later.
pub(crate) fn years_after(begin: Timestamp, years: u16) -> Option<Timestamp> {
    let later = begin.to_zoned(time_zone()).checked_add(Span::new().years(i64::from(years)));
    Some(later.ok()?.timestamp())
}

/// So many days before.
pub(crate) fn days_before(end: Timestamp, days: u16) -> Option<Timestamp> {
    end.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()
}

fn time_zone() -> tz::TimeZone {
    tz::TimeZone::fixed(tz::offset(8))
}
