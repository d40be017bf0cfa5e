//! The one place that turns an outcome into a log line, an Event and a metric.

use std::sync::{Arc, OnceLock};

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType, Reporter};
use kube::{Client, Resource, ResourceExt};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, Intent, OrganizationProfile};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::error::explain;
use crate::controller::events::Events;
use crate::controller::queue::AccountQueue;
use crate::controller::write_rates::{MOST, WriteRates};
use crate::core::conditions::{Problem, get};
use crate::core::redact::Filter;
use crate::core::text::shown;
use crate::provider::{Accepted, Error};

/// The longest note of an Event, in bytes (the API server's limit is 1024).
const LONGEST_NOTE: usize = 1000;

/// Log, Events and metrics. Cloning shares them.
#[derive(Clone)]
pub struct Telemetry {
    events: Events,
    metrics: Metrics,
    rates: Arc<WriteRates>,
}

/// The counters. Labels have few fixed values; the names of objects appear in logs and Events only.
#[derive(Clone, Default, Debug)]
pub struct Metrics {
    calls: Family<CallLabels, Counter>,
    status_writes: Counter,
    api_errors: Counter,
    cleanups_given_up: Counter,
    busy: Family<KindLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
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
            "Passes that ended with an error of the API server",
            metrics.api_errors.clone(),
        );
        let help = "Deleted orders whose finalizer was removed without cleanup at the cloud";
        registry.register("cleanups_given_up", help, metrics.cleanups_given_up.clone());
        let help = "Objects that were written more than ten times within a minute, by kind";
        registry.register("busy_objects", help, metrics.busy.clone());
        metrics
    }
}

/// The gauges of the queue, read at each scrape: how many orders wait for a permit, and how long.
#[derive(Clone, Default, Debug)]
pub struct QueueMetrics(Arc<OnceLock<Arc<AccountQueue>>>);

impl QueueMetrics {
    /// Registers the gauges under `certorder_`. They are zero until there is a queue.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.sub_registry_with_prefix("certorder").register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Sets the queue that the gauges read.
    pub fn set(&self, queue: Arc<AccountQueue>) {
        let _ = self.0.set(queue);
    }
}

impl Collector for QueueMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let queue = self.0.get();
        let longest = ConstGauge::new(queue.map_or(0.0, |queue| queue.longest_wait().as_secs_f64()));
        let help = "The longest time that a waiting order has waited for a permit of its account";
        longest.encode(encoder.encode_descriptor(
            "longest_wait",
            help,
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?)?;
        let waiting = queue.map_or(0, |queue| i64::try_from(queue.waiting()).unwrap_or(i64::MAX));
        let help = "How many orders wait for a permit of their account";
        ConstGauge::new(waiting).encode(encoder.encode_descriptor(
            "waiting",
            help,
            None,
            MetricType::Gauge,
        )?)
    }
}

impl Telemetry {
    /// Publishes Events through `client`, with this process as the reporting instance.
    #[must_use]
    pub fn new(client: Client, holder: &str, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(holder.to_owned()) };
        Self { events: Events::new(client, reporter), metrics, rates: Arc::default() }
    }

    /// Records a read of a cloud.
    pub fn read<T>(&self, action: &str, observed: &Result<T, Error>) {
        self.read_outcome(action, observed.as_ref().err());
    }

    /// Records the same by its error.
    pub fn read_outcome(&self, action: &str, error: Option<&Error>) {
        self.count(action, error);
        if let Some(error) = error {
            warn!(action, %error, request_id = request_id(error), "cannot read the cloud");
        }
    }

    /// Records a call that writes.
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

    /// Records a pass that ended with an error of the API server.
    pub fn api_error(&self, error: &kube::Error) {
        self.metrics.api_errors.inc();
        warn!(error = %explain(error), "the API server failed a request; the object is requeued");
    }

    /// Records what a pass changed in a status: transitions that matter to users become log lines and Events.
    pub fn changed(&self, before: &CertificateOrder, after: &CertificateOrder) {
        if before.status == after.status {
            return;
        }
        let conditions = |order: &CertificateOrder| {
            order.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
        };
        let (before, now) = (conditions(before), conditions(after));
        let notes = ANNOUNCED.into_iter().filter_map(|type_| announcement(type_, &before, &now));
        let notes = notes.chain(contest(&before, &now)).chain(left_off(&before, &now));
        let notes = notes.chain(renewing(&before, &now));
        self.announce(after.object_ref(&()), notes.collect());
        self.wrote(after, "CertificateOrder", &after.name_any());
    }

    /// An object of an order was written. One that is written very often is told.
    pub fn wrote(&self, order: &CertificateOrder, kind: &'static str, name: &str) {
        let object = format!("{kind}/{}/{name}", order.namespace().unwrap_or_default());
        if !self.rates.count(object, Instant::now()) {
            return;
        }
        self.metrics.busy.get_or_create(&KindLabels { kind }).inc();
        let note = format!(
            "{kind} {name} was written more than {MOST} times within a minute; look for what changes it at the same \
             time (kubectl get --show-managed-fields), and report it if that is certorder alone"
        );
        warn!(namespace = order.namespace(), order = order.name_any(), "{note}");
        self.events.publish(vec![event("WrittenOften", true, &note)], order.object_ref(&()));
    }

    /// The same for a profile.
    pub fn profile_changed(&self, before: &OrganizationProfile, after: &OrganizationProfile) {
        if before.status == after.status {
            return;
        }
        let conditions = |profile: &OrganizationProfile| {
            profile.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
        };
        let (before, now) = (conditions(before), conditions(after));
        let notes =
            ANNOUNCED_OF_A_PROFILE.iter().filter_map(|row| announcement_of_a_profile(*row, &before, &now));
        self.announce(after.object_ref(&()), notes.collect());
    }

    fn announce(&self, object: ObjectReference, notes: Vec<Event>) {
        self.metrics.status_writes.inc();
        for note in &notes {
            info!(condition = note.reason, "{}", note.note.as_deref().unwrap_or_default());
        }
        self.events.publish(in_one(notes), object);
    }

    /// Waits until the Events so far have been told, or are lost.
    pub async fn told(&self) {
        self.events.told().await;
    }

    /// Something cannot be watched: an Event of the operator's own Pod.
    pub fn watch_failing(&self, pod: &ObjectReference, note: &str) {
        self.events.publish(vec![event("WatchFailing", true, note)], pod.clone());
    }

    /// Something is wrong with an order that its status does not show.
    pub fn warn_of(&self, order: &CertificateOrder, problem: &Problem) {
        let Problem { reason, message } = problem;
        let reason: &'static str = reason.into();
        warn!(namespace = order.namespace(), order = order.name_any(), reason, "{message}");
        self.events.publish(vec![event(reason, true, message)], order.object_ref(&()));
    }

    /// A deleted order was let go although the cloud was not told.
    pub fn gave_up(&self, order: &CertificateOrder, why: &str) {
        self.metrics.cleanups_given_up.inc();
        warn!("{why}");
        let event = Event {
            type_: EventType::Warning,
            reason: "CleanupGivenUp".to_owned(),
            note: Some(shown(why, LONGEST_NOTE)),
            action: "Delete".to_owned(),
            secondary: None,
        };
        // A namespace that is being deleted accepts no Events; the log line and the metric remain.
        self.events.publish(vec![event], order.object_ref(&()));
    }

    fn count(&self, action: &str, error: Option<&Error>) {
        let outcome = match error {
            None => "ok",
            Some(error) => error.into(),
        };
        self.metrics.calls.get_or_create(&CallLabels { action: action.to_owned(), outcome }).inc();
    }
}

/// The conditions that are announced when they become true or change their reason, in their usual sequence.
const ANNOUNCED: [ConditionType; 6] = [
    ConditionType::Planned,
    ConditionType::Submitted,
    ConditionType::Ordered,
    ConditionType::Issued,
    ConditionType::ActionRequired,
    ConditionType::Stalled,
];

/// The reasons of a profile's conditions that are announced, and whether as a Warning.
const ANNOUNCED_OF_A_PROFILE: [(ConditionType, Reason, bool); 7] = [
    (ConditionType::Resolved, Reason::NotFound, true),
    (ConditionType::Resolved, Reason::Ambiguous, true),
    (ConditionType::Resolved, Reason::Refused, true),
    (ConditionType::Approved, Reason::Approved, false),
    (ConditionType::Approved, Reason::Expiring, true),
    (ConditionType::Approved, Reason::Expired, true),
    (ConditionType::Approved, Reason::Invalid, true),
];

/// The steps that one pass took are one Event, under the reason of the first: the application that was handed in and the
/// order to the CA, above all. What warns is an Event of its own.
fn in_one(notes: Vec<Event>) -> Vec<Event> {
    let is_step = |note: &Event| matches!(note.type_, EventType::Normal);
    let (steps, mut others): (Vec<Event>, Vec<Event>) = notes.into_iter().partition(is_step);
    let mut texts: Vec<String> = steps.iter().filter_map(|step| step.note.clone()).collect();
    texts.dedup();
    if let Some(first) = steps.into_iter().next() {
        others.insert(0, Event { note: Some(shown(&texts.join("; "), LONGEST_NOTE)), ..first });
    }
    others
}

fn announcement(type_: ConditionType, before: &[Condition], now: &[Condition]) -> Option<Event> {
    let is_true = |condition: &&Condition| condition.status == "True";
    let now = get(now, type_).filter(is_true)?;
    if get(before, type_).filter(is_true).is_some_and(|then| then.reason == now.reason) {
        return None;
    }
    let warns = matches!(type_, ConditionType::Stalled | ConditionType::ActionRequired);
    Some(event(if warns { &now.reason } else { &now.type_ }, warns, &now.message))
}

/// Somebody keeps rewriting a Secret.
fn contest(before: &[Condition], now: &[Condition]) -> Option<Event> {
    let contested: &str = Reason::SecretContested.into();
    let is_so = |list| get(list, ConditionType::SecretSynced).filter(|synced| synced.reason == contested);
    let now = is_so(now)?;
    is_so(before).is_none().then(|| event(contested, true, &now.message))
}

/// A renewal begins, is found, runs, ended, or is overdue: that is told three times, with other words each.
fn renewing(before: &[Condition], now: &[Condition]) -> Option<Event> {
    let of = |list| get(list, ConditionType::Renewing);
    let overdue: &str = Reason::RenewalOverdue.into();
    let Some(now) = of(now) else {
        let done = "the renewal is done, or not wanted any more";
        return of(before).map(|_| event("Renewed", false, done));
    };
    let is_overdue = now.reason == overdue;
    let is_new = of(before).is_none_or(|then| {
        then.reason != now.reason || (is_overdue && milestone(&then.message) != milestone(&now.message))
    });
    is_new.then(|| event(&now.reason, is_overdue, &now.message))
}

/// The part of the message on an overdue renewal that changes with the days that are left.
fn milestone(message: &str) -> &str {
    message.split(", and nothing").next().unwrap_or_default()
}

/// Keys of the template are left off the Secrets, or others than before.
fn left_off(before: &[Condition], now: &[Condition]) -> Option<Event> {
    let of = |list| get(list, ConditionType::SecretTemplateAccepted);
    let now = of(now)?;
    let is_new = of(before).is_none_or(|then| then.message != now.message);
    is_new.then(|| event(&now.reason, true, &now.message))
}

fn announcement_of_a_profile(
    (type_, reason, warns): (ConditionType, Reason, bool),
    before: &[Condition],
    now: &[Condition],
) -> Option<Event> {
    let reason: &'static str = reason.into();
    let now = get(now, type_).filter(|condition| condition.reason == reason)?;
    let is_new = get(before, type_).is_none_or(|then| then.reason != now.reason);
    is_new.then(|| event(reason, warns, &now.message))
}

fn event(reason: &str, warns: bool, note: &str) -> Event {
    Event {
        type_: if warns { EventType::Warning } else { EventType::Normal },
        reason: reason.to_owned(),
        note: Some(shown(note, LONGEST_NOTE)),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}

fn request_id(error: &Error) -> Option<&str> {
    error.refusal().and_then(|refusal| refusal.request_id.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_pass_are_one_event_and_what_warns_is_another() {
        let told = |notes: &[(&str, bool, &str)]| {
            let notes = notes.iter().map(|(reason, warns, note)| event(reason, *warns, note));
            let told = in_one(notes.collect()).into_iter();
            told.map(|event| (event.reason, event.note.unwrap())).collect::<Vec<_>>()
        };
        let one = |reason: &str, note: &str| (reason.to_owned(), note.to_owned());
        assert_eq!(told(&[]), []);
        assert_eq!(
            told(&[("Submitted", false, "taken (RequestId a)"), ("Ordered", false, "sent (RequestId b)")]),
            [one("Submitted", "taken (RequestId a); sent (RequestId b)")]
        );
        assert_eq!(
            told(&[
                ("Submitted", false, "taken"),
                ("Ordered", false, "taken"),
                ("AwaitingValidation", true, "publish")
            ]),
            [one("Submitted", "taken"), one("AwaitingValidation", "publish")],
            "one call is told once"
        );
    }
}
