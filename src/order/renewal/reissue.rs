//! When Tencent Cloud is asked to reissue a certificate, and what became of it. Pure.
//!
//! A reissue costs nothing, and makes another certificate for the rest of the paid term. It is a write like any other: its
//! intent is stored first, and after an unknown outcome the cloud decides. What the cloud does not show counts only after a
//! while, by the clock of the intent and by our own; then one more call is allowed, and no third.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{RenewalIntent, RenewalPolicy, RenewalStatus};
use crate::core::age;
use crate::core::conditions::Problem;
use crate::core::observation::Stage;
use crate::order::facts::{ACCEPTED, Facts, Term};
use crate::order::renewal::look::Look;
use crate::provider::RequestKind;

/// How long after a call the cloud may not show its result yet.
const LINKS_MAY_LAG: Duration = Duration::from_mins(10);

/// After a refusal the cloud is asked again this much later.
const ASK_AGAIN: Duration = Duration::from_hours(6);

/// How often the cloud is read while the outcome of a call is unknown.
const SETTLE: Duration = Duration::from_mins(1);

/// The most calls for one certificate whose outcome stays unknown.
const MOST_ATTEMPTS: i64 = 2;

/// What comes next of a reissue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// It is not wanted, or not possible; why, if a user would like to know.
    Not(Option<String>),
    /// Ask for it.
    Ask {
        /// 1, or one more than that of the call whose result is absent.
        attempt: i64,
    },
    /// Read the cloud again after this pause; what is to be said meanwhile.
    Wait(Duration, String),
    /// Its outcome stays unknown, or it is no use: a person has to decide.
    Stopped(Problem),
}

/// What comes next, where the cloud shows no successor of a certificate that is due.
#[must_use]
pub fn next(facts: &Facts<'_>, look: &Look, term: Term, status: &RenewalStatus) -> Next {
    if let Some(intent) = &status.intent {
        return settle(facts, look, intent);
    }
    if status.did_not_extend.as_deref() == Some(facts.current_id()) {
        let message = format!(
            "certificate {} is a reissue that ends no later than its original, so no other reissue is asked for; buy a \
             certificate, or have this one renewed in the cloud's console",
            facts.current_id()
        );
        return Next::Stopped(Problem::new(Reason::ReissueDidNotExtend, message));
    }
    if facts.order.spec.renewal().policy != RenewalPolicy::Reissue {
        return Next::Not(None);
    }
    if let Some(why) = hindrance(facts, look, term) {
        return Next::Not(Some(why));
    }
    Next::Ask { attempt: 1 }
}

/// Why the cloud is not asked now.
fn hindrance(facts: &Facts<'_>, look: &Look, term: Term) -> Option<String> {
    if facts.calls.is_none_or(|calls| calls.reissue.is_none()) {
        return Some("this cloud reissues nothing on request".to_owned());
    }
    if !matches!(facts.observed, Some(Ok(seen)) if seen.stage == Stage::Issued) {
        return Some("a certificate is reissued only while it is issued".to_owned());
    }
    if age::left(facts.now, term.not_after) <= facts.reissue_bar {
        let days = facts.reissue_bar.as_secs() / 86_400;
        return Some(format!(
            "no reissue is asked for in the last {days} days, since the cloud refuses it then"
        ));
    }
    if let Some(other) = &look.reissue_runs {
        return Some(format!(
            "the cloud reissues one certificate of a registered domain at a time, and that of CertificateOrder {other} runs"
        ));
    }
    was_refused(facts).map(|left| {
        format!("the cloud refused a reissue, and is asked again in {} minutes", left.as_secs() / 60)
    })
}

/// How long the last refusal still counts.
fn was_refused(facts: &Facts<'_>) -> Option<Duration> {
    let last = facts.order.status.as_ref()?.last_request.as_ref()?;
    let is_refusal = last.action == facts.action_name(RequestKind::Reissue) && last.outcome != ACCEPTED;
    let left = ASK_AGAIN.saturating_sub(age::age(facts.now, last.time.0));
    (is_refusal && !left.is_zero()).then_some(left)
}

/// The outcome of a call is not recorded, and the cloud shows no reissue that was not there before.
fn settle(facts: &Facts<'_>, look: &Look, intent: &RenewalIntent) -> Next {
    let action = &intent.action;
    if look.logged == Some(true) {
        return Next::Wait(SETTLE, format!("the cloud's log has {action}, and its result is not shown yet"));
    }
    let left = age::left_of(waits(facts, intent), facts.now, intent.started_at.0, facts.ages.renewal.seen);
    if !left.is_zero() || look.choice.is_none() {
        let message = format!(
            "the outcome of {action} (attempt {}) is not recorded and not visible at the cloud, which is read until then",
            intent.attempt
        );
        return Next::Wait(SETTLE.min(left.max(Duration::from_secs(1))), message);
    }
    if intent.attempt < MOST_ATTEMPTS {
        return Next::Ask { attempt: intent.attempt.saturating_add(1) };
    }
    let message = format!(
        "{action} got no answer twice, and the cloud shows no result; look into the cloud's console, and name the successor \
         with spec.renewal.certificateId if there is one"
    );
    Next::Stopped(Problem::new(Reason::SuccessorNotFound, message))
}

/// How long absent evidence does not count: until a slow call is over, and the cloud shows what it did.
fn waits(facts: &Facts<'_>, intent: &RenewalIntent) -> Duration {
    let begin = intent.begin_by.as_ref().map_or(Duration::ZERO, |by| age::left(intent.started_at.0, by.0));
    begin.max(facts.call_timeout).saturating_add(facts.call_timeout).saturating_add(LINKS_MAY_LAG)
}

/// From when on the cloud's log is searched for the call of an intent.
#[must_use]
pub fn log_since(intent: &RenewalIntent) -> Timestamp {
    let started = intent.started_at.0;
    started.checked_sub(Duration::from_mins(5)).unwrap_or(started)
}
