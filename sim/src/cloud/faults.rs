//! Faults: rules by which the cloud misbehaves, for tests.

use std::time::Duration;

/// A rule: which calls fail, and how. Each matching call uses up one of its times.
#[derive(Clone, Debug)]
pub struct Fault<R> {
    action: Option<String>,
    certificate_id: Option<String>,
    skip: u32,
    left: u32,
    pub(super) effect: Effect<R>,
    /// Whether the call is carried out all the same.
    pub(super) acts: bool,
}

/// What happens to a matching call.
#[derive(Clone, Debug)]
pub(super) enum Effect<R> {
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
    Refused(R),
}

impl<R: Clone> Fault<R> {
    fn new(effect: Effect<R>, acts: bool) -> Self {
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

    /// The service refuses. The call is not carried out, unless [`Fault::acting`] says so.
    #[must_use]
    pub fn refused(refusal: R) -> Self {
        Self::new(Effect::Refused(refusal), false)
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
pub(crate) struct Faults<R>(Vec<Fault<R>>);

impl<R> Default for Faults<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Clone> Faults<R> {
    pub(crate) fn add(&mut self, fault: Fault<R>) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first rule that hits this call. Every rule that the call matches counts it.
    pub(super) fn take(&mut self, action: &str, certificate_id: Option<&str>) -> Option<Fault<R>> {
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
