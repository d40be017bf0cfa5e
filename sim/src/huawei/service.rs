//! Huawei Cloud SCM, as the parts that all clouds share see it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{
    account::{Account, Credential},
    certificate::Certificate,
    error::Refusal,
    following, gateway, identity,
    options::Options,
    platform::Scm,
    product::Product,
    route,
    state::State,
};
use crate::cloud::{Answer, Backend, Content, IssueError, Issued, Request, Service, Subject, ca::Authority};

impl Service for Scm {
    type State = State;

    const PATH: Option<&'static str> = None;
    const MAX_BODY: usize = 12 * 1024 * 1024;
    const REQUEST_ID_HEADER: Option<&'static str> = Some("x-request-id");
    const THROTTLED: &'static str = "APIGW.0308";

    fn subject(request: &Request) -> Subject {
        let found = route::route(request);
        let action = found.as_ref().map_or("", |(action, _)| action.name).to_owned();
        Subject { action, certificate_id: found.and_then(|(_, id)| id) }
    }

    fn identify(request: &Request, state: &State, now: Timestamp) -> Result<Account, Refusal> {
        identity::identify(request, state, now)
    }

    fn invoke(
        request: &Request,
        account: &Account,
        backend: Backend<'_, Self, State>,
    ) -> Result<Answer, Refusal> {
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

    fn deliver(state: &mut State, certificate_id: &str, issued: Issued, _now: Timestamp) {
        if let Some(certificate) = state.certificates.get_mut(certificate_id) {
            certificate.deliver(issued);
        }
    }

    fn touched(state: &mut State, options: &Options, certificate_id: &str) {
        following::touched(state, options, certificate_id);
    }

    fn settle(state: &mut State, options: &Options, now: Timestamp) {
        if options.withdrawal_takes.is_some() {
            state.certificates.values_mut().for_each(|certificate| certificate.settle(options, now));
        }
        following::settle(state, options, now);
    }
}
