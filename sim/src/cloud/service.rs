//! The seam between what all clouds share and what one cloud's service is.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use jiff::Timestamp;

use super::{
    ca::Authority,
    credential::Credential,
    issue::{IssueError, Issued},
    rate::Limiter,
    request::{Answer, Content, Request},
};

/// What a simulated cloud's handle speaks of.
pub trait Platform: Sized + 'static {
    /// How it behaves.
    type Options: Send + Sync;
    /// Who calls it.
    type Account: Clone + Eq + Hash + Send;
    /// What can be bought.
    type Product;
    /// A bought certificate.
    type Certificate: Clone;
    /// An error answer.
    type Refusal: Clone + Send + Sync;
}

/// One cloud's service.
pub(crate) trait Service: Platform {
    /// All that it keeps.
    type State: Default + Send;

    /// The one path that it serves; `None` for a service with many.
    const PATH: Option<&'static str>;
    /// The largest body of a request, in bytes.
    const MAX_BODY: usize;
    /// The header of a reply that names the call; `None` where only the body does.
    const REQUEST_ID_HEADER: Option<&'static str>;
    /// The error code for too many calls.
    const THROTTLED: &'static str;

    /// What a request asks for, as far as it can be told without believing it.
    fn subject(request: &Request) -> Subject;

    /// Who sent the request, as far as its signature proves it.
    fn identify(
        request: &Request,
        state: &Self::State,
        now: Timestamp,
    ) -> Result<Self::Account, Self::Refusal>;

    /// Carries out what an identified account asks for.
    fn invoke(
        request: &Request,
        account: &Self::Account,
        backend: Backend<'_, Self, Self::State>,
    ) -> Result<Answer, Self::Refusal>;

    /// A new name for a call.
    fn new_request_id() -> String;

    /// The reply for a result.
    fn render(result: Result<&Answer, &Self::Refusal>, request_id: &str) -> Content;

    /// The code of an error answer.
    fn code(refusal: &Self::Refusal) -> &str;

    /// Opens an account.
    fn open_account(state: &mut Self::State) -> Self::Account;

    /// All access keys, by their id.
    fn credentials(state: &mut Self::State) -> &mut HashMap<String, Credential<Self::Account>>;

    /// A certificate that was just bought.
    fn bought(id: &str, owner: Self::Account, product: Self::Product, now: Timestamp) -> Self::Certificate;

    /// All certificates, by their id.
    fn certificates(state: &mut Self::State) -> &mut BTreeMap<String, Self::Certificate>;

    /// Whether the authority has to do something next.
    fn waits_for_authority(certificate: &Self::Certificate) -> bool;

    /// Signs what was submitted.
    fn sign(
        certificate: &Self::Certificate,
        authority: &Authority,
        options: &Self::Options,
        now: Timestamp,
    ) -> Result<Issued, IssueError>;

    /// Puts what the authority delivered into place.
    fn deliver(state: &mut Self::State, certificate_id: &str, issued: Issued, now: Timestamp);

    /// Hears that a certificate may have changed.
    fn touched(state: &mut Self::State, options: &Self::Options, certificate_id: &str);

    /// Lets happen what happens by itself until now. Every look at the cloud comes through here.
    fn settle(state: &mut Self::State, options: &Self::Options, now: Timestamp);
}

/// What a request asks for.
pub(crate) struct Subject {
    /// The action, under the name that the ledger gives it.
    pub(crate) action: String,
    /// The certificate that it names.
    pub(crate) certificate_id: Option<String>,
}

/// What lies behind the gateway of a platform that keeps this state.
pub(crate) struct Backend<'a, P: Platform, S> {
    pub(crate) state: &'a mut S,
    pub(crate) limiter: &'a mut Limiter<P::Account>,
    pub(crate) options: &'a P::Options,
    /// The machine's time, by which the frequency is measured.
    pub(crate) time: Timestamp,
    /// The cloud's own time, which a test may set.
    pub(crate) now: Timestamp,
}
