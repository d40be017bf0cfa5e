//! Asks the cloud to reissue a certificate: the intent is stored, then one call is made, then its outcome is stored.

use std::sync::Arc;

use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, Intent, RenewalIntent, RotationPolicy, micros};
use crate::core::application::ValidationMethod;
use crate::core::conditions::Problem;
use crate::core::fingerprint::Fingerprint;
use crate::core::keypair::{KeyPair, Subject};
use crate::order::controller::Controller;
use crate::order::export::secret::{self, TLS_KEY, Wanted};
use crate::order::export::slot::OPAQUE;
use crate::order::export::template;
use crate::order::facts::Facts;
use crate::order::fold::{Outcome, Requeue, fold};
use crate::order::own_key::OwnKey;
use crate::order::renewal::keys;
use crate::order::resolve::{self, Resolved};
use crate::order::status::{self, Swap};
use crate::provider::{Reissue, Request, RequestKind};

/// The most certificates that are remembered as made before a call.
const MOST_KNOWN: usize = 16;

/// What came of it: the order as it is stored now, and when to requeue.
pub type Asked = (CertificateOrder, Requeue);

/// After a conflict: read again.
const ON_CONFLICT: Requeue = Requeue::Failed(None);

/// Asks once.
pub async fn ask(
    controller: &Controller,
    facts: &Facts<'_>,
    resolved: &Resolved,
    attempt: i64,
) -> Result<Asked, kube::Error> {
    let unchanged = |requeue| Ok((facts.order.clone(), requeue));
    let Ok(provider) = &resolved.provider else { return unchanged(ON_CONFLICT) };
    let context = &controller.context;
    if context.shutdown.is_cancelled() {
        return unchanged(ON_CONFLICT);
    }
    let start_within = context.api_latency.start_within(context.call_timeout);
    let delay = provider.write_delay(RequestKind::Reissue);
    if delay > start_within / 2 {
        return unchanged(Requeue::In(delay));
    }
    let lasts = start_within.saturating_add(context.call_timeout);
    if let Some(problem) = controller.claims.hold(facts.order, lasts).await? {
        return refused(controller, facts, resolved, problem).await;
    }
    let key = match next_key(controller, facts).await? {
        Ok(key) => key,
        Err(problem) => return refused(controller, facts, resolved, problem).await,
    };
    let csr = match (&key, facts.names) {
        (Some(key), Ok(names)) => match key.csr(&Subject::default(), names) {
            Ok(csr) => Some(csr.pem().to_owned()),
            Err(_) => return unchanged(ON_CONFLICT),
        },
        _ => None,
    };
    let method =
        resolved.application.as_ref().map_or(ValidationMethod::Dns, |application| application.validation);
    let reissue = Reissue { csr, method };
    let start_by = Instant::now() + start_within;
    let started_at = context.clock.now();
    let intent = RenewalIntent {
        attempt,
        action: facts.action_name(RequestKind::Reissue),
        holder: context.holder.clone(),
        started_at: micros(started_at),
        begin_by: started_at.checked_add(start_within).ok().map(micros),
        baseline: facts
            .renewal
            .map(|look| look.reissues.iter().take(MOST_KNOWN).cloned().collect())
            .unwrap_or_default(),
        public_key_hash: key.as_deref().map(|key| Fingerprint::of(&key.public_key_der()).plain()),
    };
    let next = fold(&status::of(facts.order), facts, &Outcome::ReissueIntent(&intent), &resolved.filter);
    let storing = status::store_intent(&context.client, facts.order, next.status, |stored| {
        stored.renewal.as_ref().is_some_and(|renewal| renewal.intent.as_ref() == Some(&intent))
    });
    let Some(stored) = context.api_latency.measure(storing).await? else { return unchanged(ON_CONFLICT) };
    let outcome = provider.write(Request::Reissue(&reissue), start_by).await;
    let told = Intent {
        attempt,
        action: intent.action.clone(),
        payload_hash: None,
        holder: intent.holder.clone(),
        started_at: intent.started_at.clone(),
        begin_by: None,
        resubmit_at: None,
    };
    context.telemetry.called(&stored.name_any(), &told, &outcome, &resolved.filter);
    let facts = Facts { now: context.clock.now(), ..facts.clone() };
    let next =
        fold(&status::of(&stored), &facts, &Outcome::ReissueCalled(&intent, &outcome), &resolved.filter);
    let order = status::store_outcome(&context.client, stored, next.status, |stored| {
        stored.renewal.as_ref().is_some_and(|renewal| renewal.intent.as_ref() == Some(&intent))
    })
    .await;
    Ok((order, next.requeue))
}

/// Something in the cluster keeps the cloud from being asked.
async fn refused(
    controller: &Controller,
    facts: &Facts<'_>,
    resolved: &Resolved,
    problem: Problem,
) -> Result<Asked, kube::Error> {
    let next = fold(&status::of(facts.order), facts, &Outcome::NotAsked(&problem), &resolved.filter);
    let swapped = status::swap(&controller.context.client, facts.order, next.status).await?;
    Ok(match swapped {
        Swap::Stored(order) => (*order, next.requeue),
        Swap::Conflict => (facts.order.clone(), ON_CONFLICT),
    })
}

/// The key that the reissued certificate is for, if it is not that of its original: made once, and stored before the intent.
async fn next_key(
    controller: &Controller,
    facts: &Facts<'_>,
) -> Result<Result<Option<Arc<KeyPair>>, Problem>, kube::Error> {
    let order = facts.order;
    if order.spec.renewal().rotation_policy != RotationPolicy::Always || !order.spec.makes_key() {
        return Ok(Ok(None));
    }
    let namespace = controller.context.namespace(order);
    let place = keys::of_reissue(order, facts.current_id());
    match OwnKey::read(&namespace, &place).await? {
        OwnKey::Held(key) => return Ok(Ok(Some(key))),
        OwnKey::Unfit(problem) => return Ok(Err(problem)),
        OwnKey::Absent(_) => {}
    }
    let algorithm = resolve::algorithm(&order.spec);
    let made = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm)).await;
    let Ok(Ok(key)) = made else {
        let message = "no private key could be generated for the reissued certificate";
        return Ok(Err(Problem::new(Reason::InvalidRequest, message)));
    };
    let data = [(TLS_KEY.to_owned(), secret::bytes(&key.pem()))].into();
    let wanted = Wanted { name: place.name, type_: OPAQUE, data, keystores: String::new() };
    let asked = order.spec.secret_template.as_ref();
    let template = template::of_the_key(&controller.template_prefixes.accept(asked).template);
    let written =
        secret::write(&controller.context.client, order, &place.owner, None, &wanted, &template).await;
    Ok(secret::refused(&wanted.name, written)?.map(|()| Some(Arc::new(key))))
}
