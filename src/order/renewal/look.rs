//! What a pass knows of the renewal of an order. Data alone; [`super::read`] reads it.

use std::sync::Arc;

use crate::api::v1alpha1::CertificateOrder;
use crate::order::renewal::choice::Choice;
use crate::provider::Error;

/// What a pass knows of the renewal of an order.
pub struct Look {
    /// The certificate that takes the place of the current one; `None` while there is no need to ask the cloud, or if it does
    /// not answer.
    pub choice: Option<Choice>,
    /// The successor of which the certificate itself tells.
    pub told: Option<String>,
    /// Why the cloud could not be asked.
    pub failure: Option<Error>,
    /// The order for that certificate.
    pub order: Option<Carrier>,
    /// The ids that the cloud shows as reissued from the current certificate.
    pub reissues: Vec<String>,
    /// Whether the cloud's own log has the call of an open intent to reissue, if it was read.
    pub logged: Option<bool>,
    /// What is being reissued under the same registered domain, in words.
    pub reissue_runs: Option<String>,
    /// The name of an order that certorder made for a certificate that ran out since.
    pub finished: Option<String>,
}

impl Look {
    /// Nothing is known yet.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            choice: None,
            told: None,
            failure: None,
            order: None,
            reissues: Vec::new(),
            logged: None,
            reissue_runs: None,
            finished: None,
        }
    }
}

/// The order that carries a successor to its issue.
#[derive(Clone)]
pub enum Carrier {
    /// certorder made it for this order of the user.
    Made(Arc<CertificateOrder>),
    /// A user of the same namespace wrote it.
    Written(Arc<CertificateOrder>),
    /// It is in another namespace.
    Elsewhere,
}

impl Carrier {
    /// The order, if it is in the same namespace.
    #[must_use]
    pub fn order(&self) -> Option<&CertificateOrder> {
        match self {
            Self::Made(order) | Self::Written(order) => Some(order),
            Self::Elsewhere => None,
        }
    }
}
