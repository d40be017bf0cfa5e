//! `DescribeCertificates`: what only the list of the account's certificates reports about one of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::core::observation::{Deadline, Observation, Stage};
use crate::provider::Error;

use super::batch::MOST;
use super::certificate::Tencent;
use super::client::json;
use super::observation::observation;
use super::wire::{Certificate, id, list, text};
use crate::provider::time;

pub(super) const ACTION: &str = "DescribeCertificates";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeCertificates<'a> {
    cert_ids: [&'a str; 1],
}

/// The same for many certificates.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeMany<'a> {
    limit: usize,
    cert_ids: Vec<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Many {
    #[serde(deserialize_with = "list")]
    certificates: Vec<Row>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    #[serde(deserialize_with = "id")]
    certificate_id: Option<String>,
    #[serde(flatten)]
    certificate: Certificate,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    #[serde(deserialize_with = "list")]
    certificates: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    #[serde(deserialize_with = "id")]
    certificate_id: Option<String>,
    /// `YYYY-MM-DD hh:mm:ss`.
    #[serde(rename = "DVAuthDeadline", deserialize_with = "text")]
    deadline: Option<String>,
    #[serde(deserialize_with = "text")]
    awaiting_validation_msg: Option<String>,
    #[serde(deserialize_with = "id")]
    hosting_renew_cert_id: Option<String>,
}

impl Tencent {
    pub(super) async fn listed(&self) -> Result<Option<Deadline>, Error> {
        let certificate_id = self.order.certificate_id.as_str();
        let body = json(&DescribeCertificates { cert_ids: [certificate_id] })?;
        let (listed, _) = self.client.read::<Listed>(ACTION, &body).await?;
        Ok(deadline(listed, certificate_id))
    }

    /// Reads, from the list, a certificate that waits for an application and shows neither domain nor names. The call is
    /// shared by the orders of the account. `None` for any other certificate, for one that the list does not have, and if
    /// the list cannot be read.
    pub(super) async fn listed_unused(&self) -> Option<Observation> {
        let (answer, batch) =
            self.client.batches().join(self.client.fingerprint(), &self.order.certificate_id);
        if let Some(mut batch) = batch {
            let body = || serde_json::to_vec(&DescribeMany { limit: MOST, cert_ids: batch.take() });
            let read: Result<(Many, String), Error> = self.client.read_for_all(ACTION, body).await;
            let rows = read.ok()?.0.certificates.into_iter();
            let mut rows: HashMap<_, _> = rows.map(|row| (row.certificate_id, row.certificate)).collect();
            batch.answer(|id| rows.remove(&Some(id.to_owned())).map(observation).filter(is_unused));
        }
        answer.await.ok().flatten()
    }
}

fn is_unused(seen: &Observation) -> bool {
    seen.stage == Stage::AwaitingInformation && !seen.has_traces()
}

fn deadline(listed: Listed, certificate_id: &str) -> Option<Deadline> {
    let is_ours = |entry: &Entry| entry.certificate_id.as_deref() == Some(certificate_id);
    let entry = listed.certificates.into_iter().find(is_ours)?;
    Some(Deadline {
        at: entry.deadline.as_deref().and_then(time::parse),
        message: entry.awaiting_validation_msg.map(Into::into),
        replaced_by: entry.hosting_renew_cert_id,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(answer: Value) -> Option<Deadline> {
        deadline(serde_json::from_value(answer).unwrap(), "J2lX2maH")
    }

    #[test]
    fn the_entry_of_this_certificate_counts_whatever_else_is_listed() {
        let other = json!({"CertificateId": "other", "DVAuthDeadline": "2026-01-01 00:00:00"});
        let ours = json!({
            "CertificateId": "J2lX2maH", "DVAuthDeadline": "2026-03-04 08:00:00",
            "AwaitingValidationMsg": "add the record", "HostingRenewCertId": "K3mY3nbI",
        });
        let expected = Deadline {
            at: Some("2026-03-04T00:00:00Z".parse().unwrap()),
            message: Some("add the record".into()),
            replaced_by: Some("K3mY3nbI".to_owned()),
        };
        assert_eq!(read(json!({"Certificates": [null, other, ours]})), Some(expected));
        assert_eq!(read(json!({ "Certificates": [other] })), None);
        assert_eq!(read(json!({"Certificates": null})), None);
    }

    #[test]
    fn an_empty_answer_has_no_deadline() {
        let entry = json!({
            "CertificateId": "J2lX2maH", "DVAuthDeadline": null, "AwaitingValidationMsg": "", "HostingRenewCertId": "",
        });
        assert_eq!(read(json!({ "Certificates": [entry] })), Some(Deadline::default()));
    }
}
