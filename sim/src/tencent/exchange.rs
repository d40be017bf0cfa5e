//! One exchange: a request in, an action carried out (or not), a line in the ledger, a reply (or none).

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{
    error::Refusal,
    faults::{Effect, Fault},
    gateway::{self, Answer, Request, Service},
    ledger::{Call, RequestBody},
    world::{Cloud, World},
};
use crate::clock;

/// What goes back to the caller.
pub(super) struct Reply {
    /// Where the call stands in the ledger.
    pub(super) entry: usize,
    /// How long to hold the reply back.
    pub(super) delay: Duration,
    /// The content; `None` cuts the connection.
    pub(super) content: Option<Content>,
    /// Whether the content tells the caller what happened.
    pub(super) truthful: bool,
}

/// An HTTP reply.
pub(super) struct Content {
    pub(super) status: u16,
    pub(super) media_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// Carries one request out, under the first fault that hits it.
pub(super) async fn exchange(cloud: Arc<Cloud>, request: Request) -> Reply {
    let certificate_id = request.certificate_id();
    let fault = cloud.world().faults.take(request.action(), certificate_id.as_deref());
    if let Some(Effect::ActLate(delay)) = fault.as_ref().map(|fault| &fault.effect) {
        tokio::time::sleep(*delay).await;
    }
    carry_out(&cloud, &request, certificate_id, fault.as_ref())
}

/// Effect and ledger line, in one step as far as others can see.
fn carry_out(
    cloud: &Cloud,
    request: &Request,
    certificate_id: Option<String>,
    fault: Option<&Fault>,
) -> Reply {
    let mut world = cloud.world();
    let (time, now) = (clock::now(), world.now());
    let World { state, limiter, ledger, .. } = &mut *world;
    let identified = gateway::identify(request, state, now);
    let account = identified.as_ref().ok().cloned();
    let result = fault.is_none_or(|fault| fault.acts).then(|| {
        let account = identified?;
        gateway::invoke(request, &account, Service { state, limiter, options: &cloud.options, time, now })
    });
    let took_effect = matches!(&result, Some(Ok(answer)) if answer.took_effect);
    let rendered = Rendered::of(result, fault);
    ledger.push(Call {
        time,
        action: request.action().to_owned(),
        account,
        certificate_id,
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
    fn of(result: Option<Result<Answer, Refusal>>, fault: Option<&Fault>) -> Self {
        let request_id = Uuid::new_v4().to_string();
        match (fault.map(|fault| &fault.effect), result) {
            (Some(Effect::Cut), _) => Self::false_reply(None),
            (Some(Effect::Html(status)), _) => Self::false_reply(Some(html(*status))),
            (Some(Effect::Garbage), _) => Self::false_reply(Some(json(b"upstream said: \xff\xfe".to_vec()))),
            (Some(Effect::Refused(refusal)), result) => {
                Self::envelope(&Err(refusal.clone()), request_id, result.is_none())
            }
            (Some(Effect::Truncated), Some(result)) => {
                let mut body = gateway::envelope(result.as_ref(), &request_id);
                body.truncate(body.len() / 2);
                Self::false_reply(Some(json(body)))
            }
            (_, Some(result)) => Self::envelope(&result, request_id, true),
            (_, None) => Self::false_reply(None),
        }
    }

    fn envelope(result: &Result<Answer, Refusal>, request_id: String, truthful: bool) -> Self {
        let body = gateway::envelope(result.as_ref(), &request_id);
        let code = result.as_ref().err().map(|refusal| refusal.code.clone().into_owned());
        Self { content: Some(json(body)), request_id: Some(request_id), code, truthful }
    }

    fn false_reply(content: Option<Content>) -> Self {
        Self { content, request_id: None, code: None, truthful: false }
    }
}

fn json(body: Vec<u8>) -> Content {
    Content { status: 200, media_type: "application/json", body }
}

fn html(status: u16) -> Content {
    let body = format!(
        "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
    );
    Content { status, media_type: "text/html", body: body.into_bytes() }
}
