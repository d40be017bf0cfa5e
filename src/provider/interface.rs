//! What a cloud offers for one paid certificate: the trait that each cloud's folder implements.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::core::application::Application;
use crate::core::conditions::Problem;
use crate::core::observation::{Bundle, Check, Deadline, Observation};
use crate::core::product::Product;
use crate::core::succession::{Candidate, Head};
use crate::provider::directory::Account;
use crate::provider::error::Error;
use crate::provider::write::{Accepted, Calls, Payload, Request, RequestKind};

/// One paid certificate at one cloud, with the credentials to act on it.
///
/// Reads may be repeated freely. A write is called once, and only after its intent is stored. An unknown outcome is
/// resolved by [`Provider::observe`], never by calling again.
///
/// A write waits for the rate limit (see [`crate::provider::limit`]), but not past `begin_by`: then it fails with
/// [`Error::NotSent`]. The next process, which finds the intent of a process that died, relies on this: no call
/// begins later than that.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Builds the request that submits the application. Pure: no call, no clock.
    ///
    /// The limits of the product are checked as far as the cloud names the product.
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem>;

    /// Reads the certificate. Never writes.
    async fn observe(&self) -> Result<Observation, Error>;

    /// Reads a certificate that is expected to wait for an application, by a call that the orders of the account share, if
    /// the cloud has one. Returns an observation only if the certificate does wait, and without data of an application;
    /// otherwise use [`Provider::observe`].
    async fn observe_unused(&self) -> Option<Observation> {
        None
    }

    /// How long a call that changes something would wait for the rate limit now, with those before it.
    fn write_delay(&self, kind: RequestKind) -> Duration;

    /// Makes one call that changes something at the cloud. The call is never repeated here.
    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error>;

    /// Fetches the issued certificate, with its key if the cloud holds it.
    async fn download(&self) -> Result<Bundle, Error>;

    /// Reads which proofs of control are found so far: one answer for each name. The CA checks by itself; this call
    /// does not trigger a check.
    async fn check_validation(&self) -> Result<Vec<Check>, Error>;

    /// Until when the CA waits for the proofs of control. `None` if the cloud does not list the certificate.
    async fn deadline(&self) -> Result<Option<Deadline>, Error>;

    /// Whether the cloud's own log has such a call for this certificate since then, by any caller, including the
    /// cloud's console. Its times are whole seconds, so `since` is rounded down to its second. For a cloud without such
    /// a log it returns false: nothing there shows the call.
    async fn was_called(&self, kind: RequestKind, since: Timestamp) -> Result<bool, Error>;

    /// The certificates that follow this one, or that may, as far as the cloud shows them: from a list that the orders of
    /// the account share, at most `max_age` old. Never writes.
    ///
    /// Where the cloud shows links, every certificate that one of them names is there, whatever its stage. Where it shows
    /// none, what has run out or ends before this one is left out.
    async fn successors(&self, head: &Head<'_>, max_age: Duration) -> Result<Vec<Candidate>, Error>;

    /// A certificate of the account because of which the cloud does not reissue this one now, from the same list: another one
    /// of the same registered domain whose reissue runs, whoever asked for it. `None` also for a cloud that reissues nothing on
    /// request.
    async fn reissue_that_runs(&self, _max_age: Duration) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Another certificate of the same account, with the same credentials and settings. Makes no call. The id is one that
    /// the API server takes in `certificateId`, as every id of a [`Candidate`] is.
    fn sibling(&self, certificate_id: &str) -> Box<dyn Provider>;

    /// The cloud's names of its calls.
    fn calls(&self) -> &'static Calls;

    /// Credentials that must not appear in any text (the secret key, a token, the access key id).
    fn sensitive(&self) -> Vec<SecretString>;

    /// The account of these calls, if the cloud saves profiles of organisations.
    fn account(&self) -> Option<Account> {
        None
    }
}
