//! The seam to the clouds: one trait, one error, one folder for each cloud.
//!
//! - [`registry`]: the only place that knows which clouds there are.
//! - [`transport`]: one HTTP exchange, bounded in time and size, never repeated.
//! - [`limit`]: the pace, for each account and action.
//! - [`call`]: one call in its turn; [`error_class`]: what a refusal allows the caller to do next.
//! - [`credentials`], [`hmac`], [`body`], [`profile`], [`product`], [`lenient`], [`time`], [`letter`]: what the clouds have
//!   in common: entries of Secrets, signatures, parameters of a request, what it needs of a profile, limits of products,
//!   fields and times of answers, signed letters.
//! - [`directory`]: the organisations and people that an account has saved.
//! - [`tencent`]: Tencent Cloud SSL; [`huawei`]: Huawei Cloud SCM.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{SecretSlice, SecretString};
use tokio::time::Instant;

use crate::core::conditions::Problem;
use crate::core::order::{Application, Bundle, Check, Deadline, Evidence, Observation, Product};

pub mod body;
pub mod call;
pub mod credentials;
pub mod directory;
pub mod error;
pub mod error_class;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod hmac;
pub mod huawei;
pub mod lenient;
pub mod letter;
pub mod limit;
pub mod product;
pub mod profile;
pub mod registry;
pub mod tencent;
pub mod time;
pub mod transport;

pub use directory::{Account, Directory};
pub use error::{Error, Refusal};
pub use letter::{Letter, LetterError};

/// One paid certificate at one cloud, with the credentials to act on it.
///
/// Reads may be repeated freely. A write is called once, and only after its intent is stored; an unclear
/// outcome is settled by [`Provider::observe`], never by calling again.
///
/// A write waits for its turn (see [`limit`]), but not past `begin_by`: then it is [`Error::NotSent`]. Whoever finds
/// the intent of a process that died relies on it that no call begins later than that.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Builds the request that hands in the application. Pure: no call, no clock.
    ///
    /// The limits of the product are judged as far as the cloud names the product.
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem>;

    /// Reads the certificate. Never writes.
    async fn observe(&self) -> Result<Observation, Error>;

    /// Makes one call that changes something at the cloud. One call, never repeated here.
    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error>;

    /// Fetches the issued certificate, with its key where the cloud holds that.
    async fn download(&self) -> Result<Bundle, Error>;

    /// Asks which proofs of control are found by now: one answer for each name. The CA looks by itself; this call
    /// does not make it look.
    async fn check_validation(&self) -> Result<Vec<Check>, Error>;

    /// Until when the CA waits for the proofs of control. `None` where the cloud does not list the certificate.
    async fn deadline(&self) -> Result<Option<Deadline>, Error>;

    /// Whether the cloud's own log has such a call for this certificate since then: from anybody, also from the
    /// cloud's console. Its times are whole seconds, so `since` counts from the begin of its second. A cloud that keeps
    /// no such log answers no: nothing there shows the call.
    async fn was_called(&self, kind: RequestKind, since: Timestamp) -> Result<bool, Error>;

    /// The cloud's names of its calls.
    fn calls(&self) -> &'static Calls;

    /// Credentials that must not show up in any text (the secret key, a token, the access key id).
    fn sensitive(&self) -> Vec<SecretString>;

    /// Whose calls these are, where the cloud saves profiles of organisations.
    fn account(&self) -> Option<Account> {
        None
    }
}

/// A call that changes something at the cloud, with what it sends.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// Hand in the application. Where the cloud has no call of its own for the order, this also sends the order.
    Submit(&'a Payload),
    /// Send the order to the CA.
    Order,
    /// Open an order again that failed its review or was withdrawn, so that it takes an application.
    Resubmit,
    /// Stop a running review. The paid certificate can be ordered again.
    Withdraw,
    /// Revoke the issued certificate. There is no way back.
    Revoke,
    /// Hand in the signed letter that the order waits for.
    SendLetter(&'a Letter),
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
}

/// The cloud's names of its calls, as status and log show them. `None`: the cloud has no such call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calls {
    /// Behind [`Provider::observe`].
    pub observe: &'static str,
    /// Behind [`Provider::download`].
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
        }
    }
}

/// A request ready to be sent.
#[derive(Debug)]
pub struct Payload {
    /// The cloud's name of the call that sends it.
    pub action: &'static str,
    /// The exact bytes of the body.
    pub body: SecretSlice<u8>,
    /// `sha256:…` over the body, with key passwords and identity numbers left out but for their presence: they
    /// can be guessed from a hash.
    pub hash: String,
    /// The body with every personal datum and secret blanked, for people to read.
    pub redacted: serde_json::Value,
    /// How the cloud shows that it holds this application.
    pub evidence: Evidence,
    /// What its sender should know of it, in sentences: which saved profile it names, and whether a review is skipped.
    pub note: Option<String>,
}

/// A write that the cloud accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The cloud's id of the call.
    pub request_id: Option<String>,
    /// The CA's number of the order, where the call sends it and the cloud tells.
    pub order_id: Option<String>,
}
