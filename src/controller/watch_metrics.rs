//! The gauges of the watches, read at each scrape: how long each kind could not be watched, and how many objects cannot be
//! read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::cluster::watch_health::WatchHealth;

/// How many objects of each kind cannot be read.
type Unreadable = Box<dyn Fn() -> Vec<(&'static str, usize)> + Send + Sync>;

/// The gauges of the watches. Cloning shares them.
#[derive(Clone)]
pub struct WatchMetrics {
    watches: WatchHealth,
    unreadable: Arc<OnceLock<Unreadable>>,
}

impl fmt::Debug for WatchMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchMetrics").field("watches", &self.watches).finish_non_exhaustive()
    }
}

impl WatchMetrics {
    /// Registers the gauges under `certorder_`. No object counts as unreadable until there are caches.
    pub fn register(registry: &mut Registry, watches: &WatchHealth) -> Self {
        let metrics = Self { watches: watches.clone(), unreadable: Arc::default() };
        registry.sub_registry_with_prefix("certorder").register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Sets what counts the objects that cannot be read.
    pub fn count(&self, unreadable: impl Fn() -> Vec<(&'static str, usize)> + Send + Sync + 'static) {
        let _ = self.unreadable.set(Box::new(unreadable));
    }

    /// By kind, whatever the namespaces.
    fn failing(&self) -> BTreeMap<String, f64> {
        let mut kinds = BTreeMap::new();
        for (name, time) in self.watches.failing() {
            let kind = name.split(' ').next().unwrap_or_default().to_owned();
            let longest = kinds.entry(kind).or_insert(0.0_f64);
            *longest = longest.max(time.as_secs_f64());
        }
        kinds
    }
}

impl Collector for WatchMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "How long the objects of a kind could not be watched; only kinds that cannot be";
        let gauge = MetricType::Gauge;
        let mut failing = encoder.encode_descriptor("watch_failing", help, Some(&Unit::Seconds), gauge)?;
        for (kind, seconds) in self.failing() {
            of_kind(&mut failing, &kind, &ConstGauge::new(seconds))?;
        }
        let help = "How many objects of a kind this version of certorder cannot read";
        let mut unreadable = encoder.encode_descriptor("unreadable_objects", help, None, gauge)?;
        for (kind, count) in self.unreadable.get().map(|count| count()).unwrap_or_default() {
            let count = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            of_kind(&mut unreadable, kind, &count)?;
        }
        Ok(())
    }
}

fn of_kind(encoder: &mut MetricEncoder<'_>, kind: &str, gauge: &impl EncodeMetric) -> Result<(), fmt::Error> {
    gauge.encode(encoder.encode_family(&[("kind", kind)])?)
}
