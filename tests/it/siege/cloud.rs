//! A simulated cloud as a siege needs it, whatever its API: what is bought there, how the CA moves, and what the
//! ledger says.

use certorder_sim::proxy::Rule;
use serde_json::Value;

use super::scenario::Plot;

/// One cloud.
pub(crate) trait Cloud: Send + Sync {
    /// The flags that lead the operator to this address, with no limit to the frequency of its calls.
    fn flags(&self, address: &str) -> Vec<String>;
    /// Whether such a story takes place here.
    fn plays(&self, plot: Plot) -> bool;
    /// Whether an application always names an applicant.
    fn wants_applicant(&self) -> bool;
    /// Whether its CA may ask for a letter.
    fn wants_letters(&self) -> bool;
    /// Where it serves.
    fn url(&self) -> String;
    /// The Secret with the credentials of its account.
    fn credentials(&self) -> Value;
    /// Buys a certificate.
    fn buy(&self, id: &str, organisation: bool, letter: bool);
    /// `spec.provider` of an order for it.
    fn provider(&self, id: &str, organisation: bool, letter: bool) -> Value;
    /// Where an order stands.
    fn stage(&self, id: &str) -> Stage;
    /// Moves the CA one step on.
    fn advance(&self, id: &str);
    /// Lets the CA reject a running order.
    fn reject(&self, id: &str);
    /// The leaf that was issued, PEM.
    fn leaf(&self, id: &str) -> String;
    /// The calls that took effect for a certificate, in their order.
    fn effects(&self, id: &str) -> Vec<Effect>;
    /// The last calls for a certificate in words, with their times.
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

/// Where an order stands at its cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Waits for an application.
    Paid,
    /// The CA works.
    Running,
    /// The CA waits for a letter.
    Letter,
    /// The CA said no.
    Rejected,
    /// The review is being stopped.
    Cancelling,
    /// The review was stopped.
    Cancelled,
    /// The certificate is there.
    Issued,
    /// Something that no siege leads to.
    Other,
}

/// What a call that took effect was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Handed in the application.
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
    /// What was sent, to tell equal applications from others.
    pub(crate) body: Value,
}
