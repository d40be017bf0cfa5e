//! What must be true of a finished order, whatever happened before. The cloud's ledger is the source of truth.

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::core::v1::Secret;

use super::actors::condition;
use super::cloud::{Effect, Purpose};
use super::environment::Sandbox;
use super::scenario::{Course, Scenario};

/// What the ledger shows of one order, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) submissions: usize,
    pub(crate) orders: usize,
    /// Applications and orders that one attempt had more than once.
    pub(crate) duplicates: usize,
    /// In later attempts, equal applications in a row while the cloud still waited for the order. They overwrite each
    /// other and cost nothing. An earlier attempt's application looks the same, so the evidence cannot distinguish
    /// them.
    pub(crate) overwritten: usize,
    pub(crate) adopted: usize,
    /// Calls of later attempts whose outcome the operator reported as unknown.
    pub(crate) unknown: usize,
    pub(crate) wrongs: Vec<String>,
}

/// The calls of one attempt.
#[derive(Default)]
struct Attempt<'a> {
    submits: Vec<&'a Effect>,
    orders: usize,
    withdrawals: usize,
    letters: usize,
}

/// Checks a finished order; `None` if it was deleted.
pub(crate) async fn check(
    sandbox: &Sandbox<'_>,
    scenario: &Scenario,
    order: Option<&CertificateOrder>,
) -> Findings {
    let effects = scenario.cloud.effects(&scenario.id);
    let mut findings = of_calls(scenario, &effects);
    findings.unknown = scenario.unknown;
    if let Some(order) = order {
        of_status(&mut findings, scenario, order, &effects);
        of_secret(&mut findings, sandbox, scenario).await;
    }
    for wrong in &mut findings.wrongs {
        *wrong = format!("{} ({:?}, {}): {wrong}", scenario.name, scenario.kind, scenario.id);
    }
    findings
}

fn attempts(effects: &[Effect]) -> Vec<Attempt<'_>> {
    let mut attempts = vec![Attempt::default()];
    for effect in effects {
        let attempt = attempts.last_mut().unwrap();
        match effect.purpose {
            Purpose::Submit => attempt.submits.push(effect),
            Purpose::Order => attempt.orders += 1,
            Purpose::Withdraw => attempt.withdrawals += 1,
            Purpose::Letter => attempt.letters += 1,
            Purpose::Resubmit => attempts.push(Attempt::default()),
        }
    }
    attempts
}

/// Checks the calls for a certificate.
pub(crate) fn of_calls(scenario: &Scenario, effects: &[Effect]) -> Findings {
    let attempts = attempts(effects);
    let mut findings = Findings {
        submissions: attempts.iter().map(|attempt| attempt.submits.len()).sum(),
        orders: attempts.iter().map(|attempt| attempt.orders).sum(),
        ..Findings::default()
    };
    let mut expect = |what: String, is: usize, should: usize| {
        if is != should {
            findings.wrongs.push(format!("{what}: {is} times, not {should}"));
        }
    };
    expect("attempts".to_owned(), attempts.len(), scenario.attempts());
    for (number, attempt) in attempts.iter().enumerate() {
        let number = number + 1;
        let is_withdrawn = scenario.kind.course == Course::Withdrawn && number == 1;
        let withdrawals = usize::from(is_withdrawn || scenario.kind.course == Course::Deleted);
        expect(format!("attempt {number}: ordered"), attempt.orders, 1);
        expect(format!("attempt {number}: withdrawn"), attempt.withdrawals, withdrawals);
        expect(format!("attempt {number}: letter sent"), attempt.letters, usize::from(scenario.kind.letter));
    }
    for (number, attempt) in attempts.iter().enumerate() {
        findings.duplicates += attempt.orders.saturating_sub(1);
        of_applications(&mut findings, scenario, number + 1, attempt);
    }
    findings
}

fn of_applications(findings: &mut Findings, scenario: &Scenario, number: usize, attempt: &Attempt<'_>) {
    let (is, is_other) = (attempt.submits.len(), number > 1);
    // If the status was lost between two attempts, an equal application of the earlier attempt counts.
    let may_be_none = is_other && scenario.lost_status && scenario.kind.course != Course::Corrected;
    if is == 0 && !may_be_none {
        findings.wrongs.push(format!("attempt {number}: no application"));
    }
    let repeated = is.saturating_sub(1);
    let all_equal = attempt.submits.windows(2).all(|pair| pair[0].body == pair[1].body);
    if is_other && all_equal {
        findings.overwritten += repeated;
    } else if repeated > 0 {
        findings.duplicates += repeated;
        findings.wrongs.push(format!("attempt {number}: {is} applications"));
    }
    let name =
        if is_other { scenario.common_name.clone() } else { format!("{}.acme.example", scenario.name) };
    if attempt.submits.iter().any(|submit| submit.common_name.as_deref() != Some(&name)) {
        findings.wrongs.push(format!("attempt {number}: an application for another name than {name}"));
    }
}

/// The status must show the `RequestId` of the last application, or that it was found at the cloud.
fn of_status(findings: &mut Findings, scenario: &Scenario, order: &CertificateOrder, effects: &[Effect]) {
    let last = effects.iter().rfind(|effect| effect.purpose == Purpose::Submit);
    let reported = order.status.as_ref().and_then(|status| status.request_id.as_ref());
    let is_adopted = condition(order, "Submitted") == Some(("True", "Adopted"));
    findings.adopted = usize::from(is_adopted);
    match reported {
        Some(reported) => {
            if last.and_then(|last| last.request_id.as_ref()) != Some(reported) {
                findings.wrongs.push(format!("requestId {reported} is not that of the last application"));
            }
        }
        None if is_adopted => {}
        None => findings.wrongs.push("neither requestId nor Adopted".to_owned()),
    }
    if order.spec.common_name != scenario.common_name {
        findings.wrongs.push("the spec was written".to_owned());
    }
}

async fn of_secret(findings: &mut Findings, sandbox: &Sandbox<'_>, scenario: &Scenario) {
    let secret = sandbox.api::<Secret>().get_opt(&scenario.secret()).await.unwrap();
    let chain = secret.and_then(|secret| secret.data?.remove("tls.crt"));
    let leaf = scenario.cloud.leaf(&scenario.id);
    let chain = chain.map(|chain| String::from_utf8(chain.0).unwrap());
    if !chain.is_some_and(|chain| chain.starts_with(leaf.trim_end())) {
        findings.wrongs.push("the Secret does not hold the issued certificate".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::KeyPair;
    use serde_json::json;

    use super::*;
    use crate::fixtures::csr_of;
    use crate::siege::cloud::{Cloud, asked};
    use crate::siege::scenario::KINDS;
    use crate::siege::tencent::Tencent;

    fn effect(purpose: Purpose, csr: &str, name: &str) -> Effect {
        let body = asked(json!({"CertCommonName": name, "Csr": csr}), "Csr");
        Effect { purpose, request_id: None, common_name: Some(name.to_owned()), body }
    }

    #[tokio::test]
    async fn an_application_that_was_signed_again_is_equal_and_one_for_another_key_is_not() {
        let cloud: Arc<dyn Cloud> = Arc::new(Tencent::start().await);
        let kind = KINDS.into_iter().find(|kind| kind.course == Course::Rejected).unwrap();
        let scenario = Scenario::new(kind, &cloud, 1);
        let name = scenario.common_name.as_str();
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let csr = |key: &KeyPair| csr_of(key, &[name]);
        let in_second = |again: &str| {
            let calls = [
                effect(Purpose::Submit, &csr(&key), name),
                effect(Purpose::Order, "", name),
                effect(Purpose::Resubmit, "", name),
                effect(Purpose::Submit, &csr(&key), name),
                effect(Purpose::Submit, again, name),
                effect(Purpose::Order, "", name),
            ];
            let findings = of_calls(&scenario, &calls);
            (findings.overwritten, findings.duplicates, findings.wrongs)
        };
        assert_eq!(in_second(&csr(&key)), (1, 0, vec![]));
        assert_eq!(in_second(&csr(&other)), (0, 1, vec!["attempt 2: 2 applications".to_owned()]));
    }
}
