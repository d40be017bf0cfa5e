//! `list` and `show`, for the certificates that may follow others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::core::registered_domain::registered_domain;
use crate::core::succession::{Candidate, Head};
use crate::provider::Error;
use crate::provider::paging::{self, Listing, Pages};

use super::client::{CERTIFICATES, Huawei, LIST, Read, SHOW, unreadable};
use super::listing::{MOST_PAGES, PAGE, Page};
use super::specification::{Certificate, Row, candidates, of_one_purchase};

/// For how many candidates it is read with which purchase they came.
const MOST_SHOWN: usize = 5;

/// The account's own certificates, or those of them whose names have this text.
struct Search<'a> {
    huawei: &'a Huawei,
    content: Option<&'a str>,
}

#[async_trait]
impl Pages for Search<'_> {
    type Row = Certificate;

    async fn page(&self, offset: usize) -> Result<paging::Page<Certificate>, Error> {
        // A name has no character with a meaning in a query.
        let content = self.content.map(|content| format!("content={content}&")).unwrap_or_default();
        let query = format!("{content}limit={PAGE}&offset={offset}&owned_by_self=true");
        let (page, _) = self.huawei.get_for_all::<Page<Row>>(LIST, CERTIFICATES.to_owned(), query).await?;
        Ok(paging::Page {
            count: page.certificates.len(),
            total: page.total(),
            rows: page.certificates.into_iter().filter_map(Row::kept).collect(),
        })
    }
}

impl Huawei {
    pub(super) async fn followed_by(
        &self,
        head: &Head<'_>,
        max_age: Duration,
    ) -> Result<Vec<Candidate>, Error> {
        let newest = self.listed(None, max_age).await?;
        let mut lists = vec![newest];
        if lists.iter().any(|list| !list.is_whole) {
            let name = head.common_name;
            let name = registered_domain(name).unwrap_or_else(|| name.trim_start_matches("*."));
            lists.push(self.listed(Some(name), max_age).await?);
        }
        let own = match lists.iter().find_map(|list| list.rows.get(head.certificate_id)) {
            Some(own) => own.clone(),
            None => (*self.shown(head.certificate_id, max_age).await?).clone(),
        };
        let found = candidates(lists.iter().map(|list| &list.rows), head, &own);
        if !(2..=MOST_SHOWN).contains(&found.len()) {
            return Ok(found);
        }
        self.by_purchase(head, found, max_age).await
    }

    /// Several candidates: the one that was bought together with the head is the one that follows.
    async fn by_purchase(
        &self,
        head: &Head<'_>,
        found: Vec<Candidate>,
        max_age: Duration,
    ) -> Result<Vec<Candidate>, Error> {
        let Some(purchase) = self.purchase(head.certificate_id, max_age).await? else { return Ok(found) };
        let mut compared = Vec::new();
        for candidate in found {
            let theirs = self.purchase(&candidate.certificate_id, max_age).await?;
            compared.push((candidate, theirs.as_ref() == Some(&purchase)));
        }
        Ok(of_one_purchase(compared))
    }

    /// The purchase of a certificate, if it may be read.
    async fn purchase(&self, certificate_id: &str, max_age: Duration) -> Result<Option<String>, Error> {
        match self.shown(certificate_id, max_age).await {
            Ok(certificate) => Ok(certificate.order_id.clone()),
            Err(Error::Rejected { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn listed(
        &self,
        content: Option<&str>,
        max_age: Duration,
    ) -> Result<Arc<Listing<Certificate>>, Error> {
        let what = content.map_or(Read::List, |content| Read::Search(content.to_owned()));
        let search = Search { huawei: self, content };
        self.shared(self.lists(), what, max_age, paging::read_all(&search, MOST_PAGES)).await
    }

    async fn shown(&self, certificate_id: &str, max_age: Duration) -> Result<Arc<Certificate>, Error> {
        let read = async {
            let path = format!("{CERTIFICATES}/{certificate_id}");
            let (row, request_id) = self.get_for_all::<Row>(SHOW, path, String::new()).await?;
            if !row.has_status() {
                return Err(unreadable("the answer names no status", request_id));
            }
            Ok(row.certificate())
        };
        self.shared(self.certificates(), Read::Show(certificate_id.to_owned()), max_age, read).await
    }
}
