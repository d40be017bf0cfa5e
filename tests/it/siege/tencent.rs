//! Tencent Cloud, simulated.

use certorder_sim::proxy::{Rule, Seen};
use certorder_sim::tencent::{Account, Certificate, Options, Product, Status, TencentCloud};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::cloud::{Cloud, Effect, Purpose, Stage, asked};
use super::scenario::Course;
use crate::fixtures::{self, SECRET_ID, SECRET_KEY};

const ACTION: HeaderName = HeaderName::from_static("x-tc-action");

/// What each call that changes something is for; then the calls that read.
const WRITES: [(&str, Purpose); 5] = [
    ("CertificateInfoSubmit", Purpose::Submit),
    ("CertificateOrderSubmit", Purpose::Order),
    ("ModifyCertificateResubmit", Purpose::Resubmit),
    ("CancelAuditCertificate", Purpose::Withdraw),
    ("UploadConfirmLetter", Purpose::Letter),
];
const ACTIONS: [&str; 10] = [
    WRITES[0].0,
    WRITES[1].0,
    WRITES[2].0,
    WRITES[3].0,
    WRITES[4].0,
    "DescribeCertificate",
    "DescribeCertificateDetail",
    "DescribeCertificates",
    "CheckCertificateDomainVerification",
    "DescribeCertificateOperateLogs",
];

/// The simulated cloud with one account.
pub(crate) struct Tencent {
    cloud: TencentCloud,
    account: Account,
}

impl Tencent {
    /// Without a rate limit: `pace` measures that.
    pub(crate) async fn start() -> Self {
        let cloud = TencentCloud::start(Options { calls_per_second: None, ..Options::default() });
        let cloud = cloud.await.unwrap();
        let account = cloud.account(SECRET_ID, SECRET_KEY);
        Self { cloud, account }
    }

    /// Makes one certificate a copy of another one, except for its id.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let from = self.cloud.certificate(from).unwrap();
        let id = to.to_owned();
        self.cloud.set(to, |certificate| *certificate = Certificate { id, ..from }).unwrap();
    }
}

impl Cloud for Tencent {
    fn flags(&self, address: &str) -> Vec<String> {
        ["--tencent-endpoint", address, "--tencent-rate-limit", "1000"].map(str::to_owned).to_vec()
    }

    fn supports(&self, _plot: Course) -> bool {
        true
    }

    fn wants_applicant(&self) -> bool {
        false
    }

    fn wants_letters(&self) -> bool {
        true
    }

    fn url(&self) -> String {
        self.cloud.url()
    }

    fn credentials(&self) -> Value {
        fixtures::credentials()
    }

    fn buy(&self, id: &str, organisation: bool, letter: bool) {
        let product = if organisation { Product::OV_SINGLE } else { Product::DV_SINGLE };
        self.cloud.buy(&self.account, id, product);
        self.cloud.set(id, |certificate| certificate.wants_letter = letter).unwrap();
    }

    fn provider(&self, id: &str, organisation: bool, letter: bool) -> Value {
        let mut order = json!({"certificateId": id});
        if !organisation {
            order["contactEmail"] = json!("pki@acme.example");
        }
        if letter {
            order["confirmationLetterSecretRef"] = json!({"name": "letter", "key": "letter.pdf"});
        }
        json!({"tencentCloud": order})
    }

    fn stage(&self, id: &str) -> Stage {
        match self.cloud.certificate(id).unwrap().status {
            Status::PENDING_SUBMISSION => Stage::Paid,
            Status::UNDER_REVIEW | Status::DNS_ADDED => Stage::Running,
            Status::AWAITING_LETTER => Stage::Letter,
            Status::REVIEW_FAILED => Stage::Rejected,
            Status::CANCELLING => Stage::Cancelling,
            Status::CANCELLED => Stage::Cancelled,
            Status::ISSUED => Stage::Issued,
            _ => Stage::Other,
        }
    }

    fn advance(&self, id: &str) {
        self.cloud.advance(id).unwrap();
    }

    fn reject(&self, id: &str) {
        // The order may have changed since it was read.
        let _ = self.cloud.reject(id, "the CA could not reach the organisation");
    }

    fn leaf(&self, id: &str) -> String {
        self.cloud.certificate(id).unwrap().issued.unwrap().leaf
    }

    fn effects(&self, id: &str) -> Vec<Effect> {
        let calls = self.cloud.calls_for(id).into_iter().filter(|call| call.took_effect);
        let effect = |call: certorder_sim::tencent::Call| {
            let (_, purpose) = WRITES.iter().find(|(action, _)| *action == call.action)?;
            let body = asked(call.body.json(), "Csr");
            let common_name = body["CertCommonName"].as_str().map(str::to_owned);
            Some(Effect { purpose: *purpose, request_id: call.request_id, common_name, body })
        };
        calls.filter_map(effect).collect()
    }

    fn history(&self, id: &str) -> String {
        let calls = self.cloud.calls_for(id);
        let last = calls.iter().skip(calls.len().saturating_sub(8));
        last.map(|call| format!("{} {}", call.time, call.action)).collect::<Vec<_>>().join(", ")
    }

    fn actions(&self) -> &'static [&'static str] {
        &ACTIONS
    }

    fn writes(&self) -> usize {
        WRITES.len()
    }

    fn only(&self, rule: Rule, action: &str) -> Rule {
        rule.header(ACTION, HeaderValue::from_str(action).unwrap())
    }

    fn action_of(&self, seen: &Seen) -> Option<String> {
        seen.header(ACTION.as_str()).map(str::to_owned)
    }
}
