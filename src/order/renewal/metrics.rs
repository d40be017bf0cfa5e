//! The gauges of renewals, counted at each scrape from the cached orders.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::cache::Cache;
use crate::core::age;
use crate::core::clock::Clock;
use crate::order::renewal::due::{Due, overdue};

/// The phases of a renewal, as the status shows them.
pub const PHASES: [&str; 4] = ["Scheduled", "Searching", "InProgress", "Blocked"];

/// The gauges of renewals. Orders that certorder made for successors are left out.
#[derive(Clone, Default)]
pub struct RenewalMetrics(Arc<OnceLock<(Vec<Cache<CertificateOrder>>, Clock)>>);

impl fmt::Debug for RenewalMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RenewalMetrics")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: &'static str,
}

/// What is counted.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counted {
    phases: [i64; PHASES.len()],
    overdue: i64,
}

impl RenewalMetrics {
    /// Registers the gauges under `certorder_`. They are zero until there are caches.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.sub_registry_with_prefix("certorder").register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Sets the caches that the gauges count.
    pub fn set(&self, orders: Vec<Cache<CertificateOrder>>, clock: Clock) {
        let _ = self.0.set((orders, clock));
    }

    fn count(&self) -> Counted {
        let mut counted = Counted::default();
        let Some((caches, clock)) = self.0.get() else { return counted };
        for order in caches.iter().flat_map(|orders| orders.objects().state()) {
            counted.add(&order, clock);
        }
        counted
    }
}

impl Counted {
    fn add(&mut self, order: &CertificateOrder, clock: &Clock) {
        let Some(status) = &order.status else { return };
        let Some(renewal) = status.renewal.as_ref().filter(|_| status.renewal_of.is_none()) else { return };
        for (phase, count) in PHASES.iter().zip(&mut self.phases) {
            *count += i64::from(renewal.phase == *phase);
        }
        let ends = status.current.as_ref().and_then(|current| current.not_after.as_ref());
        if let (Some(ends), Some(due)) = (ends, &renewal.due) {
            let due = Due { at: due.0, before: age::age(ends.0, due.0), is_capped: false };
            self.overdue += i64::from(overdue(ends.0, due, clock.now()).is_some());
        }
    }
}

impl Collector for RenewalMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counted = self.count();
        let help = "Issued orders by the phase of their renewal";
        let mut phases = encoder.encode_descriptor("renewals", help, None, MetricType::Gauge)?;
        for (phase, count) in PHASES.iter().zip(counted.phases) {
            ConstGauge::new(count).encode(phases.encode_family(&PhaseLabels { phase })?)?;
        }
        let help = "Orders whose certificate ends soon, and nothing has taken its place";
        let overdue = encoder.encode_descriptor("renewals_overdue", help, None, MetricType::Gauge)?;
        ConstGauge::new(counted.overdue).encode(overdue)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    #[test]
    fn orders_of_users_are_counted_by_phase_and_whether_they_are_overdue() {
        let now = Clock::default().now();
        let days = |days: i64| (now + SignedDuration::from_hours(24 * days)).to_string();
        let order = |phase: &str, due: i64, ends: i64, renewal_of: Option<&str>| -> CertificateOrder {
            serde_json::from_value(json!({
                "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "metadata": {"name": "www"},
                "spec": {"provider": {"tencentCloud": {"certificateId": "A"}}, "credentialsRef": {"name": "cloud"},
                         "commonName": "www.acme.example"},
                "status": {"renewalOf": renewal_of, "renewal": {"phase": phase, "due": days(due)},
                           "current": {"certificateId": "A", "notAfter": days(ends)}},
            }))
            .unwrap()
        };
        let mut counted = Counted::default();
        for order in [
            order("Scheduled", 40, 100, None),
            order("Searching", -10, 50, None),
            order("InProgress", -50, 9, None),
            order("Blocked", -60, 2, None),
            order("Blocked", -60, 2, Some("www")),
        ] {
            counted.add(&order, &Clock::default());
        }
        assert_eq!(counted, Counted { phases: [1, 1, 1, 1], overdue: 2 });
    }
}
