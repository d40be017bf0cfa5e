//! What must hold of an order that reached its end, whatever happened on the way. The cloud's ledger decides.

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::core::v1::Secret;

use super::actors::condition;
use super::cloud::{Effect, Purpose};
use super::environment::Ground;
use super::scenario::{Life, Plot};

/// What the ledger holds of one order, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) submissions: usize,
    pub(crate) orders: usize,
    /// Applications and orders that one attempt had more than once.
    pub(crate) duplicates: usize,
    /// Of another attempt, equal applications that followed each other while the cloud still waited for the order.
    /// They overwrite each other and cost nothing; an earlier attempt's application looks the same, so that the
    /// evidence cannot tell.
    pub(crate) overwritten: usize,
    pub(crate) adopted: usize,
    /// Calls of another attempt of which the operator said that nobody can tell what became of them.
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

/// Looks at an order that is over, or at none where it was deleted.
pub(crate) async fn judge(ground: &Ground<'_>, life: &Life, order: Option<&CertificateOrder>) -> Verdict {
    let effects = life.cloud.effects(&life.id);
    let mut verdict = of_calls(life, &effects);
    verdict.unknown = life.unknown;
    if let Some(order) = order {
        of_status(&mut verdict, life, order, &effects);
        of_secret(&mut verdict, ground, life).await;
    }
    for wrong in &mut verdict.wrongs {
        *wrong = format!("{} ({:?}, {}): {wrong}", life.name, life.script, life.id);
    }
    verdict
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

fn of_calls(life: &Life, effects: &[Effect]) -> Verdict {
    let attempts = attempts(effects);
    let mut verdict = Verdict {
        submissions: attempts.iter().map(|attempt| attempt.submits.len()).sum(),
        orders: attempts.iter().map(|attempt| attempt.orders).sum(),
        ..Verdict::default()
    };
    let mut expect = |what: String, is: usize, should: usize| {
        if is != should {
            verdict.wrongs.push(format!("{what}: {is} times, not {should}"));
        }
    };
    expect("attempts".to_owned(), attempts.len(), life.attempts());
    for (number, attempt) in attempts.iter().enumerate() {
        let number = number + 1;
        let is_withdrawn = life.script.plot == Plot::Withdrawn && number == 1;
        let withdrawals = usize::from(is_withdrawn || life.script.plot == Plot::Deleted);
        expect(format!("attempt {number}: ordered"), attempt.orders, 1);
        expect(format!("attempt {number}: withdrawn"), attempt.withdrawals, withdrawals);
        expect(format!("attempt {number}: letter sent"), attempt.letters, usize::from(life.script.letter));
    }
    for (number, attempt) in attempts.iter().enumerate() {
        verdict.duplicates += attempt.orders.saturating_sub(1);
        of_applications(&mut verdict, life, number + 1, attempt);
    }
    verdict
}

fn of_applications(verdict: &mut Verdict, life: &Life, number: usize, attempt: &Attempt<'_>) {
    let (is, is_other) = (attempt.submits.len(), number > 1);
    // A status that was lost between two attempts lets the application of before count, if it is the same.
    let may_be_none = is_other && life.lost_status && life.script.plot != Plot::Corrected;
    if is == 0 && !may_be_none {
        verdict.wrongs.push(format!("attempt {number}: no application"));
    }
    let repeated = is.saturating_sub(1);
    let all_equal = attempt.submits.windows(2).all(|pair| pair[0].body == pair[1].body);
    if is_other && all_equal {
        verdict.overwritten += repeated;
    } else if repeated > 0 {
        verdict.duplicates += repeated;
        verdict.wrongs.push(format!("attempt {number}: {is} applications"));
    }
    let name = if is_other { life.common_name.clone() } else { format!("{}.acme.example", life.name) };
    if attempt.submits.iter().any(|submit| submit.common_name.as_deref() != Some(&name)) {
        verdict.wrongs.push(format!("attempt {number}: an application for another name than {name}"));
    }
}

/// The status tells the truth: the `RequestId` of the last application, or that it was found at the cloud.
fn of_status(verdict: &mut Verdict, life: &Life, order: &CertificateOrder, effects: &[Effect]) {
    let last = effects.iter().rfind(|effect| effect.purpose == Purpose::Submit);
    let told = order.status.as_ref().and_then(|status| status.request_id.as_ref());
    let is_adopted = condition(order, "Submitted") == Some(("True", "Adopted"));
    verdict.adopted = usize::from(is_adopted);
    match told {
        Some(told) => {
            if last.and_then(|last| last.request_id.as_ref()) != Some(told) {
                verdict.wrongs.push(format!("requestId {told} is not that of the last application"));
            }
        }
        None if is_adopted => {}
        None => verdict.wrongs.push("neither requestId nor Adopted".to_owned()),
    }
    if order.spec.common_name != life.common_name {
        verdict.wrongs.push("the spec was written".to_owned());
    }
}

async fn of_secret(verdict: &mut Verdict, ground: &Ground<'_>, life: &Life) {
    let secret = ground.api::<Secret>().get_opt(&life.secret()).await.unwrap();
    let chain = secret.and_then(|secret| secret.data?.remove("tls.crt"));
    let leaf = life.cloud.leaf(&life.id);
    let chain = chain.map(|chain| String::from_utf8(chain.0).unwrap());
    if !chain.is_some_and(|chain| chain.starts_with(leaf.trim_end())) {
        verdict.wrongs.push("the Secret does not hold the issued certificate".to_owned());
    }
}
