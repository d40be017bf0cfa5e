//! Tencent Cloud SSL, as the parts that all clouds share see it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    account::{Account, Credential},
    certificate::Certificate,
    error::Refusal,
    following, gateway,
    options::Options,
    platform::Tencent,
    product::Product,
    state::{CA_EVENT, State},
};
use crate::cloud::{Answer, Backend, Content, IssueError, Issued, Request, Service, Subject, ca::Authority};

impl Service for Tencent {
    type State = State;

    const PATH: Option<&'static str> = Some("/");
    const MAX_BODY: usize = 10 * 1024 * 1024;
    const REQUEST_ID_HEADER: Option<&'static str> = None;
    const THROTTLED: &'static str = "RequestLimitExceeded";

    fn subject(request: &Request) -> Subject {
        let certificate_id = gateway::certificate_id(request);
        Subject { action: gateway::action(request).to_owned(), certificate_id }
    }

    fn identify(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
        gateway::identify(request, state, now)
    }

    fn invoke(
        request: &Request,
        account: &Account,
        backend: Backend<'_, Self, State>,
    ) -> Result<Answer, Refusal> {
        gateway::invoke(request, account, backend)
    }

    fn new_request_id() -> String {
        Uuid::new_v4().to_string()
    }

    /// Errors come with HTTP 200, too.
    fn render(result: Result<&Answer, &Refusal>, request_id: &str) -> Content {
        Content::json(200, gateway::envelope(result, request_id))
    }

    fn code(refusal: &Refusal) -> &str {
        &refusal.code
    }

    fn open_account(state: &mut State) -> Account {
        state.open_account()
    }

    fn credentials(state: &mut State) -> &mut HashMap<String, Credential> {
        &mut state.credentials
    }

    fn bought(id: &str, owner: Account, product: Product, now: Timestamp) -> Certificate {
        Certificate::bought(id, owner, product, now)
    }

    fn certificates(state: &mut State) -> &mut BTreeMap<String, Certificate> {
        &mut state.certificates
    }

    fn waits_for_authority(certificate: &Certificate) -> bool {
        certificate.waits_for_authority()
    }

    fn sign(
        certificate: &Certificate,
        authority: &Authority,
        options: &Options,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        certificate.sign(authority, options, now)
    }

    fn deliver(state: &mut State, certificate_id: &str, issued: Issued, now: Timestamp) {
        if let Some(certificate) = state.certificates.get_mut(certificate_id) {
            certificate.deliver(issued);
            let (owner, follows) = (certificate.owner.clone(), certificate.follows.clone());
            if let Some(old) = follows.and_then(|old| state.certificates.get_mut(&old)) {
                old.links.forward.once_issued = false;
            }
            state.record(&owner, certificate_id, CA_EVENT, "issued", now);
        }
    }

    fn touched(state: &mut State, options: &Options, certificate_id: &str) {
        following::touched(state, options, certificate_id);
    }

    fn settle(state: &mut State, options: &Options, now: Timestamp) {
        following::settle(state, options, now);
    }
}
