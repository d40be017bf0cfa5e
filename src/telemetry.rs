//! The one place where an outcome becomes a log line, an Event and a metric.

use std::sync::{Arc, OnceLock};

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use tracing::{debug, info, warn};

use crate::api::v1alpha1::conditions::ConditionType;
use crate::api::v1alpha1::{CertificateOrder, Intent};
use crate::cluster::bounded;
use crate::core::conditions::get;
use crate::core::redact::{Filter, truncate};
use crate::order::gate::Gate;
use crate::order::status::FIELD_MANAGER;
use crate::provider::{Accepted, Error};

/// The longest note of an Event, in bytes (the API server's limit is 1024).
const LONGEST_NOTE: usize = 1000;

/// Log, Events and metrics. Cloning shares them.
#[derive(Clone)]
pub struct Telemetry {
    recorder: Recorder,
    metrics: Metrics,
}

/// The counters. Labels take values from small fixed sets; names of objects go to logs and Events.
#[derive(Clone, Default, Debug)]
pub struct Metrics {
    calls: Family<CallLabels, Counter>,
    status_writes: Counter,
    api_errors: Counter,
    given_up: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    action: String,
    outcome: &'static str,
}

impl Metrics {
    /// Registers the counters under `certorder_`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("certorder");
        registry.register("cloud_calls", "Calls to the clouds by action and outcome", metrics.calls.clone());
        registry.register("status_writes", "Passes that changed a status", metrics.status_writes.clone());
        registry.register(
            "api_errors",
            "Passes ended by trouble with the API server",
            metrics.api_errors.clone(),
        );
        let help = "Deleted orders that were let go although the cloud could not be told";
        registry.register("cleanups_given_up", help, metrics.given_up.clone());
        metrics
    }
}

/// What the gate tells when it is asked: how long orders wait for their turn.
#[derive(Clone, Default, Debug)]
pub struct GateMetrics(Arc<OnceLock<Arc<Gate>>>);

impl GateMetrics {
    /// Registers the gauges under `certorder_`. They are zero until there is a gate.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.sub_registry_with_prefix("certorder").register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// The gate that is asked.
    pub fn set(&self, gate: Arc<Gate>) {
        let _ = self.0.set(gate);
    }
}

impl Collector for GateMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gate = self.0.get();
        let longest = ConstGauge::new(gate.map_or(0.0, |gate| gate.longest_wait().as_secs_f64()));
        let help = "How long the order has waited that waits longest for its account's turn";
        longest.encode(encoder.encode_descriptor(
            "longest_wait",
            help,
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?)?;
        let waiting = gate.map_or(0, |gate| i64::try_from(gate.waiting()).unwrap_or(i64::MAX));
        let help = "How many orders wait for their account's turn";
        ConstGauge::new(waiting).encode(encoder.encode_descriptor(
            "waiting",
            help,
            None,
            MetricType::Gauge,
        )?)
    }
}

impl Telemetry {
    /// Events are published through `client` in the name of this process.
    #[must_use]
    pub fn new(client: Client, holder: &str, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(holder.to_owned()) };
        Self { recorder: Recorder::new(client, reporter), metrics }
    }

    /// A read of a cloud ended.
    pub fn read<T>(&self, action: &str, observed: &Result<T, Error>) {
        self.count(action, observed.as_ref().err());
        if let Err(error) = observed {
            warn!(action, %error, request_id = request_id(error), "cannot read the cloud");
        }
    }

    /// A call that writes ended.
    pub fn called(&self, order: &str, intent: &Intent, outcome: &Result<Accepted, Error>, filter: &Filter) {
        let Intent { action, attempt, .. } = intent;
        self.count(action, outcome.as_ref().err());
        match outcome {
            Ok(accepted) => {
                info!(
                    order,
                    action,
                    attempt,
                    request_id = accepted.request_id,
                    "the cloud accepted the call"
                );
            }
            Err(error) => {
                let text = error.refusal().map(|refusal| filter.clean(&refusal.message));
                warn!(order, action, attempt, %error, request_id = request_id(error), text, "the call failed");
            }
        }
    }

    /// A pass ended by trouble with the API server.
    pub fn api_trouble(&self, error: &kube::Error) {
        self.metrics.api_errors.inc();
        warn!(%error, "trouble with the API server; the object is looked at again soon");
    }

    /// A pass may have changed a status: what people want to know of it becomes a log line and an Event.
    pub async fn changed(&self, before: &CertificateOrder, after: &CertificateOrder) {
        if before.status == after.status {
            return;
        }
        self.metrics.status_writes.inc();
        for type_ in ANNOUNCED {
            let Some(note) = announcement(type_, before, after) else { continue };
            info!(condition = note.reason, "{}", note.note.as_deref().unwrap_or_default());
            if let Err(error) = bounded(self.recorder.publish(&note, &after.object_ref(&()))).await {
                warn!(%error, "cannot publish an Event");
            }
        }
    }

    /// A deleted order was let go although the cloud was not told.
    pub async fn gave_up(&self, order: &CertificateOrder, why: &str) {
        self.metrics.given_up.inc();
        warn!("{why}");
        let event = Event {
            type_: EventType::Warning,
            reason: "CleanupGivenUp".to_owned(),
            note: Some(truncate(why, LONGEST_NOTE)),
            action: "Delete".to_owned(),
            secondary: None,
        };
        // A namespace that is being deleted takes no Events any more; the log line and the metric remain.
        if let Err(error) = bounded(self.recorder.publish(&event, &order.object_ref(&()))).await {
            debug!(%error, "cannot publish an Event");
        }
    }

    fn count(&self, action: &str, error: Option<&Error>) {
        let outcome = match error {
            None => "ok",
            Some(error) => error.into(),
        };
        self.metrics.calls.get_or_create(&CallLabels { action: action.to_owned(), outcome }).inc();
    }
}

/// The conditions whose becoming true (or changing its reason) is announced, in the order of an order's life.
const ANNOUNCED: [ConditionType; 6] = [
    ConditionType::Planned,
    ConditionType::Submitted,
    ConditionType::Ordered,
    ConditionType::Issued,
    ConditionType::ActionRequired,
    ConditionType::Stalled,
];

fn announcement(type_: ConditionType, before: &CertificateOrder, after: &CertificateOrder) -> Option<Event> {
    let condition_of = |order: &CertificateOrder| {
        let status = order.status.as_ref()?;
        get(&status.conditions, type_).filter(|condition| condition.status == "True").cloned()
    };
    let now = condition_of(after)?;
    if condition_of(before).is_some_and(|then| then.reason == now.reason) {
        return None;
    }
    let warns = matches!(type_, ConditionType::Stalled | ConditionType::ActionRequired);
    let reason = if warns { now.reason } else { now.type_ };
    Some(Event {
        type_: if warns { EventType::Warning } else { EventType::Normal },
        reason,
        note: Some(truncate(&now.message, LONGEST_NOTE)),
        action: "Reconcile".to_owned(),
        secondary: None,
    })
}

fn request_id(error: &Error) -> Option<&str> {
    error.refusal().and_then(|refusal| refusal.request_id.as_deref())
}
