//! How long this process has observed what the status of an order records, by its own monotonic clock.
//!
//! The times in a status are from the clock of the process that stored them. The clocks of two machines may differ by more
//! than a call takes, and one clock may be set in both directions. So what the cloud does not show counts only once this
//! process has observed the record for that long too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use crate::api::v1alpha1::{CertificateOrder, Intent, RenewalIntent, Submission};
use crate::cluster::cache::Key;
use crate::cluster::trim;

/// How long this process has observed one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Age {
    /// How long; zero without such a record.
    pub seen: Duration,
    /// Whether it was made while this process observed the order, so that it is as old as that.
    pub is_known: bool,
}

/// How long this process has observed each record of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ages {
    /// The open intent.
    pub intent: Age,
    /// The open intent to reissue.
    pub renewal: Age,
    /// That an application was accepted.
    pub submitted: Age,
    /// That the order was sent.
    pub ordered: Age,
    /// That another attempt was started.
    pub started_over: Age,
    /// The last call.
    pub last_request: Age,
    /// The deletion.
    pub deleted: Age,
}

impl Ages {
    /// The same for each.
    #[must_use]
    pub fn all(age: Age) -> Self {
        let [intent, renewal, submitted, ordered, started_over, last_request, deleted] = [age; 7];
        Self { intent, renewal, submitted, ordered, started_over, last_request, deleted }
    }
}

/// The records of all orders, and since when each is observed.
#[derive(Default)]
pub struct RecordAges(Mutex<HashMap<Key, Records>>);

#[derive(Default)]
struct Records {
    intent: Option<Box<Record<Intent>>>,
    renewal: Option<Box<Record<RenewalIntent>>>,
    submitted: Option<Box<Record<Timestamp>>>,
    ordered: Option<Box<Record<Timestamp>>>,
    started_over: Option<Box<Record<Timestamp>>>,
    last_request: Option<Box<Record<Timestamp>>>,
    deleted: Option<Box<Record<Timestamp>>>,
}

struct Record<T> {
    value: T,
    since: Instant,
    is_known: bool,
}

impl RecordAges {
    /// How long the records of an order have been observed until `now`.
    pub fn of(&self, key: &Key, order: &CertificateOrder, now: Instant) -> Ages {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing of a finished order depends on them, and most orders are finished.
        if trim::is_settled(order) && renewal_intent(order).is_none() {
            all.remove(key);
            return Ages::all(Age { seen: Duration::MAX, is_known: false });
        }
        let is_new = !all.contains_key(key);
        all.entry(key.clone()).or_default().observe(order, is_new, now)
    }

    /// Removes an order that was deleted.
    pub fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl Records {
    fn observe(&mut self, order: &CertificateOrder, is_new: bool, now: Instant) -> Ages {
        let status = order.status.as_ref();
        let ours = status.and_then(|status| status.submission.as_ref());
        let last = status.and_then(|status| status.last_request.as_ref());
        let at = |time: fn(&Submission) -> Option<&Time>| ours.and_then(time).map(|time| time.0);
        Ages {
            intent: age(&mut self.intent, ours.and_then(|ours| ours.intent.clone()), is_new, now),
            renewal: age(&mut self.renewal, renewal_intent(order).cloned(), is_new, now),
            submitted: age(&mut self.submitted, at(|ours| ours.submitted_at.as_ref()), is_new, now),
            ordered: age(&mut self.ordered, at(|ours| ours.ordered_at.as_ref()), is_new, now),
            started_over: age(&mut self.started_over, at(|ours| ours.started_over_at.as_ref()), is_new, now),
            last_request: age(&mut self.last_request, last.map(|last| last.time.0), is_new, now),
            deleted: age(
                &mut self.deleted,
                order.metadata.deletion_timestamp.as_ref().map(|at| at.0),
                is_new,
                now,
            ),
        }
    }
}

fn renewal_intent(order: &CertificateOrder) -> Option<&RenewalIntent> {
    order.status.as_ref()?.renewal.as_ref()?.intent.as_ref()
}

/// The age of a record, which is remembered from now on if it is another one than before.
fn age<T: PartialEq>(
    known: &mut Option<Box<Record<T>>>,
    value: Option<T>,
    is_new: bool,
    now: Instant,
) -> Age {
    let Some(value) = value else {
        *known = None;
        return Age::default();
    };
    match known {
        Some(known) if known.value == value => {
            Age { seen: now.saturating_duration_since(known.since), is_known: known.is_known }
        }
        _ => {
            *known = Some(Box::new(Record { value, since: now, is_known: !is_new }));
            Age { seen: Duration::ZERO, is_known: !is_new }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1alpha1::{CertificateOrderStatus, seconds};

    fn order(ordered_at: Option<i64>) -> CertificateOrder {
        let spec = serde_json::from_value(serde_json::json!({
            "provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
            "credentialsRef": {"name": "cloud"},
            "commonName": "www.acme.example",
        }));
        let mut order = CertificateOrder::new("www", spec.unwrap());
        let ordered_at = ordered_at.map(|second| seconds(Timestamp::from_second(second).unwrap()));
        let submission = Submission { ordered_at, ..Submission::default() };
        order.status = Some(CertificateOrderStatus {
            submission: Some(submission),
            ..CertificateOrderStatus::default()
        });
        order
    }

    #[test]
    fn a_record_is_as_old_as_it_was_observed_here() {
        let (ages, key, start) =
            (RecordAges::default(), ("shop".to_owned(), "www".to_owned()), Instant::now());
        let ordered = |at, second| {
            let Age { seen, is_known } =
                ages.of(&key, &order(at), start + Duration::from_secs(second)).ordered;
            (seen.as_secs(), is_known)
        };
        assert_eq!(ordered(None, 0), (0, false));
        assert_eq!(ordered(Some(100), 5), (0, true), "made while it was observed");
        assert_eq!(ordered(Some(100), 15), (10, true));
        assert_eq!(ordered(Some(200), 20), (0, true), "another one");
        ages.forget(&key);
        assert_eq!(ordered(Some(200), 30), (0, false), "found by a process that has just started");
        assert_eq!(ordered(Some(200), 40), (10, false));
        assert_eq!(ordered(None, 50), (0, false));
        assert_eq!(ordered(Some(200), 60), (0, true));
    }
}
