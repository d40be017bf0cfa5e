//! Keeps the `DNSEndpoint` of an order as it is to be.
//!
//! Whatever happens here holds nothing else of the order up: the records stay in the status, where a person finds them. A
//! pass in which nothing changed makes no request, see [`super::memory`]; orders without `dnsEndpoint` make none at all.

use std::time::Duration;

use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Status;
use kube::{Api, ResourceExt};
use tokio::time::Instant;
use tracing::warn;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::cluster::cache::Key;
use crate::cluster::error::explain;
use crate::cluster::{FIELD_MANAGER, bounded};
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::conditions::{Problem, get};
use crate::core::text::shown;
use crate::order::controller::Controller;
use crate::order::dns_endpoint::object::{KIND, Version, Write, decide, is_marked, name_of};
use crate::order::dns_endpoint::records::Selection;
use crate::order::dns_endpoint::standing::Standing;
use crate::order::dns_endpoint::wanted::{Wanted, wanted};
use crate::order::facts::Facts;

/// After a failure of the API server that says nothing.
const SOON: Duration = Duration::from_secs(30);

/// When a deletion that was refused is tried again.
const LATER: Duration = Duration::from_hours(1);

/// The most objects of one answer, and the most answers: more `DNSEndpoint`s than any namespace has.
const PAGE: (u32, usize) = (500, 20);

/// The longest message of the API server that is shown, in bytes.
const LONGEST_REFUSAL: usize = 1024;

/// The rights that this needs.
const RIGHTS: &str =
    "get, list, create, patch and delete of dnsendpoints in the API group externaldns.k8s.io";

/// What came of it.
#[derive(Default)]
pub struct Kept {
    /// What the status says of it; `None` where it says what it said before, or nothing.
    pub standing: Option<Standing>,
    /// When to look again at the latest.
    pub again: Option<Duration>,
}

impl From<Standing> for Kept {
    fn from(standing: Standing) -> Self {
        Self { standing: Some(standing), again: None }
    }
}

/// Writes or deletes the `DNSEndpoint` of an order, if that is due.
pub async fn keep(controller: &Controller, key: &Key, facts: &Facts<'_>) -> Kept {
    let order = facts.order;
    // The status says that there may be one before there is one.
    let may_exist = order
        .status
        .as_ref()
        .is_some_and(|status| get(&status.conditions, ConditionType::DnsEndpointSynced).is_some());
    if !order.spec.validation.dns_endpoint && !may_exist {
        return Kept::default();
    }
    let look = Look { controller, key, order, api: api(controller, order) };
    match wanted(facts) {
        Wanted::AsItIs => Kept { standing: look.last(), again: None },
        Wanted::Nothing if may_exist => look.withdraw().await,
        Wanted::Nothing => {
            controller.dns_endpoints.forget(key);
            Kept::default()
        }
        Wanted::Records(_) if !may_exist => {
            Kept { standing: Some(Standing::Announced), again: Some(Duration::ZERO) }
        }
        Wanted::Records(selection) => look.publish(&selection).await,
    }
}

/// One order, and the `DNSEndpoint`s of its namespace.
struct Look<'a> {
    controller: &'a Controller,
    key: &'a Key,
    order: &'a CertificateOrder,
    api: Api<DynamicObject>,
}

impl Look<'_> {
    fn uid(&self) -> String {
        self.order.uid().unwrap_or_default()
    }

    /// What was found last, for what is said while nothing new is known.
    fn last(&self) -> Option<Standing> {
        self.controller.dns_endpoints.last(self.key, &self.uid())
    }

    /// The object is to hold these records.
    async fn publish(&self, selection: &Selection) -> Kept {
        let (known, uid, now) = (&self.controller.dns_endpoints, self.uid(), Instant::now());
        if !is_asked(self.order) {
            if let Some(standing) = known.of(self.key, &uid, selection, now) {
                return standing.into();
            }
            if known.is_absent(now) {
                return Standing::Failed(absent()).into();
            }
        }
        let standing = match self.look_and_write(selection).await {
            Ok(standing) => standing,
            Err(error) => match problem(&error, &name_of(self.order)) {
                Some(problem) => Standing::Failed(problem),
                None => return self.trouble(&error),
            },
        };
        let is_absent = matches!(&standing, Standing::Failed(problem) if *problem == absent());
        known.absent(is_absent, now);
        if !is_absent {
            known.found(self.key, &uid, selection, &standing, now);
        }
        standing.into()
    }

    /// Reads the objects of the namespace once, and writes what has to be written.
    async fn look_and_write(&self, selection: &Selection) -> Result<Standing, kube::Error> {
        let quoted = self.controller.dns_endpoints.quoted;
        let (write, standing) = decide(self.order, selection, &self.list().await?, quoted);
        if let Some(write) = write {
            self.write(&write).await?;
            let (telemetry, name) = (&self.controller.context.telemetry, name_of(self.order));
            telemetry.wrote(self.order, "DNSEndpoint", &name);
        }
        Ok(standing)
    }

    async fn list(&self) -> Result<Vec<DynamicObject>, kube::Error> {
        let (limit, pages) = PAGE;
        let (mut all, mut params) = (Vec::new(), ListParams::default().limit(limit));
        for _ in 0..pages {
            let page = bounded(self.api.list(&params)).await?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        Ok(all)
    }

    async fn write(&self, write: &Write) -> Result<(), kube::Error> {
        let field_manager = Some(FIELD_MANAGER.to_owned());
        let post = PostParams { field_manager: field_manager.clone(), ..PostParams::default() };
        match write {
            Write::Create(object) => bounded(self.api.create(&post, object)).await.map(drop),
            Write::Replace(version, object) => {
                self.delete(version).await?;
                bounded(self.api.create(&post, object)).await.map(drop)
            }
            Write::Patch(patch) => {
                let params = PatchParams { field_manager, ..PatchParams::default() };
                let name = name_of(self.order);
                bounded(self.api.patch(&name, &params, &Patch::Merge(patch))).await.map(drop)
            }
            Write::Delete(version) => self.delete(version).await,
        }
    }

    /// Deletes the object that was read, unless it is gone or was changed since.
    async fn delete(&self, Version { uid, resource_version }: &Version) -> Result<(), kube::Error> {
        let (uid, resource_version) = (uid.clone(), resource_version.clone());
        let preconditions = Some(Preconditions { uid, resource_version });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match bounded(self.api.delete(&name_of(self.order), &params)).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// There is to be no object any more.
    async fn withdraw(&self) -> Kept {
        let name = name_of(self.order);
        match self.delete_ours(&name).await {
            Ok(()) => {
                self.controller.dns_endpoints.forget(self.key);
                Standing::Gone.into()
            }
            Err(error) => match problem(&error, &name) {
                Some(Problem { reason, message }) => {
                    let message = format!("DNSEndpoint {name} is not needed any more; delete it: {message}");
                    let standing = Some(Standing::Undeletable(Problem { reason, message }));
                    Kept { standing, again: Some(LATER) }
                }
                None => self.trouble(&error),
            },
        }
    }

    async fn delete_ours(&self, name: &str) -> Result<(), kube::Error> {
        match bounded(self.api.get(name)).await {
            Ok(stored) if is_marked(&stored, self.order) => self.delete(&Version::of(&stored)).await,
            // Of somebody else.
            Ok(_) => Ok(()),
            // Without the kind there is none, either.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The API server failed, or somebody else was faster: what was said stays, and it is tried again soon.
    fn trouble(&self, error: &kube::Error) -> Kept {
        warn!(error = %explain(error), "cannot keep the DNSEndpoint of an order; tried again soon");
        Kept { standing: self.last(), again: Some(SOON) }
    }
}

fn api(controller: &Controller, order: &CertificateOrder) -> Api<DynamicObject> {
    let namespace = order.namespace().unwrap_or_default();
    Api::namespaced_with(controller.context.client.clone(), &namespace, &*KIND)
}

/// Whether the user asks for a look now.
fn is_asked(order: &CertificateOrder) -> bool {
    let handled = order.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    let asked = order.annotations().get(RECONCILE_AT).map(|asked| handled_value(asked));
    asked.is_some() && asked.as_ref() != handled
}

/// What a person has to mend before the object can be written or deleted; `None` for a failure that passes.
fn problem(error: &kube::Error, name: &str) -> Option<Problem> {
    let kube::Error::Api(status) = error else { return None };
    match status.code {
        404 if !names_an_object(status) => Some(absent()),
        403 if status.message.contains(" cannot ") && status.message.contains(" resource ") => {
            let message = format!(
                "this operator may not write DNSEndpoint {name}: set the value dnsEndpoint.enabled of its chart, or grant \
                 it {RIGHTS}"
            );
            Some(Problem::new(Reason::RightMissing, message))
        }
        400 | 403 | 413 | 422 => {
            let why = shown(&status.message, LONGEST_REFUSAL);
            let message = format!("the API server refuses DNSEndpoint {name}: {why}");
            Some(Problem::new(Reason::DnsEndpointRefused, message))
        }
        _ => None,
    }
}

/// The cluster does not have the kind.
fn absent() -> Problem {
    let message = "the cluster has no kind DNSEndpoint (externaldns.k8s.io/v1alpha1): install external-dns' \
                   CustomResourceDefinition for it, or set validation.dnsEndpoint to false; certorder looks again within \
                   the hour";
    Problem::new(Reason::CrdNotInstalled, message)
}

/// Whether an answer is about one object: then the API server knows the kind.
fn names_an_object(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| !details.name.is_empty())
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::*;

    fn answer(code: u16, message: &str, object: &str) -> kube::Error {
        let details: StatusDetails = serde_json::from_value(serde_json::json!({"name": object})).unwrap();
        let status = Status { details: Some(details), ..Status::failure(message, "").with_code(code) };
        kube::Error::Api(status.boxed())
    }

    #[test]
    fn each_refusal_says_what_to_do_and_a_failure_that_passes_is_none() {
        let forbidden =
            "dnsendpoints.externaldns.k8s.io is forbidden: User \"op\" cannot list resource \"dnsendpoints\"";
        let table = [
            (404, "404 page not found", "", Some((Reason::CrdNotInstalled, "CustomResourceDefinition"))),
            (404, "dnsendpoints \"a\" not found", "a", None),
            (403, forbidden, "", Some((Reason::RightMissing, "dnsEndpoint.enabled"))),
            (403, "exceeded quota: small", "a", Some((Reason::DnsEndpointRefused, "exceeded quota: small"))),
            (422, "must be no more than 253 characters", "a", Some((Reason::DnsEndpointRefused, "253"))),
            (409, "already exists", "a", None),
            (500, "etcd is gone", "", None),
            (429, "slow down", "", None),
        ];
        for (code, message, object, expected) in table {
            let seen = problem(&answer(code, message, object), "www-validation");
            let reason = seen.as_ref().map(|problem| problem.reason);
            assert_eq!(reason, expected.map(|(reason, _)| reason), "{code} {message}");
            if let (Some(problem), Some((_, words))) = (seen, expected) {
                assert!(problem.message.contains(words), "{}", problem.message);
            }
        }
        assert!(problem(&kube::Error::LinesCodecMaxLineLengthExceeded, "a").is_none());
    }
}
