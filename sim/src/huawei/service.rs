//! Huawei Cloud SCM, as the parts that all clouds share see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Options,
    certificate::Certificate,
    error::Refusal,
    gateway, identity,
    state::{Account, State},
};
use crate::cloud::{Answer, Backend, Content, Request, Service, Subject};

/// The service.
pub(super) struct Scm;

impl Service for Scm {
    type Options = Options;
    type Account = Account;
    type Certificate = Certificate;
    type Refusal = Refusal;
    type State = State;

    const MAX_BODY: usize = 12 * 1024 * 1024;
    const REQUEST_ID_HEADER: Option<&'static str> = Some("x-request-id");
    const THROTTLED: &'static str = "APIGW.0308";

    fn subject(request: &Request) -> Subject {
        let route = gateway::route(request);
        let action = route.as_ref().map_or("", |(action, _)| action.name).to_owned();
        Subject { action, certificate_id: route.and_then(|(_, id)| id) }
    }

    fn identify(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
        identity::identify(request, state, now)
    }

    fn invoke(request: &Request, account: &Account, backend: Backend<'_, Self>) -> Result<Answer, Refusal> {
        gateway::invoke(request, account, backend)
    }

    /// 32 hexadecimal digits.
    fn new_request_id() -> String {
        Uuid::new_v4().simple().to_string()
    }

    fn render(result: Result<&Answer, &Refusal>, request_id: &str) -> Content {
        let (status, body) = match result {
            Ok(answer) => (200, Value::Object(answer.fields.clone())),
            Err(refusal) => (refusal.status, refusal.to_json(request_id)),
        };
        Content::json(status, body.to_string().into_bytes())
    }

    fn code(refusal: &Refusal) -> &str {
        &refusal.code
    }

    fn certificates(state: &mut State) -> &mut BTreeMap<String, Certificate> {
        &mut state.certificates
    }

    fn settle(state: &mut State, options: &Options, now: Timestamp) {
        state.certificates.values_mut().for_each(|certificate| certificate.settle(options, now));
    }
}
