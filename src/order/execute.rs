//! At most one write to the cloud, between two writes of the status.
//!
//! The intent is stored before the call, by compare-and-swap on the version that was read; the outcome is stored
//! on the version that the intent write returned, however long that takes. A process that dies in between leaves
//! an intent, and whoever finds it asks the cloud before anything else.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::v1alpha1::{CertificateOrder, Intent, micros};
use crate::core::conditions::Problem;
use crate::order::Context;
use crate::order::claim;
use crate::order::fold::{Again, News, Next, fold};
use crate::order::plan::{Action, Facts, Step};
use crate::order::resolve::Resolved;
use crate::order::status::{self, Swap};
use crate::provider::{self, Accepted, Payload, Provider, Request};

/// What a pass has done.
pub struct Done {
    /// The order as stored now.
    pub order: CertificateOrder,
    /// When to look again.
    pub again: Again,
}

/// The pause after a status write that lost against another writer.
const LOST: Again = Again::In(Duration::from_millis(250));

/// Carries out a step and stores what came of it.
pub async fn execute(
    ctx: &Context,
    facts: &Facts<'_>,
    resolved: &Resolved,
    step: &Step,
) -> Result<Done, kube::Error> {
    match (step, &resolved.provider, facts.payload) {
        (Step::Write { action, attempt }, Ok(provider), Ok(payload)) => {
            let call = Call { ctx, facts, resolved, provider: provider.as_ref(), payload, action: *action };
            call.make(*attempt).await
        }
        (Step::Write { .. }, ..) => Ok(Done { order: facts.order.clone(), again: Again::Stopped }),
        _ => {
            let next = fold(&status::of(facts.order), facts, &News::Step(step), &resolved.filter);
            store(ctx, facts.order, next).await
        }
    }
}

/// Stores a status that records no call.
async fn store(ctx: &Context, order: &CertificateOrder, next: Next) -> Result<Done, kube::Error> {
    match status::swap(&ctx.client, order, next.status).await? {
        Swap::Stored(order) => Ok(Done { order: *order, again: next.again }),
        Swap::Lost => Ok(Done { order: order.clone(), again: LOST }),
    }
}

struct Call<'a> {
    ctx: &'a Context,
    facts: &'a Facts<'a>,
    resolved: &'a Resolved,
    provider: &'a dyn Provider,
    payload: &'a Payload,
    action: Action,
}

impl Call<'_> {
    async fn make(&self, attempt: i64) -> Result<Done, kube::Error> {
        // One call-timeout to begin and one to end: what `plan` waits before it trusts in the absence of evidence.
        let begin_by = Instant::now() + self.ctx.call_timeout;
        let intent = Intent {
            attempt,
            action: self.facts.action_name(self.action),
            payload_hash: (self.action == Action::Submit).then(|| self.payload.hash.clone()),
            holder: self.ctx.holder.clone(),
            started_at: micros(self.ctx.clock.now()),
        };
        let next = self.fold(self.facts.order, &News::Intent(self.action, &intent));
        let Some(stored) =
            status::store_intent(&self.ctx.client, self.facts.order, next.status, &intent).await?
        else {
            return Ok(Done { order: self.facts.order.clone(), again: LOST });
        };
        if let Some(problem) = self.lost_claim(&stored).await? {
            let next = self.fold(&stored, &News::TakenBack(&problem));
            return store(self.ctx, &stored, next).await;
        }
        let outcome = self.call(begin_by).await;
        self.ctx.telemetry.called(&intent, &outcome, &self.resolved.filter);
        let next = self.fold(&stored, &News::Outcome(self.action, &intent, &outcome));
        let order = status::store_outcome(&self.ctx.client, stored, &intent, next.status).await;
        Ok(Done { order, again: next.again })
    }

    /// Before the first call the other orders for this certificate are listed live: the intent is stored, so any
    /// of them that acts at the same moment sees it.
    async fn lost_claim(&self, stored: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        if self.facts.ours().is_some() {
            return Ok(None);
        }
        let others = self.ctx.rivals(stored).await?;
        Ok(claim::contested(stored, &others))
    }

    async fn call(&self, begin_by: Instant) -> Result<Accepted, provider::Error> {
        let request = match self.action {
            Action::Submit => Request::Submit(self.payload),
            Action::Order => Request::Order,
        };
        self.provider.write(request, begin_by).await
    }

    fn fold(&self, order: &CertificateOrder, news: &News<'_>) -> Next {
        fold(&status::of(order), self.facts, news, &self.resolved.filter)
    }
}
