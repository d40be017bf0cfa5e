//! Maintains a list of `metav1.Condition` by the API conventions, and keeps the three that kstatus reads consistent.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::v1alpha1::conditions::{Class, ConditionType, Reason};
use crate::api::v1alpha1::seconds;
use crate::core::text::shown;

/// The longest message of a condition, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// Why the object cannot make progress, as a reason and as a sentence that says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The reason; it also decides whether this is a wait or a stop.
    pub reason: Reason,
    /// The message.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// The conditions of one object while its status is computed.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// As they are stored: one that is removed and set again keeps its transition time.
    stored: Vec<Condition>,
    list: Vec<Condition>,
    generation: i64,
    now: Timestamp,
}

impl Conditions {
    /// Starts from the stored conditions. `generation` is the one that the pass observes.
    #[must_use]
    pub fn new(stored: &[Condition], generation: i64, now: Timestamp) -> Self {
        Self { stored: stored.to_vec(), list: stored.to_vec(), generation, now }
    }

    /// Sets a condition. The transition time changes only with the status.
    pub fn set(&mut self, type_: ConditionType, status: Status, reason: Reason, message: &str) {
        let name: &'static str = type_.into();
        let since = get(&self.stored, type_)
            .filter(|condition| condition.status == status.as_str())
            .map_or(seconds(self.now), |condition| condition.last_transition_time.clone());
        self.remove(type_);
        self.list.push(Condition {
            type_: name.to_owned(),
            status: status.as_str().to_owned(),
            reason: <&'static str>::from(reason).to_owned(),
            message: shown(message, LONGEST_MESSAGE),
            last_transition_time: since,
            observed_generation: Some(self.generation),
        });
    }

    /// Sets the observed generation of a condition to that of the pass.
    pub fn renew(&mut self, type_: ConditionType) {
        let name: &'static str = type_.into();
        for condition in self.list.iter_mut().filter(|condition| condition.type_ == name) {
            condition.observed_generation = Some(self.generation);
        }
    }

    /// Sets a condition to False if it is set; a condition that was never set stays unset.
    pub fn clear(&mut self, type_: ConditionType, reason: Reason, message: &str) {
        if get(&self.list, type_).is_some() {
            self.set(type_, Status::False, reason, message);
        }
    }

    /// Removes a condition.
    pub fn remove(&mut self, type_: ConditionType) {
        let name: &'static str = type_.into();
        self.list.retain(|condition| condition.type_ != name);
    }

    /// Whether the condition is set to this status.
    #[must_use]
    pub fn is(&self, type_: ConditionType, status: Status) -> bool {
        get(&self.list, type_).is_some_and(|condition| condition.status == status.as_str())
    }

    /// In progress, or waiting: Reconciling, and Ready is Unknown.
    pub fn working(&mut self, reason: Reason, message: &str) {
        self.remove(ConditionType::Stalled);
        self.set(ConditionType::Reconciling, Status::True, reason, message);
        self.set(ConditionType::Ready, Status::Unknown, reason, message);
    }

    /// Stopped until the user fixes something: Stalled, and Ready is False.
    pub fn stopped(&mut self, reason: Reason, message: &str) {
        self.remove(ConditionType::Reconciling);
        self.set(ConditionType::Stalled, Status::True, reason, message);
        self.set(ConditionType::Ready, Status::False, reason, message);
    }

    /// Neither in progress nor stopped: Ready is `ready`.
    pub fn resting(&mut self, ready: Status, reason: Reason, message: &str) {
        self.remove(ConditionType::Reconciling);
        self.remove(ConditionType::Stalled);
        self.set(ConditionType::Ready, ready, reason, message);
    }

    /// A problem: a wait or a stop, as its reason decides.
    pub fn halted(&mut self, problem: &Problem) {
        if problem.reason.class() == Class::Waiting {
            self.working(problem.reason, &problem.message);
        } else {
            self.stopped(problem.reason, &problem.message);
        }
    }

    /// The list to store, in a stable order.
    #[must_use]
    pub fn into_list(mut self) -> Vec<Condition> {
        self.list.sort_by(|a, b| a.type_.cmp(&b.type_));
        self.list
    }
}

/// The status of a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is true.
    True,
    /// It is false.
    False,
    /// Not known yet.
    Unknown,
}

impl Status {
    /// The value in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The stored condition of this type.
#[must_use]
pub fn get(list: &[Condition], type_: ConditionType) -> Option<&Condition> {
    let name: &'static str = type_.into();
    list.iter().find(|condition| condition.type_ == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn reconciling_and_stalled_are_never_both_present() {
        let mut conditions = Conditions::new(&[], 1, T0);
        conditions.working(Reason::Pending, "begins");
        conditions.stopped(Reason::CsrInvalid, "bad");
        assert_eq!(types(&conditions), ["Ready", "Stalled"]);
        conditions.working(Reason::Submitting, "again");
        assert_eq!(types(&conditions), ["Ready", "Reconciling"]);
        conditions.resting(Status::True, Reason::Issued, "done");
        assert_eq!(types(&conditions), ["Ready"]);
    }

    #[test]
    fn the_transition_time_moves_with_the_status_only() {
        let mut conditions = Conditions::new(&[], 1, T0);
        conditions.working(Reason::Pending, "one");
        let stored = conditions.into_list();
        let mut conditions = Conditions::new(&stored, 2, at(60));
        conditions.working(Reason::Submitting, "two");
        let same = conditions.clone().into_list();
        assert_eq!(get(&same, ConditionType::Ready).unwrap().last_transition_time.0, T0);
        conditions.stopped(Reason::CsrInvalid, "three");
        let changed = conditions.into_list();
        assert_eq!(get(&changed, ConditionType::Ready).unwrap().last_transition_time.0, at(60));
    }

    #[test]
    fn a_condition_that_was_never_set_is_not_cleared() {
        let mut conditions = Conditions::new(&[], 1, T0);
        conditions.clear(ConditionType::Ordered, Reason::Rejected, "no");
        assert!(types(&conditions).is_empty());
    }

    fn types(conditions: &Conditions) -> Vec<String> {
        conditions.clone().into_list().into_iter().map(|condition| condition.type_).collect()
    }
}
