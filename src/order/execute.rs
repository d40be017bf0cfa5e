//! Executes a step: at most one write to the cloud, between two writes of the status.
//!
//! The intent is stored before the call, by compare-and-swap on the version that was read. The outcome is stored on the
//! version that the intent write returned, and retried until it is stored. A process that dies in between leaves an
//! open intent, and the next process reads the cloud before anything else.

use std::sync::Arc;

use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, Intent, micros};
use crate::cluster::cache;
use crate::core::conditions::{Problem, Status, get};
use crate::core::keypair::KeyPair;
use crate::core::names::Names;
use crate::core::observation::Bundle;
use crate::order::claim::budget;
use crate::order::controller::Controller;
use crate::order::export::secret::{self, Owner, TLS_KEY, Wanted};
use crate::order::export::target::Target;
use crate::order::export::template;
use crate::order::export::write::write_secrets;
use crate::order::facts::{Action, Export, Facts, Term};
use crate::order::finalizer;
use crate::order::fold::{Next, Outcome, Requeue, fold};
use crate::order::plan::Step;
use crate::order::renewal::{RenewalStep, ask, assess, carry, keys, swap};
use crate::order::resolve::{self, Resolved};
use crate::order::status::{self, Swap};
use crate::provider::{self, Accepted, Payload, Provider, Request};

/// The result of a step.
pub struct Done {
    /// The order as it is stored now.
    pub order: CertificateOrder,
    /// When to requeue.
    pub requeue: Requeue,
}

/// What a step may need from the cluster.
pub struct Inputs<'a> {
    /// What the order refers to.
    pub resolved: &'a Resolved,
    /// The target Secrets of an issued certificate.
    pub target: Option<&'a Target>,
}

/// After a conflict: read again, with exponential backoff while the cache is stale.
const ON_CONFLICT: Requeue = Requeue::Failed(None);

/// Executes a step and stores its outcome.
pub async fn execute(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
    step: &Step,
) -> Result<Done, kube::Error> {
    match step {
        Step::Write { action, attempt } => {
            Box::pin(write(controller, facts, inputs, *action, *attempt)).await
        }
        Step::AddFinalizer => {
            let updated = finalizer::add_finalizer(&controller.context.client, facts.order).await?;
            Ok(updated.map_or_else(|| conflict(facts), |order| Done { order, requeue: Requeue::Now }))
        }
        Step::Export => export(controller, facts, inputs).await,
        Step::MakeKey => make_key(controller, facts, inputs).await,
        Step::Adopt => match controller
            .claims
            .hold(facts.order, controller.context.call_timeout.saturating_mul(2))
            .await?
        {
            Some(problem) => record(controller, facts, inputs, &Outcome::Step(&facts.refuse(problem))).await,
            None => record(controller, facts, inputs, &Outcome::Step(step)).await,
        },
        Step::Renew(step) => renew(controller, facts, inputs, step).await,
        _ => record(controller, facts, inputs, &Outcome::Step(step)).await,
    }
}

/// Takes a step of a renewal. What the status says of the successor is stored before a swap: the Secret with a successor that
/// the status does not know would not be told from one that somebody marked.
async fn renew(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
    step: &RenewalStep,
) -> Result<Done, kube::Error> {
    if let RenewalStep::Reissue { attempt } = step {
        let (order, requeue) = Box::pin(ask::ask(controller, facts, inputs.resolved, *attempt)).await?;
        return Ok(Done { order, requeue });
    }
    if let RenewalStep::Swap { certificate_id } = step
        && assess::known(facts).as_ref() != Some(certificate_id)
    {
        return record(controller, facts, inputs, &Outcome::Step(&Step::Follow)).await;
    }
    let renewed = carry::carry(controller, facts, inputs.resolved, step).await?;
    if !assess::is_renewed(facts) {
        // Suspended, or only planned: the order of the successor was told so.
        let rests = if facts.order.spec.suspend { Step::Suspend } else { Step::Follow };
        return record(controller, facts, inputs, &Outcome::Step(&rests)).await;
    }
    record(controller, facts, inputs, &Outcome::Renewed(&renewed)).await
}

fn conflict(facts: &Facts<'_>) -> Done {
    Done { order: facts.order.clone(), requeue: ON_CONFLICT }
}

/// Stores a status that records no call.
async fn record(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
    outcome: &Outcome<'_>,
) -> Result<Done, kube::Error> {
    let next = fold(&status::of(facts.order), facts, outcome, &inputs.resolved.filter);
    store(controller, facts.order, next).await
}

async fn store(controller: &Controller, order: &CertificateOrder, next: Next) -> Result<Done, kube::Error> {
    let swapped = status::swap(&controller.context.client, order, next.status);
    match controller.context.api_latency.measure(swapped).await? {
        Swap::Stored(order) => Ok(Done { order: *order, requeue: next.requeue }),
        Swap::Conflict => Ok(Done { order: order.clone(), requeue: ON_CONFLICT }),
    }
}

/// Generates the private key of an order and stores it once: a stored key is never replaced.
async fn make_key(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
) -> Result<Done, kube::Error> {
    let halt = async |problem| record(controller, facts, inputs, &Outcome::Step(&Step::Halt(problem))).await;
    if let Some(problem) =
        controller.claims.hold(facts.order, controller.context.call_timeout.saturating_mul(2)).await?
    {
        return halt(problem).await;
    }
    let algorithm = resolve::algorithm(&facts.order.spec);
    // An RSA key takes long to generate, and must not delay the other orders.
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
    let asked = facts.order.spec.secret_template.as_ref();
    let template = template::of_the_key(&controller.template_prefixes.accept(asked).template);
    let client = &controller.context.client;
    match secret::write(client, facts.order, &owner, None, &wanted, &template).await {
        // Another replica created the Secret first, so its key is used. Read it again, in case it holds none.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(conflict(facts)),
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
    inputs: &Inputs<'_>,
) -> Result<Done, kube::Error> {
    let (Ok(provider), Some(target), Ok(names)) = (&inputs.resolved.provider, inputs.target, facts.names)
    else {
        return Ok(conflict(facts));
    };
    let (key, generation) = (cache::key(facts.order), facts.generation());
    let is_repair = repairs(facts);
    let wait = controller.repairs.wait(&key, generation, Instant::now());
    if is_repair && !wait.is_zero() {
        return Ok(Done { order: facts.order.clone(), requeue: Requeue::In(wait) });
    }
    let expires = facts.observed.and_then(|seen| seen.as_ref().ok()?.not_after);
    let kept = controller.kept.get(&key, Instant::now());
    let bundle = if !target.holds_a_certificate() {
        // A Secret with the certificate's id alone needs neither certificate nor key.
        Arc::new(Bundle { certificate_pem: String::new(), private_key_pem: None })
    } else if let Some(bundle) = kept.filter(|bundle| target.is_of_this_term(bundle, expires)) {
        bundle
    } else {
        let bundle = provider.download().await;
        controller.context.telemetry.read(provider.calls().download, &bundle);
        match bundle {
            Ok(bundle) => Arc::new(bundle),
            Err(error) => return record(controller, facts, inputs, &Outcome::NotFetched(&error)).await,
        }
    };
    if let Some((present, why)) = shortens(facts, target, names, &bundle) {
        let problem = Problem::new(Reason::SwapBlocked, why);
        return Box::pin(keep(controller, facts, inputs, present, &problem)).await;
    }
    let further = keys::further(controller, facts.order, target, &bundle).await?;
    let all = match target.wanted(facts.order, names, &bundle, &further) {
        Ok(all) => all,
        // What does not fit is fetched again.
        Err(problem) => {
            controller.kept.forget(&key);
            let present = target.present_term(facts.order, names, assess::term(facts));
            return match present.filter(|present| present.not_after > facts.now) {
                Some(present) => Box::pin(keep(controller, facts, inputs, present, &problem)).await,
                None => record(controller, facts, inputs, &Outcome::Exported(&Err(problem))).await,
            };
        }
    };
    if target.holds_a_certificate() {
        controller.kept.keep(&key, Arc::clone(&bundle), Instant::now());
    }
    let outcome = write_secrets(controller, facts.order, target.owner(), target.template(), &all)
        .await?
        .map(|()| target.fetched_term(&bundle));
    if is_repair && outcome.is_ok() {
        controller.repairs.count(&key, generation, Instant::now());
    }
    let done = record(controller, facts, inputs, &Outcome::Exported(&outcome)).await?;
    Ok(if outcome.is_err() { soon_again(done) } else { done })
}

/// Why what the cloud hands over now must not take the place of what the Secret holds: the same certificate was issued anew,
/// and ends earlier.
fn shortens(facts: &Facts<'_>, target: &Target, names: &Names, bundle: &Bundle) -> Option<(Term, String)> {
    let present = target.present_term(facts.order, names, assess::term(facts));
    let present = present.or_else(|| target.written_term(names))?;
    let next = target.fetched_term(bundle)?;
    let why = swap::may_replace(next, Some(present), facts.now).err()?;
    let what = "the cloud hands over another certificate than the one in the Secret, which stays";
    Some((present, format!("{what}: {why}")))
}

/// The pair in the Secret stays, since it is valid and what the cloud hands over must not take its place. The renewal goes on.
async fn keep(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
    present: Term,
    problem: &Problem,
) -> Result<Done, kube::Error> {
    let in_place = Export::Current;
    let facts = &Facts { secret: &in_place, term: Some(present), ..facts.clone() };
    match assess(facts).and_then(|renewal| renewal.step) {
        Some(step) => renew(controller, facts, inputs, &step).await,
        None => record(controller, facts, inputs, &Outcome::Kept(problem)).await,
    }
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

async fn write(
    controller: &Controller,
    facts: &Facts<'_>,
    inputs: &Inputs<'_>,
    action: Action,
    attempt: i64,
) -> Result<Done, kube::Error> {
    let request = match request(action, facts) {
        Ok(request) => request,
        Err(problem) => {
            return record(controller, facts, inputs, &Outcome::Step(&Step::Halt(problem))).await;
        }
    };
    match &inputs.resolved.provider {
        // A process that shuts down starts nothing that costs money.
        Ok(_) if controller.context.shutdown.is_cancelled() => {
            Ok(Done { order: facts.order.clone(), requeue: Requeue::Failed(None) })
        }
        Ok(provider) => {
            let Ok(original) = Box::pin(original(controller, facts, provider.as_ref(), action)).await else {
                // What came before cannot be read, so nothing is revoked in its place.
                return Ok(Done { order: facts.order.clone(), requeue: Requeue::Failed(None) });
            };
            let provider = original.as_deref().unwrap_or(provider.as_ref());
            let call = Call { controller, facts, resolved: inputs.resolved, provider, request };
            call.make(attempt).await
        }
        Err(problem) => record(controller, facts, inputs, &Outcome::Step(&Step::Halt(problem.clone()))).await,
    }
}

/// The certificate that a reissued one came from in the end, if the action is to revoke: a cloud may revoke a reissued
/// certificate only together with its original, and by a call for that one.
async fn original(
    controller: &Controller,
    facts: &Facts<'_>,
    provider: &dyn Provider,
    action: Action,
) -> Result<Option<Box<dyn Provider>>, provider::Error> {
    let seen = facts.observed.and_then(|seen| seen.as_ref().ok()).filter(|_| action == Action::Revoke);
    let mut former = seen.and_then(|seen| seen.reissued_from.clone());
    let mut original = None;
    for _ in 0..LONGEST_WALK {
        let Some(id) = former.take() else { break };
        let of = provider.sibling(&id);
        let seen = of.observe().await;
        controller.context.telemetry.read(of.calls().observe, &seen);
        former = seen?.reissued_from;
        original = Some(of);
    }
    Ok(original)
}

/// The most reissues that are followed back to their original.
const LONGEST_WALK: usize = 16;

/// The request of an action.
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
        // Never planned for the certificate of the order itself.
        Action::Reissue => {
            return Err(Problem::new(Reason::InvalidRequest, "a reissue belongs to a renewal"));
        }
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
        let context = &self.controller.context;
        let start_within = context.api_latency.start_within(context.call_timeout);
        // With more calls before this one than fit into that time, its intent would be for nothing.
        let delay = self.provider.write_delay(action);
        if delay > start_within / 2 {
            return Ok(Done { order: self.facts.order.clone(), requeue: Requeue::In(delay) });
        }
        let lasts = start_within.saturating_add(context.call_timeout);
        let begins = matches!(action, Action::Submit | Action::Order | Action::Resubmit);
        if begins && let Some(problem) = self.controller.claims.hold(self.facts.order, lasts).await? {
            let refused = Outcome::Step(&self.facts.refuse(problem));
            let next = self.fold(self.facts.order, &refused);
            return store(self.controller, self.facts.order, next).await;
        }
        // That much time to start the call, and one call timeout to finish it: `plan` waits that long before absent evidence
        // counts.
        let start_by = Instant::now() + start_within;
        let started_at = context.clock.now();
        let payload_hash = match (self.request, self.controller.claims.hash_key()) {
            (Request::Submit(payload), Some(key)) => Some(payload.fingerprint.stored(&key)),
            // The key is read before the first claim is held.
            (Request::Submit(_), None) => return Ok(conflict(self.facts)),
            _ => None,
        };
        let intent = Intent {
            attempt,
            action: self.facts.action_name(action),
            payload_hash,
            holder: self.controller.context.holder.clone(),
            started_at: micros(started_at),
            begin_by: started_at.checked_add(start_within).ok().map(micros),
            resubmit_at: self.facts.handled_request(action).map(str::to_owned),
        };
        let next = self.fold(self.facts.order, &Outcome::Intent(action, &intent));
        let holds = |status: &CertificateOrderStatus| {
            status.submission.as_ref().is_some_and(|ours| ours.intent.as_ref() == Some(&intent))
        };
        let storing = status::store_intent(&context.client, self.facts.order, next.status, holds);
        let Some(stored) = context.api_latency.measure(storing).await? else {
            return Ok(conflict(self.facts));
        };
        // The claim is held. One version more, the cached orders have a second look: a Lease may have been deleted.
        if let Some(problem) = self.controller.contested(&stored).await? {
            let next = self.fold(&stored, &Outcome::TakenBack(&problem));
            return store(self.controller, &stored, next).await;
        }
        let starts = matches!(action, Action::Submit | Action::Resubmit) && !budget::runs(self.facts.order);
        if starts && let Some(problem) = self.controller.over_budget_live(&stored).await? {
            let next = self.fold(&stored, &Outcome::Step(&Step::NotLanded(problem)));
            return store(self.controller, &stored, next).await;
        }
        let outcome: Result<Accepted, provider::Error> = self.provider.write(self.request, start_by).await;
        self.controller.context.telemetry.called(
            &stored.name_any(),
            &intent,
            &outcome,
            &self.resolved.filter,
        );
        // The call took time, and later steps compare with the time at which it was accepted.
        let facts = Facts { now: self.controller.context.clock.now(), ..self.facts.clone() };
        let outcome = Outcome::Called(action, &intent, &outcome);
        let next = fold(&status::of(&stored), &facts, &outcome, &self.resolved.filter);
        let order = status::store_outcome(&self.controller.context.client, stored, next.status, holds).await;
        Ok(Done { order, requeue: next.requeue })
    }

    fn fold(&self, order: &CertificateOrder, outcome: &Outcome<'_>) -> Next {
        fold(&status::of(order), self.facts, outcome, &self.resolved.filter)
    }
}
