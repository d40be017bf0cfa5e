//! The results of the CA's checks of the proofs of control, read at most every ten minutes: the cloud checks no more
//! often.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use crate::api::v1alpha1;
use crate::cluster::cache::Key;
use crate::core::observation::{Check, Deadline, ValidationRecord};
use crate::core::redact::Filter;
use crate::provider::Provider;

/// How long a cached result is valid.
const VALID_FOR: Duration = Duration::from_mins(10);

/// The result of the checks.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Validation {
    /// For each name.
    pub checks: Vec<Check>,
    /// Until when the CA waits.
    pub deadline: Option<Deadline>,
}

impl Validation {
    /// Whether there is a result for a record.
    #[must_use]
    pub fn is_about(&self, record: &ValidationRecord) -> bool {
        check_of(self, record).is_some()
    }
}

/// Whether the CA has seen a record.
#[must_use]
pub fn has_passed(record: &ValidationRecord, validation: Option<&Validation>) -> bool {
    validation.and_then(|validation| check_of(validation, record)).is_some_and(|check| check.passed)
}

/// The last results. In memory only, and cached while an order waits, so that its message does not change.
#[derive(Default)]
pub struct Validations(Mutex<HashMap<Key, (Instant, Arc<Validation>)>>);

impl Validations {
    /// The cached result, or a new one if that is too old. A read that fails is left out.
    pub async fn of(
        &self,
        key: &Key,
        provider: &dyn Provider,
        checks: bool,
        now: Instant,
    ) -> Arc<Validation> {
        if let Some((asked, answer)) = self.lock().get(key)
            && now.duration_since(*asked) < VALID_FOR
        {
            return Arc::clone(answer);
        }
        let checks = if checks { provider.check_validation().await } else { Ok(Vec::new()) };
        let checks = checks.unwrap_or_else(|error| {
            debug!(%error, "cannot read the result of the checks of the proofs of control");
            Vec::new()
        });
        let deadline = provider.deadline().await.unwrap_or_else(|error| {
            debug!(%error, "cannot read the deadline of the proofs of control");
            None
        });
        let answer = Arc::new(Validation { checks, deadline });
        self.lock().insert(key.clone(), (now, Arc::clone(&answer)));
        answer
    }

    /// Removes an order that no longer waits for its proofs of control.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (Instant, Arc<Validation>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record for the status.
#[must_use]
pub fn record(record: &ValidationRecord, validation: Option<&Validation>) -> v1alpha1::ValidationRecord {
    let check = validation.and_then(|validation| check_of(validation, record));
    v1alpha1::ValidationRecord {
        domain: record.domain.clone(),
        type_: record.type_.clone(),
        name: record.name.clone(),
        value: record.value.clone(),
        check: check.map(|check| format!("cloud: {}; CA: {}", check.local, check.ca)),
    }
}

/// What to publish to prove control of the names, by when, and what the last check reported.
#[must_use]
pub fn what_to_do(records: &[ValidationRecord], validation: Option<&Validation>, filter: &Filter) -> String {
    if records.is_empty() {
        return "prove control of the names as the cloud's console shows; it has not told any record yet"
            .to_owned();
    }
    let list: Vec<String> = records.iter().map(|record| publish(record, validation, filter)).collect();
    let deadline = validation.and_then(|validation| validation.deadline.as_ref());
    let by = deadline.and_then(|deadline| deadline.at);
    let by = by.map(|at| format!(", until {}", v1alpha1::seconds(at).0)).unwrap_or_default();
    let others = validation.map(|validation| others(validation, records, filter)).unwrap_or_default();
    let words = deadline.and_then(|deadline| deadline.message.as_ref()).map(|words| filter.clean(words));
    let words = words.filter(|words| !words.is_empty()).map(|words| format!("; the cloud says: {words}"));
    format!("to prove control of the names{by}: {}{others}{}", list.join("; "), words.unwrap_or_default())
}

/// The results for names without a record.
fn others(validation: &Validation, records: &[ValidationRecord], filter: &Filter) -> String {
    let belongs = |check: &&Check| records.iter().any(|record| is_for(check, record));
    let others = validation.checks.iter().filter(|check| !belongs(check));
    others.flat_map(|check| ["; ".to_owned(), check.domain.clone(), result_of(check, filter)]).collect()
}

fn publish(record: &ValidationRecord, validation: Option<&Validation>, filter: &Filter) -> String {
    let what = match record.type_.as_str() {
        "FILE" => format!("serve {} with the content {}", record.name, record.value),
        type_ => format!("add {type_} {} with the value {}", record.name, record.value),
    };
    let check = validation.and_then(|validation| check_of(validation, record));
    check.map(|check| format!("{what}{}", result_of(check, filter))).unwrap_or(what)
}

/// The result of a check, in brackets.
fn result_of(check: &Check, filter: &Filter) -> String {
    if check.passed {
        return " (the CA has seen it)".to_owned();
    }
    let detail = check.detail.as_ref().map(|detail| filter.clean(detail)).filter(|text| !text.is_empty());
    let detail = detail.map(|text| format!(", {text}")).unwrap_or_default();
    format!(" (the cloud: {}; the CA: {}{detail})", check.local, check.ca)
}

fn check_of<'a>(validation: &'a Validation, record: &ValidationRecord) -> Option<&'a Check> {
    validation.checks.iter().find(|check| is_for(check, record))
}

/// Whether a check is for this record. A check has a name of the certificate, but a record may be in the zone of the
/// registered domain, so the host that the record is below is compared.
fn is_for(check: &Check, record: &ValidationRecord) -> bool {
    let host = match record.type_.as_str() {
        "FILE" => record.domain.as_str(),
        _ => record
            .name
            .split_once('.')
            .filter(|(label, _)| label.starts_with('_'))
            .map_or(record.name.as_str(), |(_, host)| host),
    };
    let name = check.domain.strip_prefix("*.").unwrap_or(&check.domain);
    name.eq_ignore_ascii_case(host.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(type_: &str, domain: &str, name: &str) -> ValidationRecord {
        let [domain, type_, name, value] = [domain, type_, name, "value"].map(str::to_owned);
        ValidationRecord { domain, type_, name, value }
    }

    fn check(domain: &str, passed: bool) -> Check {
        let ca = if passed { "found" } else { "not found yet" };
        Check { domain: domain.to_owned(), passed, local: "the TXT record is missing", ca, detail: None }
    }

    #[test]
    fn each_record_shows_what_was_found_of_it_and_of_no_other() {
        let records = [
            record("TXT", "acme.example", "_dnsauth.acme.example"),
            record("CNAME", "acme.example", "_4f2a.www.acme.example"),
            record("FILE", "files.acme.example", "http://files.acme.example/.well-known/x.txt"),
            record("TXT", "acme.example", "acme.example"),
        ];
        let checks = ["*.acme.example", "WWW.acme.example", "files.acme.example"];
        for (at, name) in checks.into_iter().enumerate() {
            let validation = Validation { checks: vec![check(name, true)], deadline: None };
            for (which, record) in records.iter().enumerate() {
                let expected = which == at || (at == 0 && which == 3);
                assert_eq!(check_of(&validation, record).is_some(), expected, "{name}: {}", record.name);
            }
        }
    }

    #[test]
    fn nothing_that_was_found_is_left_out() {
        let records = [record("TXT", "acme.example", "_dnsauth.www.acme.example")];
        let deadline = Deadline { message: Some("Waiting for validation".into()), ..Deadline::default() };
        let checks = vec![check("www.acme.example", false), check("old.acme.example", true)];
        let validation = Validation { checks, deadline: Some(deadline) };
        assert_eq!(
            what_to_do(&records, Some(&validation), &Filter::default()),
            "to prove control of the names: add TXT _dnsauth.www.acme.example with the value value (the cloud: the TXT \
             record is missing; the CA: not found yet); old.acme.example (the CA has seen it); the cloud says: Waiting \
             for validation"
        );
    }
}
