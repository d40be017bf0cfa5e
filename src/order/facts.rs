//! What is known of one order at one moment: all that [`super::plan`] and [`super::fold`] look at.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, DeletionPolicy, Intent, Mode, Submission, seconds};
use crate::core::annotations::{FINALIZER, RESUBMIT_AT, WITHDRAW, handled_value};
use crate::core::conditions::{Problem, get};
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::order::validation::Validation;
use crate::provider::{Calls, Error, Letter, Payload};

pub use crate::provider::RequestKind as Action;

/// Everything that is known of one order at one moment.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The order as read.
    pub order: &'a CertificateOrder,
    /// The cloud's name.
    pub cloud: &'static str,
    /// The paid certificate.
    pub certificate_id: &'a str,
    /// A field of the order whose behaviour this version does not have.
    pub unsupported: Option<Problem>,
    /// Its names.
    pub names: &'a Result<Names, Problem>,
    /// The request that hands in the application, or what is missing for it.
    pub payload: &'a Result<Payload, Problem>,
    /// What the cloud says, where it was asked.
    pub observed: Option<&'a Result<Observation, Error>>,
    /// The cloud's names of its calls; `None` where there are no credentials to call with.
    pub calls: Option<&'static Calls>,
    /// What the cloud's own log says of the call of an intent, where it was asked.
    pub logged: Option<bool>,
    /// What the CA found of the proofs of control, as last asked.
    pub validation: Option<&'a Validation>,
    /// The key that certorder made for this order.
    pub key: KeyState<'a>,
    /// The signed letter, where the user names one and the CA waits for it.
    pub letter: Option<&'a Result<Letter, Problem>>,
    /// Whether the certificate stands in its Secret.
    pub secret: &'a Export,
    /// Why its Secrets could not be written once the certificate is issued, where an application may come next.
    pub outputs: Option<Problem>,
    /// What other orders for the same certificate mean for this one.
    pub contested: Option<Problem>,
    /// Why this order may not begin yet: its namespace has enough that run.
    pub over_budget: Option<Problem>,
    /// How long this process has seen the open intent, by its own steady clock.
    pub intent_seen_for: Duration,
    /// Now.
    pub now: Timestamp,
    /// The longest that one call takes.
    pub call_timeout: Duration,
}

/// The private key that certorder made for an order, as its Secret holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState<'a> {
    /// The key is made elsewhere, or by nobody yet since something comes first.
    NotOurs,
    /// It is there.
    Held,
    /// There is no such Secret.
    Absent(&'a Problem),
    /// There is one, and no key can be read from it.
    Unfit(&'a Problem),
}

/// Whether an issued certificate stands in the Secret that the order names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Export {
    /// The order names no Secret.
    NotWanted,
    /// It does.
    Current,
    /// It has to be fetched and written.
    Due,
    /// It cannot be written until something is mended.
    Blocked(Problem),
}

/// The outcome of an accepted call, as `lastRequest` records it.
pub const ACCEPTED: &str = "Accepted";

const RESUBMIT_IS_RECENT: SignedDuration = SignedDuration::from_hours(1);

/// For so long after an order was sent the cloud may still show the state before it.
const STATE_MAY_LAG: SignedDuration = SignedDuration::from_mins(10);

/// A submission younger than this stands for the read before the order.
const SUBMISSION_IS_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// The most that the clocks of a cloud and its callers differ: further off, a cloud takes no call.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Whether the deletion of this order waits for certorder.
#[must_use]
pub fn has_finalizer(order: &CertificateOrder) -> bool {
    order.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

impl Facts<'_> {
    /// The generation that this pass looks at.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.order.metadata.generation.unwrap_or_default()
    }

    /// The cloud's name of a call that writes.
    #[must_use]
    pub fn action_name(&self, action: Action) -> String {
        self.calls.and_then(|calls| calls.name(action)).unwrap_or("the application").to_owned()
    }

    /// The cloud's name of the call that sends the order, where that is a call of its own.
    #[must_use]
    pub fn order_action(&self) -> Option<&'static str> {
        self.calls?.order
    }

    /// Whether the cloud has to be read before a step can be chosen.
    #[must_use]
    pub fn needs_the_cloud(&self) -> bool {
        let deleting = self.order.metadata.deletion_timestamp.is_some();
        deleting || (!self.order.spec.suspend && (self.intent().is_some() || !self.order_is_due()))
    }

    pub(super) fn submission(&self) -> Option<&Submission> {
        self.order.status.as_ref()?.submission.as_ref()
    }

    /// The intent that was found.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.submission()?.intent.as_ref()
    }

    /// Our record of an accepted application.
    #[must_use]
    pub fn ours(&self) -> Option<&Submission> {
        self.submission().filter(|submission| submission.submitted_at.is_some())
    }

    /// The application was accepted a moment ago, so the order may follow without another read.
    #[must_use]
    pub fn order_is_due(&self) -> bool {
        let Some(ours) = self.ours().filter(|ours| ours.ordered_at.is_none() && ours.intent.is_none()) else {
            return false;
        };
        let age = ours.submitted_at.as_ref().map(|at| self.now.duration_since(at.0));
        let is_fresh = age.is_some_and(|age| !age.is_negative() && age < SUBMISSION_IS_FRESH);
        // Nothing came in between: a refused order asks for another look.
        let last = self.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        let is_last = last.is_some_and(|last| {
            last.outcome == ACCEPTED && self.calls.is_some_and(|calls| calls.submit == last.action)
        });
        let same =
            self.payload.as_ref().is_ok_and(|payload| ours.payload_hash.as_ref() == Some(&payload.hash));
        self.order_action().is_some() && is_fresh && is_last && same
    }

    /// Whether the call that hands in the application also sends the order.
    #[must_use]
    pub fn submits_in_one_call(&self) -> bool {
        self.calls.is_some_and(|calls| calls.order.is_none())
    }

    /// Whether the cloud may hold an application that was handed in before the one of the open intent.
    #[must_use]
    pub fn has_earlier_application(&self) -> bool {
        // What the user asked to do again was done before.
        let is_asked = self.intent().is_some_and(|intent| intent.resubmit_at.is_some());
        self.is_restarted() || self.ours().is_some() || is_asked
    }

    /// Whether the cloud may hold an application of somebody else, or of before, that looks like the present one.
    #[must_use]
    pub fn may_look_like_another(&self) -> bool {
        self.has_earlier_application()
            || self.payload.as_ref().is_ok_and(|payload| payload.evidence.is_partial())
    }

    /// Whether the cloud's log may take our application of before for that of this intent: its times are whole seconds,
    /// by the cloud's clock. Where the cloud shows all of an application that settles it; of one by ids another one may
    /// look the same, so there the clocks count, too.
    #[must_use]
    pub fn log_is_ambiguous(&self, intent: &Intent) -> bool {
        let partial = self.payload.as_ref().is_ok_and(|payload| payload.evidence.is_partial());
        let margin = if partial { CLOCKS_DIFFER } else { SignedDuration::ZERO };
        let earlier = self.ours().and_then(|ours| ours.submitted_at.as_ref());
        let begins = seconds(intent.started_at.0).0;
        earlier.is_some_and(|earlier| earlier.0.saturating_add(margin).unwrap_or(Timestamp::MAX) >= begins)
    }

    /// Whether the user edited the order after it was rejected or cancelled: what the CA works on cannot be edited
    /// before, and Submitted was last set when the end was first seen.
    pub(super) fn is_edited_since_the_end(&self) -> bool {
        let conditions = self.order.status.as_ref().map(|status| status.conditions.as_slice());
        let submitted = get(conditions.unwrap_or_default(), ConditionType::Submitted);
        self.has_seen_the_end()
            && submitted.is_some_and(|submitted| submitted.observed_generation < Some(self.generation()))
    }

    /// Whether an earlier look saw that the CA works on our order no more: since then it can be edited, but while
    /// the call is made that opens it again.
    pub(super) fn has_seen_the_end(&self) -> bool {
        let reopens = self.intent().is_some_and(|intent| match self.action_of(intent) {
            Action::Resubmit => true,
            Action::Submit => self.submits_in_one_call(),
            Action::Order | Action::Withdraw | Action::Revoke | Action::SendLetter => false,
        });
        self.ours().is_some_and(|ours| !ours.frozen || reopens)
    }

    /// What the call of an intent is for.
    #[must_use]
    pub fn action_of(&self, intent: &Intent) -> Action {
        let named =
            |action: &Action| self.calls.and_then(|calls| calls.name(*action)) == Some(&intent.action);
        Action::iter().find(named).unwrap_or(Action::Submit)
    }

    /// Whether the present attempt is not the first.
    #[must_use]
    pub fn is_restarted(&self) -> bool {
        self.submission().is_some_and(|submission| submission.resubmissions > 0)
    }

    /// The cloud's log counts in seconds, so the application of another attempt is handed in no earlier than in the
    /// second after the restart: then the log tells it from the one before.
    pub(super) fn second_attempt_begins(&self) -> Option<Timestamp> {
        let restarted = self.submission()?.started_over_at.as_ref()?.0;
        let begins = restarted.checked_add(SignedDuration::from_secs(1)).ok()?;
        (self.now < begins).then_some(begins)
    }

    /// When the present attempt began, if the cloud may still show the end of the one before.
    pub(super) fn just_started_over(&self) -> Option<Timestamp> {
        let began = self.submission().and_then(|submission| submission.started_over_at.as_ref());
        began.filter(|began| self.is_lately(began)).map(|began| began.0)
    }

    /// Whether our order was sent a moment ago, so that the cloud may not show it yet. Not after its review was
    /// stopped: what waits for an application then waits for another one.
    pub(super) fn may_not_show_the_order(&self, ours: &Submission) -> bool {
        ours.ordered_at.as_ref().is_some_and(|at| self.is_lately(at)) && !self.is_withdrawn_by_us()
    }

    /// Whether the last call stopped the review.
    pub(super) fn is_withdrawn_by_us(&self) -> bool {
        let last = self.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        last.is_some_and(|last| {
            last.outcome == ACCEPTED
                && self.calls.and_then(|calls| calls.withdraw).is_some_and(|withdraw| withdraw == last.action)
        })
    }

    /// Whether the cloud may still show the state before this.
    pub(super) fn is_lately(&self, time: &Time) -> bool {
        let age = self.now.duration_since(time.0);
        !age.is_negative() && age < STATE_MAY_LAG
    }

    /// Why no application is handed in and no order is sent, whatever the cloud says.
    pub(super) fn held_back(&self) -> Option<Problem> {
        let withdrawn = || {
            let message = format!(
                "the annotation {WITHDRAW} holds this order back, and nothing is sent; remove it to go on"
            );
            Problem::new(Reason::Withdrawn, message)
        };
        self.unsupported.clone().or_else(|| self.withdraw_is_asked().then(withdrawn))
    }

    /// Whether an application may be handed in next, so that it counts what can be known of its outputs.
    #[must_use]
    pub fn may_apply(&self) -> bool {
        let Some(Ok(seen)) = self.observed else { return false };
        let is_over = |ours: &Submission| ours.ordered_at.is_some() && self.resubmit_is_asked();
        let begins = match seen.stage {
            Stage::AwaitingInformation => self.ours().is_none_or(is_over),
            Stage::Rejected | Stage::Cancelled => self.resubmit_is_asked() || self.is_edited_since_the_end(),
            _ => false,
        };
        begins && !self.order.spec.suspend && self.order.metadata.deletion_timestamp.is_none()
    }

    /// Whether the user asks to stop the review of this certificate.
    #[must_use]
    pub fn withdraw_is_asked(&self) -> bool {
        self.annotation(WITHDRAW).is_some_and(|id| id == self.certificate_id)
    }

    /// Whether the user asks for another attempt: a time of the last hour that was not acted on yet.
    #[must_use]
    pub fn resubmit_is_asked(&self) -> bool {
        let Some(asked) = self.annotation(RESUBMIT_AT) else { return false };
        let handled =
            self.order.status.as_ref().and_then(|status| status.last_handled_resubmit_at.as_deref());
        let age = asked.parse::<Timestamp>().map(|at| self.now.duration_since(at));
        handled != Some(handled_value(asked).as_str()) && age.is_ok_and(|age| age.abs() <= RESUBMIT_IS_RECENT)
    }

    /// The user's asking that this call acts on, where the application itself begins another attempt.
    #[must_use]
    pub fn asks_for(&self, action: Action) -> Option<&str> {
        let acts_on_it = action == Action::Submit && self.submits_in_one_call() && self.resubmit_is_asked();
        self.annotation(RESUBMIT_AT).filter(|_| acts_on_it)
    }

    /// Whether the user asks for another attempt after the one that an intent is for.
    pub(super) fn resubmit_is_asked_since(&self, intent: &Intent) -> bool {
        self.resubmit_is_asked() && self.annotation(RESUBMIT_AT) != intent.resubmit_at.as_deref()
    }

    /// An annotation of the order.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.order.annotations().get(name).map(String::as_str)
    }

    pub(super) fn lacks_finalizer(&self) -> bool {
        let deleting = self.order.metadata.deletion_timestamp.is_some();
        let undoes = self.order.spec.deletion_policy != DeletionPolicy::Retain;
        undoes && !deleting && self.order.spec.mode == Mode::Apply && !has_finalizer(self.order)
    }
}
