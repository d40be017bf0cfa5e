//! Tencent Cloud SSL, as the parts that all clouds share see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Options,
    certificate::Certificate,
    error::Refusal,
    gateway,
    state::{Account, State},
};
use crate::cloud::{Answer, Backend, Content, Request, Service, Subject};

/// The service.
pub(super) struct Tencent;

impl Service for Tencent {
    type Options = Options;
    type Account = Account;
    type Certificate = Certificate;
    type Refusal = Refusal;
    type State = State;

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

    fn invoke(request: &Request, account: &Account, backend: Backend<'_, Self>) -> Result<Answer, Refusal> {
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

    fn certificates(state: &mut State) -> &mut BTreeMap<String, Certificate> {
        &mut state.certificates
    }
}
