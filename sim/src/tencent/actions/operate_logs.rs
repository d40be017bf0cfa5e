//! `DescribeCertificateOperateLogs`: what was done with the account's certificates.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    action::Action,
    page::{LIMIT, OFFSET, Page},
};
use crate::cloud::{
    Answer,
    params::{Kind, Params, optional},
    time::{parse_time, text_time},
};
use crate::tencent::{error::Refusal, invocation::Invocation, state::LogLine};

pub(super) const ACTION: Action = Action {
    name: "DescribeCertificateOperateLogs",
    params: &[OFFSET, LIMIT, optional("StartTime", Kind::String), optional("EndTime", Kind::String)],
    run,
};

/// How far back a call without `StartTime` looks, in days.
const DEFAULT_DAYS: i64 = 15;

/// Inferred: newest first; `AllTotal` counts the whole log, `TotalCount` the lines within the times.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let page = Page::of(call.params, 20)?;
    let default_start = call.now.saturating_sub(SignedDuration::from_hours(24 * DEFAULT_DAYS));
    let start = time(call.params, "StartTime")?.or(default_start.ok()).unwrap_or(Timestamp::MIN);
    let end = time(call.params, "EndTime")?.unwrap_or(Timestamp::MAX);
    let all: Vec<&LogLine> =
        call.state.log.iter().rev().filter(|line| line.uin == call.account.uin).collect();
    let matching: Vec<&LogLine> =
        all.iter().copied().filter(|line| (start..=end).contains(&line.time)).collect();
    let shown: Vec<Value> = page.cut(&matching).map(|line| to_json(line)).collect();
    Ok(Answer::read(json!({ "AllTotal": all.len(), "TotalCount": matching.len(), "OperateLogs": shown })))
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = params.text(name) else { return Ok(None) };
    parse_time(text).map(Some).ok_or_else(|| Refusal::invalid_value(name, text))
}

fn to_json(line: &LogLine) -> Value {
    json!({
        "Action": line.action,
        "CreatedOn": text_time(line.time),
        "Uin": line.uin,
        "SubAccountUin": line.uin,
        "CertId": line.certificate_id,
        "Type": line.kind,
    })
}
