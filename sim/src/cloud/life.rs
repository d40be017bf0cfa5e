//! How long leaves live.

use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};

/// How long the authority lets a leaf live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// As long as public authorities may by the cloud's clock, less a day: 200 days, from 2027-03-15 on 100, and from
    /// 2029-03-15 on 47.
    #[default]
    Rules,
    /// So many days.
    Days(u16),
}

impl Life {
    /// The last moment of a leaf that begins now.
    pub(crate) fn end(self, begin: Timestamp) -> Timestamp {
        let life = SignedDuration::from_hours(24 * self.days(begin));
        begin.checked_add(life).unwrap_or(Timestamp::MAX)
    }

    /// Inferred: that the day which authorities leave out is one also here.
    fn days(self, begin: Timestamp) -> i64 {
        let day = begin.to_zoned(TimeZone::UTC).date();
        match self {
            Self::Days(days) => i64::from(days),
            Self::Rules if day < date(2027, 3, 15) => 199,
            Self::Rules if day < date(2029, 3, 15) => 99,
            Self::Rules => 46,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_lives_as_long_as_the_rules_of_its_first_day_allow() {
        let days = |begin: &str, life: Life| {
            let begin: Timestamp = begin.parse().unwrap();
            life.end(begin).duration_since(begin).as_hours() / 24
        };
        for (begin, expected) in [
            ("2026-11-28T00:00:00Z", 199),
            ("2027-03-14T23:59:59Z", 199),
            ("2027-03-15T00:00:00Z", 99),
            ("2029-03-14T23:59:59Z", 99),
            ("2029-03-15T00:00:00Z", 46),
        ] {
            assert_eq!(days(begin, Life::Rules), expected, "{begin}");
            assert_eq!(days(begin, Life::Days(47)), 47);
        }
    }
}
