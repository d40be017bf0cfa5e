//! The part of `fold` for the proofs of control that external-dns publishes.

use std::time::Duration;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::core::age;
use crate::core::conditions::{Problem, Status, get};
use crate::core::observation::{Observation, Stage, ValidationRecord};
use crate::order::dns_endpoint::object::name_of;
use crate::order::dns_endpoint::records::LeftOut;
use crate::order::dns_endpoint::standing::Standing;
use crate::order::fold::stages::Report;
use crate::order::fold::state::Fold;
use crate::order::validation::{Validation, has_passed, what_to_do};

/// After so long the records should have been seen: external-dns looks every minute, and a CA at least every hour.
const SEEN_BY_THEN: Duration = Duration::from_hours(3);

impl Fold<'_> {
    /// Says what came of the `DNSEndpoint`.
    pub(super) fn dns_endpoint(&mut self) {
        let type_ = ConditionType::DnsEndpointSynced;
        let name = name_of(self.facts.order);
        match self.facts.dns_endpoint {
            None => {}
            Some(Standing::Gone) => self.conditions.remove(type_),
            Some(Standing::Announced) => {
                let message = format!("DNSEndpoint {name} is about to be written");
                self.conditions.set(type_, Status::Unknown, Reason::Pending, &message);
            }
            Some(Standing::Written { taken: Some(problem), .. } | Standing::Failed(problem)) => {
                self.conditions.set(type_, Status::False, problem.reason, &problem.message);
            }
            Some(Standing::Written { left_out, taken: None }) => {
                let message =
                    format!("DNSEndpoint {name} has the records for external-dns{}", beside(left_out));
                self.conditions.set(type_, Status::True, Reason::Synced, &message);
            }
            Some(Standing::Empty { left_out }) => {
                let message = format!("there is no DNSEndpoint {name}{}", beside(left_out));
                self.conditions.set(type_, Status::False, Reason::AwaitingValidation, &message);
            }
            Some(Standing::Undeletable(Problem { reason, message })) => {
                self.conditions.set(type_, Status::False, *reason, message);
                if !self.conditions.is(ConditionType::ActionRequired, Status::True) {
                    self.conditions.set(ConditionType::ActionRequired, Status::True, *reason, message);
                }
            }
        }
    }

    /// What a person must do at this stage: of the records only what external-dns does not publish.
    pub(super) fn action(&self, seen: &Observation, report: &Report) -> Option<(Reason, String)> {
        let all = report.action.clone()?;
        let is_about_records = match seen.stage {
            Stage::Validating => true,
            Stage::Revoking => !seen.records.is_empty(),
            _ => false,
        };
        let standing = self.facts.dns_endpoint.filter(|_| is_about_records);
        match standing {
            None | Some(Standing::Gone | Standing::Undeletable(_) | Standing::Empty { .. }) => {
                Some((report.reason, all))
            }
            // In a moment it is known.
            Some(Standing::Announced) => None,
            Some(Standing::Failed(problem) | Standing::Written { taken: Some(problem), .. }) => {
                Some((problem.reason, format!("{}; until then, {all}", problem.message)))
            }
            Some(Standing::Written { left_out, taken: None }) if self.is_unseen(seen, left_out) => {
                let message = format!(
                    "DNSEndpoint {} has had the records for more than 3 hours, and the CA has not seen all of them: look \
                     into the log of external-dns, which has to watch this namespace, to serve the zone and to manage the \
                     types of the records (--managed-record-types=TXT), or publish them yourself; {all}",
                    name_of(self.facts.order)
                );
                Some((Reason::RecordNotSeen, message))
            }
            Some(Standing::Written { left_out, taken: None }) if left_out.is_empty() => None,
            Some(Standing::Written { left_out, taken: None }) => {
                let rest: Vec<_> = left_out.iter().map(|left| left.record.clone()).collect();
                let checks = self.facts.validation.map(|validation| of_these(validation, &rest));
                let message = what_to_do(&rest, checks.as_ref(), self.filter);
                Some((report.reason, format!("{message}{}", beside(left_out))))
            }
        }
    }

    /// Whether the CA has not seen what the object holds for hours.
    fn is_unseen(&self, seen: &Observation, left_out: &[LeftOut]) -> bool {
        let stored = self.facts.order.status.as_ref();
        let written = stored
            .and_then(|status| get(&status.conditions, ConditionType::DnsEndpointSynced))
            .filter(|written| written.status == Status::True.as_str());
        let changed = self.status.cloud.as_ref().and_then(|cloud| cloud.since.as_ref());
        let ages = [written.map(|written| &written.last_transition_time), changed];
        let youngest =
            ages.into_iter().map(|since| since.map(|since| age::age(self.facts.now, since.0))).min();
        if youngest.flatten().is_none_or(|age| age < SEEN_BY_THEN) {
            return false;
        }
        let is_left = |record: &&ValidationRecord| left_out.iter().any(|left| left.record == **record);
        let mut held = seen.records.iter().filter(|record| !is_left(record));
        held.any(|record| !has_passed(record, self.facts.validation))
    }
}

/// The checks of these records alone.
fn of_these(validation: &Validation, records: &[ValidationRecord]) -> Validation {
    let checks = validation.checks.iter().filter(|check| {
        let one = Validation { checks: vec![(*check).clone()], deadline: None };
        records.iter().any(|record| one.is_about(record))
    });
    Validation { checks: checks.cloned().collect(), deadline: validation.deadline.clone() }
}

/// Which records it does not hold, and why.
fn beside(left_out: &[LeftOut]) -> String {
    let each =
        left_out.iter().map(|LeftOut { record, why }| format!("{} {}: {why}", record.type_, record.name));
    match each.collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => none,
        all => format!("; not in it is {all}"),
    }
}
