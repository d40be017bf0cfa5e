//! Reads what a renewal needs: the successors that the cloud shows, and the order for one. Never writes.

use std::time::Duration;

use tracing::debug;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, DeletionPolicy, Mode, RenewalPolicy};
use crate::cluster::cache::{self, Key, Target};
use crate::cluster::slim;
use crate::core::conditions::get;
use crate::core::registered_domain::registered_domain;
use crate::core::succession::{Candidate, Head, Link, Way};
use crate::order::controller::Controller;
use crate::order::facts::Facts;
use crate::order::renewal::assess::{due_of, is_renewed, known, no_successors, term, wanted};
use crate::order::renewal::chain::chain;
use crate::order::renewal::choice::{Choice, choose};
use crate::order::renewal::look::{Carrier, Look};
use crate::order::renewal::reissue::log_since;
use crate::order::renewal::successor;
use crate::order::resolve::Resolved;
use crate::provider::{Error, Provider, RequestKind, registry};

/// How old the list of an account may be from which successors are read.
const LIST_LASTS: Duration = Duration::from_hours(6);

/// The same where the certificate itself tells of a successor.
const LIST_LASTS_WHEN_TOLD: Duration = Duration::from_mins(1);

/// Whether an order of another namespace has this certificate.
#[must_use]
pub fn is_elsewhere(controller: &Controller, order: &CertificateOrder, id: &str) -> bool {
    let target = Target::Certificate(registry::name(&order.spec.provider), id.to_owned());
    let orders = controller.orders.iter().flat_map(|orders| orders.referring_to(&target));
    { orders }.any(|other| other.metadata.namespace != order.metadata.namespace)
}

/// Reads it; `None` for an order that is not renewed.
pub async fn look(
    controller: &Controller,
    key: &Key,
    facts: &Facts<'_>,
    resolved: &Resolved,
) -> Option<Look> {
    if !is_renewed(facts) {
        let mut paused = paused(controller, key, facts)?;
        paused.order = whole(controller, paused.order).await;
        return Some(paused);
    }
    let stored = facts.order.status.as_ref().and_then(|status| status.renewal.as_ref());
    let (all, wanted) = (no_successors(facts), wanted(facts));
    let finished = finished(controller, key, facts);
    let mut look = Look { finished, told: told(facts, &all), ..Look::nothing() };
    if let Some(id) = wanted.clone().or_else(|| known(facts)) {
        let order = whole(controller, order_for(controller, key, facts, &id)).await;
        let is_over = order.as_ref().and_then(Carrier::order).is_some_and(is_over);
        if wanted.is_some() || !is_over {
            // It is followed also where the cloud no longer shows the link.
            look.order = order;
            look.choice = Some(Choice::One(id));
            return Some(look);
        }
    }
    let Some(max_age) = when_to_ask(facts, &all) else { return Some(look) };
    let (Ok(provider), Ok(names)) = (&resolved.provider, facts.names) else { return Some(look) };
    let head =
        Head { certificate_id: facts.current_id(), common_name: names.common_name().as_str(), chain: &all };
    let mut found = provider.successors(&head, max_age).await;
    let asks = facts.order.spec.renewal().policy == RenewalPolicy::Reissue && is_due(facts);
    if asks && !max_age.is_zero() && found.as_ref().is_ok_and(Vec::is_empty) {
        // Before a reissue is asked for, the list is as new as it can be.
        found = provider.successors(&head, Duration::ZERO).await;
    }
    match found {
        Ok(mut candidates) => {
            look.told =
                look.told.filter(|told| candidates.iter().all(|candidate| candidate.certificate_id != *told));
            candidates.retain(|candidate| {
                candidate.link != Link::None || !is_of_another(controller, key, facts, candidate)
            });
            let reissues = candidates.iter().filter(|candidate| candidate.way == Way::Reissue);
            look.reissues = reissues.map(|candidate| candidate.certificate_id.clone()).collect();
            look.choice = Some(choose(&candidates, names));
        }
        Err(error) => {
            debug!(%error, "cannot read the successors of a certificate");
            look.failure = Some(error);
        }
    }
    if let Some(Choice::One(id)) = &look.choice {
        look.order = order_for(controller, key, facts, id);
        return Some(look);
    }
    if let Some(intent) = stored.and_then(|renewal| renewal.intent.as_ref()) {
        look.logged = provider.was_called(RequestKind::Reissue, log_since(intent)).await.ok();
    }
    let reissues = facts.order.spec.renewal().policy == RenewalPolicy::Reissue;
    if reissues && matches!(look.choice, Some(Choice::None)) {
        match reissue_runs(controller, key, facts, provider.as_ref()).await {
            Ok(other) => look.reissue_runs = other,
            Err(error) => (look.choice, look.failure) = (None, Some(error)),
        }
    }
    Some(look)
}

/// The same order read live, where the cache has only a part of it.
async fn whole(controller: &Controller, carrier: Option<Carrier>) -> Option<Carrier> {
    match carrier {
        Some(Carrier::Made(order)) if slim::is_partial(order.as_ref()) => {
            let live = controller.live(&cache::key(order.as_ref())).await;
            Some(Carrier::Made(live.ok().flatten().unwrap_or(order)))
        }
        other => other,
    }
}

/// While an order is suspended or only planned, what it asks for of its successor's order is told to that one all the same.
fn paused(controller: &Controller, key: &Key, facts: &Facts<'_>) -> Option<Look> {
    let spec = &facts.order.spec;
    let is_paused = spec.suspend || spec.mode != Mode::Apply;
    if !is_paused || facts.order.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let id = known(facts)?;
    Some(Look { order: order_for(controller, key, facts, &id), ..Look::nothing() })
}

/// Whether a certificate without links is somebody's own: an order that was not made for this one submitted it, or will.
fn is_of_another(controller: &Controller, key: &Key, facts: &Facts<'_>, candidate: &Candidate) -> bool {
    let target = Target::Certificate(facts.cloud, candidate.certificate_id.clone());
    let orders = controller.orders.iter().flat_map(|orders| orders.referring_to(&target));
    let is_filed_by_the_cloud = |order: &CertificateOrder| {
        let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
        submission.is_some_and(|submission| submission.adopted)
    };
    let is_here = |order: &CertificateOrder| order.metadata.namespace.as_deref() == Some(key.0.as_str());
    { orders }.any(|order| {
        let may_follow =
            successor::is_made_for(&order, facts.order) || (is_here(&order) && is_filed_by_the_cloud(&order));
        !may_follow
    })
}

/// Whether nothing can come of the order for a successor any more.
fn is_over(order: &CertificateOrder) -> bool {
    let conditions = order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let over = [Reason::Expired, Reason::Revoked, Reason::Refunded, Reason::CertificateNotFound];
    get(conditions, ConditionType::Stalled)
        .is_some_and(|stalled| over.map(<&str>::from).contains(&stalled.reason.as_str()))
}

/// Whether another order has the certificate of this one.
fn has_lost(order: &CertificateOrder) -> bool {
    let conditions = order.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let duplicate: &str = Reason::DuplicateCertificate.into();
    get(conditions, ConditionType::Stalled).is_some_and(|stalled| stalled.reason == duplicate)
}

/// What is being reissued under the same registered domain, in words: as an order with the same credentials says, and as the
/// list of the account does, whoever asked for it.
async fn reissue_runs(
    controller: &Controller,
    key: &Key,
    facts: &Facts<'_>,
    provider: &dyn Provider,
) -> Result<Option<String>, Error> {
    if let Some(order) = reissuing(controller, key, facts) {
        return Ok(Some(format!("that of CertificateOrder {order}")));
    }
    let other = provider.reissue_that_runs(LIST_LASTS_WHEN_TOLD).await?;
    Ok(other.map(|id| format!("certificate {id}")))
}

/// Another order with the same credentials whose certificate, under the same registered domain, is being reissued: its
/// intent is stored before the cloud shows anything.
fn reissuing(controller: &Controller, key: &Key, facts: &Facts<'_>) -> Option<String> {
    let mine = registered_domain(&facts.order.spec.common_name)?;
    let runs = |other: &CertificateOrder| {
        let renewal = other.status.as_ref().and_then(|status| status.renewal.as_ref());
        let is_running =
            renewal.is_some_and(|renewal| renewal.intent.is_some() || renewal.successor.is_some());
        is_running
            && other.spec.renewal().policy == RenewalPolicy::Reissue
            && other.spec.credentials_ref == facts.order.spec.credentials_ref
            && registered_domain(&other.spec.common_name) == Some(mine)
    };
    let here = |other: &CertificateOrder| other.metadata.namespace.as_deref() == Some(key.0.as_str());
    let all = controller.orders.iter().flat_map(|orders| orders.objects().state());
    let other = { all }
        .find(|other| here(other) && other.metadata.name.as_deref() != Some(key.1.as_str()) && runs(other))?;
    other.metadata.name.clone()
}

/// How old the list may be from which the cloud is asked now; `None` while there is no need to ask.
fn when_to_ask(facts: &Facts<'_>, chain: &[String]) -> Option<Duration> {
    facts.observed.and_then(|seen| seen.as_ref().ok())?;
    if facts.order.status.as_ref().is_some_and(has_intent) {
        return Some(Duration::ZERO);
    }
    if told(facts, chain).is_some() {
        return Some(LIST_LASTS_WHEN_TOLD);
    }
    is_due(facts).then_some(LIST_LASTS)
}

fn is_due(facts: &Facts<'_>) -> bool {
    term(facts).is_some_and(|term| facts.now >= due_of(facts, term).at)
}

/// The successor of which the certificate itself tells, if the order has not had it.
fn told(facts: &Facts<'_>, chain: &[String]) -> Option<String> {
    let seen = facts.observed?.as_ref().ok()?;
    seen.replaced_by.clone().filter(|id| !chain.contains(id))
}

fn has_intent(status: &CertificateOrderStatus) -> bool {
    status.renewal.as_ref().is_some_and(|renewal| renewal.intent.is_some())
}

/// The order for a successor.
fn order_for(controller: &Controller, key: &Key, facts: &Facts<'_>, id: &str) -> Option<Carrier> {
    let target = Target::Certificate(facts.cloud, id.to_owned());
    let orders: Vec<_> = controller.orders.iter().flat_map(|orders| orders.referring_to(&target)).collect();
    let here = orders.iter().filter(|order| order.metadata.namespace.as_deref() == Some(key.0.as_str()));
    let mut here: Vec<_> = here.cloned().collect();
    // Of several the one that certorder made comes last: what a user wrote is followed.
    // One that lost its certificate to another order carries nothing.
    here.sort_by_key(|order| (has_lost(order), successor::renewal_of(order).is_some()));
    match here.into_iter().next() {
        Some(order) if successor::is_made_for(&order, facts.order) => Some(Carrier::Made(order)),
        Some(order) => Some(Carrier::Written(order)),
        None if orders.is_empty() => None,
        None => Some(Carrier::Elsewhere),
    }
}

/// An order that certorder made for a certificate of the chain that is not the current one any more, and ran out.
fn finished(controller: &Controller, key: &Key, facts: &Facts<'_>) -> Option<String> {
    let chain = chain(facts.order.status.as_ref(), facts.certificate_id);
    let (_, former) = chain.split_last()?;
    let former = former.iter().filter(|id| *id != facts.certificate_id);
    former.into_iter().find_map(|id| {
        let Some(Carrier::Made(order)) = order_for(controller, key, facts, id) else { return None };
        let end = order.status.as_ref()?.not_after.as_ref()?.0;
        let is_left = order.metadata.deletion_timestamp.is_none()
            && order.spec.deletion_policy == DeletionPolicy::Retain;
        (is_left && end <= facts.now).then(|| order.metadata.name.clone()).flatten()
    })
}
