//! When a cloud is asked to reissue a certificate, and what became of it. Pure.
//!
//! A reissue costs nothing, and makes another certificate for the rest of the paid term. It is a write like any other: its
//! intent is stored first, and after an unknown outcome the cloud decides. What the cloud does not show counts only after a
//! while, by the clock of the intent and by our own; then one more call is allowed, and no third.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{RenewalIntent, RenewalPolicy, RenewalStatus, seconds};
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
    let wants = facts.order.spec.renewal().policy == RenewalPolicy::Reissue;
    if let Some(intent) = &status.intent
        && let Some(next) = settle(facts, look, intent, wants)
    {
        return next;
    }
    if !status.did_not_extend.is_empty() {
        let ids = status.did_not_extend.join(", ");
        let message = format!(
            "a certificate that was to take the place of another one ends no later, so it is left aside, and no reissue is \
             asked for: {ids}; buy a certificate, or have this one renewed in the cloud's console"
        );
        let reason = if wants { Reason::ReissueDidNotExtend } else { Reason::SuccessorNotFound };
        return Next::Stopped(Problem::new(reason, message));
    }
    if !wants {
        return Next::Not(None);
    }
    if let Some(refused) = refusal(facts) {
        return Next::Stopped(refused);
    }
    if let Some(why) = hindrance(facts, look, term) {
        return Next::Not(Some(why));
    }
    let attempt = status.intent.as_ref().map_or(1, |intent| intent.attempt.saturating_add(1));
    Next::Ask { attempt }
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
            "the cloud reissues one certificate of a registered domain at a time, and {other} is being reissued"
        ));
    }
    None
}

/// The last refusal, for as long as it counts. Its words are those of the call.
fn refusal(facts: &Facts<'_>) -> Option<Problem> {
    let last = facts.order.status.as_ref()?.last_request.as_ref()?;
    let is_refusal = last.action == facts.action_name(RequestKind::Reissue)
        && ["Refused", "NotNow"].contains(&last.outcome.as_str());
    if !is_refusal || age::age(facts.now, last.time.0) >= ASK_AGAIN {
        return None;
    }
    let code = last.code.as_deref().map(|code| format!(": {code}")).unwrap_or_default();
    let request = last.request_id.as_deref().map(|id| format!(" (RequestId {id})")).unwrap_or_default();
    let message =
        format!("{} refused {}{code}{request}; it is asked again after six hours", facts.cloud, last.action);
    Some(Problem::new(Reason::SuccessorNotFound, message))
}

/// The outcome of a call is not recorded, and the cloud shows no reissue that was not there before. `None` once the absence
/// counts, so that one more call may be made.
fn settle(facts: &Facts<'_>, look: &Look, intent: &RenewalIntent, wants: bool) -> Option<Next> {
    let action = &intent.action;
    let is_told = look.told.as_ref().is_some_and(|told| !intent.baseline.contains(told));
    let last = facts.order.status.as_ref().and_then(|status| status.last_request.as_ref());
    // One of before the intent made another certificate of the chain.
    let is_of_this = |time: &Time| time.0 >= seconds(intent.started_at.0).0;
    let is_accepted =
        last.is_some_and(|last| last.action == *action && last.outcome == ACCEPTED && is_of_this(&last.time));
    if look.logged == Some(true) || is_told || is_accepted {
        return Some(Next::Wait(
            SETTLE,
            format!("{action} was made, and the certificate that it made is not shown yet"),
        ));
    }
    let left = age::left_of(waits(facts, intent), facts.now, intent.started_at.0, facts.ages.renewal.seen);
    if !left.is_zero() || look.choice.is_none() || look.logged.is_none() {
        let message = format!(
            "the outcome of {action} (attempt {}) is not recorded and not visible at the cloud, which is read until it is",
            intent.attempt
        );
        return Some(Next::Wait(SETTLE.min(left.max(Duration::from_secs(1))), message));
    }
    if wants && intent.attempt < MOST_ATTEMPTS {
        return None;
    }
    let message = format!(
        "{action} got no answer, and the cloud shows no result; look into the cloud's console, and name the successor \
         with spec.renewal.certificateId if there is one"
    );
    Some(Next::Stopped(Problem::new(Reason::SuccessorNotFound, message)))
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
