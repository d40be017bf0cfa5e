//! What the gateway knows of an action.

use crate::cloud::{Answer, params::Param};
use crate::tencent::{error::Refusal, invocation::Invocation};

/// One action of the service.
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) run: fn(&mut Invocation<'_>) -> Result<Answer, Refusal>,
}
