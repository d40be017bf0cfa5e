//! `DescribeCertificateOperateLogs`: the log of operations on the account's certificates, by any caller.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::{Error, RequestKind};

use super::certificate::Tencent;
use super::client::{json, unreadable};
use super::wire::{id, list, text};
use crate::provider::time;

const ACTION: &str = "DescribeCertificateOperateLogs";

/// The largest page.
const PAGE: usize = 1000;

/// More pages than an account fills between a call and the search for it. A log whose pages never end shows nothing.
const MOST_PAGES: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeCertificateOperateLogs<'a> {
    offset: usize,
    limit: usize,
    start_time: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    /// How many lines there are in all; a number.
    #[serde(deserialize_with = "text")]
    total_count: Option<String>,
    #[serde(deserialize_with = "list")]
    operate_logs: Vec<Line>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Line {
    #[serde(deserialize_with = "id")]
    cert_id: Option<String>,
    #[serde(rename = "Type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "text")]
    created_on: Option<String>,
}

impl Tencent {
    /// Reads the log from `since` to its end. It is the whole account's, so it may have pages; lines that come in
    /// between push older ones to later pages, so none is missed.
    pub(super) async fn has_logged(&self, kind: RequestKind, since: Timestamp) -> Result<bool, Error> {
        let start_time = &time::text(since);
        let start = time::parse(start_time).unwrap_or(since);
        let mut offset = 0;
        let mut last_id = String::new();
        for _ in 0..MOST_PAGES {
            let body = json(&DescribeCertificateOperateLogs { offset, limit: PAGE, start_time })?;
            let (page, request_id) = self.client.read::<Page>(ACTION, &body).await?;
            if page.operate_logs.iter().any(|line| self.is_of(line, kind, start)) {
                return Ok(true);
            }
            offset += page.operate_logs.len();
            let total = page.total_count.and_then(|total| total.parse().ok());
            if page.operate_logs.is_empty() || total.is_some_and(|total: usize| offset >= total) {
                return Ok(false);
            }
            last_id = request_id;
        }
        Err(unreadable("the log of the account's calls has no end", last_id))
    }

    fn is_of(&self, line: &Line, kind: RequestKind, start: Timestamp) -> bool {
        let is = |text: &Option<String>, wanted: &str| {
            text.as_ref().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let in_time = line.created_on.as_deref().and_then(time::parse).is_some_and(|time| time >= start);
        line.cert_id.as_deref() == Some(self.order.certificate_id.as_str())
            && is(&line.kind, name(kind))
            && in_time
    }
}

/// The log's names, in its field `Type`.
fn name(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Submit => "submitInfo",
        RequestKind::Order => "applyVIP",
        RequestKind::Resubmit => "Resubmit",
        RequestKind::Withdraw => "cancel",
        RequestKind::Revoke => "revoke",
        RequestKind::SendLetter => "uploadConfirmLetter",
    }
}
