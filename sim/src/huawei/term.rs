//! What an owner paid for: years, and who makes the next certificate within them.

use jiff::Timestamp;

use crate::cloud::time::years_after;

/// The paid term that a certificate belongs to. The API shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// How many years were paid for.
    pub years: u16,
    /// Who makes the next certificate before they end.
    pub plan: Plan,
    /// The first moment of the first certificate; `None` until that is issued.
    pub began: Option<Timestamp>,
}

/// Who makes the next certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Nobody. Whether that is so where the term is longer than one certificate, the documents do not say.
    #[default]
    Single,
    /// The cloud, within the term: a purchase of several years, or a subscription period.
    Subscription,
    /// The cloud, which buys it: a switch in the console.
    AutoRenewal,
}

impl Term {
    /// One year, as it is bought by default.
    pub(super) fn single() -> Self {
        Self { years: 1, plan: Plan::Single, began: None }
    }

    /// The end of the term, once it began.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        years_after(self.began?, self.years)
    }
}
