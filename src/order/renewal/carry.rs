//! Executes the steps of a renewal: the order for a successor, and the swap of the Secrets.

use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, DeletionPolicy, RotationPolicy};
use crate::cluster::cache;
use crate::cluster::{FIELD_MANAGER, Namespace, bounded};
use crate::core::annotations::SUPERSEDED;
use crate::core::chain::Chain;
use crate::core::conditions::Problem;
use crate::core::keypair::KeyPair;
use crate::core::text::shown;
use crate::order::controller::Controller;
use crate::order::export::secret::{self, Owner, TLS_KEY, Wanted};
use crate::order::export::slot::OPAQUE;
use crate::order::export::target::Target;
use crate::order::export::template;
use crate::order::export::write::write_secrets;
use crate::order::facts::{Export, Facts, Term};
use crate::order::own_key::{OwnKey, Place};
use crate::order::renewal::assess;
use crate::order::renewal::step::{RenewalStep, Renewed};
use crate::order::renewal::{keys, successor, swap};
use crate::order::resolve::Resolved;

/// The longest message of the API server that is shown, in bytes.
const LONGEST_REFUSAL: usize = 1024;

/// A renewal whose step is executed.
struct Carrying<'a> {
    controller: &'a Controller,
    facts: &'a Facts<'a>,
    resolved: &'a Resolved,
    namespace: Namespace,
}

/// Executes a step. Failures of the API server that pass by themselves are errors.
pub async fn carry(
    controller: &Controller,
    facts: &Facts<'_>,
    resolved: &Resolved,
    step: &RenewalStep,
) -> Result<Renewed, kube::Error> {
    let namespace = controller.context.namespace(facts.order);
    let carrying = Carrying { controller, facts, resolved, namespace };
    match step {
        RenewalStep::Make { certificate_id } => carrying.make(certificate_id).await,
        RenewalStep::Edit { order } => carrying.edit(order).await,
        RenewalStep::Swap { certificate_id } => carrying.swap(certificate_id).await,
        RenewalStep::Remove { order } => carrying.remove(order).await,
        // Made by `ask`, between two writes of the status.
        RenewalStep::Reissue { .. } => Ok(Renewed::Changed),
    }
}

impl Carrying<'_> {
    fn orders(&self) -> Api<CertificateOrder> {
        Api::namespaced(self.controller.context.client.clone(), self.namespace.name())
    }

    /// Makes the order for a successor. What is there already is right if it was made for this very order.
    async fn make(&self, id: &str) -> Result<Renewed, kube::Error> {
        let Some(order) = successor::order(self.facts.order, id) else { return Ok(Renewed::Changed) };
        let name = order.name_any();
        let renewal = self.facts.order.spec.renewal();
        if order.spec.makes_key()
            && renewal.rotation_policy == RotationPolicy::Never
            && let Err(problem) = self.copy_key(&order, id).await?
        {
            return Ok(Renewed::Refused(problem));
        }
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match bounded(self.orders().create(&params, &order)).await {
            Ok(_) => Ok(Renewed::Made),
            Err(kube::Error::Api(status)) if status.is_already_exists() => self.taken(&name).await,
            Err(error) => refused(&name, error),
        }
    }

    async fn taken(&self, name: &str) -> Result<Renewed, kube::Error> {
        match bounded(self.orders().get_opt(name)).await? {
            Some(there) if !successor::is_made_for(&there, self.facts.order) => {
                let message = format!(
                    "CertificateOrder {name}, which the successor's order would be, is there already and was not made for \
                     this order; delete or rename it"
                );
                Ok(Renewed::Refused(Problem::new(Reason::SuccessorRefused, message)))
            }
            _ => Ok(Renewed::Made),
        }
    }

    /// Stores the key of the current certificate as the one that the order of the successor begins with. A key that is
    /// there already is never replaced.
    async fn copy_key(&self, order: &CertificateOrder, id: &str) -> Result<Result<(), Problem>, kube::Error> {
        let Some(key) = self.current_key().await? else {
            let message = "the key of the certificate in use is not in the cluster, and the successor is to have the same; \
                           restore the Secret with it, or set renewal.rotationPolicy: Always";
            return Ok(Err(refusal(message)));
        };
        let owner = Owner { order: order.name_any(), certificate_id: id.to_owned(), current: None };
        let name = secret::key_secret_name(&owner.order);
        if let Some(stored) = self.namespace.find_secret(&name).await? {
            let is_ours = owner.owns(&stored);
            return Ok(if is_ours {
                Ok(())
            } else {
                Err(refusal(&owner.conflict(&stored, OPAQUE, "rename this order").message))
            });
        }
        let data = [(TLS_KEY.to_owned(), secret::bytes(&key.pem()))].into();
        let wanted = Wanted { name, type_: OPAQUE, data, keystores: String::new() };
        let asked = self.facts.order.spec.secret_template.as_ref();
        let template = template::of_the_key(&self.controller.template_prefixes.accept(asked).template);
        let client = &self.controller.context.client;
        let written = secret::write(client, order, &owner, None, &wanted, &template).await;
        match written {
            // Another replica was faster.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Ok(())),
            written => {
                Ok(secret::refused(&wanted.name, written)?.map_err(|problem| refusal(&problem.message)))
            }
        }
    }

    /// The key of the current certificate, where it is in the cluster: beside the certificate, or where a key of the chain is.
    async fn current_key(&self) -> Result<Option<Arc<KeyPair>>, kube::Error> {
        let target = self.target(None).await?;
        if let Some(key) = target.current_key() {
            return Ok(Some(key));
        }
        Ok(match &self.resolved.own_key {
            Some(OwnKey::Held(key)) => Some(Arc::clone(key)),
            _ => None,
        })
    }

    /// Brings the order of a successor up to what the user asks for now.
    async fn edit(&self, name: &str) -> Result<Renewed, kube::Error> {
        let Some(live) = bounded(self.orders().get_opt(name)).await? else { return Ok(Renewed::Changed) };
        let Some(wanted) = successor::edited(self.facts.order, &live) else { return Ok(Renewed::Changed) };
        let patch =
            serde_json::from_value(successor::edit(&live, &wanted)).map_err(kube::Error::SerdeError)?;
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match bounded(self.orders().patch(name, &params, &Patch::<CertificateOrder>::Json(patch))).await {
            Ok(_) => Ok(Renewed::Changed),
            Err(error) => refused(name, error),
        }
    }

    /// Deletes the order of a certificate that ran out: nothing of it is deleted at the cloud.
    async fn remove(&self, name: &str) -> Result<Renewed, kube::Error> {
        let Some(live) = bounded(self.orders().get_opt(name)).await? else { return Ok(Renewed::Changed) };
        let is_retained = live.spec.deletion_policy == DeletionPolicy::Retain;
        if !successor::is_made_for(&live, self.facts.order) || !is_retained {
            return Ok(Renewed::Changed);
        }
        let preconditions =
            Some(Preconditions { uid: live.uid(), resource_version: live.resource_version() });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match bounded(self.orders().delete(name, &params)).await {
            Err(kube::Error::Api(status)) if !status.is_not_found() && !status.is_conflict() => {
                Err(kube::Error::Api(status))
            }
            Ok(_) | Err(kube::Error::Api(_)) => Ok(Renewed::Changed),
            Err(error) => Err(error),
        }
    }

    /// Fetches the successor and puts it into the Secrets.
    async fn swap(&self, id: &str) -> Result<Renewed, kube::Error> {
        let (Ok(provider), Ok(names)) = (&self.resolved.provider, self.facts.names) else {
            return Ok(Renewed::Changed);
        };
        let order = self.facts.order;
        let target = self.target(Some(id)).await?;
        let provider = provider.sibling(id);
        let bundle = provider.download().await;
        self.controller.context.telemetry.read(provider.calls().download, &bundle);
        let bundle = match bundle {
            Ok(bundle) => Arc::new(bundle),
            Err(error) => return Ok(Renewed::NotFetched(error)),
        };
        let blocked = |problem: Problem| Ok(Renewed::NotSwapped(problem));
        let term = match Chain::parse(&bundle.certificate_pem) {
            Ok(chain) => Term { not_before: chain.leaf_not_before(), not_after: chain.leaf_not_after() },
            Err(error) => return blocked(Problem::new(Reason::BundleInvalid, error.to_string())),
        };
        if let Err(why) = swap::may_replace(term, assess::term(self.facts), self.facts.now) {
            let message =
                format!("certificate {id} is issued, and must not take the place of the present one: {why}");
            let problem = Problem::new(Reason::SwapBlocked, message);
            return Ok(if why.is_final() {
                Renewed::EndsEarlier(id.to_owned(), problem)
            } else {
                Renewed::NotSwapped(problem)
            });
        }
        if let Export::Blocked(problem) = target.export(order, Some(term.not_after), self.facts.names) {
            return blocked(problem);
        }
        let further = keys::further(self.controller, order, &target, &bundle).await?;
        let all = match target.wanted(order, names, &bundle, &further) {
            Ok(all) => all,
            Err(problem) => return blocked(problem),
        };
        if let Err(problem) =
            write_secrets(self.controller, order, target.owner(), target.template(), &all).await?
        {
            return blocked(problem);
        }
        if target.holds_a_certificate() {
            self.controller.kept.keep(&cache::key(order), bundle, Instant::now());
        }
        self.mark_superseded(id, all.iter().find_map(|(wanted, _)| wanted.data.get(TLS_KEY))).await?;
        Ok(Renewed::Swapped { certificate_id: id.to_owned(), term })
    }

    /// Labels the Secrets with keys of former certificates that are not the one in use any more. They stay: a cloud may issue
    /// for an earlier request, and their owner deletes them.
    async fn mark_superseded(&self, id: &str, key: Option<&ByteString>) -> Result<(), kube::Error> {
        let order = self.facts.order;
        let rotates = order.spec.renewal().rotation_policy == RotationPolicy::Always;
        let Some(key) = key.filter(|_| rotates && order.spec.makes_key()) else { return Ok(()) };
        let secrets: Api<Secret> =
            Api::namespaced(self.controller.context.client.clone(), self.namespace.name());
        let own = Place::of(Owner { current: None, ..Owner::of(order) });
        for place in keys::of_chain(self.controller, order, Some(id)).into_iter().chain([own]) {
            let Some(stored) = self.namespace.find_secret(&place.name).await? else { continue };
            let held = stored.data.as_ref().and_then(|data| data.get(TLS_KEY));
            let is_marked = stored.labels().contains_key(SUPERSEDED);
            if !place.owner.owns(&stored) || is_marked || held == Some(key) {
                continue;
            }
            let label = json!({"metadata": {"labels": {SUPERSEDED: "true"}}});
            let params =
                PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
            // A label that is refused is no matter.
            let marked = bounded(secrets.patch(&place.name, &params, &Patch::Merge(label))).await;
            drop(secret::refused(&place.name, marked.map(drop))?);
        }
        Ok(())
    }

    /// The Secrets of the order, for its current certificate or for a successor: any key of the chain may be the one that it is
    /// for, since a cloud may issue for an earlier request.
    async fn target(&self, next: Option<&str>) -> Result<Target, kube::Error> {
        let order = self.facts.order;
        let owner = Owner::of(order);
        let owner = match next {
            Some(id) => owner.with_current(id),
            None => owner,
        };
        let keys = keys::of_chain(self.controller, order, next);
        let prefixes = &self.controller.template_prefixes;
        let own_key = self.resolved.own_key.as_ref();
        Target::read(&self.namespace, order, owner, own_key, (&keys, next.is_some()), prefixes).await
    }
}

/// What the API server refuses by a quota, a policy or a rule is for a person; anything else passes.
fn refused(name: &str, error: kube::Error) -> Result<Renewed, kube::Error> {
    match error {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 413 | 422) => {
            let why = shown(&status.message, LONGEST_REFUSAL);
            Ok(Renewed::Refused(refusal(&format!("the API server refuses CertificateOrder {name}: {why}"))))
        }
        // The next pass decides by what is there now.
        kube::Error::Api(status) if status.is_conflict() || status.is_not_found() => Ok(Renewed::Changed),
        error => Err(error),
    }
}

fn refusal(message: &str) -> Problem {
    Problem::new(Reason::SuccessorRefused, format!("the order of the successor cannot be made: {message}"))
}
