//! The calls that change something at a cloud: the request, the payload, and the answer to an accepted one.

use secrecy::SecretSlice;

use crate::core::application::ValidationMethod;
use crate::core::evidence::Evidence;
use crate::core::fingerprint::Fingerprint;
use crate::provider::letter::Letter;

/// A call that changes something at the cloud, with what it sends.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// Submit the application. If the cloud has no separate call for the order, this also sends the order.
    Submit(&'a Payload),
    /// Send the order to the CA.
    Order,
    /// Open an order again that failed its review or was withdrawn, so that it accepts an application.
    Resubmit,
    /// Stop a running review. The paid certificate can be ordered again.
    Withdraw,
    /// Revoke the issued certificate. This cannot be undone.
    Revoke,
    /// Upload the signed letter that the order waits for.
    SendLetter(&'a Letter),
    /// Ask for another certificate of the same order, with an id of its own, for the rest of the paid term. It costs nothing.
    Reissue(&'a Reissue),
}

impl Request<'_> {
    /// Which kind of call it is.
    #[must_use]
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Submit(_) => RequestKind::Submit,
            Self::Order => RequestKind::Order,
            Self::Resubmit => RequestKind::Resubmit,
            Self::Withdraw => RequestKind::Withdraw,
            Self::Revoke => RequestKind::Revoke,
            Self::SendLetter(_) => RequestKind::SendLetter,
            Self::Reissue(_) => RequestKind::Reissue,
        }
    }
}

/// A [`Request`] without what it sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::EnumIter)]
pub enum RequestKind {
    /// [`Request::Submit`].
    Submit,
    /// [`Request::Order`].
    Order,
    /// [`Request::Resubmit`].
    Resubmit,
    /// [`Request::Withdraw`].
    Withdraw,
    /// [`Request::Revoke`].
    Revoke,
    /// [`Request::SendLetter`].
    SendLetter,
    /// [`Request::Reissue`].
    Reissue,
}

/// The cloud's names of its calls, as status and log show them. `None`: the cloud has no such call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calls {
    /// Behind [`Provider::observe`](super::Provider::observe).
    pub observe: &'static str,
    /// Behind [`Provider::download`](super::Provider::download).
    pub download: &'static str,
    /// Behind [`Request::Submit`].
    pub submit: &'static str,
    /// Behind [`Request::Order`].
    pub order: Option<&'static str>,
    /// Behind [`Request::Resubmit`].
    pub resubmit: Option<&'static str>,
    /// Behind [`Request::Withdraw`].
    pub withdraw: Option<&'static str>,
    /// Behind [`Request::Revoke`].
    pub revoke: Option<&'static str>,
    /// Behind [`Request::SendLetter`].
    pub send_letter: Option<&'static str>,
    /// Behind [`Request::Reissue`].
    pub reissue: Option<&'static str>,
}

impl Calls {
    /// The name of the call behind a request.
    #[must_use]
    pub fn name(&self, kind: RequestKind) -> Option<&'static str> {
        match kind {
            RequestKind::Submit => Some(self.submit),
            RequestKind::Order => self.order,
            RequestKind::Resubmit => self.resubmit,
            RequestKind::Withdraw => self.withdraw,
            RequestKind::Revoke => self.revoke,
            RequestKind::SendLetter => self.send_letter,
            RequestKind::Reissue => self.reissue,
        }
    }
}

/// What a reissue asks for. Names and data are those of the certificate that is reissued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reissue {
    /// The CSR, PEM. `None`: that of the certificate that is reissued, so that its key stays.
    pub csr: Option<String>,
    /// How control of the names is to be proven, where the CA asks for it.
    pub method: ValidationMethod,
}

/// A request ready to be sent.
#[derive(Debug)]
pub struct Payload {
    /// The cloud's name of the call that sends it.
    pub action: &'static str,
    /// The exact bytes of the body.
    pub body: SecretSlice<u8>,
    /// The digest of the body. Of key passwords and identity numbers only their presence counts.
    pub fingerprint: Fingerprint,
    /// The body for users to read, with personal data and secrets blanked.
    pub redacted: serde_json::Value,
    /// By what the cloud shows that it holds this application.
    pub evidence: Evidence,
    /// Notes for the user, in sentences: which saved profile it names, and whether a review is skipped.
    pub note: Option<String>,
}

/// A write that the cloud accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The cloud's id of the call.
    pub request_id: Option<String>,
    /// The CA's number of the order, if the call sends the order and the cloud reports the number.
    pub order_id: Option<String>,
    /// The id of the certificate that the call made, if it made one and the cloud reports the id.
    pub certificate_id: Option<String>,
}
