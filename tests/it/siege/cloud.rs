//! The interface of a simulated cloud, the same for every API: purchases, the CA's actions, and the ledger.

use certorder::core::certificate::Csr;
use certorder_sim::proxy::Rule;
use serde_json::{Value, json};

use super::scenario::Course;

/// One cloud.
pub(crate) trait Cloud: Send + Sync {
    /// The flags that point the operator to this address, without a rate limit.
    fn flags(&self, address: &str) -> Vec<String>;
    /// Whether this course is possible here.
    fn supports(&self, course: Course) -> bool;
    /// Whether an application always names an applicant.
    fn wants_applicant(&self) -> bool;
    /// Whether its CA may ask for a letter.
    fn wants_letters(&self) -> bool;
    /// Its address.
    fn url(&self) -> String;
    /// The Secret with the credentials of its account.
    fn credentials(&self) -> Value;
    /// Buys a certificate.
    fn buy(&self, id: &str, organisation: bool, letter: bool);
    /// `spec.provider` of an order for it.
    fn provider(&self, id: &str, organisation: bool, letter: bool) -> Value;
    /// The stage of an order.
    fn stage(&self, id: &str) -> Stage;
    /// Does the CA's next step.
    fn advance(&self, id: &str);
    /// Makes the CA reject a running order.
    fn reject(&self, id: &str);
    /// The leaf that was issued, PEM.
    fn leaf(&self, id: &str) -> String;
    /// The calls that took effect for a certificate, in their order.
    fn effects(&self, id: &str) -> Vec<Effect>;
    /// The last calls for a certificate as text, with their times.
    fn history(&self, id: &str) -> String;
    /// The names of its calls: those that change something, and those that read.
    fn actions(&self) -> &'static [&'static str];
    /// How many of [`Cloud::actions`] change something: the first ones.
    fn writes(&self) -> usize;
    /// A rule for the calls of one action only.
    fn only(&self, rule: Rule, action: &str) -> Rule;
    /// The action of a request that a proxy saw.
    fn action_of(&self, seen: &certorder_sim::proxy::Seen) -> Option<String>;
}

/// The stage of an order at its cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Waits for an application.
    Paid,
    /// The CA works.
    Running,
    /// The CA waits for a letter.
    Letter,
    /// The CA rejected the application.
    Rejected,
    /// The review is being stopped.
    Cancelling,
    /// The review was stopped.
    Cancelled,
    /// The certificate is issued.
    Issued,
    /// A stage that no scenario reaches.
    Other,
}

/// What a call that took effect was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Submitted the application.
    Submit,
    /// Sent the order.
    Order,
    /// Opened it again for another attempt.
    Resubmit,
    /// Stopped the review.
    Withdraw,
    /// Sent the letter.
    Letter,
}

/// A call that took effect.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub(crate) purpose: Purpose,
    pub(crate) request_id: Option<String>,
    /// The common name of an application.
    pub(crate) common_name: Option<String>,
    /// What was asked for, to recognise equal applications; see [`asked`].
    pub(crate) body: Value,
}

/// What a body asks for: that of the CSR under this name in its place. The operator signs a CSR of the stored key for each
/// application, and no two ECDSA signatures are equal.
pub(crate) fn asked(mut body: Value, csr: &str) -> Value {
    if let Some(text) = body[csr].as_str().filter(|text| !text.is_empty()) {
        body[csr] = json!(hex::encode(Csr::parse(text).unwrap().request_info()));
    }
    body
}
