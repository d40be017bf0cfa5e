//! What the CA found of the proofs of control, asked at most every ten minutes: the cloud looks no more often.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tracing::debug;

use crate::api::v1alpha1;
use crate::core::order::{Check, Deadline, ValidationRecord};
use crate::core::redact::Filter;
use crate::order::lookout::Key;
use crate::provider::Provider;

/// How long an answer is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What was found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Validation {
    /// For each name.
    pub checks: Vec<Check>,
    /// Until when the CA waits.
    pub deadline: Option<Deadline>,
}

/// The last answers. In memory only, and kept while an order waits, so that its message stays the same.
#[derive(Default)]
pub struct Validations(Mutex<HashMap<Key, (Timestamp, Arc<Validation>)>>);

impl Validations {
    /// The last answer, or a new one where that is too old. What the cloud does not answer is left out.
    pub async fn of(
        &self,
        key: &Key,
        provider: &dyn Provider,
        checks: bool,
        now: Timestamp,
    ) -> Arc<Validation> {
        if let Some((asked, answer)) = self.lock().get(key)
            && now.duration_since(*asked) < GOOD_FOR
        {
            return Arc::clone(answer);
        }
        let checks = if checks { provider.check_validation().await } else { Ok(Vec::new()) };
        let checks = checks.unwrap_or_else(|error| {
            debug!(%error, "the cloud does not say what it found of the proofs of control");
            Vec::new()
        });
        let deadline = provider.deadline().await.unwrap_or_else(|error| {
            debug!(%error, "the cloud does not say until when it waits");
            None
        });
        let answer = Arc::new(Validation { checks, deadline });
        self.lock().insert(key.clone(), (now, Arc::clone(&answer)));
        answer
    }

    /// Forgets an order that waits no longer.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (Timestamp, Arc<Validation>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record as the status shows it.
#[must_use]
pub fn record(record: &ValidationRecord, validation: Option<&Validation>) -> v1alpha1::ValidationRecord {
    let check = validation.and_then(|validation| check_of(validation, &record.domain));
    v1alpha1::ValidationRecord {
        domain: record.domain.clone(),
        type_: record.type_.clone(),
        name: record.name.clone(),
        value: record.value.clone(),
        check: check.map(|check| format!("cloud: {}; CA: {}", check.local, check.ca)),
    }
}

/// What to publish so that the CA sees that the user controls the names, by when, and why it does not see it yet.
#[must_use]
pub fn what_to_do(records: &[ValidationRecord], validation: Option<&Validation>, filter: &Filter) -> String {
    if records.is_empty() {
        return "prove control of the names as the cloud's console shows; it has not told any record yet"
            .to_owned();
    }
    let list: Vec<String> = records.iter().map(|record| publish(record, validation, filter)).collect();
    let by = validation.and_then(|validation| validation.deadline.as_ref()?.at);
    let by = by.map(|at| format!(", until {}", v1alpha1::seconds(at).0)).unwrap_or_default();
    format!("to prove control of the names{by}: {}", list.join("; "))
}

fn publish(record: &ValidationRecord, validation: Option<&Validation>, filter: &Filter) -> String {
    let what = match record.type_.as_str() {
        "FILE" => format!("serve {} with the content {}", record.name, record.value),
        type_ => format!("add {type_} {} with the value {}", record.name, record.value),
    };
    match validation.and_then(|validation| check_of(validation, &record.domain)) {
        Some(check) if check.passed => format!("{what} (the CA has seen it)"),
        Some(check) => {
            let detail =
                check.detail.as_ref().map(|detail| filter.clean(detail)).filter(|text| !text.is_empty());
            let detail = detail.map(|text| format!(", {text}")).unwrap_or_default();
            format!("{what} (the cloud: {}; the CA: {}{detail})", check.local, check.ca)
        }
        None => what,
    }
}

fn check_of<'a>(validation: &'a Validation, domain: &str) -> Option<&'a Check> {
    validation.checks.iter().find(|check| check.domain.eq_ignore_ascii_case(domain))
}
