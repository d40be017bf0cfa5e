//! How far a renewal is, what is to be said of it, and its next step. Pure.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, Mode, RenewalPolicy, RenewalStatus, Successor, seconds};
use crate::cluster::slim;
use crate::cluster::trim::SCHEDULED;
use crate::core::conditions::{Problem, get};
use crate::core::observation::{Observation, Stage};
use crate::core::text::shown;
use crate::order::facts::{Facts, Term};
use crate::order::renewal::chain::chain;
use crate::order::renewal::choice::Choice;
use crate::order::renewal::due::{Due, due, overdue};
use crate::order::renewal::look::{Carrier, Look};
use crate::order::renewal::reissue::{self, Next};
use crate::order::renewal::step::RenewalStep;
use crate::order::renewal::successor;

/// How often a renewal that is due is looked at.
const LOOK: Duration = Duration::from_hours(6);

/// The same while the certificate tells of a successor that the list of the account does not show yet.
const LOOK_WHEN_TOLD: Duration = Duration::from_mins(2);

/// The same after the order of the successor came, or changed its phase: another change of it may have been missed meanwhile.
const LOOK_AFTER_A_CHANGE: Duration = Duration::from_secs(2);

/// The same once it is overdue.
const LOOK_WHEN_OVERDUE: Duration = Duration::from_hours(1);

/// How far a renewal is.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// What the status shows.
    pub status: RenewalStatus,
    /// Why the certificate is being renewed, as the condition Renewing says; `None` while it is not.
    pub renewing: Option<Problem>,
    /// What a person must do.
    pub action: Option<Problem>,
    /// What to do next.
    pub step: Option<RenewalStep>,
    /// When to look again at the latest; `None` while nothing is due.
    pub again: Option<Duration>,
}

/// Whether an order is renewed at all: it has a certificate, and its user wants it.
#[must_use]
pub fn is_renewed(facts: &Facts<'_>) -> bool {
    let order = facts.order;
    facts.ours().is_some()
        && order.metadata.deletion_timestamp.is_none()
        && !order.spec.suspend
        && order.spec.mode == Mode::Apply
        && order.spec.renewal().policy != RenewalPolicy::None
        && successor::renewal_of(order).is_none()
        && term(facts).is_some()
}

/// The validity of the current certificate.
#[must_use]
pub fn term(facts: &Facts<'_>) -> Option<Term> {
    let current = facts.order.status.as_ref().and_then(|status| status.current.as_ref());
    let stored = current.and_then(|current| {
        Some(Term { not_before: current.not_before.as_ref()?.0, not_after: current.not_after.as_ref()?.0 })
    });
    let told = || {
        // Also of one that ran out while nobody looked.
        let has_term = |stage| matches!(stage, Stage::Issued | Stage::Expired);
        let seen = facts.observed?.as_ref().ok().filter(|seen| has_term(seen.stage))?;
        Some(Term { not_before: seen.not_before?, not_after: seen.not_after? })
    };
    facts.term.or(stored).or_else(told)
}

/// The certificates that are no successors: those that the order has had, and one that ends no later than the current one.
#[must_use]
pub fn no_successors(facts: &Facts<'_>) -> Vec<String> {
    let aside = stored(facts).did_not_extend;
    let chain = chain(facts.order.status.as_ref(), facts.certificate_id);
    let aside = aside.into_iter().filter(|id| !chain.contains(id)).collect::<Vec<_>>();
    chain.into_iter().chain(aside).collect()
}

/// The successor that the user names.
#[must_use]
pub fn wanted(facts: &Facts<'_>) -> Option<String> {
    let had = chain(facts.order.status.as_ref(), facts.certificate_id);
    facts.order.spec.renewal().certificate_id.filter(|id| !had.contains(id))
}

/// The successor that an earlier pass found. It is followed also where the cloud no longer shows the link.
#[must_use]
pub fn known(facts: &Facts<'_>) -> Option<String> {
    let none = no_successors(facts);
    stored(facts).successor.map(|known| known.certificate_id).filter(|id| !none.contains(id))
}

/// When the renewal of the current certificate begins.
#[must_use]
pub fn due_of(facts: &Facts<'_>, term: Term) -> Due {
    let level = facts.observed.and_then(|seen| seen.as_ref().ok()?.product.level);
    due(term, level, &facts.order.spec.renewal(), facts.reissue_bar, facts.seed())
}

/// How far the renewal of an order is; `None` if it is not renewed.
#[must_use]
pub fn assess(facts: &Facts<'_>) -> Option<Assessment> {
    let look = facts.renewal.filter(|_| is_renewed(facts))?;
    let term = term(facts)?;
    let due = due_of(facts, term);
    let status = RenewalStatus {
        due: Some(seconds(due.at)),
        chain: chain(facts.order.status.as_ref(), facts.certificate_id),
        ..stored(facts)
    };
    let mut assessment = Renewal { facts, look, term, status, is_due: facts.now >= due.at }.assess();
    if let Some(renewing) = &mut assessment.renewing {
        assessment.again = Some(assessment.again.map_or(LOOK, |again| again.min(LOOK)));
        if due.is_capped {
            renewing.message += "; spec.renewal.before is more than nine tenths of the life of the certificate, which are used";
        }
        if let Some(within) = overdue(term.not_after, due, facts.now) {
            *renewing = late(renewing, term, within);
            assessment.again = assessment.again.map(|again| again.min(LOOK_WHEN_OVERDUE));
        }
    }
    if assessment.status.successor.is_some() && assessment.status.successor != stored(facts).successor {
        assessment.again = Some(LOOK_AFTER_A_CHANGE);
    }
    if assessment.step.is_none() {
        assessment.step = look.finished.clone().map(|order| RenewalStep::Remove { order });
    }
    Some(assessment)
}

/// What has to be told to the order of a successor while this one is suspended or only planned.
#[must_use]
pub fn edit(facts: &Facts<'_>) -> Option<RenewalStep> {
    let Some(Carrier::Made(order)) = &facts.renewal?.order else { return None };
    let is_whole = !slim::is_partial(order.as_ref());
    successor::edited(facts.order, order)
        .filter(|_| is_whole)
        .map(|_| RenewalStep::Edit { order: order.name_any() })
}

fn stored(facts: &Facts<'_>) -> RenewalStatus {
    facts
        .order
        .status
        .as_ref()
        .and_then(|status| status.renewal.clone())
        .map(|renewal| *renewal)
        .unwrap_or_default()
}

/// The same, told as a warning: once for each of the three times before the end.
fn late(renewing: &Problem, term: Term, within: Duration) -> Problem {
    let days = (within.as_secs_f64() / 86_400.0).ceil();
    let message = format!(
        "the certificate in use ends at {}, in less than {days} days, and nothing has taken its place: {}",
        seconds(term.not_after).0,
        renewing.message
    );
    Problem::new(Reason::RenewalOverdue, message)
}

/// A renewal that is being assessed.
struct Renewal<'a> {
    facts: &'a Facts<'a>,
    look: &'a Look,
    term: Term,
    status: RenewalStatus,
    is_due: bool,
}

impl Renewal<'_> {
    fn assess(self) -> Assessment {
        match &self.look.choice {
            None | Some(Choice::None) if self.in_transit().is_some() => self.transit(),
            None | Some(Choice::None)
                if !self.is_due && self.status.intent.is_none() && self.look.told.is_none() =>
            {
                self.scheduled()
            }
            None if self.status.intent.is_none() => self.unasked(),
            None => self.searching(),
            Some(Choice::None) => match &self.look.told {
                Some(told) if self.status.intent.is_none() => self.told(told),
                _ => self.searching(),
            },
            Some(Choice::Unconfirmed(id)) => self.unconfirmed(id),
            Some(Choice::Unnamed(id)) => self.unnamed(id),
            Some(Choice::Ambiguous(ids)) => self.ambiguous(ids),
            Some(Choice::One(id)) => self.chosen(id),
        }
    }

    fn is(self, phase: &str, renewing: Option<Problem>) -> Assessment {
        let status = RenewalStatus { phase: phase.to_owned(), ..self.status };
        Assessment { status, renewing, action: None, step: None, again: None }
    }

    /// The cloud works on the certificate that is in use.
    fn in_transit(&self) -> Option<&Observation> {
        let seen = self.facts.observed?.as_ref().ok()?;
        self.facts.is_in_use(seen).then_some(seen)
    }

    fn transit(self) -> Assessment {
        let shown = self.in_transit().map(|seen| shown(&seen.status, 64)).unwrap_or_default();
        let message = format!(
            "{} works on certificate {}, which is issued and stays in use: its status there is {shown}",
            self.facts.cloud,
            self.facts.current_id()
        );
        self.is("InProgress", Some(Problem::new(Reason::SuccessorInProgress, message)))
    }

    /// It is not due.
    fn scheduled(mut self) -> Assessment {
        self.status.successor = None;
        self.is(SCHEDULED, None)
    }

    /// The cloud does not answer: what was known stays.
    fn unasked(self) -> Assessment {
        let conditions = self.facts.order.status.as_ref().map(|status| status.conditions.as_slice());
        let said = |type_| stored_problem(get(conditions.unwrap_or_default(), type_)?);
        let renewing = said(ConditionType::Renewing);
        // What is overdue is said again with the days that are left now.
        let renewing = renewing.filter(|said| said.reason != Reason::RenewalOverdue);
        let action = said(ConditionType::ActionRequired).filter(|action| Some(action) == renewing.as_ref());
        let renewing = renewing.unwrap_or_else(|| Problem::new(Reason::SuccessorNotFound, self.not_found()));
        let is_new = self.status.phase.is_empty() || self.status.phase == SCHEDULED;
        let phase = if is_new { "Searching".to_owned() } else { self.status.phase.clone() };
        Assessment { action, ..self.is(&phase, Some(renewing)) }
    }

    fn searching(mut self) -> Assessment {
        self.status.successor = None;
        let message = self.not_found();
        let not_found = |message| Some(Problem::new(Reason::SuccessorNotFound, message));
        match reissue::next(self.facts, self.look, self.term, &self.status) {
            Next::Not(None) => self.is("Searching", not_found(message)),
            Next::Not(Some(why)) => self.is("Searching", not_found(format!("{message}; {why}"))),
            Next::Ask { attempt } => {
                let step = Some(RenewalStep::Reissue { attempt });
                let id = self.facts.current_id();
                let message = format!("{} is asked to reissue certificate {id}", self.facts.cloud);
                Assessment { step, ..self.is("Searching", not_found(message)) }
            }
            Next::Wait(again, message) => {
                Assessment { again: Some(again), ..self.is("InProgress", not_found(message)) }
            }
            Next::Stopped(problem) => self.blocked(problem.reason, problem.message),
        }
    }

    fn not_found(&self) -> String {
        format!(
            "{} shows no successor of certificate {} yet; a subscription, a plan of several years or an automatic renewal \
             makes one about 30 days before the end, otherwise have it renewed in the cloud's console",
            self.facts.cloud,
            self.facts.current_id()
        )
    }

    /// The list, which is shared, is older than what the certificate tells.
    fn told(self, id: &str) -> Assessment {
        Assessment { again: Some(LOOK_WHEN_TOLD), ..self.unconfirmed(id) }
    }

    fn unconfirmed(self, id: &str) -> Assessment {
        let message = format!(
            "certificate {id} is shown as the successor of {}, and does not name it yet; certorder waits for that, or for \
             spec.renewal.certificateId: {id}",
            self.facts.current_id()
        );
        self.is("Searching", Some(Problem::new(Reason::SuccessorFound, message)))
    }

    fn unnamed(self, id: &str) -> Assessment {
        let message = format!(
            "certificate {id} has the specification of {} and waits for its application; if it was bought to take its \
             place, set spec.renewal.certificateId: {id}",
            self.facts.current_id()
        );
        self.blocked(Reason::SuccessorFound, message)
    }

    fn ambiguous(self, ids: &[String]) -> Assessment {
        let message = format!(
            "several certificates could take the place of {}, or their links contradict each other: {}; set \
             spec.renewal.certificateId to the right one",
            self.facts.current_id(),
            ids.join(", ")
        );
        self.blocked(Reason::SuccessorAmbiguous, message)
    }

    /// It waits for a person.
    fn blocked(self, reason: Reason, message: String) -> Assessment {
        let problem = Problem::new(reason, message);
        Assessment { action: Some(problem.clone()), ..self.is("Blocked", Some(problem)) }
    }

    fn chosen(mut self, id: &str) -> Assessment {
        if self.status.did_not_extend.iter().any(|aside| aside == id) {
            let message = format!(
                "certificate {id} ends no later than {}, so it does not take its place; name another one, or none",
                self.facts.current_id()
            );
            self.status.successor = None;
            return self.blocked(Reason::SwapBlocked, message);
        }
        let order = self.look.order.as_ref().and_then(Carrier::order);
        let issued = order.filter(|order| is_issued(order)).and_then(|order| order.status.as_ref());
        // Whatever the call of an open intent was answered: this certificate is what came of it.
        self.status.intent =
            self.status.intent.filter(|intent| intent.baseline.iter().any(|known| known == id));
        self.status.successor = Some(Successor {
            certificate_id: id.to_owned(),
            order: order.map(ResourceExt::name_any),
            phase: order.and_then(|order| order.status.as_ref()?.phase.clone()),
            not_after: issued.and_then(|status| status.not_after.clone()),
        });
        match &self.look.order {
            None => self.unmade(id),
            Some(Carrier::Elsewhere) => {
                // Nothing of it is this order's.
                self.status.successor = None;
                let message = format!(
                    "certificate {id} takes the place of {}, and a CertificateOrder in another namespace has it; delete \
                     that one, or set renewal.policy: None here",
                    self.facts.current_id()
                );
                self.blocked(Reason::SuccessorRefused, message)
            }
            Some(Carrier::Made(order)) => {
                let is_whole = !slim::is_partial(order.as_ref());
                let edited = is_whole && successor::edited(self.facts.order, order).is_some();
                let assessment = self.carried(id, order);
                if edited && assessment.step.is_none() {
                    let step = RenewalStep::Edit { order: order.name_any() };
                    return Assessment { step: Some(step), ..assessment };
                }
                assessment
            }
            Some(Carrier::Written(order)) => self.carried(id, order),
        }
    }

    /// No order carries the successor yet.
    fn unmade(self, id: &str) -> Assessment {
        let user = self.facts.order.name_any();
        if successor::name(&user, self.facts.cloud, id).is_none() {
            let message = format!(
                "certificate {id} takes the place of {}, and the name of this order leaves no room for that of its order; \
                 write a CertificateOrder for {id} yourself, and this one follows it",
                self.facts.current_id()
            );
            return self.blocked(Reason::SuccessorRefused, message);
        }
        let message = format!("certificate {id} takes the place of {}", self.facts.current_id());
        let step = RenewalStep::Make { certificate_id: id.to_owned() };
        let renewing = Problem::new(Reason::SuccessorFound, message);
        Assessment { step: Some(step), ..self.is("InProgress", Some(renewing)) }
    }

    /// An order carries the successor to its issue.
    fn carried(self, id: &str, order: &CertificateOrder) -> Assessment {
        let name = order.name_any();
        let conditions = order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let is_true = |type_| get(conditions, type_).filter(|condition| condition.status == "True");
        let runs = |what: &str| {
            format!(
                "CertificateOrder {name} has certificate {id}, which takes the place of {}: {what}",
                self.facts.current_id()
            )
        };
        if is_issued(order) {
            let renewing = Problem::new(Reason::SuccessorInProgress, runs("it is issued, and being fetched"));
            let step = RenewalStep::Swap { certificate_id: id.to_owned() };
            return Assessment { step: Some(step), ..self.is("InProgress", Some(renewing)) };
        }
        if let Some(stalled) = is_true(ConditionType::Stalled) {
            let message = format!(
                "{}; what that order needs is set there (kubectl annotate certorder {name} …), and the Secret stays as it is",
                runs(&stalled.message)
            );
            return self.blocked(Reason::SuccessorRejected, message);
        }
        let renewing = Problem::new(Reason::SuccessorInProgress, runs("it runs"));
        let action = is_true(ConditionType::ActionRequired)
            .map(|needed| Problem::new(Reason::SuccessorInProgress, runs(&needed.message)));
        Assessment { action, ..self.is("InProgress", Some(renewing)) }
    }
}

/// What a stored condition says.
fn stored_problem(condition: &Condition) -> Option<Problem> {
    let reason = Reason::iter().find(|reason| <&str>::from(*reason) == condition.reason)?;
    Some(Problem::new(reason, condition.message.clone()))
}

/// Whether the certificate of an order is issued and in use, as its status says.
fn is_issued(order: &CertificateOrder) -> bool {
    let conditions = order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let is = |type_| get(conditions, type_).is_some_and(|condition| condition.status == "True");
    is(ConditionType::Issued) && !is(ConditionType::Stalled)
}
