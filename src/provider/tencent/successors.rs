//! `DescribeCertificates` of a whole account, for the certificates that follow others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::core::succession::{Candidate, Head};
use crate::provider::Error;
use crate::provider::error_class::{Call, foreign};
use crate::provider::paging::{self, Pages};

use super::batch::MOST;
use super::certificate::Tencent;
use super::client::{Client, json};
use super::links::{Certificate, Certificates, Row};
use super::listing::ACTION;
use super::wire::{list, text};

/// The largest page. The cloud counts a higher number as this one.
const PAGE: usize = 1000;

/// More pages than any account has. A list whose pages never end shows nothing.
const MOST_PAGES: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeCertificates {
    offset: usize,
    limit: usize,
}

/// Certificates by their ids.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeThese<'a> {
    limit: usize,
    cert_ids: Vec<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    /// How many certificates there are in all; a number.
    #[serde(deserialize_with = "text")]
    total_count: Option<String>,
    #[serde(deserialize_with = "list")]
    certificates: Vec<Row>,
}

struct OfAccount<'a>(&'a Client);

#[async_trait]
impl Pages for OfAccount<'_> {
    type Row = Certificate;

    async fn page(&self, offset: usize) -> Result<paging::Page<Certificate>, Error> {
        let body = json(&DescribeCertificates { offset, limit: PAGE })?;
        let (page, _) = self.0.read_page::<Page>(ACTION, &body).await?;
        Ok(paging::Page {
            count: page.certificates.len(),
            rows: page.certificates.into_iter().filter_map(Row::kept).collect(),
            total: page.total_count.and_then(|total| total.parse().ok()),
        })
    }
}

impl Tencent {
    pub(super) async fn followed_by(
        &self,
        head: &Head<'_>,
        max_age: Duration,
    ) -> Result<Vec<Candidate>, Error> {
        Ok(self.certificates(max_age).await?.successors(head))
    }

    /// Another certificate that is being reissued, under a registered domain of this one.
    pub(super) async fn reissue_in_the_way(&self, max_age: Duration) -> Result<Option<String>, Error> {
        let all = self.certificates(max_age).await?;
        Ok(all.reissue_beside(&self.order.certificate_id).map(str::to_owned))
    }

    /// Whether this certificate was reissued as one of these.
    pub(super) async fn is_reissued_as_one_of(&self, others: &[String]) -> Result<bool, Error> {
        let own = &self.order.certificate_id;
        for others in others.chunks(MOST - 1) {
            let cert_ids: Vec<&str> = [own].into_iter().chain(others).map(String::as_str).collect();
            let body = json(&DescribeThese { limit: MOST, cert_ids })?;
            let (page, _) = self.client.read_page::<Page>(ACTION, &body).await?;
            let rows = page.certificates.into_iter().filter_map(Row::kept);
            if Certificates::new(rows.collect()).is_reissued_as_one_of(own, others) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn certificates(&self, max_age: Duration) -> Result<Arc<Certificates>, Error> {
        self.client.certificates(max_age, read(&self.client)).await
    }
}

async fn read(client: &Client) -> Result<Certificates, Error> {
    let listing = paging::read_all(&OfAccount(client), MOST_PAGES).await?;
    if !listing.is_whole {
        return Err(foreign(Call::Read, 200, "the list of the account's certificates has no end", None));
    }
    Ok(Certificates::new(listing.rows))
}
