//! What an owner paid for: years, and who makes the next certificate within them.

use jiff::Timestamp;

use crate::cloud::time::years_after;

/// The paid term that a certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// How many years were paid for.
    pub years: u16,
    /// Who makes the next certificate before they end.
    pub plan: Plan,
    /// The first moment of the first certificate; `None` until that is issued.
    pub began: Option<Timestamp>,
}

/// Who makes the next certificate of a paid term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Nobody. Whether that is so where the term is longer than one certificate, the documents do not say.
    #[default]
    Classic,
    /// The cloud, linked as a renewal.
    MultiYear,
    /// The cloud, as the next certificate of a subscription service, which only the China site has.
    Subscription {
        /// `ServiceId`.
        service_id: String,
    },
}

impl Term {
    /// One year, as it is bought by default.
    pub(super) fn classic() -> Self {
        Self { years: 1, plan: Plan::Classic, began: None }
    }

    /// The same purchase once more.
    pub(super) fn again(&self) -> Self {
        Self { began: None, ..self.clone() }
    }

    /// The end of the term, once it began.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        years_after(self.began?, self.years)
    }

    /// The year that runs then, from 1 on (`NowPeriod`).
    pub(super) fn year(&self, then: Timestamp) -> u16 {
        let passed = |years: &u16| {
            let first = Self { years: *years, ..self.clone() };
            first.ends().is_some_and(|ends| ends <= then)
        };
        (1..self.years).filter(passed).count().try_into().map_or(self.years, |years: u16| years + 1)
    }

    /// The id of the subscription service.
    #[must_use]
    pub fn service_id(&self) -> Option<&str> {
        match &self.plan {
            Plan::Subscription { service_id } => Some(service_id),
            Plan::Classic | Plan::MultiYear => None,
        }
    }
}
