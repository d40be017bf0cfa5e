//! Carries out a step: at most one write to the cloud, between two writes of the status.
//!
//! The intent is stored before the call, by compare-and-swap on the version that was read; the outcome is stored
//! on the version that the intent write returned, however long that takes. A process that dies in between leaves
//! an intent, and whoever finds it asks the cloud before anything else.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, Intent, micros};
use crate::cluster::cache;
use crate::core::conditions::{Problem, Status, get};
use crate::core::keypair::KeyPair;
use crate::order::claim::budget;
use crate::order::controller::Controller;
use crate::order::export::secret::{self, Owner, TLS_KEY, Wanted};
use crate::order::export::target::Target;
use crate::order::export::template;
use crate::order::facts::{Action, Facts};
use crate::order::finalizer;
use crate::order::fold::{Next, Outcome, Requeue, fold};
use crate::order::plan::Step;
use crate::order::resolve::{self, Resolved};
use crate::order::status::{self, Swap};
use crate::provider::{self, Accepted, Payload, Provider, Request};

/// What a pass has done.
pub struct Done {
    /// The order as stored now.
    pub order: CertificateOrder,
    /// When to look again.
    pub requeue: Requeue,
}

/// What a step may need of the cluster.
pub struct AtHand<'a> {
    /// What the order refers to.
    pub resolved: &'a Resolved,
    /// Where an issued certificate goes.
    pub target: Option<&'a Target>,
}

/// Another writer was faster: read again, with growing pauses while the cache lags behind.
const LOST: Requeue = Requeue::Failed(None);

/// Carries out a step and stores what came of it.
pub async fn execute(
    controller: &Controller,
    facts: &Facts<'_>,
    at_hand: &AtHand<'_>,
    step: &Step,
) -> Result<Done, kube::Error> {
    match step {
        Step::Write { action, attempt } => write(controller, facts, at_hand, *action, *attempt).await,
        Step::Guard => {
            let guarded = finalizer::add_finalizer(&controller.context.client, facts.order).await?;
            Ok(guarded.map_or_else(|| lost(facts), |order| Done { order, requeue: Requeue::Now }))
        }
        Step::Export => export(controller, facts, at_hand).await,
        Step::MakeKey => make_key(controller, facts, at_hand).await,
        Step::Adopt => match controller.claims.hold(facts.order).await? {
            Some(problem) => record(controller, facts, at_hand, &Outcome::Step(&facts.refuse(problem))).await,
            None => record(controller, facts, at_hand, &Outcome::Step(step)).await,
        },
        _ => record(controller, facts, at_hand, &Outcome::Step(step)).await,
    }
}

fn lost(facts: &Facts<'_>) -> Done {
    Done { order: facts.order.clone(), requeue: LOST }
}

/// Stores a status that records no call.
async fn record(
    controller: &Controller,
    facts: &Facts<'_>,
    at_hand: &AtHand<'_>,
    outcome: &Outcome<'_>,
) -> Result<Done, kube::Error> {
    let next = fold(&status::of(facts.order), facts, outcome, &at_hand.resolved.filter);
    store(controller, facts.order, next).await
}

async fn store(controller: &Controller, order: &CertificateOrder, next: Next) -> Result<Done, kube::Error> {
    match status::swap(&controller.context.client, order, next.status).await? {
        Swap::Stored(order) => Ok(Done { order: *order, requeue: next.requeue }),
        Swap::Lost => Ok(Done { order: order.clone(), requeue: LOST }),
    }
}

/// Makes the private key of an order and stores it, once: one that is there already is never replaced.
async fn make_key(
    controller: &Controller,
    facts: &Facts<'_>,
    at_hand: &AtHand<'_>,
) -> Result<Done, kube::Error> {
    let halt = async |problem| record(controller, facts, at_hand, &Outcome::Step(&Step::Halt(problem))).await;
    if let Some(problem) = controller.claims.hold(facts.order).await? {
        return halt(problem).await;
    }
    let algorithm = resolve::algorithm(&facts.order.spec);
    // An RSA key takes its time, and the other orders do not wait for it.
    let made = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm)).await;
    let key = match made
        .map_err(|error| error.to_string())
        .and_then(|key| key.map_err(|error| error.to_string()))
    {
        Ok(key) => key,
        Err(error) => return halt(Problem::new(Reason::InvalidRequest, error)).await,
    };
    let owner = Owner::of(facts.order);
    let data = [(TLS_KEY.to_owned(), secret::bytes(&key.pem()))].into();
    let wanted = Wanted {
        name: secret::key_secret_name(&owner.order),
        type_: "Opaque",
        data,
        keystores: String::new(),
    };
    let template = template::of_the_key(facts.order.spec.secret_template.as_ref());
    let client = &controller.context.client;
    match secret::write(client, facts.order, &owner, None, &wanted, Some(&template)).await {
        // Made by another replica in the same moment: that one is the key. Read again, in case it is none.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(lost(facts)),
        written => match secret::refused(&wanted.name, written)? {
            Ok(()) => Ok(Done { order: facts.order.clone(), requeue: Requeue::Now }),
            Err(problem) => Ok(soon_again(halt(problem).await?)),
        },
    }
}

/// Fetches the issued certificate and writes its Secrets.
async fn export(
    controller: &Controller,
    facts: &Facts<'_>,
    at_hand: &AtHand<'_>,
) -> Result<Done, kube::Error> {
    let (Ok(provider), Some(target), Ok(names)) = (&at_hand.resolved.provider, at_hand.target, facts.names)
    else {
        return Ok(lost(facts));
    };
    let (key, generation) = (cache::key(facts.order), facts.generation());
    let is_repair = repairs(facts);
    let wait = controller.repairs.wait(&key, generation, Instant::now());
    if is_repair && !wait.is_zero() {
        return Ok(Done { order: facts.order.clone(), requeue: Requeue::In(wait) });
    }
    let expires = facts.observed.and_then(|seen| seen.as_ref().ok()?.not_after);
    let kept = controller.kept.get(&key, Instant::now());
    let bundle = if let Some(bundle) = kept.filter(|bundle| target.is_of_this_term(bundle, expires)) {
        bundle
    } else {
        let bundle = provider.download().await;
        controller.context.telemetry.read(provider.calls().download, &bundle);
        match bundle {
            Ok(bundle) => Arc::new(bundle),
            Err(error) => return record(controller, facts, at_hand, &Outcome::NotFetched(&error)).await,
        }
    };
    let all = match target.wanted(facts.order, names, &bundle) {
        Ok(all) => all,
        // What does not fit is fetched again.
        Err(problem) => {
            controller.kept.forget(&key);
            return record(controller, facts, at_hand, &Outcome::Exported(&Err(problem))).await;
        }
    };
    controller.kept.keep(&key, Arc::clone(&bundle), Instant::now());
    let outcome = write_secrets(controller, facts.order, &all).await?;
    if is_repair && outcome.is_ok() {
        controller.repairs.count(&key, generation, Instant::now());
    }
    let done = record(controller, facts, at_hand, &Outcome::Exported(&outcome)).await?;
    Ok(if outcome.is_err() { soon_again(done) } else { done })
}

/// Whether what is written was there before, and has been changed by somebody.
fn repairs(facts: &Facts<'_>) -> bool {
    let status = facts.order.status.as_ref();
    let synced = status.and_then(|status| get(&status.conditions, ConditionType::SecretSynced));
    let contested: &str = Reason::SecretContested.into();
    synced.is_some_and(|synced| {
        let was_there = synced.status == Status::True.as_str() || synced.reason == contested;
        was_there && synced.observed_generation == Some(facts.generation())
    })
}

/// A Secret that the API server refused is tried again within minutes: a policy or a quota is mended without a change
/// that requeues the order.
fn soon_again(done: Done) -> Done {
    Done { requeue: Requeue::Failed(None), ..done }
}

/// Writes Secrets, up to the first that the API server refuses.
pub async fn write_secrets(
    controller: &Controller,
    order: &CertificateOrder,
    all: &[(Wanted, Option<&Secret>)],
) -> Result<Result<(), Problem>, kube::Error> {
    let template = order.spec.secret_template.as_ref();
    let owner = Owner::of(order);
    for (wanted, stored) in all {
        let written =
            secret::write(&controller.context.client, order, &owner, *stored, wanted, template).await;
        controller.context.telemetry.wrote(order, "Secret", &wanted.name).await;
        if let Err(problem) = secret::refused(&wanted.name, written)? {
            return Ok(Err(problem));
        }
    }
    Ok(Ok(()))
}

async fn write(
    controller: &Controller,
    facts: &Facts<'_>,
    at_hand: &AtHand<'_>,
    action: Action,
    attempt: i64,
) -> Result<Done, kube::Error> {
    let request = match request(action, facts) {
        Ok(request) => request,
        Err(problem) => {
            return record(controller, facts, at_hand, &Outcome::Step(&Step::Halt(problem))).await;
        }
    };
    match &at_hand.resolved.provider {
        // A process that is asked to end begins nothing that costs money.
        Ok(_) if controller.context.shutdown.is_cancelled() => {
            Ok(Done { order: facts.order.clone(), requeue: Requeue::Failed(None) })
        }
        Ok(provider) => {
            let call =
                Call { controller, facts, resolved: at_hand.resolved, provider: provider.as_ref(), request };
            call.make(attempt).await
        }
        Err(problem) => {
            record(controller, facts, at_hand, &Outcome::Step(&Step::Halt(problem.clone()))).await
        }
    }
}

/// What an action sends.
fn request<'a>(action: Action, facts: &Facts<'a>) -> Result<Request<'a>, Problem> {
    let payload: &'a Result<Payload, Problem> = facts.payload;
    Ok(match action {
        Action::Submit => Request::Submit(payload.as_ref().map_err(Clone::clone)?),
        Action::Order => Request::Order,
        Action::Resubmit => Request::Resubmit,
        Action::Withdraw => Request::Withdraw,
        Action::Revoke => Request::Revoke,
        Action::SendLetter => match facts.letter {
            Some(letter) => Request::SendLetter(letter.as_ref().map_err(Clone::clone)?),
            None => {
                return Err(Problem::new(Reason::AwaitingLetter, "there is no letter"));
            }
        },
    })
}

struct Call<'a> {
    controller: &'a Controller,
    facts: &'a Facts<'a>,
    resolved: &'a Resolved,
    provider: &'a dyn Provider,
    request: Request<'a>,
}

impl Call<'_> {
    async fn make(&self, attempt: i64) -> Result<Done, kube::Error> {
        let action = self.request.kind();
        let begins = matches!(action, Action::Submit | Action::Order | Action::Resubmit);
        if begins && let Some(problem) = self.controller.claims.hold(self.facts.order).await? {
            let refused = Outcome::Step(&self.facts.refuse(problem));
            let next = self.fold(self.facts.order, &refused);
            return store(self.controller, self.facts.order, next).await;
        }
        // One call-timeout to begin and one to end: what `plan` waits before it trusts in the absence of evidence.
        let begin_by = Instant::now() + self.controller.context.call_timeout;
        let payload_hash = match self.request {
            Request::Submit(payload) => Some(payload.hash.clone()),
            _ => None,
        };
        let intent = Intent {
            attempt,
            action: self.facts.action_name(action),
            payload_hash,
            holder: self.controller.context.holder.clone(),
            started_at: micros(self.controller.context.clock.now()),
            resubmit_at: self.facts.asks_for(action).map(str::to_owned),
        };
        let next = self.fold(self.facts.order, &Outcome::Intent(action, &intent));
        let Some(stored) =
            status::store_intent(&self.controller.context.client, self.facts.order, next.status, &intent)
                .await?
        else {
            return Ok(lost(self.facts));
        };
        // The claim is held. One version more, the cached orders have a second look: a Lease may have been deleted.
        if let Some(problem) = self.controller.contested(&stored).await? {
            let next = self.fold(&stored, &Outcome::TakenBack(&problem));
            return store(self.controller, &stored, next).await;
        }
        let begins = matches!(action, Action::Submit | Action::Resubmit) && !budget::runs(self.facts.order);
        if begins && let Some(problem) = self.controller.over_budget_live(&stored).await? {
            let next = self.fold(&stored, &Outcome::Step(&Step::NotLanded(problem)));
            return store(self.controller, &stored, next).await;
        }
        let outcome: Result<Accepted, provider::Error> = self.provider.write(self.request, begin_by).await;
        self.controller.context.telemetry.called(
            &stored.name_any(),
            &intent,
            &outcome,
            &self.resolved.filter,
        );
        // As of now: the call took its time, and what comes next is compared with when it was accepted.
        let facts = Facts { now: self.controller.context.clock.now(), ..self.facts.clone() };
        let outcome = Outcome::Called(action, &intent, &outcome);
        let next = fold(&status::of(&stored), &facts, &outcome, &self.resolved.filter);
        let order =
            status::store_outcome(&self.controller.context.client, stored, &intent, next.status).await;
        Ok(Done { order, requeue: next.requeue })
    }

    fn fold(&self, order: &CertificateOrder, outcome: &Outcome<'_>) -> Next {
        fold(&status::of(order), self.facts, outcome, &self.resolved.filter)
    }
}
