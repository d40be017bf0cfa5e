//! One exchange: a request in, an action carried out (or not), a line in the ledger, a reply (or none).

use std::{sync::Arc, time::Duration};

use super::{
    faults::{Effect, Fault},
    ledger::{Call, RequestBody},
    request::{Answer, Content, Request},
    service::{Backend, Service, Subject},
    world::{Cloud, World},
};
use crate::clock;

/// What goes back to the caller.
pub(crate) struct Reply {
    /// Where the call stands in the ledger.
    pub(super) entry: usize,
    /// How long to hold the reply back.
    pub(super) delay: Duration,
    /// The content; `None` cuts the connection.
    pub(super) content: Option<Content>,
    /// Whether the content tells the caller what happened.
    pub(super) truthful: bool,
}

/// Carries one request out, under the first fault that hits it.
pub(super) async fn exchange<S: Service>(cloud: Arc<Cloud<S>>, request: Request) -> Reply {
    let subject = S::subject(&request);
    let fault = cloud.world().faults.take(&subject.action, subject.certificate_id.as_deref());
    if let Some(Effect::ActLate(delay)) = fault.as_ref().map(|fault| &fault.effect) {
        tokio::time::sleep(*delay).await;
    }
    carry_out(&cloud, &request, subject, fault.as_ref())
}

/// Effect and ledger line, in one step as far as others can see.
fn carry_out<S: Service>(
    cloud: &Cloud<S>,
    request: &Request,
    subject: Subject,
    fault: Option<&Fault<S::Refusal>>,
) -> Reply {
    let mut world = cloud.world();
    let (time, now) = (clock::now(), world.now());
    let World { state, limiter, ledger, .. } = &mut *world;
    let identified = S::identify(request, state, now);
    let account = identified.as_ref().ok().cloned();
    let result = fault.is_none_or(|fault| fault.acts).then(|| {
        let backend = Backend { state, limiter, options: &cloud.options, time, now };
        S::invoke(request, &identified?, backend)
    });
    let took_effect = matches!(&result, Some(Ok(answer)) if answer.took_effect);
    let rendered = Rendered::of::<S>(result, fault);
    ledger.push(Call {
        time,
        cloud_time: now,
        method: request.method.to_string(),
        action: subject.action,
        account,
        certificate_id: subject.certificate_id,
        body: RequestBody::new(&request.body),
        http_status: rendered.content.as_ref().map(|content| content.status),
        request_id: rendered.request_id,
        code: rendered.code,
        took_effect,
        delivered: false,
    });
    let delay = match fault.map(|fault| &fault.effect) {
        Some(Effect::ReplyLate(delay)) => *delay,
        _ => Duration::ZERO,
    };
    Reply { entry: ledger.len() - 1, delay, content: rendered.content, truthful: rendered.truthful }
}

/// A result, turned into what the caller shall see.
struct Rendered {
    content: Option<Content>,
    request_id: Option<String>,
    code: Option<String>,
    truthful: bool,
}

impl Rendered {
    /// `result` is `None` where a fault kept the call from being carried out.
    fn of<S: Service>(result: Option<Result<Answer, S::Refusal>>, fault: Option<&Fault<S::Refusal>>) -> Self {
        match (fault.map(|fault| &fault.effect), result) {
            (Some(Effect::Cut), _) => Self::false_reply(None),
            (Some(Effect::Html(status)), _) => Self::false_reply(Some(Content::html(*status))),
            (Some(Effect::Garbage), _) => Self::broken::<S>(b"upstream said: \xff\xfe".to_vec()),
            (Some(Effect::Refused(refusal)), result) => {
                Self::envelope::<S>(&Err(refusal.clone()), result.is_none())
            }
            (Some(Effect::Truncated), Some(result)) => {
                let mut body = S::render(result.as_ref(), &S::new_request_id()).body;
                body.truncate(body.len() / 2);
                Self::broken::<S>(body)
            }
            (_, Some(result)) => Self::envelope::<S>(&result, true),
            (_, None) => Self::false_reply(None),
        }
    }

    fn envelope<S: Service>(result: &Result<Answer, S::Refusal>, truthful: bool) -> Self {
        let request_id = S::new_request_id();
        let mut content = S::render(result.as_ref(), &request_id);
        content.request_id = S::REQUEST_ID_HEADER.map(|header| (header, request_id.clone()));
        let code = result.as_ref().err().map(|refusal| S::code(refusal).to_owned());
        Self { content: Some(content), request_id: Some(request_id), code, truthful }
    }

    /// HTTP 200 with a body that nobody can read. A header that names the call survives.
    fn broken<S: Service>(body: Vec<u8>) -> Self {
        let mut content = Content::json(200, body);
        content.request_id = S::REQUEST_ID_HEADER.map(|header| (header, S::new_request_id()));
        Self::false_reply(Some(content))
    }

    fn false_reply(content: Option<Content>) -> Self {
        let request_id = content.as_ref().and_then(|content| content.request_id.clone()).map(|(_, id)| id);
        Self { content, request_id, code: None, truthful: false }
    }
}
