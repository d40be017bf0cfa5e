//! What is known of one order at one time: the whole input of [`super::plan`] and [`super::fold`].

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use sha2::{Digest, Sha256};
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, DeletionPolicy, Intent, Mode, Submission, seconds};
use crate::core::age;
use crate::core::annotations::{FINALIZER, RESUBMIT_AT, WITHDRAW, handled_value};
use crate::core::conditions::{Problem, get};
use crate::core::fingerprint::{Comparison, HashKey};
use crate::core::names::Names;
use crate::core::observation::{Observation, Stage};
use crate::order::ages::{Age, Ages};
use crate::order::dns_endpoint::standing::Standing;
use crate::order::renewal::look::Look;
use crate::order::validation::Validation;
use crate::provider::{Calls, Error, Letter, Payload};

pub use crate::provider::RequestKind as Action;

/// Everything that is known of one order at one time.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The order as read.
    pub order: &'a CertificateOrder,
    /// The name of the cloud.
    pub cloud: &'static str,
    /// The paid certificate.
    pub certificate_id: &'a str,
    /// Its names.
    pub names: &'a Result<Names, Problem>,
    /// The request that submits the application, or what is missing for it.
    pub payload: &'a Result<Payload, Problem>,
    /// The key of the payload hashes, if it was read.
    pub hash_key: Option<&'a HashKey>,
    /// What the cloud reports, if it was read.
    pub observed: Option<&'a Result<Observation, Error>>,
    /// The names of the cloud's calls; `None` without credentials.
    pub calls: Option<&'static Calls>,
    /// Whether the cloud's own log has the call of an intent, if it was read.
    pub logged: Option<bool>,
    /// What came of its `DNSEndpoint`, if it has one.
    pub dns_endpoint: Option<&'a Standing>,
    /// The last results of the CA's checks of the proofs of control.
    pub validation: Option<&'a Validation>,
    /// The key that certorder generates for this order.
    pub key: KeyState<'a>,
    /// The signed letter, if the user names one and the CA waits for it.
    pub letter: Option<&'a Result<Letter, Problem>>,
    /// Whether the Secret holds the certificate.
    pub secret: &'a Export,
    /// From when until when the certificate in the Secret is valid, if that is the issued one.
    pub term: Option<Term>,
    /// Why keystores in its Secret stay as they were written before.
    pub kept_keystores: Option<&'a Problem>,
    /// What of its template for Secrets is not used.
    pub left_off: Option<Problem>,
    /// Why its Secrets could not be written once the certificate is issued, where an application may come next.
    pub outputs: Option<Problem>,
    /// Why another order for the same certificate holds this one back.
    pub contested: Option<Problem>,
    /// Why this order may not start yet: the budget of its namespace is used up.
    pub over_budget: Option<Problem>,
    /// How long this process has observed what the status records, by its own monotonic clock.
    pub ages: Ages,
    /// Now.
    pub now: Timestamp,
    /// The longest that one call takes.
    pub call_timeout: Duration,
    /// What is known of its renewal, if it is renewed.
    pub renewal: Option<&'a Look>,
    /// How much of a certificate's life must be left for the cloud to reissue it.
    pub reissue_bar: Duration,
}

/// The private key that certorder generates for an order, as its Secret holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState<'a> {
    /// certorder generates no key for the order, or not yet.
    NotOurs,
    /// The Secret holds the key.
    Held,
    /// There is no such Secret.
    Absent(&'a Problem),
    /// The Secret belongs to another owner, or no key can be read from it.
    Unfit(&'a Problem),
}

/// Whether the Secret that the order names holds the issued certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Export {
    /// The order names no Secret.
    NotWanted,
    /// The Secret is up to date.
    Current,
    /// The certificate has to be downloaded and written.
    Due,
    /// The Secret cannot be written until the problem is fixed.
    Blocked(Problem),
}

/// From when until when a certificate is valid, as it says itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    /// Its first moment.
    pub not_before: Timestamp,
    /// Its last.
    pub not_after: Timestamp,
}

impl Term {
    /// Whether a cloud means the same certificate by this end. Clouds write times without a zone, so a day more or less
    /// is no other certificate.
    #[must_use]
    pub fn ends_at(not_after: Timestamp, told: Timestamp) -> bool {
        age::apart(told, not_after) <= A_DAY
    }
}

/// The outcome of an accepted call, as `lastRequest` records it.
pub const ACCEPTED: &str = "Accepted";

const A_DAY: Duration = Duration::from_hours(24);

const RESUBMIT_IS_RECENT: Duration = Duration::from_hours(1);

/// How long after an accepted call the cloud may still show the state before it.
const STATE_MAY_LAG: Duration = Duration::from_mins(10);

const ONE_SECOND: Duration = Duration::from_secs(1);

/// The most that the clocks of a cloud and its callers differ: further off, a cloud takes no call.
const CLOCKS_DIFFER: Duration = Duration::from_mins(5);

/// Whether the order has certorder's finalizer.
#[must_use]
pub fn has_finalizer(order: &CertificateOrder) -> bool {
    order.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

impl Facts<'_> {
    /// The generation that this pass reconciles.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.order.metadata.generation.unwrap_or_default()
    }

    /// The certificate that the order has: its own, or the last one that took its place.
    #[must_use]
    pub fn current_id(&self) -> &str {
        let current = self.order.status.as_ref().and_then(|status| status.current.as_ref());
        current.map_or(self.certificate_id, |current| &current.certificate_id)
    }

    /// Whether another certificate took the place of the order's own.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        self.current_id() != self.certificate_id
    }

    /// Whether the cloud shows something else of an issued certificate that is still valid, such as a reissue in progress:
    /// only its end or its revocation takes anything from the order.
    #[must_use]
    pub fn is_in_use(&self, seen: &Observation) -> bool {
        let current = self.order.status.as_ref().and_then(|status| status.current.as_ref());
        let is_over = matches!(
            seen.stage,
            Stage::Revoking
                | Stage::AwaitingRevocationLetter
                | Stage::Revoked
                | Stage::Expired
                | Stage::Refunded
        );
        let ends = current.and_then(|current| current.not_after.as_ref());
        !is_over && seen.stage != Stage::Issued && ends.is_some_and(|ends| ends.0 > self.now)
    }

    /// A number that is the order's own for ever, by which what many orders do is spread over time.
    #[must_use]
    pub fn seed(&self) -> u64 {
        let digest = Sha256::digest(self.order.uid().unwrap_or_default());
        digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
    }

    /// The name of the cloud's call for an action.
    #[must_use]
    pub fn action_name(&self, action: Action) -> String {
        self.calls.and_then(|calls| calls.name(action)).unwrap_or("the application").to_owned()
    }

    /// The name of the cloud's call that sends the order, if it is a separate call.
    #[must_use]
    pub fn order_action(&self) -> Option<&'static str> {
        self.calls?.order
    }

    /// Whether the cloud has to be read before a step can be chosen.
    #[must_use]
    pub fn needs_the_cloud(&self) -> bool {
        let deleting = self.order.metadata.deletion_timestamp.is_some();
        deleting || !self.order.spec.suspend
    }

    pub(super) fn submission(&self) -> Option<&Submission> {
        self.order.status.as_ref()?.submission.as_ref()
    }

    /// The open intent.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.submission()?.intent.as_ref()
    }

    /// How long a call of this intent may take, counted from when the intent was stored: until it begins, and one call
    /// timeout more.
    #[must_use]
    pub fn intent_lasts(&self, intent: &Intent) -> Duration {
        // Versions before 0.2 store no time to begin by: it is one call timeout.
        let begin =
            intent.begin_by.as_ref().map_or(Duration::ZERO, |by| age::left(intent.started_at.0, by.0));
        begin.max(self.call_timeout).saturating_add(self.call_timeout)
    }

    /// What a stored hash says of the present application; `None` without a hash, or if no application can be built.
    pub(super) fn compare(&self, stored: Option<&String>) -> Option<Comparison> {
        let payload = self.payload.as_ref().ok()?;
        Some(payload.fingerprint.compare(stored?, self.hash_key))
    }

    /// Whether the order may have had a certificate before, of which its status knows nothing.
    #[must_use]
    pub fn may_have_lost_its_record(&self) -> bool {
        let is_known = self.ours().is_some() || self.intent().is_some();
        !is_known
            && match self.observed {
                Some(Ok(seen)) => seen.stage.shows_an_order(),
                Some(Err(Error::Rejected { reason: Reason::CertificateNotFound, .. })) => true,
                _ => false,
            }
    }

    /// Our record of an accepted application.
    #[must_use]
    pub fn ours(&self) -> Option<&Submission> {
        self.submission().filter(|submission| submission.submitted_at.is_some())
    }

    /// Whether the call that hands in the application also sends the order.
    #[must_use]
    pub fn submits_in_one_call(&self) -> bool {
        self.calls.is_some_and(|calls| calls.order.is_none())
    }

    /// Whether the cloud may hold an application that was submitted before the one of the open intent.
    #[must_use]
    pub fn has_earlier_application(&self) -> bool {
        // A request for another attempt implies an earlier one.
        let is_asked = self.intent().is_some_and(|intent| intent.resubmit_at.is_some());
        self.is_restarted() || self.ours().is_some() || is_asked
    }

    /// Whether the cloud may hold a foreign or an earlier application that looks like the present one.
    #[must_use]
    pub fn may_look_like_another(&self) -> bool {
        self.has_earlier_application()
            || self.payload.as_ref().is_ok_and(|payload| payload.evidence.is_partial())
    }

    /// Whether the cloud's log cannot distinguish our earlier application from that of this intent: its times are whole
    /// seconds of the cloud's clock. The clock skew counts only for an application by ids: the cloud shows only a part
    /// of it, so another application may look the same.
    #[must_use]
    pub fn log_is_ambiguous(&self, intent: &Intent) -> bool {
        let partial = self.payload.as_ref().is_ok_and(|payload| payload.evidence.is_partial());
        let margin = if partial { CLOCKS_DIFFER } else { Duration::ZERO };
        let earlier = self.ours().and_then(|ours| ours.submitted_at.as_ref());
        let begins = seconds(intent.started_at.0).0;
        earlier.is_some_and(|earlier| earlier.0.saturating_add(margin).unwrap_or(Timestamp::MAX) >= begins)
    }

    /// From when on the cloud's log is searched for the call of an intent. Its clock may be behind the one of the intent, so
    /// that a call seems to be made before it was intended. An application that the cloud shows only in part may be a foreign
    /// one, handed in just before: it counts only if it comes after the intent by both clocks, and is replaced otherwise.
    #[must_use]
    pub fn log_since(&self, action: Action, intent: &Intent) -> Timestamp {
        let partial = self.payload.as_ref().is_ok_and(|payload| payload.evidence.is_partial());
        let started = intent.started_at.0;
        if action == Action::Submit && partial {
            return started;
        }
        started.checked_sub(CLOCKS_DIFFER).unwrap_or(started)
    }

    /// Whether the user edited the order after it was rejected or cancelled. The order is frozen before that, and
    /// Submitted was last set when the end was first observed.
    pub(super) fn is_edited_since_the_end(&self) -> bool {
        let conditions = self.order.status.as_ref().map(|status| status.conditions.as_slice());
        let submitted = get(conditions.unwrap_or_default(), ConditionType::Submitted);
        self.has_observed_the_end()
            && submitted.is_some_and(|submitted| submitted.observed_generation < Some(self.generation()))
    }

    /// Whether an earlier pass observed that the CA no longer processes our order. Since then the order can be edited,
    /// except during the call that opens it again.
    pub(super) fn has_observed_the_end(&self) -> bool {
        let reopens = self.intent().is_some_and(|intent| match self.action_of(intent) {
            Action::Resubmit => true,
            Action::Submit => self.submits_in_one_call(),
            Action::Order | Action::Withdraw | Action::Revoke | Action::SendLetter | Action::Reissue => false,
        });
        self.ours().is_some_and(|ours| !ours.frozen || reopens)
    }

    /// The action of an intent.
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

    /// When the next attempt may submit its application: one second after the restart. The cloud's log counts in
    /// seconds, and then distinguishes it from the application before.
    pub(super) fn next_attempt_starts(&self) -> Option<Timestamp> {
        let restarted = self.submission()?.started_over_at.as_ref()?;
        let left = age::left_of(ONE_SECOND, self.now, restarted.0, self.ages.started_over.seen);
        (!left.is_zero()).then(|| age::after(self.now, left))
    }

    /// When the present attempt started, if the cloud may still show the end of the one before.
    pub(super) fn just_started_over(&self) -> Option<Timestamp> {
        let began = self.submission().and_then(|submission| submission.started_over_at.as_ref());
        began.filter(|began| self.is_recent(began, self.ages.started_over)).map(|began| began.0)
    }

    /// Whether our order was sent so recently that the cloud may not show it yet. After the review was stopped, the
    /// cloud waits for another application instead.
    pub(super) fn may_not_show_the_order(&self, ours: &Submission) -> bool {
        let is_recent = |at: &Time| self.is_recent(at, self.ages.ordered) && !self.is_told_withdrawn();
        ours.ordered_at.as_ref().is_some_and(is_recent) && !self.is_withdrawn_by_us()
    }

    /// Whether our order was sent so recently, as far as is known, that what the cloud shows is compared with what was sent.
    pub(super) fn was_just_ordered(&self, ours: &Submission) -> bool {
        ours.ordered_at.as_ref().is_none_or(|at| self.is_new(at, self.ages.ordered, STATE_MAY_LAG))
    }

    /// Whether this is less than `limit` ago, as far as is known: by the clock, or since this process saw it happen.
    pub(super) fn is_new(&self, time: &Time, age: Age, limit: Duration) -> bool {
        age::age(self.now, time.0) < limit || (age.is_known && age.seen < limit)
    }

    /// Whether the last call stopped the review.
    pub(super) fn is_withdrawn_by_us(&self) -> bool {
        let last = self.order.status.as_ref().and_then(|status| status.last_request.as_ref());
        last.is_some_and(|last| {
            last.outcome == ACCEPTED
                && self.calls.and_then(|calls| calls.withdraw).is_some_and(|withdraw| withdraw == last.action)
        })
    }

    /// Whether the order has no record of anything at the cloud, so that a certificate that nobody applied for is what it
    /// expects.
    #[must_use]
    pub fn expects_nothing(&self) -> bool {
        let deleting = self.order.metadata.deletion_timestamp.is_some();
        !deleting && self.intent().is_none() && self.ours().is_none() && !self.is_restarted()
    }

    /// Whether an earlier look found that somebody else applied for the certificate of our submission.
    pub(super) fn is_stopped_by_another_application(&self) -> bool {
        self.is_stalled_by(Reason::CertificateInUse)
    }

    /// Whether an earlier look, of this process or of one before, found that the review was stopped.
    fn is_told_withdrawn(&self) -> bool {
        self.is_stalled_by(Reason::Withdrawn)
    }

    fn is_stalled_by(&self, reason: Reason) -> bool {
        let conditions = self.order.status.as_ref().map(|status| status.conditions.as_slice());
        let reason: &'static str = reason.into();
        get(conditions.unwrap_or_default(), ConditionType::Stalled)
            .is_some_and(|stalled| stalled.status == "True" && stalled.reason == reason)
    }

    /// Whether the cloud may still show the state before this.
    pub(super) fn is_recent(&self, time: &Time, age: Age) -> bool {
        !age::left_of(STATE_MAY_LAG, self.now, time.0, age.seen).is_zero()
    }

    /// Why no application is submitted and no order is sent, at any stage.
    pub(super) fn held_back(&self) -> Option<Problem> {
        let withdrawn = || {
            let message = format!(
                "the annotation {WITHDRAW} holds this order back, and nothing is sent; remove it to go on"
            );
            Problem::new(Reason::Withdrawn, message)
        };
        self.withdraw_is_asked().then(withdrawn)
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

    /// Whether the user requests to stop the review of this certificate.
    #[must_use]
    pub fn withdraw_is_asked(&self) -> bool {
        self.annotation(WITHDRAW).is_some_and(|id| id == self.certificate_id)
    }

    /// Whether the user requests another attempt: a time of the last hour that is not handled yet.
    #[must_use]
    pub fn resubmit_is_asked(&self) -> bool {
        let Some(asked) = self.annotation(RESUBMIT_AT) else { return false };
        let handled =
            self.order.status.as_ref().and_then(|status| status.last_handled_resubmit_at.as_deref());
        let apart = asked.parse::<Timestamp>().map(|at| age::apart(self.now, at));
        handled != Some(handled_value(asked).as_str()) && apart.is_ok_and(|apart| apart <= RESUBMIT_IS_RECENT)
    }

    /// The request of the user that this call handles, if the application itself starts another attempt.
    #[must_use]
    pub fn handled_request(&self, action: Action) -> Option<&str> {
        let handles_it = action == Action::Submit && self.submits_in_one_call() && self.resubmit_is_asked();
        self.annotation(RESUBMIT_AT).filter(|_| handles_it)
    }

    /// Whether the user requests another attempt after the one of an intent.
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
