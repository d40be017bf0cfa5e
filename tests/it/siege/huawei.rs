//! Huawei Cloud, simulated.

use certorder_sim::huawei::{Account, Call, HuaweiCloud, Options, Product, Status};
use certorder_sim::proxy::{Rule, Seen};
use http::Method;
use serde_json::{Value, json};

use super::cloud::{Cloud, Effect, Purpose, Stage, asked};
use super::scenario::Course;
use crate::fixtures::{self, ACCESS_KEY, HUAWEI_SECRET_KEY};

/// The calls that change something, then those that read.
const ACTIONS: [&str; 5] = ["apply", "cancel-cert", "show", "list", "export"];
const WRITES: usize = 2;

/// The simulated cloud with one account.
pub(crate) struct Huawei {
    cloud: HuaweiCloud,
    account: Account,
}

impl Huawei {
    /// Without a rate limit: `pace` measures that.
    pub(crate) async fn start() -> Self {
        let cloud = HuaweiCloud::start(Options { calls_per_second: None, ..Options::default() });
        let cloud = cloud.await.unwrap();
        let account = cloud.account(ACCESS_KEY, HUAWEI_SECRET_KEY);
        Self { cloud, account }
    }
}

impl Cloud for Huawei {
    fn flags(&self, address: &str) -> Vec<String> {
        ["--huawei-endpoint", address, "--huawei-rate-limit", "1000"].map(str::to_owned).to_vec()
    }

    fn url(&self) -> String {
        self.cloud.url()
    }

    fn credentials(&self) -> Value {
        fixtures::huawei_credentials()
    }

    /// A withdrawn application looks like one that was never submitted, and the operator relies on that only after ten
    /// minutes.
    fn supports(&self, course: Course) -> bool {
        !matches!(course, Course::Withdrawn | Course::Deleted)
    }

    fn wants_applicant(&self) -> bool {
        true
    }

    fn wants_letters(&self) -> bool {
        false
    }

    fn buy(&self, id: &str, organisation: bool, _letter: bool) {
        let product = if organisation { Product::OV_SINGLE } else { Product::DV_SINGLE };
        self.cloud.buy(&self.account, id, product);
    }

    fn provider(&self, id: &str, _organisation: bool, _letter: bool) -> Value {
        let order = json!({"certificateId": id, "region": "ap-southeast-1", "agreePrivacyProtection": true});
        json!({"huaweiCloud": order})
    }

    fn stage(&self, id: &str) -> Stage {
        match self.cloud.certificate(id).unwrap().status {
            Status::PAID => Stage::Paid,
            Status::UNPASSED => Stage::Rejected,
            Status::CANCELCHECKING => Stage::Cancelling,
            Status::ISSUED => Stage::Issued,
            status if status.is_running() => Stage::Running,
            _ => Stage::Other,
        }
    }

    fn advance(&self, id: &str) {
        self.cloud.advance(id).unwrap();
    }

    fn reject(&self, id: &str) {
        // The application may have changed since it was read.
        let _ = self.cloud.reject(id, "the CA could not reach the organisation");
    }

    fn leaf(&self, id: &str) -> String {
        self.cloud.certificate(id).unwrap().issued.unwrap().leaf
    }

    /// One call submits the application and sends the order; after a rejection it also opens the order again.
    fn effects(&self, id: &str) -> Vec<Effect> {
        let calls = self.cloud.calls_for(id).into_iter().filter(|call| call.took_effect);
        let mut effects: Vec<Effect> = Vec::new();
        for call in calls {
            let purposes: &[Purpose] = match call.action.as_str() {
                "apply" if effects.is_empty() => &[Purpose::Submit, Purpose::Order],
                "apply" => &[Purpose::Resubmit, Purpose::Submit, Purpose::Order],
                "cancel-cert" => &[Purpose::Withdraw],
                _ => &[],
            };
            effects.extend(purposes.iter().map(|purpose| effect(&call, *purpose)));
        }
        effects
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
        WRITES
    }

    fn only(&self, rule: Rule, action: &str) -> Rule {
        let action = action.to_owned();
        let method = if matches!(action.as_str(), "show" | "list") { Method::GET } else { Method::POST };
        rule.method(method).path_where(move |path| name(path) == action)
    }

    fn action_of(&self, seen: &Seen) -> Option<String> {
        Some(name(&seen.path).to_owned())
    }
}

fn effect(call: &Call, purpose: Purpose) -> Effect {
    let body = asked(call.body.json(), "csr");
    let common_name = body["domain"].as_str().map(str::to_owned);
    Effect { purpose, request_id: call.request_id.clone(), common_name, body }
}

/// The name of a call, from its path: that of the certificate with a verb, of the certificate, or of all.
fn name(path: &str) -> &str {
    let path = path.split('?').next().unwrap();
    match path.rsplit('/').next().unwrap() {
        verb @ ("apply" | "cancel-cert" | "export") => verb,
        "certificates" => "list",
        _ => "show",
    }
}
