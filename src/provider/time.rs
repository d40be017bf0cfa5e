//! Times as the clouds write them: `YYYY-MM-DD hh:mm:ss` without a zone. They use China Standard Time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, offset};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

fn zone() -> TimeZone {
    TimeZone::fixed(offset(8))
}

/// Reads a time, with or without a fraction of a second.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    Some(DateTime::strptime(FORMAT, whole).ok()?.to_zoned(zone()).ok()?.timestamp())
}

/// Writes a time, without its fraction of a second.
#[must_use]
pub fn text(time: Timestamp) -> String {
    time.to_zoned(zone()).strftime(FORMAT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_china_standard_time_in_whole_seconds() {
        let time: Timestamp = "2025-12-31T16:00:07.9Z".parse().unwrap();
        assert_eq!(text(time), "2026-01-01 00:00:07");
        assert_eq!(parse("2026-01-01 00:00:07"), Some("2025-12-31T16:00:07Z".parse().unwrap()));
        assert_eq!(parse("2026-01-01 00:00:07.0"), parse("2026-01-01 00:00:07"));
        for none in ["", "0000-00-00 00:00:00", "2026-01-01", "soon"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
