//! Faults: rules by which the cloud misbehaves, for tests.

use std::time::Duration;

use super::error::Refusal;

/// A rule: which calls fail, and how. Each matching call uses up one of its times.
///
/// ```
/// # use certorder_sim::tencent::Fault;
/// // The second submission of this certificate is stored, but its reply never arrives.
/// let fault = Fault::reply_lost().action("CertificateInfoSubmit").certificate("J2lX2maH").after(1);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    action: Option<String>,
    certificate_id: Option<String>,
    skip: u32,
    left: u32,
    pub(super) effect: Effect,
    /// Whether the call is carried out all the same.
    pub(super) acts: bool,
}

/// What happens to a matching call.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// The connection is closed without a reply.
    Cut,
    /// The call is carried out this much later.
    ActLate(Duration),
    /// The reply goes out this much later.
    ReplyLate(Duration),
    /// A web page of a proxy.
    Html(u16),
    /// HTTP 200 with something that is not JSON.
    Garbage,
    /// HTTP 200 with half of the true reply.
    Truncated,
    /// An error code.
    Refused(Refusal),
}

impl Fault {
    fn new(effect: Effect, acts: bool) -> Self {
        Self { action: None, certificate_id: None, skip: 0, left: 1, effect, acts }
    }

    /// The call is carried out, then the connection closes without a reply.
    #[must_use]
    pub fn reply_lost() -> Self {
        Self::new(Effect::Cut, true)
    }

    /// The connection closes, and nothing was done.
    #[must_use]
    pub fn request_lost() -> Self {
        Self::new(Effect::Cut, false)
    }

    /// The call is carried out at once; its reply comes late.
    #[must_use]
    pub fn reply_late(by: Duration) -> Self {
        Self::new(Effect::ReplyLate(by), true)
    }

    /// The call is carried out late, even if its caller is gone by then.
    #[must_use]
    pub fn act_late(by: Duration) -> Self {
        Self::new(Effect::ActLate(by), true)
    }

    /// A proxy answers with a web page. The call is not carried out, unless [`Fault::acting`] says so.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::new(Effect::Html(status), false)
    }

    /// HTTP 200 with a body that is not JSON. The call is carried out.
    #[must_use]
    pub fn garbage() -> Self {
        Self::new(Effect::Garbage, true)
    }

    /// HTTP 200 with half of the reply. The call is carried out.
    #[must_use]
    pub fn truncated() -> Self {
        Self::new(Effect::Truncated, true)
    }

    /// The service answers with an error code. The call is not carried out, unless [`Fault::acting`] says so.
    #[must_use]
    pub fn error(code: &str, message: &str) -> Self {
        Self::new(Effect::Refused(Refusal::new(code.to_owned(), message)), false)
    }

    /// The service says that calls come too fast.
    #[must_use]
    pub fn throttled() -> Self {
        Self::new(Effect::Refused(Refusal::too_many_requests(10)), false)
    }

    /// The service says that the temporary credentials are expired.
    #[must_use]
    pub fn expired_credentials() -> Self {
        Self::new(Effect::Refused(Refusal::bad_token()), false)
    }

    /// Only calls of this action.
    #[must_use]
    pub fn action(mut self, action: &str) -> Self {
        self.action = Some(action.to_owned());
        self
    }

    /// Only calls that name this certificate.
    #[must_use]
    pub fn certificate(mut self, id: &str) -> Self {
        self.certificate_id = Some(id.to_owned());
        self
    }

    /// Lets that many matching calls pass first: `after(1)` hits the second.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Hits that many calls in a row; one, unless said otherwise.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// Hits every matching call until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Says whether the call is carried out although its caller hears otherwise.
    #[must_use]
    pub fn acting(mut self, acts: bool) -> Self {
        self.acts = acts;
        self
    }

    fn matches(&self, action: &str, certificate_id: Option<&str>) -> bool {
        self.action.as_deref().is_none_or(|wanted| wanted == action)
            && self.certificate_id.as_deref().is_none_or(|wanted| Some(wanted) == certificate_id)
    }
}

/// The rules in force, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first rule that hits this call. Every rule that the call matches counts it.
    pub(super) fn take(&mut self, action: &str, certificate_id: Option<&str>) -> Option<Fault> {
        let mut hit = None;
        for fault in self.0.iter_mut().filter(|fault| fault.matches(action, certificate_id)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if hit.is_none() && fault.left > 0 {
                fault.left = fault.left.saturating_sub(u32::from(fault.left != u32::MAX));
                hit = Some(fault.clone());
            }
        }
        self.0.retain(|fault| fault.left > 0);
        hit
    }
}
