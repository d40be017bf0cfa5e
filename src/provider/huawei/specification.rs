//! Which certificates may follow another one. The cloud shows no links: what it makes to follow has the same specification and
//! the same primary name.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::observation::{LONGEST_DOMAIN, MOST_RECORDS, Stage, each_once};
use crate::core::succession::{Candidate, Head, Link, Way};
use crate::provider::lenient::{id, is_certificate_id, text};
use crate::provider::time;

use super::observation::stage;
use super::wire::names;

/// A row of the list, or an answer of `show`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    #[serde(deserialize_with = "id")]
    id: Option<String>,
    #[serde(deserialize_with = "id")]
    status: Option<String>,
    #[serde(deserialize_with = "id")]
    brand: Option<String>,
    #[serde(rename = "type", deserialize_with = "id")]
    type_: Option<String>,
    #[serde(deserialize_with = "id")]
    domain_type: Option<String>,
    #[serde(deserialize_with = "text")]
    domain: Option<String>,
    #[serde(deserialize_with = "names")]
    sans: Vec<String>,
    /// In the list.
    #[serde(deserialize_with = "text")]
    expire_time: Option<String>,
    /// The same in `show`.
    #[serde(deserialize_with = "text")]
    not_after: Option<String>,
    /// The purchase, in `show`.
    #[serde(deserialize_with = "id")]
    order_id: Option<String>,
}

/// What is kept of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Certificate {
    /// Brand, type and kind of the names, if all are known.
    specification: Option<[String; 3]>,
    stage: Stage,
    /// The primary one first.
    names: Vec<String>,
    not_after: Option<Timestamp>,
    /// The purchase, if it was read by `show`.
    pub(super) order_id: Option<String>,
}

impl Row {
    /// Whether it is one: an answer without a status is not.
    pub(super) fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// The id of a row of the list, and what is kept. `None` if the row has no id that an order may have.
    pub(super) fn kept(mut self) -> Option<(Box<str>, Certificate)> {
        let id = self.id.take().filter(|id| is_certificate_id(id))?;
        Some((id.into_boxed_str(), self.certificate()))
    }

    pub(super) fn certificate(self) -> Certificate {
        let names = self.domain.into_iter().chain(self.sans).filter(|name| is_name(name));
        let end = self.expire_time.or(self.not_after);
        Certificate {
            specification: match (self.brand, self.type_, self.domain_type) {
                (Some(brand), Some(type_), Some(domain_type)) => Some([brand, type_, domain_type]),
                _ => None,
            },
            // The list shows no records.
            stage: stage(&self.status.unwrap_or_default(), false),
            names: each_once(names.take(MOST_RECORDS)),
            not_after: end.as_deref().and_then(time::parse),
            order_id: self.order_id,
        }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_DOMAIN && name.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Certificate {
    fn primary_name(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    /// Whether it may follow this one. Not if it has run out, or ends before this one: then it is an earlier one. If both
    /// ends are equal, the cloud may show the end of what was paid.
    fn may_follow(&self, head: &Self, common_name: &str) -> bool {
        let name = head.primary_name().unwrap_or(common_name);
        let is_over = matches!(
            self.stage,
            Stage::Expired | Stage::Revoking | Stage::Revoked | Stage::Refunded | Stage::Managed
        );
        let ends_before = self.not_after.zip(head.not_after).is_some_and(|(end, of_head)| end < of_head);
        // One that nobody has applied for has no name yet: a person has to say what it was bought for.
        let is_unnamed = self.primary_name().is_none() && self.stage == Stage::AwaitingInformation;
        self.specification.is_some()
            && self.specification == head.specification
            && (is_unnamed || self.primary_name().is_some_and(|own| own.eq_ignore_ascii_case(name)))
            && !is_over
            && !ends_before
    }

    fn candidate(&self, id: &str) -> Candidate {
        Candidate {
            certificate_id: id.to_owned(),
            way: Way::SameSpecification,
            link: Link::None,
            stage: self.stage,
            names: self.names.clone(),
            not_after: self.not_after,
        }
    }
}

/// Those of these rows that may follow `own`, the certificate of `head`; the newest ids first.
pub(super) fn candidates<'a>(
    rows: impl Iterator<Item = &'a HashMap<Box<str>, Certificate>>,
    head: &Head<'_>,
    own: &Certificate,
) -> Vec<Candidate> {
    let rows: BTreeMap<&str, &Certificate> =
        rows.flatten().map(|(id, certificate)| (&**id, certificate)).collect();
    let is_ours = |id: &str| id == head.certificate_id || head.chain.iter().any(|before| before == id);
    let may_follow =
        rows.into_iter().rev().filter(|(id, other)| !is_ours(id) && other.may_follow(own, head.common_name));
    may_follow.map(|(id, other)| other.candidate(id)).collect()
}

/// The candidate that was bought together with the head, if exactly one was; otherwise all of them, those bought together
/// first.
pub(super) fn of_one_purchase(candidates: Vec<(Candidate, bool)>) -> Vec<Candidate> {
    let (together, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(_, together)| *together);
    let is_told = together.len() == 1;
    let others = others.into_iter().filter(|_| !is_told);
    together.into_iter().chain(others).map(|(candidate, _)| candidate).collect()
}
