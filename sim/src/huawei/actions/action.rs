//! What the gateway knows of an action.

use crate::{
    cloud::{Answer, params::Param},
    huawei::{error::Refusal, invocation::Invocation},
};

/// One action of the service.
pub(crate) struct Action {
    /// Its name in the ledger.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// Its path, with [`ID`] where the certificate stands.
    pub(crate) path: &'static str,
    /// The keys that its query may have.
    pub(crate) query: &'static [&'static str],
    /// What its body may have; without any it takes no body.
    pub(crate) params: &'static [Param],
    pub(crate) run: fn(&mut Invocation<'_>) -> Result<Answer, Refusal>,
}

/// Stands for the certificate in a path.
pub(crate) const ID: &str = "{certificate_id}";
