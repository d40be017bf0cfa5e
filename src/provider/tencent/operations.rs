//! `DescribeCertificateOperateLogs`: the log of operations on the account's certificates, by any caller.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use crate::provider::{Error, RequestKind};

use super::certificate::Tencent;
use super::client::{json, unreadable};
use super::wire::{id, list, text};
use crate::provider::lenient::is_certificate_id;
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
    ///
    /// A call of an earlier attempt is none: by the log's own clock it is before the call that began the present one.
    pub(super) async fn has_logged(&self, kind: RequestKind, since: Timestamp) -> Result<bool, Error> {
        let start_time = &time::text(since);
        let start = time::parse(start_time).unwrap_or(since);
        let mut offset = 0;
        let mut last_id = String::new();
        let mut logged = Vec::new();
        for _ in 0..MOST_PAGES {
            let body = json(&DescribeCertificateOperateLogs { offset, limit: PAGE, start_time })?;
            let (page, request_id) = self.client.read::<Page>(ACTION, &body).await?;
            offset += page.operate_logs.len();
            let is_last = page.operate_logs.is_empty();
            let calls = page.operate_logs.into_iter().filter_map(|line| call(line, start));
            logged.extend(calls.filter(|call| self.is_own(call) || call.kind == RequestKind::Reissue));
            let total = page.total_count.and_then(|total| total.parse().ok());
            if is_last || total.is_some_and(|total: usize| offset >= total) {
                return self.is_logged(kind, logged).await;
            }
            last_id = request_id;
        }
        Err(unreadable("the log of the account's calls has no end", last_id))
    }

    fn is_own(&self, call: &Call) -> bool {
        call.id == self.order.certificate_id
    }

    async fn is_logged(&self, kind: RequestKind, logged: Vec<Call>) -> Result<bool, Error> {
        let (own, others): (Vec<_>, Vec<_>) = logged.into_iter().partition(|call| self.is_own(call));
        let calls: Vec<_> = own.into_iter().map(|call| (call.kind, call.at)).collect();
        if kind != RequestKind::Reissue || is_in_this_attempt(kind, &calls) {
            return Ok(is_in_this_attempt(kind, &calls));
        }
        // It is not told whether a reissue is logged with the id of the certificate before it or with its own.
        let reissues = others.into_iter().filter(|call| call.kind == kind && is_certificate_id(&call.id));
        let mut reissues: Vec<String> = reissues.map(|call| call.id).collect();
        reissues.sort();
        reissues.dedup();
        self.is_reissued_as_one_of(&reissues).await
    }
}

/// A call that the log has.
struct Call {
    id: String,
    kind: RequestKind,
    at: Timestamp,
}

fn call(line: Line, start: Timestamp) -> Option<Call> {
    let Line { cert_id, kind, created_on } = line;
    let kind = kind?;
    let kind = RequestKind::iter().find(|known| name(*known).eq_ignore_ascii_case(&kind))?;
    let at = created_on.as_deref().and_then(time::parse).filter(|at| *at >= start)?;
    Some(Call { id: cert_id?, kind, at })
}

/// Whether one of the calls is of this kind and of the present attempt. The times are whole seconds, and between two attempts
/// there is more than one.
fn is_in_this_attempt(kind: RequestKind, calls: &[(RequestKind, Timestamp)]) -> bool {
    let last = |kinds: &[RequestKind]| {
        calls.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, at)| *at).max()
    };
    // What a call of this kind comes after, in a later second and at the earliest in the same one.
    let (after, from) = match kind {
        RequestKind::Submit => (last(&[RequestKind::Resubmit, RequestKind::Withdraw]), None),
        RequestKind::Order | RequestKind::SendLetter => {
            (last(&[RequestKind::Resubmit, RequestKind::Withdraw]), last(&[RequestKind::Submit]))
        }
        RequestKind::Resubmit => (None, last(&[RequestKind::Submit, RequestKind::Withdraw])),
        RequestKind::Withdraw => (None, last(&[RequestKind::Submit])),
        RequestKind::Revoke | RequestKind::Reissue => (None, None),
    };
    let is_it = |at: Timestamp| after.is_none_or(|after| at > after) && from.is_none_or(|from| at >= from);
    calls.iter().any(|(called, at)| *called == kind && is_it(*at))
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
        RequestKind::Reissue => "replace",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RequestKind::{Order, Resubmit, SendLetter, Submit, Withdraw};

    #[test]
    fn a_call_of_an_attempt_before_is_none_of_this_one_by_the_clock_of_the_log_alone() {
        let at = |second: i64| Timestamp::from_second(1_780_000_000 + second).unwrap();
        let is_logged = |kind, calls: &[(RequestKind, i64)]| {
            let calls: Vec<_> = calls.iter().map(|(kind, second)| (*kind, at(*second))).collect();
            is_in_this_attempt(kind, &calls)
        };
        let first = [(Submit, 0), (Order, 0), (SendLetter, 5), (Withdraw, 9)];
        for (kind, _) in first {
            assert!(
                is_logged(kind, &first[..=first.iter().position(|(one, _)| *one == kind).unwrap()]),
                "{kind:?}"
            );
        }
        let again = [&first[..], &[(Resubmit, 60)]].concat();
        assert!(is_logged(Resubmit, &again));
        for kind in [Submit, Order, SendLetter] {
            assert!(!is_logged(kind, &again), "{kind:?} of the first attempt");
        }
        let submitted = [&again[..], &[(Submit, 61)]].concat();
        assert!(is_logged(Submit, &submitted) && !is_logged(Order, &submitted));
        // A log may name a purchase as it names an order.
        assert!(!is_logged(Order, &[(Order, 0), (Submit, 30)]));
        assert!(!is_logged(Resubmit, &[&submitted[..], &[(Order, 61), (Withdraw, 90)]].concat()));
        assert!(!is_logged(Withdraw, &submitted));
        assert!(is_logged(Order, &[(Order, 3)]), "taken over before it was ordered");
    }
}
